package firewall

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"github.com/vpcsim/vpcsim/wire"
)

// stateless is a compiled stateless rule.
type stateless struct {
	group, text      string
	number           int
	sources, targets addresses
	from, to         ports
	protocols        []wire.Proto
	flags            []TCPFlagField
	action           Action
}

// compileStateless checks and orders the rules of the groups: by the groups' priority,
// then by their own (NFW guide, "Stateless rule groups").
func compileStateless(groups []StatelessGroup) ([]stateless, error) {
	groups = slices.Clone(groups)
	slices.SortStableFunc(groups, func(a, b StatelessGroup) int { return cmp.Compare(a.Priority, b.Priority) })
	var all []stateless
	for i, g := range groups {
		if i > 0 && groups[i-1].Priority == g.Priority {
			return nil, invalid("stateless rule group priority %d is used more than once", g.Priority)
		}
		rules := slices.Clone(g.Rules)
		slices.SortStableFunc(rules, func(a, b StatelessRule) int { return cmp.Compare(a.Priority, b.Priority) })
		for k, r := range rules {
			switch {
			case r.Priority < 1 || r.Priority > 65535:
				return nil, invalid("stateless rule priority %d of %s is not in 1 to 65535", r.Priority, g.Name)
			case k > 0 && rules[k-1].Priority == r.Priority:
				return nil, invalid("stateless rule priority %d of %s is used more than once", r.Priority, g.Name)
			case r.Action != Pass && r.Action != Drop && r.Action != Forward:
				return nil, invalid("stateless rule action %q of %s is none of aws:pass, aws:drop, aws:forward_to_sfe", r.Action, g.Name)
			}
			if err := r.check(g.Name); err != nil {
				return nil, err
			}
			all = append(all, r.compile(g.Name))
		}
	}
	return all, nil
}

// check refuses addresses and ports that are none.
func (r StatelessRule) check(group string) error {
	for _, p := range slices.Concat(r.Sources, r.Destinations) {
		if !p.IsValid() {
			return invalid("stateless rule %d of %s has an address that is no CIDR", r.Priority, group)
		}
	}
	for _, p := range slices.Concat(r.SourcePorts, r.DestinationPorts) {
		if p.From > p.To {
			return invalid("stateless rule %d of %s has ports from %d to %d", r.Priority, group, p.From, p.To)
		}
	}
	return nil
}

func (r StatelessRule) compile(group string) stateless {
	return stateless{
		group: group, number: r.Priority, text: fmt.Sprintf("stateless rule %d %s", r.Priority, r.Action),
		sources: addresses{yes: packed(r.Sources)}, targets: addresses{yes: packed(r.Destinations)},
		from: ports{yes: r.SourcePorts}, to: ports{yes: r.DestinationPorts},
		protocols: slices.Clone(r.Protocols), flags: slices.Clone(r.Flags), action: r.Action,
	}
}

func packed(list []netip.Prefix) []wire.Prefix {
	var out []wire.Prefix
	for _, p := range list {
		out = append(out, wire.PrefixFrom(p))
	}
	return out
}

// matches reports whether the rule takes the packet. A rule for ports takes no packet
// without them.
func (r *stateless) matches(p *wire.Packet) bool {
	f := p.Flow
	switch {
	case len(r.protocols) > 0 && !slices.Contains(r.protocols, f.Proto),
		!r.sources.contain(f.Src), !r.targets.contain(f.Dst):
		return false
	case !(r.from.all() && r.to.all()) && (!ported(p) || !r.from.contain(f.SrcPort) || !r.to.contain(f.DstPort)):
		return false
	case len(r.flags) == 0:
		return true
	}
	return f.Proto == wire.ProtoTCP && p.Fragment != wire.LaterFragment && slices.ContainsFunc(r.flags, func(x TCPFlagField) bool {
		if x.Masks == 0 {
			return p.Flags == x.Flags
		}
		return p.Flags&x.Masks == x.Flags
	})
}

// ported reports whether the packet shows TCP or UDP ports.
func ported(p *wire.Packet) bool {
	return (p.Flow.Proto == wire.ProtoTCP || p.Flow.Proto == wire.ProtoUDP) && p.Fragment != wire.LaterFragment
}
