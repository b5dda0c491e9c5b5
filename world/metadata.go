package world

import (
	"net/netip"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/eni"
	"github.com/vpcsim/vpcsim/metadata"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// instanceMetadata is the platform's end of 169.254.169.254: a metadata service for
// each instance that asks.
type instanceMetadata struct {
	world    *World
	live     *vpc.Live
	services map[string]*metadata.Service // by instance id
}

// serveMetadata has the metadata service answer in every subnet of a region.
func (w *World) serveMetadata(l *vpc.Live) {
	m := &instanceMetadata{world: w, live: l, services: map[string]*metadata.Service{}}
	l.Serve(wire.AddrFrom(metadata.Addr4), m)
	l.Serve(wire.AddrFrom(metadata.Addr6), m)
}

// Serve delivers the packet to the service of the instance that sent it. An
// interface of no instance has none.
func (m *instanceMetadata) Serve(c *dataplane.Context, i *eni.Interface, _ *wire.Packet) dataplane.Next {
	n, ok := m.live.Region().Find(i.ID).(*vpc.NetworkInterface)
	if !ok || n.Instance() == nil {
		return dataplane.Drop(trace.LinkLocal)
	}
	return c.Deliver(m.of(n.Instance()))
}

func (m *instanceMetadata) of(i *vpc.Instance) *metadata.Service {
	if s := m.services[i.ID()]; s != nil {
		return s
	}
	s, err := metadata.New(m.world.Engine, metadata.Config{Seed: m.world.seed}, func() metadata.Facts { return facts(i) },
		func(ip []byte) { m.answer(i, ip) })
	if err != nil {
		panic("world: the metadata service refuses its default options: " + err.Error())
	}
	m.services[i.ID()] = s
	return s
}

// answer hands a service's packet to the interface that it is for.
func (m *instanceMetadata) answer(i *vpc.Instance, ip []byte) {
	var p wire.Packet
	if p.Read(ip) != nil {
		return
	}
	for _, n := range i.Interfaces() {
		if x := m.live.Interface(n); x != nil && x.Owns(p.Flow.Dst) {
			m.world.Engine.Send(x.FromService(), ip)
			return
		}
	}
}

// facts tells the metadata service what the control plane knows of an instance.
func facts(i *vpc.Instance) metadata.Facts {
	f := metadata.Facts{InstanceID: i.ID(), Region: i.Region().Name()}
	for device, n := range i.Interfaces() {
		f.Zone = n.Subnet().Zone()
		f.Interfaces = append(f.Interfaces, interfaceFacts(device, n))
	}
	return f
}

func interfaceFacts(device int, n *vpc.NetworkInterface) metadata.Interface {
	s := n.Subnet()
	m := metadata.Interface{
		MAC: n.MAC(), DeviceNumber: device, InterfaceID: n.ID(), SubnetID: s.ID(), VPCID: s.VPC().ID(),
		OwnerID: n.Region().Account(), IPv6s: n.IPv6(), SubnetIPv4: s.CIDR(),
	}
	if a := n.PrivateIP(); a.IsValid() {
		m.LocalHostname = n.Region().PrivateDNSName(a)
	}
	for _, a := range n.PrivateAddresses() {
		m.LocalIPv4s = append(m.LocalIPv4s, a.IP)
		if a.Public.IsValid() {
			m.Associations = append(m.Associations, metadata.Association{Public: a.Public, Private: a.IP})
		}
	}
	for _, g := range n.Groups() {
		m.SecurityGroups = append(m.SecurityGroups, g.Name())
		m.SecurityGroupIDs = append(m.SecurityGroupIDs, g.ID())
	}
	if s.IPv6().IsValid() {
		m.SubnetIPv6s = []netip.Prefix{s.IPv6()}
	}
	for _, p := range s.VPC().CIDRs() {
		if p.Addr().Is4() {
			m.VPCIPv4s = append(m.VPCIPv4s, p)
		} else {
			m.VPCIPv6s = append(m.VPCIPv6s, p)
		}
	}
	return m
}
