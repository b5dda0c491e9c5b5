package eni

import (
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/wire"
)

// Segment is the Ethernet that the interfaces of one subnet believe to be on: who
// answers ARP and neighbour discovery, and with which MAC address. It is compiled
// configuration: filled once, then read only.
type Segment struct {
	// Router is the MAC address of the subnet's router.
	Router wire.MAC
	// RouterAddrs are the addresses at which the router answers: base+1 of the
	// IPv4 CIDR, fe80:ec2::1 and the IPv6 base+1 (VPC guide, "Subnet sizing").
	RouterAddrs []wire.Addr
	// Prefixes are the subnet's CIDRs.
	Prefixes []wire.Prefix
	services map[wire.Addr]Service
	hosts    map[wire.Addr]*Interface
	macs     map[wire.MAC]*Interface
	ranges   []delegated
}

// delegated is a prefix assigned to an interface (EC2 guide, "Assigning prefixes").
type delegated struct {
	prefix wire.Prefix
	to     *Interface
}

// Service answers packets that a guest sends to an address of the platform:
// metadata, DNS, time. Security groups and ACLs do not filter them (VPC guide,
// "Security groups").
type Service interface {
	Serve(c *dataplane.Context, i *Interface, p *wire.Packet) dataplane.Next
}

// Add puts an interface on the segment. Of two with one address the first stays.
func (s *Segment) Add(i *Interface) {
	if s.hosts == nil {
		s.hosts, s.macs = map[wire.Addr]*Interface{}, map[wire.MAC]*Interface{}
	}
	for _, a := range i.Addrs {
		if s.hosts[a] == nil {
			s.hosts[a] = i
		}
	}
	for _, p := range i.Prefixes {
		s.ranges = append(s.ranges, delegated{p, i})
	}
	if s.macs[i.MAC] == nil {
		s.macs[i.MAC] = i
	}
}

// Serve has the platform answer at an address.
func (s *Segment) Serve(a wire.Addr, v Service) {
	if s.services == nil {
		s.services = map[wire.Addr]Service{}
	}
	s.services[a] = v
}

// Lookup returns the interface of this subnet that has the address, as its own or
// in a prefix assigned to it, or nil. It does not allocate.
func (s *Segment) Lookup(a wire.Addr) *Interface {
	if i := s.hosts[a]; i != nil {
		return i
	}
	for _, d := range s.ranges {
		if d.prefix.Contains(a) {
			return d.to
		}
	}
	return nil
}

// Contains reports whether a lies in one of the subnet's CIDRs.
func (s *Segment) Contains(a wire.Addr) bool {
	for _, p := range s.Prefixes {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// resolve returns the MAC address with which the VPC answers a question for a: the
// router's for the router and the platform's services, an interface's own for its
// addresses, none for anybody else.
func (s *Segment) resolve(a wire.Addr) (wire.MAC, bool) {
	for _, r := range s.RouterAddrs {
		if r == a {
			return s.Router, true
		}
	}
	if s.services[a] != nil {
		return s.Router, true
	}
	if i := s.Lookup(a); i != nil {
		return i.MAC, true
	}
	return wire.MAC{}, false
}

// sender returns the MAC address that a delivered packet seems to come from: the
// neighbour's that has its source, else the router's.
func (s *Segment) sender(src wire.Addr) wire.MAC {
	if i := s.Lookup(src); i != nil {
		return i.MAC
	}
	return s.Router
}
