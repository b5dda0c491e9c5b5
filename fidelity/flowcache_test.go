package fidelity_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/fault"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// talk is a swarm whose packets are of conversations: the same few flows again and again,
// answers to what arrived, and now and then something else. Nothing is traced; everything
// that can be seen from without is written down.
type talk struct {
	*swarm
	pool   []flowOf
	heard  []flowOf // the answers to what arrived
	words  []string // what happened since it was last asked
	far    netip.Addr
	faults []*fault.Ongoing
	sink   func(ip []byte) // sends from far
}

// flowOf is one direction of a conversation, from a card, or from far where that is nil.
type flowOf struct {
	from *card
	flow wire.Flow
}

// ear writes down what arrives, and will answer.
type ear struct {
	talk *talk
	at   *card
	name string
}

func (e ear) hear(ip []byte) trace.Reason {
	t := e.talk
	t.words = append(t.words, fmt.Sprintf("%v %s got %x", t.Clock.Now(), e.name, ip))
	var p wire.Packet
	if p.Read(append([]byte(nil), ip...)) == nil && p.HasPorts() && p.Flow.Proto != wire.ProtoICMP && p.Flow.Proto != wire.ProtoICMPv6 {
		t.heard = append(t.heard, flowOf{e.at, p.Flow.Reverse()})
	}
	return trace.Delivered
}

// Frame takes what a card gets.
func (e ear) Frame(frame []byte) trace.Reason {
	if wire.Ethernet(frame).Type() == wire.EtherTypeARP {
		return trace.Delivered
	}
	return e.hear(wire.Ethernet(frame).Payload())
}

// Receive takes what far gets.
func (e ear) Receive(p *wire.Packet) trace.Reason { return e.hear(p.Bytes()) }

func newTalk(t *testing.T, seed uint64, whole bool) *talk {
	s := &talk{swarm: newSwarm(t, seed), far: addr("198.51.100.9")}
	s.Engine.Log, s.Engine.WalkWhole = nil, whole
	s.Engine.Ended = func(end trace.Reason, where string, f wire.Flow) {
		s.words = append(s.words, fmt.Sprintf("%v %s at %s: %v", s.Clock.Now(), end, where, f))
	}
	for i, c := range s.cards {
		s.Live(s.region).Port(c.nic).Plug(ear{s, c, fmt.Sprint("card ", i)})
	}
	station, ok := s.Internet.Join(wire.AddrFrom(s.far))
	require.True(t, ok)
	station.Plug(ear{s, nil, "far"})
	s.sink = func(ip []byte) { station.Send(ip) }
	for i, sub := range s.subnets { // most have a way out, until a change takes it
		if sub.table.DeleteRoute("0.0.0.0/0"); i > 0 && len(s.nats) > 0 {
			sub.table.CreateRoute("0.0.0.0/0", s.nats[0])
		} else {
			sub.table.CreateRoute("0.0.0.0/0", s.igw)
		}
	}
	for range 24 {
		c := s.anyCard()
		f := wire.Flow{Src: wire.AddrFrom(c.addrs[0]), Dst: wire.AddrFrom(s.far), SrcPort: uint16(1000 + s.rng.IntN(4)), DstPort: 53, Proto: wire.ProtoUDP}
		if s.one(2) {
			f.Proto, f.DstPort = wire.ProtoTCP, 80
		}
		if s.one(3) {
			f.Dst = wire.AddrFrom(s.destination(0))
		}
		s.pool = append(s.pool, flowOf{c, f})
	}
	return s
}

// packet makes the next packet of a flow: mostly a plain one, else at one of the limits.
func (s *talk) packet(f wire.Flow) []byte {
	h := wire.Header{Src: f.Src, Dst: f.Dst, TTL: 64, ID: uint16(s.rng.Uint32()), DF: s.one(2)}
	if s.one(6) {
		h.TTL = uint8(1 + s.rng.IntN(4))
	}
	size := s.rng.IntN(40)
	switch s.rng.IntN(12) {
	case 0:
		size = 1500 - 60 + s.rng.IntN(60)
	case 1:
		size = 8500 - 60 + s.rng.IntN(60)
	}
	payload := make([]byte, size)
	if f.Proto == wire.ProtoUDP {
		if s.one(20) && f.Src.Is4() {
			return s.fragment(h, [2]uint16{f.SrcPort, f.DstPort}, payload)
		}
		ip := wire.AppendUDP(nil, h, f.SrcPort, f.DstPort, payload)
		if s.one(8) && f.Src.Is4() {
			ip[wire.IPv4Len+6], ip[wire.IPv4Len+7] = 0, 0 // no checksum
		}
		return ip
	}
	flags := wire.ACK
	switch s.rng.IntN(12) {
	case 0, 1:
		flags = []wire.TCPFlags{wire.FIN | wire.ACK, wire.RST, 0, wire.SYN | wire.ACK}[s.rng.IntN(4)]
	case 2, 3, 4:
		flags = wire.SYN
	}
	return wire.AppendTCP(nil, h, wire.Segment{SrcPort: f.SrcPort, DstPort: f.DstPort, Flags: flags, Window: 1000}, payload)
}

// step makes something happen.
func (s *talk) step() {
	switch n := s.rng.IntN(60); {
	case n == 0:
		s.change()
	case n == 1:
		s.Run(time.Duration(s.rng.IntN(400)) * time.Second)
	case n == 2:
		s.breakLink()
	case n == 3:
		c := s.anyCard()
		port := s.Live(s.region).Port(c.nic)
		port.Plug(nil)
		if s.one(4) {
			return
		}
		port.Plug(ear{s, c, "card anew"})
	case n == 4:
		s.Live(s.region).Forget(s.anyCard().nic.ID())
	case n == 5:
		s.Internet.Latency = time.Duration(s.rng.IntN(20)) * time.Millisecond
	case n < 8:
		c := s.anyCard()
		s.post(c, s.draw(c))
	case n < 30 && len(s.heard) > 0:
		f := s.heard[s.rng.IntN(len(s.heard))]
		s.repeat(f)
	default:
		s.repeat(s.pool[s.rng.IntN(len(s.pool))])
	}
}

// repeat sends a few packets of a flow, at once or a while apart.
func (s *talk) repeat(f flowOf) {
	for range 1 + s.rng.IntN(4) {
		s.post(f.from, s.packet(f.flow))
		if s.one(3) {
			s.Run(time.Duration(s.rng.IntN(3000)) * time.Millisecond)
		}
	}
}

func (s *talk) post(c *card, ip []byte) {
	if c == nil {
		s.sink(ip)
		s.Run(50 * time.Millisecond)
		return
	}
	s.swarm.send(c, ip)
}

// breakLink lets something be wrong with a link, or heals what is.
func (s *talk) breakLink() {
	if len(s.faults) > 0 && s.one(2) {
		s.must(s.faults[0].Heal())
		s.faults = s.faults[1:]
		return
	}
	nic := s.anyCard().nic
	if len(s.nats) > 0 && s.one(2) {
		nic = s.nats[s.rng.IntN(len(s.nats))].Interface()
	}
	o, err := fault.Begin(s.World, fault.Link{Interface: nic, Loses: 0.2, Delays: 0.3, Delay: time.Millisecond, Seed: s.rng.Uint64()})
	if err == nil {
		s.faults = append(s.faults, o)
	}
}

// said returns what happened since it was last asked.
func (s *talk) said() []string {
	words := s.words
	s.words = nil
	if len(s.heard) > 60 {
		s.heard = s.heard[len(s.heard)-30:]
	}
	return words
}

// state is what can be asked for beside packets.
func (s *talk) state() string {
	b := fmt.Sprint(s.Clock.Now(), s.rng.Uint64())
	for _, g := range s.nats {
		b += fmt.Sprintf("\n%+v", g.Counters(s.Live(s.region)))
	}
	return b
}

func TestKnownFlowsAreAsIfEveryPacketWalkedWhole(t *testing.T) {
	unseen := uint64(0)
	for seed := range seeds(t) {
		s, twin := newTalk(t, 500+seed, false), newTalk(t, 500+seed, true)
		for i := range 1000 {
			s.step()
			twin.step()
			require.Equal(t, twin.said(), s.said(), "seed %d, step %d", seed, i)
		}
		require.Equal(t, twin.state(), s.state(), "seed %d", seed)
		require.Zero(t, twin.Engine.Unseen())
		unseen += s.Engine.Unseen()
	}
	require.Greater(t, unseen, 250*seeds(t), "too few packets pass unseen to test anything")
}
