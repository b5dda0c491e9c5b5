package filter

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"github.com/vpcsim/vpcsim/wire"
)

// Rule numbers (AWS: vpc-network-acls; API, NetworkAclEntry).
const (
	// FirstACLNumber and LastACLNumber bound what a rule may be numbered.
	FirstACLNumber = 1
	LastACLNumber  = 32766
	// ImplicitDeny is the rule that AWS shows as "*": it denies every IPv4 packet
	// that no other rule takes.
	ImplicitDeny = 32767
	// ImplicitDeny6 is the same for IPv6.
	ImplicitDeny6 = 32768
)

// ACLRule is one numbered rule of an [ACL].
type ACLRule struct {
	// Number orders the rules: 1 to 32766, each at most once, lowest first.
	Number int
	// Allow says what becomes of a packet that the rule takes; false denies.
	Allow bool
	// Traffic is the protocol, and the destination ports or ICMP types.
	Traffic Traffic
	// Peer holds the source of ingress, the destination of egress. An IPv4 prefix
	// takes no IPv6 packet, an IPv6 prefix no IPv4 packet. Host bits are dropped.
	Peer netip.Prefix
}

// ACL is an ordered list of rules for one direction: the first that takes a packet
// decides, and where none does the packet is denied. It remembers nothing between
// packets. It is immutable; the zero ACL denies everything.
type ACL struct {
	v4, v6 []aclRule
	first4 verdict // of the first IPv4 rule, where that takes every packet
}

// verdict is a rule's number, 0 for none, and whether it allows.
type verdict struct {
	number int
	allow  bool
}

// aclRule is an ACLRule as packets are compared with it: a linear scan over such
// rules beats any index at the 20 to 40 rules that AWS allows.
type aclRule struct {
	peer    wire.Prefix
	traffic Traffic
	number  uint16
	allow   bool
	every   bool // takes every packet of the family
}

// NewACL returns the ACL of the rules, in whatever order they come. It returns an
// error where a number is out of range or taken twice, or a prefix is invalid.
func NewACL(rules []ACLRule) (ACL, error) {
	rules = slices.Clone(rules)
	slices.SortFunc(rules, func(a, b ACLRule) int { return cmp.Compare(a.Number, b.Number) })
	var acl ACL
	for i, r := range rules {
		switch {
		case r.Number < FirstACLNumber || r.Number > LastACLNumber:
			return ACL{}, fmt.Errorf("filter: ACL rule number %d is not in %d to %d", r.Number, FirstACLNumber, LastACLNumber)
		case i > 0 && rules[i-1].Number == r.Number:
			return ACL{}, fmt.Errorf("filter: ACL rule number %d is there twice", r.Number)
		case !r.Peer.IsValid():
			return ACL{}, fmt.Errorf("filter: ACL rule number %d has no valid prefix", r.Number)
		}
		list := &acl.v6
		if r.Peer.Addr().Is4() {
			list = &acl.v4
		}
		every := r.Traffic == AllTraffic() && r.Peer.Bits() == 0
		if every && len(acl.v4) == 0 && list == &acl.v4 {
			acl.first4 = verdict{r.Number, r.Allow}
		}
		*list = append(*list, aclRule{wire.PrefixFrom(r.Peer), r.Traffic, uint16(r.Number), r.Allow, every})
	}
	return acl, nil
}

// Decide returns the number of the rule that takes p and whether p may pass. peer
// is the packet's source on ingress, its destination on egress. Where no rule takes
// p the number is [ImplicitDeny], or [ImplicitDeny6] for an IPv6 packet. It does
// not allocate.
//
// AWS's default ACL, and most others, begin with a rule for every packet: that is
// decided where Decide is inlined.
func (a *ACL) Decide(p *wire.Packet, peer wire.Addr) (number int, allow bool) {
	if v := a.first4; v.number != 0 && p.Is4() {
		return v.number, v.allow
	}
	return a.scan(p, peer)
}

// scan looks for the first rule that takes p.
func (a *ACL) scan(p *wire.Packet, peer wire.Addr) (number int, allow bool) {
	rules, star := a.v6, ImplicitDeny6
	if peer.Is4() {
		rules, star = a.v4, ImplicitDeny
	}
	if len(rules) > 0 && rules[0].every {
		return int(rules[0].number), rules[0].allow
	}
	q := probeOf(p)
	for i := range rules {
		r := &rules[i]
		if r.traffic.allows(q) && r.peer.Contains(peer) && (r.allow || r.traffic.denies(q)) {
			return int(r.number), r.allow
		}
	}
	return star, false
}
