package vpc

import (
	"slices"

	"github.com/vpcsim/vpcsim/eni"
)

// TunnelEnd is the end of a tunnel that an instance's guest encrypts and decrypts by
// itself, such as a customer gateway that is an instance.
type TunnelEnd interface {
	// CompileEnd makes the nodes of the end at the interface that has the tunnel's
	// address, and returns what takes the guest's packets into the tunnel. It must not
	// call what locks a region.
	CompileEnd(c *Compiler, i *eni.Interface) eni.Interceptor
}

// EndTunnel has a tunnel end at an interface, as long as that is there. What the guest
// of its instance sends may go by the tunnel, whichever of the instance's interfaces it
// would leave by.
func (tx *Tx) EndTunnel(n *NetworkInterface, t TunnelEnd) { n.tunnels = append(n.tunnels, t) }

// DropTunnel undoes EndTunnel.
func (tx *Tx) DropTunnel(n *NetworkInterface, t TunnelEnd) {
	n.tunnels = slices.DeleteFunc(slices.Clone(n.tunnels), func(o TunnelEnd) bool { return o == t })
}

// EndsTunnel reports whether a tunnel ends at the interface's instance.
func (n *NetworkInterface) EndsTunnel() bool {
	var ends bool
	n.region.read(func() {
		ends = len(n.tunnels) > 0
		if n.instance != nil {
			ends = slices.ContainsFunc(n.instance.interfaces, func(m *NetworkInterface) bool { return len(m.tunnels) > 0 })
		}
	})
	return ends
}

// tunnels compiles the tunnels that end at a VPC's interfaces.
func (c *Compiler) tunnels(v *VPC) {
	for _, n := range v.interfaces {
		for _, t := range n.tunnels {
			x := t.CompileEnd(c, c.interfaces[n])
			if n.instance == nil {
				continue
			}
			for _, m := range n.instance.interfaces {
				i := c.interfaces[m]
				i.Tunnels = append(i.Tunnels, x)
			}
		}
	}
}
