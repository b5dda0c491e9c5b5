package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/reach"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
)

// Sizes of payloads, in bytes: what a host with jumbo frames sends, and what is over
// Ethernet's 1,500.
const (
	jumbo     = 8900
	overEther = 1600
)

// askLarge probes again with packets of a size.
func (l *linter) askLarge(s reach.Spec, size int, fragment bool) *answer {
	s.Size, s.Fragment = size, fragment
	return l.askSpec(s)
}

// large sends what passes while it is small once more, as large as hosts with jumbo
// frames send it: where it gets lost and its sender is not told, the flow hangs (MT01, by a
// transit gateway TG08). TCP has its MSS, which the sizes of packets keep to. Of what no
// error is sent about, connections alone are told: datagrams of that size are rare.
func (l *linter) large(a *answer, size int) {
	if !a.result.Reachable() || !slices.ContainsFunc(a.result.Way, narrowed) {
		return
	}
	b := l.askLarge(a.spec, size, false)
	if !b.dead() || b.result.End() != trace.TooBig {
		return
	}
	lost, silent := lostError(b)
	if lost != nil || silent && b.result.Connected {
		l.hangs(b, lost)
	}
}

// flowOf says a question by the names of its ends.
func (l *linter) flowOf(s reach.Spec) string {
	ends := [2]string{s.From, s.To}
	for i, id := range ends {
		if x := l.resource(id); x != nil {
			ends[i] = label(x)
		}
	}
	return ends[0] + " -> " + ends[1] + " " + traffic(s.Proto, s.Port)
}

// narrowed reports whether what has the id may carry less than 9,001 bytes.
func narrowed(id string) bool {
	kind, _, _ := strings.Cut(id, "-")
	return slices.Contains([]string{"igw", "eigw", "nat", "tgw", "pcx", "vpce", "vgw", "dxgw"}, kind)
}

// lostError finds the error about a packet that was too big: the walk in which it died, and
// whether there was none. Both are nothing where the sender got it.
func lostError(a *answer) (died *trace.Walk, silent bool) {
	silent = true
	for _, w := range a.result.Story {
		if w.End() != trace.TooBig {
			continue
		}
		for _, e := range a.result.Story {
			if e.Cause == w.ID && (e.First.Proto == 1 || e.First.Proto == 58) {
				if silent = false; e.End().IsDrop() {
					return e, false
				}
			}
		}
	}
	return nil, silent
}

// hangs reports packets that get lost for their size: the error died in the walk lost, or
// there is none.
func (l *linter) hangs(a *answer, lost *trace.Walk) {
	where := l.resource(a.result.Where)
	if where == nil {
		return
	}
	f := finding{rule: "MT01", object: where, proof: a, severity: Note, fix: "have the hosts send no packets over 8,500 bytes there: ip link set dev eth0 mtu 8500",
		message: fmt.Sprintf("%s opens a connection, and %d bytes of data get lost at %s, which tells nobody (that it does not is inferred)", l.flowOf(a.spec), a.spec.Size, label(where))}
	if strings.HasPrefix(a.result.Where, "tgw-") {
		f.rule = "TG08"
	}
	if lost != nil {
		f.severity = Warning
		f.message = fmt.Sprintf("%s: small packets pass, those of %d bytes do not fit at %s, and the error that says so dies at %s: %s",
			l.flowOf(a.spec), a.spec.Size, label(where), lost.WhereID, lost.End())
		f.fix = ""
		if acl, ok := l.resource(firstID(lost)).(*vpc.NetworkACL); ok {
			f.object, f.fix = acl, allowTooBig(acl, lost)
		}
	}
	l.add(f)
}

// firstID is the id of the object that a walk's last step asked.
func firstID(w *trace.Walk) string {
	if len(w.Steps) == 0 {
		return ""
	}
	id, _, _ := strings.Cut(w.Steps[len(w.Steps)-1].ObjectID, ", ")
	return id
}

// allowTooBig is the call that lets errors about packets that are too big, of which one died
// in the walk lost, through an ACL (VPC guide, "Path MTU Discovery"): by a rule before the one
// that denies them, which has to go where no number before it is free.
func allowTooBig(a *vpc.NetworkACL, lost *trace.Walk) string {
	rules, direction := a.Ingress(), "--ingress"
	if lost.End() == trace.ACLEgress {
		rules, direction = a.Egress(), "--egress"
	}
	denies := int(lost.Steps[len(lost.Steps)-1].Number)
	n := reach.FreeNumber(rules, denies, func(int) bool { return false })
	if n == 0 {
		return fmt.Sprintf("aws ec2 delete-network-acl-entry --network-acl-id %s %s --rule-number %d  # no number before it is free", a.ID(), direction, denies)
	}
	return fmt.Sprintf("aws ec2 create-network-acl-entry --network-acl-id %s %s --rule-number %d --protocol 1 --icmp-type-code Type=3,Code=4 --cidr-block 0.0.0.0/0 --rule-action allow",
		a.ID(), direction, n)
}

// fragmentsThroughNAT is NG07: a group lets ICMP out on purpose, and its way is a NAT
// gateway, which carries no fragments but UDP's.
func (l *linter) fragmentsThroughNAT(g *natgw.NATGateway) {
	for _, n := range l.throughDefault(g) {
		for _, group := range n.Groups() {
			for _, p := range group.Egress() {
				if p.Protocol != 1 || p.CIDR != all4 {
					continue
				}
				small := l.ask(n.ID(), "internet", "icmp", 0)
				if !small.result.Reachable() {
					continue
				}
				if a := l.askLarge(small.spec, 2000, true); a.result.End() == trace.FragmentNotSupported {
					l.add(finding{rule: "NG07", object: g, proof: a, message: fmt.Sprintf(
						"%s lets ICMP out to the world: %s gets answers through %s, and none to packets of 2000 bytes, which come in fragments", label(group), label(n), label(g))})
				}
			}
		}
	}
}
