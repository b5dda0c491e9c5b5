package firewall

import (
	"time"

	"github.com/vpcsim/vpcsim/wire"
)

// Idle timeouts of flows (NFW API, FlowTimeouts; that of other protocols inferred).
const (
	defaultTCPIdle = 350 * time.Second
	otherIdle      = 120 * time.Second
)

// flow is what the stateful engine remembers of a flow.
type flow struct {
	last   time.Duration
	turned bool // the opener sends against the direction of the key
	passed bool // a rule has passed it: no rule is asked again
	answer bool // SYN and ACK came back, or what answers UDP and ICMP
}

// flows is the live state of one endpoint of a firewall: endpoints in other zones know
// nothing of its flows, so both directions must come by one (NFW guide,
// "Avoiding asymmetric routing").
type flows struct {
	byFlow map[wire.Flow]flow
	sweep  int // how many flows there are when dead ones are looked for
}

// minSweep is the least number of flows at which dead ones are looked for.
const minSweep = 1024

// Reset forgets all flows.
func (t *flows) Reset() { *t = flows{} }

// key returns the flow by which both directions are found, and whether f goes against it.
func key(f wire.Flow) (wire.Flow, bool) {
	if n := f.Src.Compare(f.Dst); n > 0 || n == 0 && f.SrcPort > f.DstPort {
		return f.Reverse(), true
	}
	return f, false
}

// find returns a flow that lives. It does not allocate.
func (t *flows) find(k wire.Flow, now, tcp time.Duration) (flow, bool) {
	f, ok := t.byFlow[k]
	return f, ok && now < f.last+idle(k, tcp)
}

func idle(k wire.Flow, tcp time.Duration) time.Duration {
	if k.Proto == wire.ProtoTCP {
		return tcp
	}
	return otherIdle
}

// keep remembers a flow. It allocates for a new one.
func (t *flows) keep(k wire.Flow, f flow, now, tcp time.Duration) {
	if t.byFlow == nil {
		t.byFlow, t.sweep = map[wire.Flow]flow{}, minSweep
	}
	f.last = now
	t.byFlow[k] = f
	if len(t.byFlow) > t.sweep {
		for k, f := range t.byFlow {
			if now >= f.last+idle(k, tcp) {
				delete(t.byFlow, k)
			}
		}
		t.sweep = max(minSweep, 2*len(t.byFlow))
	}
}
