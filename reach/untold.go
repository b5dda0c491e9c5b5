package reach

import (
	"net/netip"

	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
)

// What no description of the network tells is neither a yes nor a no: a probe goes on past
// filters that nobody can tell of, and what comes back then is unknown; what dies behind
// one all the same is dead.

// doubt is a filter, or an instance, that the network's description does not tell of,
// and the walk that met it.
type doubt struct {
	walk        int
	at          string
	object, why string
}

// doubtful has packets go on past what nobody can tell of, and notes it: what dies behind
// it is dead whatever that does.
func (r *run) doubtful(end trace.Reason) bool {
	if end != trace.Unmodelled {
		return false
	}
	walks := r.prober.world.Engine.Log.Walks()
	w := walks[len(walks)-1]
	s := &w.Steps[len(w.Steps)-1]
	r.doubts = append(r.doubts, doubt{w.ID, where(s.NodeID, s.Node), s.ObjectID, s.Match})
	return true
}

// doubt makes unknown what came of a probe that has passed what nobody can tell of.
func (r *Result) doubt(d doubt, back map[int]bool) {
	r.RoundTrip, r.Observed, r.ReplyTTL, r.ReplyTTLAtMost, r.Connected = nil, Unknown, nil, nil, false
	r.reason, r.Reason, r.Code, r.Where = trace.Unmodelled, trace.Unmodelled.String(), trace.Unmodelled.Code(), d.at
	r.Unknown, r.Direction = d.object+": "+d.why, "reply"
	if !back[d.walk] {
		r.Direction, r.Delivered, r.SeenAs = "request", false, ""
	}
}

// untold returns the step that says what is missing where the walk ended, or nil.
func untold(w *trace.Walk) *trace.Step {
	for n := len(w.Steps) - 1; n >= 0; n-- {
		switch s := &w.Steps[n]; s.Act {
		case trace.Untold:
			return s
		case trace.Ended:
		default:
			return nil
		}
	}
	return nil
}

// absent says what is missing of an address that an interface has which is not in the
// network, "" of others.
func (p *Prober) absent(a netip.Addr) string {
	for _, l := range p.lives {
		if id, missing := l.Region().Absent(a); id != "" {
			return id + ": " + missing
		}
	}
	return ""
}

// platformOwn are the kinds of interface behind which nobody's program runs: without the
// resource nothing of its own is sent.
var platformOwn = map[vpc.InterfaceType]bool{
	vpc.InterfaceNATGateway: true, vpc.InterfaceTransitGateway: true, vpc.InterfaceNLB: true, vpc.InterfaceALB: true, vpc.InterfaceCLB: true,
	vpc.InterfaceGWLB: true, vpc.InterfaceGWLBEndpoint: true, vpc.InterfaceEndpoint: true,
}
