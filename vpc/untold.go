package vpc

import (
	"net/netip"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/filter"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// Descriptions of a network may lack what others of them name: a group whose rules nobody
// has listed, an interface that only its instance tells of. What a packet's fate would
// hang on then is neither a yes nor a no: it ends as trace.Unmodelled, and a step names
// the object and what is missing. What a call changes afterwards is known.

// gap is something that descriptions name and do not tell: the object's id, and what is
// missing, in words. The zero gap is none.
type gap struct{ object, missing string }

// there reports whether something is missing.
func (g gap) there() bool { return g.missing != "" }

// pass notes that nobody tells what becomes of p here, and reports whether it goes on
// all the same. See [dataplane.Context.Untold].
func (g gap) pass(c *dataplane.Context, p *wire.Packet) bool {
	return c.Untold(p, g.object, g.missing)
}

// drop ends p, of which nobody tells what becomes of it here.
func (g gap) drop(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	c.NoteUntold(p, g.object, g.missing)
	return dataplane.Drop(trace.Unmodelled)
}

// gaps are what is missing of a VPC.
type gaps struct {
	addrs    map[netip.Addr]gap // addresses of interfaces that are not there
	unseen   gap                // interfaces, whose addresses nobody knows
	unplaced gap                // subnets, whose CIDRs nobody knows
}

// RestoreMissing has f say in what words the descriptions lack the resource with an id,
// such as "not in the snapshot (no SecurityGroups)".
func (tx *Tx) RestoreMissing(f func(id string) string) { tx.missing = f }

// Missing says that the descriptions lack the resource with an id, in words.
func (tx *Tx) Missing(id string) string {
	if tx.missing == nil {
		return "in no description"
	}
	return tx.missing(id)
}

// RestoreAbsent says that an interface that was not restored has a private address of the
// VPC: packets for it end as trace.Unmodelled, and name the interface and what is missing.
// An address that another interface has by now is that one's.
func (tx *Tx) RestoreAbsent(v *VPC, a netip.Addr, id, missing string) {
	if v.gaps.addrs == nil {
		v.gaps.addrs = map[netip.Addr]gap{}
	}
	v.gaps.addrs[a] = gap{id, missing}
}

// RestoreAbsentPublic says the same of a public address: packets from the internet for it
// come to the region.
func (tx *Tx) RestoreAbsentPublic(a netip.Addr, id, missing string) {
	if tx.r.absent == nil {
		tx.r.absent = map[netip.Addr]gap{}
	}
	tx.r.absent[a] = gap{id, missing}
}

// Absent returns the id of the interface that has an address and is not in the region, as
// far as descriptions name one, and what is missing; "" where they do not.
func (r *Region) Absent(a netip.Addr) (id, missing string) {
	r.read(func() {
		g := r.absent[a]
		for _, v := range r.vpcs {
			if x, ok := v.gaps.addrs[a]; ok {
				g = x
			}
		}
		id, missing = g.object, g.missing
	})
	return id, missing
}

// RestoreUnseen says that the VPC may have interfaces beside those that were restored:
// packets for an address that none of these has end as trace.Unmodelled.
func (tx *Tx) RestoreUnseen(v *VPC, missing string) { v.gaps.unseen = gap{v.id, missing} }

// RestoreUnseenIn says that a resource has an interface in the subnet which no description
// tells: packets for an address of the subnet that no interface has end as
// trace.Unmodelled, and name the resource and what is missing.
func (tx *Tx) RestoreUnseenIn(s *Subnet, id, missing string) { s.unseen = gap{id, missing} }

// RestoreUnplaced says that the VPC has subnets beside those that were restored: packets
// for an address that lies in none of these end as trace.Unmodelled.
func (tx *Tx) RestoreUnplaced(v *VPC, missing string) { v.gaps.unplaced = gap{v.id, missing} }

// RestoreUntoldTables says that the VPC has route tables beside those that were restored: what
// a subnet without a table of its own sends out of itself ends as trace.Unmodelled.
func (tx *Tx) RestoreUntoldTables(v *VPC, missing string) {
	if v.main != nil {
		v.main.untold = missing
	}
}

// nobody ends a packet for an address of the VPC that no interface has, or that lies in
// no subnet: if nothing is missing for the reason end.
func (n *network) nobody(c *dataplane.Context, p *wire.Packet, in *subnet, end trace.Reason) dataplane.Next {
	g, ok := n.gaps.addrs[p.Flow.Dst.Netip()]
	switch {
	case ok:
	case end == trace.NoSuchAddress && in.unseen.there():
		g = in.unseen
	case end == trace.NoSuchAddress:
		g = n.gaps.unseen
	case end == trace.NotInSubnet:
		g = n.gaps.unplaced
	}
	if g.there() {
		return g.drop(c, p)
	}
	return dataplane.Drop(end)
}

// absence is where packets from the internet come to whose address is that of an
// interface that is not there.
type absence struct {
	name string
	gap  gap
}

// Name returns the region's name and "border".
func (a *absence) Name() string { return a.name }

// Forward ends the packet.
func (a *absence) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	return a.gap.drop(c, p)
}

// vagueRule is a rule of a security group of which a part can't be read, widened to all
// that it may allow.
type vagueRule struct {
	Permission
	egress  bool
	missing string
}

// vague returns the rules of a group of which nobody knows whether they allow: those that
// can't be read, those of lists whose entries nobody knows, and of a group that is not
// there every one that there can be. A rule's Label says what is missing, its GroupID of
// what.
func (g *SecurityGroup) vague(egress bool) []filter.Rule {
	var list []filter.Rule
	add := func(t filter.Traffic, peers []netip.Prefix, object, missing string) {
		for _, p := range peers {
			list = append(list, filter.Rule{GroupID: object, Label: missing, Traffic: t, Prefix: p})
		}
	}
	if g.untold != "" {
		add(filter.AllTraffic(), everywhere, g.id, g.untold)
	}
	for _, r := range g.unread {
		if r.egress == egress {
			peers := everywhere
			if r.CIDR.IsValid() {
				peers = []netip.Prefix{r.CIDR}
			}
			add(r.traffic(), peers, g.id, r.missing)
		}
	}
	rules := g.ingress
	if egress {
		rules = g.egress
	}
	for _, r := range rules {
		if r.PrefixList != nil && r.PrefixList.untold != "" {
			add(r.traffic(), r.PrefixList.mayHold(), r.PrefixList.id, r.PrefixList.untold)
		}
	}
	return list
}

// everywhere is all addresses.
var everywhere = []netip.Prefix{netip.PrefixFrom(netip.IPv4Unspecified(), 0), netip.PrefixFrom(netip.IPv6Unspecified(), 0)}

// unread returns why nobody can tell what rules of a network ACL do, by their numbers; nil
// where all can be read.
func unread(list []ACLEntry) map[int]string {
	var of map[int]string
	for _, e := range list {
		if e.unread != "" {
			if of == nil {
				of = map[int]string{}
			}
			of[e.Number] = e.unread
		}
	}
	return of
}

// untold returns why nobody can tell what the network ACL's rule with the number does in
// one direction; the zero gap where one can.
func (s *subnet) untold(number int, which *trace.Entry) gap {
	if s.untoldACL != "" {
		return gap{s.origin.Subnet, s.untoldACL}
	}
	side := 0
	if which == &outboundRule {
		side = 1
	}
	return gap{s.acl.ID, s.unread[side][number]}
}

// deny says why a packet ends that the network ACL does not allow, and trace.None where it
// goes on all the same.
func (s *subnet) deny(c *dataplane.Context, p *wire.Packet, number int, which *trace.Entry, end trace.Reason) trace.Reason {
	g := s.untold(number, which)
	switch {
	case g.there() && g.pass(c, p):
		return trace.None
	case g.there():
		return trace.Unmodelled
	case c.Lift(end):
		return trace.None
	}
	return end
}
