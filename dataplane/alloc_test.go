package dataplane_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// counter is a guest that only counts.
type counter struct{ got int }

func (c *counter) Receive(*wire.Packet) trace.Reason {
	c.got++
	return trace.Delivered
}

// noting is a node that notes what it does, as a router does.
type noting struct{ next dataplane.Node }

func (*noting) Name() string { return "noting" }

func (n *noting) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	if c.Tracing() {
		c.Note(p, trace.Step{Act: trace.Routed, Object: "table", Match: "0.0.0.0/0 -> next"})
	}
	return dataplane.To(n.next)
}

// sink delivers to a counter.
type sink struct{ to counter }

func (*sink) Name() string { return "sink" }

func (s *sink) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next { return c.Deliver(&s.to) }

// chain returns a way of n nodes, the last of which delivers.
func chain(n int) (dataplane.Node, *sink) {
	last := &sink{}
	way := dataplane.Node(last)
	for range n - 1 {
		way = &noting{way}
	}
	return way, last
}

// minAllocs returns the fewest allocations of several runs of f: a collection of
// garbage elsewhere must not count.
func minAllocs(f func()) float64 {
	least := testing.AllocsPerRun(100, f)
	for range 20 {
		least = min(least, testing.AllocsPerRun(100, f))
	}
	return least
}

func TestSendAndDeliveryDoNotAllocate(t *testing.T) {
	for name, log := range map[string]*trace.Log{"tracing off": nil, "tracing on, in the long run": {Limit: 8}} {
		t.Run(name, func(t *testing.T) {
			e := newEngine()
			e.Log = log
			way, last := chain(9)
			ip := udp(addrA, addrB, 1, 2, "x")
			sent := 0
			send := func() {
				sent++
				require.Equal(t, trace.Delivered, e.Send(way, ip))
				e.Clock.Step()
			}
			require.Zero(t, minAllocs(send))
			require.Equal(t, sent, last.to.got, "every packet was delivered")
		})
	}
}

// refusing emits an answer and drops.
type refusing struct {
	to     dataplane.Node
	answer []byte
}

func (*refusing) Name() string { return "refusing" }

func (r *refusing) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	c.Emit(r.to, r.answer)
	return dataplane.Drop(trace.TTLExpired)
}

func TestEmittingAndDroppingDoNotAllocate(t *testing.T) {
	e := newEngine()
	way, last := chain(3)
	r := &refusing{way, udp(addrB, addrA, 2, 1, "no")}
	ip := udp(addrA, addrB, 1, 2, "x")
	sent := 0
	require.Zero(t, minAllocs(func() {
		sent++
		e.Send(r, ip)
		e.Clock.Step()
	}))
	require.Equal(t, sent, last.to.got)
}

func BenchmarkWalk(b *testing.B) {
	for _, c := range []struct {
		name  string
		nodes int
		log   *trace.Log
	}{
		{"1 node", 1, nil}, {"5 nodes", 5, nil}, {"9 nodes", 9, nil}, {"30 nodes", 30, nil},
		{"5 nodes traced", 5, &trace.Log{Limit: 64}}, {"9 nodes traced", 9, &trace.Log{Limit: 64}},
	} {
		b.Run(c.name, func(b *testing.B) {
			e := newEngine()
			e.Log = c.log
			way, last := chain(c.nodes)
			ip := udp(addrA, addrB, 1, 2, "payload of 36 bytes, 64 in the packet")
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				e.Send(way, ip)
				e.Clock.Step()
				n++
			}
			require.Equal(b, n, last.to.got)
		})
	}
}
