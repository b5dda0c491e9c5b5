package fault

import (
	"errors"
	"fmt"

	"github.com/vpcsim/vpcsim/eni"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/world"
)

// InstanceDies takes the power from the guest of an instance, at once and without a
// goodbye: no FIN, no RST, nothing sent, nothing received, packets under way included.
// To the API the instance runs and its interfaces are attached, so routes to them stay
// active (S000). A guest that gets one of its interfaces afterwards
// ([world.World.Plug]) is alive on it.
//
// Healed, the guest goes on as after a pause, memory intact; its own clock never stood
// still. To start it anew, with nothing in memory, boot another guest on the instance.
type InstanceDies struct {
	// Instance is who dies.
	Instance *vpc.Instance
}

// String returns "instance … is dead".
func (f InstanceDies) String() string { return "instance " + name(f.Instance) + " is dead" }

func (f InstanceDies) begin(w *world.World) (func() error, error) {
	if f.Instance == nil {
		return nil, errors.New("no instance is given")
	}
	var ports []*eni.Port
	for _, n := range f.Instance.Interfaces() {
		p, err := portOf(w, n)
		if err != nil {
			return nil, err
		}
		if p.Plugged() && p.Dead() == "" {
			ports = append(ports, p)
		}
	}
	if len(ports) == 0 {
		return nil, errors.New("no living guest is behind its interfaces")
	}
	words := f.String()
	for _, p := range ports {
		p.PowerOff(words)
	}
	return func() error {
		for _, p := range ports {
			if p.Dead() == words { // else it went to another guest
				p.PowerOn()
			}
		}
		return nil
	}, nil
}

// InterfaceDetached takes a secondary interface from its instance, as
// DetachNetworkInterface does and with its refusals: the guest loses it with its
// routes, and routes that name it become black holes. Healed, it is attached again
// where it was.
type InterfaceDetached struct {
	// Interface is what is detached.
	Interface *vpc.NetworkInterface
}

// String returns "interface … is detached".
func (f InterfaceDetached) String() string { return "interface " + name(f.Interface) + " is detached" }

func (f InterfaceDetached) begin(w *world.World) (func() error, error) {
	n := f.Interface
	if n == nil {
		return nil, errors.New("no interface is given")
	}
	i := n.Instance()
	if i == nil {
		return nil, errors.New("it is attached to no instance")
	}
	index := deviceIndex(n)
	if err := i.Detach(n); err != nil {
		return nil, err
	}
	guest := w.Unplug(n)
	return func() error {
		if _, err := i.AttachAt(n, index); err != nil {
			return err
		}
		if guest == nil {
			return nil
		}
		return w.Plug(guest, n)
	}, nil
}

// deviceIndex returns the device index at which an interface is attached.
func deviceIndex(n *vpc.NetworkInterface) int {
	for _, d := range n.Region().DescribeNetworkInterfaces().NetworkInterfaces {
		if *d.NetworkInterfaceId == n.ID() && d.Attachment != nil && d.Attachment.DeviceIndex != nil {
			return int(*d.Attachment.DeviceIndex)
		}
	}
	return -1
}

// portOf returns the port of an interface in a world.
func portOf(w *world.World, n *vpc.NetworkInterface) (*eni.Port, error) {
	if l := w.Live(n.Region()); l != nil {
		if p := l.Port(n); p != nil {
			return p, nil
		}
	}
	return nil, fmt.Errorf("interface %s is not in this world", n.ID())
}

// resource is what a fault befalls.
type resource interface {
	ID() string
	Label() string
}

// name returns a resource's Name tag and id, or its id alone.
func name[R interface {
	comparable
	resource
}](r R) string {
	var none R
	switch {
	case r == none:
		return "none"
	case r.Label() == r.ID():
		return r.ID()
	}
	return r.Label() + " (" + r.ID() + ")"
}
