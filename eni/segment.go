package eni

import (
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/internal/addrtable"
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

	services addrtable.Table[Service]
	hosts    addrtable.Table[*Interface]
	macs     addrtable.Table[*Interface] // by macKey
	ranges   []delegation
}

// delegation is the prefixes of one length that are assigned to interfaces (EC2
// guide, "Assigning prefixes": /28 of IPv4, /80 of IPv6), by their first address.
type delegation struct {
	mask   wire.Addr
	prefix wire.Prefix // one of them: its length is theirs
	to     addrtable.Table[*Interface]
}

// macKey is a MAC address as the number it is, to stand in a table.
func macKey(m wire.MAC) wire.Addr {
	return wire.AddrFromWords(0, uint64(m[0])<<40|uint64(m[1])<<32|uint64(m[2])<<24|uint64(m[3])<<16|uint64(m[4])<<8|uint64(m[5]))
}

// Service answers packets that a guest sends to an address of the platform:
// metadata, DNS, time. Security groups and ACLs do not filter them (VPC guide,
// "Security groups"); source/dest check does.
type Service interface {
	// Serve takes the packet p that the guest behind i sent. It may answer with
	// c.Emit(i.FromService(), …), and then ends the walk for trace.Answered.
	Serve(c *dataplane.Context, i *Interface, p *wire.Packet) dataplane.Next
}

// Reserve makes room for so many interfaces, beside those that are there.
func (s *Segment) Reserve(n int) {
	s.hosts.Reserve(n)
	s.macs.Reserve(n)
}

// Add puts an interface on the segment. Of two with one address, one prefix or one
// MAC address the first stays.
func (s *Segment) Add(i *Interface) {
	for _, a := range i.Addrs {
		s.hosts.Insert(a, i)
	}
	for _, p := range i.Prefixes {
		s.delegation(p).to.Insert(p.Base(), i)
	}
	s.macs.Insert(macKey(i.MAC), i)
}

// delegation returns the prefixes of p's length.
func (s *Segment) delegation(p wire.Prefix) *delegation {
	mask := p.Truncate(wire.AddrFromWords(^uint64(0), ^uint64(0)))
	for i := range s.ranges {
		if s.ranges[i].mask == mask {
			return &s.ranges[i]
		}
	}
	s.ranges = append(s.ranges, delegation{mask: mask, prefix: p})
	return &s.ranges[len(s.ranges)-1]
}

// Serve has the platform answer at an address. Of two at one address the first stays.
func (s *Segment) Serve(a wire.Addr, v Service) { s.services.Insert(a, v) }

// Lookup returns the interface of this subnet that has the address, as its own or
// in a prefix assigned to it, or nil. It does not allocate.
func (s *Segment) Lookup(a wire.Addr) *Interface {
	if i := s.hosts.Lookup(a); i != nil {
		return i
	}
	for k := range s.ranges {
		d := &s.ranges[k]
		if i := d.to.Lookup(d.prefix.Truncate(a)); i != nil {
			return i
		}
	}
	return nil
}

// neighbor returns the interface with the MAC address, or nil.
func (s *Segment) neighbor(m wire.MAC) *Interface { return s.macs.Lookup(macKey(m)) }

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
	if s.services.Lookup(a) != nil {
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
