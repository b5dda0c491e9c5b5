package dataplane_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/clock"
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// node is a node whose Forward is a function.
type node struct {
	name    string
	forward func(c *dataplane.Context, p *wire.Packet) dataplane.Next
}

func (n *node) Name() string { return n.name }

func (n *node) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next { return n.forward(c, p) }

// guest keeps what it receives, and does more where on is set.
type guest struct {
	got [][]byte
	at  []time.Duration
	on  func(p *wire.Packet) trace.Reason

	clock *clock.Clock
}

func (g *guest) Receive(p *wire.Packet) trace.Reason {
	g.got = append(g.got, append([]byte(nil), p.Bytes()...))
	if g.clock != nil {
		g.at = append(g.at, g.clock.Now())
	}
	if g.on != nil {
		return g.on(p)
	}
	return trace.Delivered
}

// hop passes packets on and takes a millisecond.
func hop(name string, next dataplane.Node) *node {
	return &node{name, func(c *dataplane.Context, p *wire.Packet) dataplane.Next {
		c.Latency += time.Millisecond
		return dataplane.To(next)
	}}
}

func deliverTo(g dataplane.Guest) *node {
	return &node{"end", func(c *dataplane.Context, p *wire.Packet) dataplane.Next { return c.Deliver(g) }}
}

func drop(name string, r trace.Reason) *node {
	return &node{name, func(c *dataplane.Context, p *wire.Packet) dataplane.Next { return dataplane.Drop(r) }}
}

var (
	addrA = wire.MustParseAddr("10.0.0.10")
	addrB = wire.MustParseAddr("10.0.0.20")
)

func udp(src, dst wire.Addr, srcPort, dstPort uint16, payload string) []byte {
	return wire.AppendUDP(nil, wire.Header{Src: src, Dst: dst, TTL: 64}, srcPort, dstPort, []byte(payload))
}

func newEngine() *dataplane.Engine { return &dataplane.Engine{Clock: &clock.Clock{}} }

func run(e *dataplane.Engine) {
	for e.Clock.Step() {
	}
}

func TestAPacketReachesTheGuestAfterTheLatencyOfItsWay(t *testing.T) {
	e := newEngine()
	g := &guest{clock: e.Clock}
	way := hop("first", hop("second", deliverTo(g)))
	sent := udp(addrA, addrB, 1, 2, "hello")
	require.Equal(t, trace.Delivered, e.Send(way, sent))
	require.Empty(t, g.got, "delivery is an event to come")
	clear(sent) // the bytes were copied
	run(e)
	require.Equal(t, [][]byte{udp(addrA, addrB, 1, 2, "hello")}, g.got)
	require.Equal(t, []time.Duration{2 * time.Millisecond}, g.at)
}

func TestBytesBehindThePacketAreLeftOff(t *testing.T) {
	e := newEngine()
	g := &guest{}
	sent := udp(addrA, addrB, 1, 2, "hello")
	huge := append(append([]byte(nil), sent...), make([]byte, 1<<20)...)
	require.Equal(t, trace.Delivered, e.Send(deliverTo(g), huge))
	run(e)
	require.Equal(t, [][]byte{sent}, g.got)
}

func TestMalformedBytesEndAtOnce(t *testing.T) {
	e := newEngine()
	e.Log = &trace.Log{}
	var told []string
	e.Ended = func(end trace.Reason, where string, f wire.Flow) { told = append(told, where+": "+end.String()) }
	for _, b := range [][]byte{nil, {0x45}, make([]byte, 40)} {
		require.Equal(t, trace.Malformed, e.Send(hop("door", nil), b))
	}
	require.Equal(t, []string{"door: malformed packet", "door: malformed packet", "door: malformed packet"}, told)
	require.Equal(t, "no packet (1 bytes)\n  1  door  malformed packet: packet shorter than its IP header\n     dropped: malformed packet (SIM_MALFORMED)\n",
		e.Log.Walks()[1].String())
}

func TestANodeWithoutAWordPanicsWithItsName(t *testing.T) {
	for name, forward := range map[string]func(c *dataplane.Context, p *wire.Packet) dataplane.Next{
		"zero Next":           func(*dataplane.Context, *wire.Packet) dataplane.Next { return dataplane.Next{} },
		"to nobody":           func(*dataplane.Context, *wire.Packet) dataplane.Next { return dataplane.To(nil) },
		"dropped for None":    func(*dataplane.Context, *wire.Packet) dataplane.Next { return dataplane.Drop(trace.None) },
		"delivered by no-one": func(*dataplane.Context, *wire.Packet) dataplane.Next { return dataplane.Drop(trace.Delivered) },
	} {
		t.Run(name, func(t *testing.T) {
			require.PanicsWithValue(t, "dataplane: no word from mute", func() {
				newEngine().Send(hop("first", &node{"mute", forward}), udp(addrA, addrB, 1, 2, ""))
			})
		})
	}
}

func TestALoopEndsAfterMaxNodes(t *testing.T) {
	e := newEngine()
	e.Log = &trace.Log{}
	passed := 0
	ring := &node{name: "ring"}
	ring.forward = func(*dataplane.Context, *wire.Packet) dataplane.Next {
		passed++
		return dataplane.To(ring)
	}
	require.Equal(t, trace.TooManyHops, e.Send(ring, udp(addrA, addrB, 1, 2, "")))
	require.Equal(t, dataplane.MaxNodes, passed)
	require.Equal(t, "ring", e.Log.Walks()[0].Where)
	require.Equal(t, trace.Lost, e.Send(drop("next", trace.Lost), udp(addrA, addrB, 1, 2, "")), "the engine goes on")
}

func TestANodeThatSendsPanics(t *testing.T) {
	e := newEngine()
	rude := &node{"rude", func(c *dataplane.Context, p *wire.Packet) dataplane.Next {
		e.Send(drop("x", trace.Lost), p.Bytes())
		return dataplane.Drop(trace.Lost)
	}}
	require.PanicsWithValue(t, "dataplane: Send from inside a walk, at rude", func() { e.Send(rude, udp(addrA, addrB, 1, 2, "")) })
}

func TestDeliverCountsOnlyAsTheNodesWord(t *testing.T) {
	e := newEngine()
	g := &guest{}
	torn := &node{"torn", func(c *dataplane.Context, p *wire.Packet) dataplane.Next {
		c.Deliver(g)
		return dataplane.Drop(trace.Lost)
	}}
	require.Equal(t, trace.Lost, e.Send(torn, udp(addrA, addrB, 1, 2, "")))
	run(e)
	require.Empty(t, g.got)
}

func TestAGuestMaySendFromReceiveItsOwnBytesToo(t *testing.T) {
	e := newEngine()
	e.Log = &trace.Log{}
	far := &guest{}
	near := &guest{on: func(p *wire.Packet) trace.Reason {
		for n := range 3 { // many at once: buffers are not shared
			p.SetDst(addrA, uint16(n))
			e.Send(deliverTo(far), p.Bytes())
		}
		for i := range p.Bytes() {
			p.Bytes()[i] = 0xa5 // they were the guest's own
		}
		return trace.Forwarded
	}}
	e.Send(deliverTo(near), udp(addrA, addrB, 9, 2, "payload"))
	run(e)
	require.Len(t, far.got, 3)
	for n, got := range far.got {
		require.Equal(t, udp(addrA, addrA, 9, uint16(n), "payload"), got)
	}
	w := e.Log.Walks()
	require.Equal(t, trace.Forwarded, w[0].End())
	require.Equal(t, addrB, w[0].Last.Dst, "the walk keeps the packet as it was delivered")
	require.Equal(t, []int{0, 1, 1, 1}, []int{w[0].Cause, w[1].Cause, w[2].Cause, w[3].Cause})
}

func TestAGuestMayRunTheClockInReceive(t *testing.T) {
	e := newEngine()
	e.Log = &trace.Log{}
	inner := &guest{}
	outer := &guest{}
	outer.on = func(p *wire.Packet) trace.Reason {
		before := string(p.Bytes())
		run(e) // delivers the second packet while the first is in hand
		e.Send(drop("after", trace.Lost), p.Bytes())
		require.Equal(t, before, string(p.Bytes()))
		return trace.Delivered
	}
	e.Send(deliverTo(outer), udp(addrA, addrB, 1, 1, "first"))
	e.Send(hop("slow", deliverTo(inner)), udp(addrA, addrB, 2, 2, "second"))
	run(e)
	require.Len(t, inner.got, 1)
	w := e.Log.Walks()
	require.Len(t, w, 3)
	require.Equal(t, 1, w[2].Cause, "caused by the packet in hand, not by the one that came between")
}

func TestWhatWasKeptWaitingIsSentInTheNameOfItsCause(t *testing.T) {
	e := newEngine()
	e.Log = &trace.Log{}
	cause := 0
	keeps := &guest{on: func(*wire.Packet) trace.Reason { cause = e.Cause(); return trace.Forwarded }}
	e.Send(deliverTo(keeps), udp(addrA, addrB, 1, 1, ""))
	run(e)
	require.Zero(t, e.Cause())

	was := e.Attribute(cause)
	e.Send(drop("later", trace.Lost), udp(addrA, addrB, 1, 1, ""))
	require.Equal(t, 1, e.Attribute(was))
	e.Send(drop("unrelated", trace.Lost), udp(addrA, addrB, 1, 1, ""))
	require.Equal(t, 1, e.Log.Walks()[1].Cause)
	require.Zero(t, e.Log.Walks()[2].Cause)
}

func TestEmittedPacketsWalkAfterThePresentOneAndTakeItsTimeToo(t *testing.T) {
	e := newEngine()
	e.Log = &trace.Log{}
	home := &guest{clock: e.Clock}
	back := hop("back", deliverTo(home))
	var order []string
	e.Ended = func(end trace.Reason, where string, f wire.Flow) { order = append(order, where) }
	gateway := &node{"gateway", func(c *dataplane.Context, p *wire.Packet) dataplane.Next {
		b := udp(addrB, addrA, 7, 7, "error")
		c.Emit(back, b)
		clear(b) // the node's own again
		return dataplane.Drop(trace.TTLExpired)
	}}
	require.Equal(t, trace.TTLExpired, e.Send(hop("out", gateway), udp(addrA, addrB, 1, 1, "x")))
	run(e)
	require.Equal(t, []string{"gateway", "end"}, order)
	require.Equal(t, [][]byte{udp(addrB, addrA, 7, 7, "error")}, home.got)
	require.Equal(t, []time.Duration{2 * time.Millisecond}, home.at, "there and back")
	require.Equal(t, 1, e.Log.Walks()[1].Cause)
}

func TestANodeThatAnswersItselfForeverIsStopped(t *testing.T) {
	e := newEngine()
	e.Log = &trace.Log{}
	ends := map[trace.Reason]int{}
	e.Ended = func(end trace.Reason, where string, f wire.Flow) { ends[end]++ }
	echo := &node{name: "echo"}
	echo.forward = func(c *dataplane.Context, p *wire.Packet) dataplane.Next {
		c.Emit(echo, p.Bytes())
		c.Emit(echo, p.Bytes())
		return dataplane.Drop(trace.Lost)
	}
	e.Send(echo, udp(addrA, addrB, 1, 1, ""))
	require.Equal(t, map[trace.Reason]int{trace.Lost: 1 + dataplane.MaxEmitted, trace.TooManyHops: 2 + dataplane.MaxEmitted}, ends,
		"every packet has its word, also those that did not walk")
}

func TestEndedIsToldOfTheNetworksWordAndOfTheGuestsDrop(t *testing.T) {
	e := newEngine()
	var told []string
	e.Ended = func(end trace.Reason, where string, f wire.Flow) {
		told = append(told, fmt.Sprintf("%s at %s, %s", end, where, f))
	}
	deaf := &guest{on: func(p *wire.Packet) trace.Reason { p.SetDst(addrA, 0); return trace.NoListener }}
	e.Send(hop("first", deliverTo(deaf)), udp(addrA, addrB, 1, 2, ""))
	run(e)
	require.Equal(t, []string{
		"delivered at end, 10.0.0.10:1 > 10.0.0.20:2 udp",
		"no listener on the guest at end, 10.0.0.10:1 > 10.0.0.20:2 udp",
	}, told)
}

// full is a Tracker with room for room flows.
type full struct{ tracked, room int }

func (f *full) Track(*wire.Packet, time.Duration) bool {
	f.tracked++
	return f.tracked <= f.room
}

func TestANodeOnTheWayMayHaveAFlowTrackedAfterAll(t *testing.T) {
	tracker := &full{room: 1}
	var tracked []bool
	gateway := &node{"gateway", func(c *dataplane.Context, p *wire.Packet) dataplane.Next {
		before := c.Tracked()
		for range 2 { // twice on one way counts once
			if !c.Track(p) {
				return dataplane.Drop(trace.TrackingFull)
			}
		}
		tracked = append(tracked, before, c.Tracked())
		return dataplane.Drop(trace.Lost)
	}}
	edge := &node{"edge", func(c *dataplane.Context, p *wire.Packet) dataplane.Next {
		c.Untracked(tracker)
		return dataplane.To(gateway)
	}}
	e := newEngine()
	require.Equal(t, trace.Lost, e.Send(edge, udp(addrA, addrB, 1, 1, "")))
	require.Equal(t, []bool{false, true}, tracked)
	require.Equal(t, 1, tracker.tracked)
	require.Equal(t, trace.TrackingFull, e.Send(edge, udp(addrA, addrB, 1, 1, "")))
	require.Equal(t, trace.Lost, e.Send(gateway, udp(addrA, addrB, 1, 1, "")), "nobody left word")
}

func TestANoteOutsideReceiveIsLost(t *testing.T) {
	e := newEngine()
	e.Log = &trace.Log{Limit: 1}
	var p wire.Packet
	require.NoError(t, p.Read(udp(addrA, addrB, 1, 1, "")))
	e.Note("nobody", &p, trace.Step{Act: trace.Did, Match: "lost"})
	g := &guest{on: func(p *wire.Packet) trace.Reason {
		e.Note("guest", p, trace.Step{Act: trace.Did, Match: "reads"})
		e.Send(drop("next", trace.Lost), p.Bytes()) // its walk takes the log's only place
		e.Note("guest", p, trace.Step{Act: trace.Did, Match: "writes to a walk that is gone"})
		return trace.NoListener
	}}
	e.Send(deliverTo(g), udp(addrA, addrB, 1, 1, ""))
	run(e)
	require.Equal(t, "10.0.0.10:1 > 10.0.0.20:1 udp (28 bytes, ttl 64)\n  1  next  lost by a fault\n     dropped: lost by a fault (SIM_FAULT)\n",
		e.Log.Walks()[0].String())
}

func TestAWalkBeginsWithWhatTheGuestDecided(t *testing.T) {
	e := newEngine()
	e.Log = &trace.Log{}
	step := trace.Step{Act: trace.Routed, Node: "vm", Match: "0.0.0.0/0"}
	home := &guest{}
	gateway := &node{"gateway", func(c *dataplane.Context, p *wire.Packet) dataplane.Next {
		c.Emit(deliverTo(home), udp(addrB, addrA, 7, 7, "error"))
		return dataplane.Drop(trace.TTLExpired)
	}}
	e.Preface(step)
	e.Send(gateway, udp(addrA, addrB, 1, 1, "x"))
	e.Preface(step)
	e.Refuse(dataplane.Refusal{Where: "port", Size: 13, End: trace.Malformed, Frame: "a frame"})
	e.Preface(step)
	e.Preface(trace.Step{})
	e.Send(gateway, []byte{0x45})
	var told []string
	for _, w := range e.Log.Walks() {
		told = append(told, w.String())
	}
	require.Equal(t, []string{
		"10.0.0.10:1 > 10.0.0.20:1 udp (29 bytes, ttl 64)\n  1  vm       routes by 0.0.0.0/0\n  2  gateway  TTL expired\n" +
			"     dropped: TTL expired (SIM_TTL_EXPIRED)\n",
		"10.0.0.20:7 > 10.0.0.10:7 udp (33 bytes, ttl 64)\n  1  end  delivers\n     delivered\n",
		"a frame (13 bytes)\n  1  vm    routes by 0.0.0.0/0\n  2  port  malformed packet\n     dropped: malformed packet (SIM_MALFORMED)\n",
		"no packet (1 bytes)\n  1  gateway  malformed packet: packet shorter than its IP header\n     dropped: malformed packet (SIM_MALFORMED)\n",
	}, told)
}

// part is a node that is part of a resource.
type part struct {
	*node
	id string
}

func (p part) Resource() string { return p.id }

func TestAWalkTellsTheResourcesThatItsNodesArePartsOf(t *testing.T) {
	e := newEngine()
	e.Log = &trace.Log{}
	last := part{drop("last", trace.Lost), "r-2"}
	e.Send(part{hop("first", hop("plain", last)), "r-1"}, udp(addrA, addrB, 1, 1, "x"))
	e.Send(last, []byte{0x45})
	e.Refuse(dataplane.Refusal{Where: "port", WhereID: "r-3", End: trace.Malformed})
	var ids [][]string
	for _, w := range e.Log.Walks() {
		all := []string{w.FromID, w.WhereID}
		for _, s := range w.Steps {
			all = append(all, s.NodeID)
		}
		ids = append(ids, all)
	}
	require.Equal(t, [][]string{{"r-1", "r-2", "r-1", "", "r-2"}, {"r-2", "r-2", "r-2"}, {"r-3", "r-3", "r-3"}}, ids)
}

// story runs a little network and returns all its walks as text: a router in a
// guest, an error of a gateway, drops.
func story() string {
	e := newEngine()
	e.Log = &trace.Log{}
	sink := &guest{}
	router := &guest{}
	expiring := &node{"gateway", func(c *dataplane.Context, p *wire.Packet) dataplane.Next {
		if p.Flow.SrcPort%5 == 0 {
			h := wire.Header{Src: p.Flow.Dst, Dst: p.Flow.Src, TTL: 255}
			c.Emit(deliverTo(sink), wire.AppendICMP(nil, h, wire.ICMPTimeExceeded, 0, 0, p.Bytes()))
			return dataplane.Drop(trace.TTLExpired)
		}
		return c.Deliver(sink)
	}}
	router.on = func(p *wire.Packet) trace.Reason {
		e.Note("router", p, trace.Step{Act: trace.Did, Match: "forwards"})
		e.Send(expiring, p.Bytes())
		return trace.Forwarded
	}
	for port := range uint16(40) {
		way := dataplane.Node(deliverTo(router))
		if port%3 == 0 {
			way = hop("slow", way)
		}
		e.Send(way, udp(addrA, addrB, port, 53, "q"))
	}
	run(e)
	text := ""
	for _, w := range e.Log.Walks() {
		if w.Cause == 0 {
			text += e.Log.Story(w.ID).String()
		}
	}
	return text
}

func TestTwoRunsAreEqual(t *testing.T) {
	first := story()
	require.Contains(t, first, "error by end at 1ms: 10.0.0.20 > 10.0.0.10 icmp time exceeded (57 bytes, ttl 255)")
	require.Contains(t, first, "forwarded by gateway at 1ms: 10.0.0.10:3 > 10.0.0.20:53 udp")
	require.Equal(t, first, story())
}
