package plan

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/vpcsim/vpcsim/ec2"
)

// space is a subnet's addresses, of both families.
type space struct {
	four, six netip.Prefix
	used      map[netip.Addr]bool
}

// space returns the addresses of a subnet, nil of one that the plan does not tell.
func (b *builder) space(id string) *space {
	if s := b.spaces[id]; s != nil {
		return s
	}
	p := b.subnets.byID[id]
	if p == nil {
		return nil
	}
	four, err := netip.ParsePrefix(ec2.Value(p.shape.CidrBlock))
	if err != nil || !four.Addr().Is4() {
		return nil
	}
	s := &space{four: four.Masked(), used: map[netip.Addr]bool{}}
	for _, a := range p.shape.Ipv6CidrBlockAssociationSet {
		if six, err := netip.ParsePrefix(ec2.Value(a.Ipv6CidrBlock)); err == nil && six.Addr().Is6() {
			s.six = six.Masked()
		}
	}
	b.spaces[id] = s
	return s
}

// take marks an address as in use, and returns it.
func (s *space) take(text string) string {
	if a, err := netip.ParseAddr(text); err == nil && s != nil {
		s.used[a] = true
	}
	return text
}

// pick returns a free address for what is called so: the one that its name leads to, or
// the next behind it, so that another resource's coming and going leaves it where it is.
// AWS keeps the first four addresses and the last one of a subnet (VPC guide, "Subnet
// sizing").
func (s *space) pick(name string) string {
	size := uint32(1) << min(31, 32-s.four.Bits())
	if size < 8 {
		return ""
	}
	sum := sha256.Sum256([]byte(name))
	start := binary.BigEndian.Uint32(sum[:]) % (size - 5)
	raw := s.four.Addr().As4()
	base := binary.BigEndian.Uint32(raw[:])
	for i := range min(size-5, 1<<16) {
		binary.BigEndian.PutUint32(raw[:], base+4+(start+i)%(size-5))
		if a := netip.AddrFrom4(raw); !s.used[a] {
			s.used[a] = true
			return a.String()
		}
	}
	return ""
}

// pick6 is pick for IPv6; "" where the subnet has none.
func (s *space) pick6(name string) string {
	if !s.six.IsValid() {
		return ""
	}
	for i := range 1000 {
		sum := sha256.Sum256([]byte(fmt.Sprint(name, i)))
		raw := s.six.Addr().As16()
		copy(raw[8:], sum[:8])
		if a := netip.AddrFrom16(raw); !s.used[a] && raw[15] > 3 {
			s.used[a] = true
			return a.String()
		}
	}
	return ""
}

// publicAddress returns a public address that nobody has, of the range for documentation
// TEST-NET-3 (RFC 5737) and then of that for benchmarks (RFC 2544).
func (b *builder) publicAddress() string {
	const testNet3, all = 254, 1 << 17
	for range all {
		b.public++
		text := fmt.Sprintf("203.0.113.%d", b.public)
		if i := b.public - testNet3; i > 0 {
			text = fmt.Sprintf("198.%d.%d.%d", 18+i>>16&1, i>>8&0xff, i&0xff)
		}
		if !b.taken[text] {
			b.taken[text] = true
			return text
		}
	}
	return ""
}

// subnetName is what a subnet is called: its address, where it has one.
func (b *builder) subnetName(id string) string {
	if p := b.subnets.byID[id]; p != nil {
		return p.r.address
	}
	return id
}
