package dataplane_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// ledger is a FlowState that knows every flow, by any number.
type ledger struct {
	over    bool      // it knows none
	to      wire.Addr // what sources become
	renewed int       // bytes
}

func (l *ledger) Holds(_ uint32, f *wire.Flow, _ wire.TCPFlags, _ time.Duration) bool {
	if l.to.IsValid() {
		f.Src = l.to
	}
	return !l.over
}

func (l *ledger) Renew(_ uint32, _ wire.TCPFlags, size int, _ time.Duration) { l.renewed += size }

func (l *ledger) Load(number uint32) uint64 { return uint64(number) }

// line is four Fixed nodes and a guest behind them.
type line struct {
	engine *dataplane.Engine
	first  *node
	book   *ledger
	seen   int // packets by the first node
	end    *guest
	spoil  func(c *dataplane.Context, p *wire.Packet) // what the third node does beside
}

const lineMTU = 500

func newLine() *line {
	l := &line{engine: newEngine(), book: &ledger{to: addrB}, end: &guest{}}
	fixed := func(name string, f func(c *dataplane.Context, p *wire.Packet) dataplane.Next) *node {
		n := &node{name: name}
		n.forward = func(c *dataplane.Context, p *wire.Packet) dataplane.Next {
			c.Fixed(n)
			return f(c, p)
		}
		return n
	}
	last := fixed("last", func(c *dataplane.Context, p *wire.Packet) dataplane.Next { return c.Deliver(l.end) })
	third := fixed("third", func(c *dataplane.Context, p *wire.Packet) dataplane.Next {
		if l.spoil != nil {
			l.spoil(c, p)
		}
		c.Fits(lineMTU)
		p.DecTTL()
		return dataplane.To(last)
	})
	second := fixed("second", func(c *dataplane.Context, p *wire.Packet) dataplane.Next {
		c.Keep(p, l.book, 7)
		l.book.renewed += p.Len()
		p.SetSrc(l.book.to, p.Flow.SrcPort)
		c.Latency += time.Millisecond
		return dataplane.To(third)
	})
	l.first = fixed("first", func(c *dataplane.Context, p *wire.Packet) dataplane.Next {
		l.seen++
		return dataplane.To(second)
	})
	return l
}

// unseen sends a packet and reports whether it passed the nodes unseen.
func (l *line) unseen(t *testing.T, ip []byte) bool {
	t.Helper()
	before, seen, got := l.engine.Unseen(), l.seen, len(l.end.got)
	require.Equal(t, trace.Delivered, l.engine.Send(l.first, ip))
	run(l.engine)
	require.Len(t, l.end.got, got+1)
	require.Equal(t, seen == l.seen, l.engine.Unseen() == before+1)
	return seen == l.seen
}

func TestAKnownFlowPassesFixedNodesUnseen(t *testing.T) {
	l, whole := newLine(), newLine()
	whole.engine.WalkWhole = true
	for i, text := range []string{"a", "bb", "ccc"} {
		ip := udp(addrA, addrB, 1, 2, text)
		require.False(t, whole.unseen(t, ip))
		require.Equal(t, i > 0, l.unseen(t, ip))
	}
	require.Equal(t, whole.end.got, l.end.got)
	require.Equal(t, whole.book.renewed, l.book.renewed)
	require.Equal(t, whole.engine.Clock.Now(), l.engine.Clock.Now())
	require.False(t, l.unseen(t, udp(addrA, addrB, 1, 3, "")), "another flow")
}

func TestWhereThereIsDoubtNodesSeeThePacket(t *testing.T) {
	tcp := func(flags wire.TCPFlags) []byte {
		return wire.AppendTCP(nil, wire.Header{Src: addrA, Dst: addrB, TTL: 64}, wire.Segment{SrcPort: 1, DstPort: 2, Flags: flags}, nil)
	}
	plain := udp(addrA, addrB, 1, 2, "")
	short := wire.AppendUDP(nil, wire.Header{Src: addrA, Dst: addrB, TTL: 2}, 1, 2, nil)
	for _, c := range []struct {
		name   string
		ip     []byte
		change func(l *line)
		unseen bool
	}{
		{name: "nothing has changed", ip: plain, unseen: true},
		{name: "one hop is left", ip: short, unseen: true},
		{name: "none is left", ip: wire.AppendUDP(nil, wire.Header{Src: addrA, Dst: addrB, TTL: 1}, 1, 2, nil)},
		{name: "as long as may be", ip: udp(addrA, addrB, 1, 2, string(make([]byte, lineMTU-28))), unseen: true},
		{name: "too long", ip: udp(addrA, addrB, 1, 2, string(make([]byte, lineMTU-27)))},
		{name: "a segment", ip: tcp(wire.ACK), unseen: true},
		{name: "a SYN", ip: tcp(wire.SYN)},
		{name: "a FIN", ip: tcp(wire.FIN | wire.ACK)},
		{name: "a RST", ip: tcp(wire.RST)},
		{name: "a walk is kept", ip: plain, change: func(l *line) { l.engine.Log = &trace.Log{} }},
		{name: "the record is another's", ip: plain, change: func(l *line) { l.book.over = true }},
		{name: "it is translated otherwise", ip: plain, change: func(l *line) { l.book.to = addrA }},
		{name: "something has changed", ip: plain, change: func(l *line) { l.engine.ForgetFlows() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLine()
			for _, ip := range [][]byte{plain, tcp(wire.ACK)} {
				require.False(t, l.unseen(t, ip))
				require.True(t, l.unseen(t, ip))
			}
			if c.change != nil {
				c.change(l)
			}
			require.Equal(t, c.unseen, l.unseen(t, c.ip))
		})
	}
}

func TestATracedPacketOfAKnownFlowTellsTheWholeStory(t *testing.T) {
	l := newLine()
	ip := udp(addrA, addrB, 1, 2, "")
	l.unseen(t, ip)
	require.True(t, l.unseen(t, ip))
	l.engine.Log = &trace.Log{}
	require.False(t, l.unseen(t, ip))
	require.Len(t, l.engine.Log.Walks()[0].Steps, 4)
	l.engine.Log = nil
	require.True(t, l.unseen(t, ip), "what is known is not lost")
}

func TestWhatIsDoneForEachPacketIsDoneForEachPacket(t *testing.T) {
	ip := udp(addrA, addrB, 1, 2, "")
	for name, spoil := range map[string]func(l *line) func(c *dataplane.Context, p *wire.Packet){
		"it emits": func(l *line) func(*dataplane.Context, *wire.Packet) {
			return func(c *dataplane.Context, p *wire.Packet) { c.Emit(drop("nowhere", trace.Lost), p.Bytes()) }
		},
		"it replaces": func(l *line) func(*dataplane.Context, *wire.Packet) {
			return func(c *dataplane.Context, p *wire.Packet) {
				require.NoError(t, c.Replace(p, append([]byte(nil), p.Bytes()...)))
			}
		},
		"it was lifted": func(l *line) func(*dataplane.Context, *wire.Packet) {
			l.engine.Lift = func(trace.Reason) bool { return true }
			return func(c *dataplane.Context, p *wire.Packet) { c.Lift(trace.ACLEgress) }
		},
		"it is two in one": func(l *line) func(*dataplane.Context, *wire.Packet) {
			return func(c *dataplane.Context, p *wire.Packet) { c.Keep(p, l.book, 1); c.Keep(p, l.book, 2) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLine()
			l.spoil = spoil(l)
			for range 3 {
				require.False(t, l.unseen(t, ip))
			}
		})
	}
}

func TestANodeThatWrapsAnotherIsNotFixedByIt(t *testing.T) {
	l := newLine()
	inner, told := l.first, 0
	l.first = &node{"outer", func(c *dataplane.Context, p *wire.Packet) dataplane.Next {
		told++
		return inner.forward(c, p)
	}}
	for range 3 {
		require.False(t, l.unseen(t, udp(addrA, addrB, 1, 2, "")))
	}
	require.Equal(t, 3, told)
}

func TestMoreFlowsThanThereIsRoomFor(t *testing.T) {
	l, whole := newLine(), newLine()
	whole.engine.WalkWhole = true
	flow := func(i int) []byte {
		return udp(addrA, wire.AddrFromV4(uint32(0x0b000000+i/60_000)), uint16(i%60_000), 53, "x")
	}
	for range 2 {
		for i := range 20_000 {
			l.unseen(t, flow(i))
			whole.unseen(t, flow(i))
		}
	}
	require.Equal(t, whole.end.got, l.end.got)
	require.Greater(t, l.engine.Unseen(), uint64(19_900), "hardly one is lost when a bucket is split")
	require.Zero(t, testing.AllocsPerRun(100, func() {
		require.Equal(t, trace.Delivered, l.engine.Send(l.first, flow(7)))
		l.end.got = l.end.got[:0]
		l.engine.Clock.Step()
	})-testing.AllocsPerRun(100, func() {
		require.Equal(t, trace.Delivered, whole.engine.Send(whole.first, flow(7)))
		whole.end.got = whole.end.got[:0]
		whole.engine.Clock.Step()
	}))
}

func TestWhatIsKnownIsFoundBehindATranslation(t *testing.T) {
	l := newLine()
	anywhere := &node{name: "anywhere"}
	anywhere.forward = func(c *dataplane.Context, p *wire.Packet) dataplane.Next {
		c.Outset()
		return dataplane.To(l.first)
	}
	start := &node{name: "start"}
	start.forward = func(c *dataplane.Context, p *wire.Packet) dataplane.Next {
		p.SetSrc(addrB, p.Flow.SrcPort)
		return dataplane.To(anywhere)
	}
	l.book.to = addrA
	for i := range 3 {
		require.Equal(t, trace.Delivered, l.engine.Send(start, udp(addrA, addrB, 1, 2, "")))
		require.Equal(t, uint64(i), l.engine.Unseen())
	}
}
