package eni_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/eni"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// fates is an impairment that tells what it was asked and says what it was told to.
type fates struct {
	next  []eni.Fate
	asked []bool
	at    []time.Duration
}

func (f *fates) Impair(at time.Duration, out bool) eni.Fate {
	f.asked, f.at = append(f.asked, out), append(f.at, at)
	if len(f.next) == 0 {
		return eni.Fate{}
	}
	fate := f.next[0]
	f.next = f.next[1:]
	return fate
}

func TestAnImpairmentIsAskedOncePerPacketOnEachSide(t *testing.T) {
	r := newRig(t)
	out, in := &fates{}, &fates{}
	r.a.port.Impair(out)
	r.b.port.Impair(in)
	ip := udp(addrA, addrB, 4000, 53)
	require.Equal(t, trace.Delivered, r.a.send(macB, ip))
	requireDelivered(t, r.b, macA, ip)
	require.Equal(t, []bool{true}, out.asked)
	require.Equal(t, []bool{false}, in.asked)
	require.Equal(t, []time.Duration{0}, out.at)
	require.Equal(t, []time.Duration{100 * time.Microsecond}, in.at, "when the packet is on that link")
	require.Equal(t, in, r.b.port.Impairment())

	r.a.port.Impair(nil)
	r.a.send(macB, ip)
	require.Len(t, out.asked, 1, "a sound link again")
}

func TestALostPacketEndsWithTheNameOfTheFault(t *testing.T) {
	r := newRig(t)
	r.engine.Log = &trace.Log{}
	ip := udp(addrA, addrB, 4000, 53)

	r.b.port.Impair(&fates{next: []eni.Fate{{Lost: "the link loses 1 packet"}}})
	require.Equal(t, trace.Lost, r.a.send(macB, ip))
	require.Empty(t, r.b.take())
	require.Contains(t, r.story(), "b in    lost by a fault: the link loses 1 packet")

	r.a.port.Impair(&fates{next: []eni.Fate{{Lost: "the zone is cut off"}}})
	require.Equal(t, trace.Lost, r.a.send(macB, ip))
	require.Contains(t, r.story(), "a out  source 10.0.0.10 is its own; lost by a fault: the zone is cut off")
}

func TestADelayedPacketComesLaterAndMayBeOvertaken(t *testing.T) {
	r := newRig(t)
	r.engine.Log = &trace.Log{}
	r.a.port.Impair(&fates{next: []eni.Fate{{Delayed: "the link holds it", Delay: time.Millisecond}}})
	first, second := udp(addrA, addrB, 4000, 53), udp(addrA, addrB, 4001, 53)
	r.a.port.Send(frame(macB, macA, first))
	require.Contains(t, r.story(), "the link holds it")
	r.a.port.Send(frame(macB, macA, second))
	r.run()
	require.Equal(t, [][]byte{frame(macB, macA, second), frame(macB, macA, first)}, r.b.take())
	require.Equal(t, 1100*time.Microsecond, r.engine.Now())
}

func TestWhatIsAnsweredBesideTheGuestIsNotOnTheLink(t *testing.T) {
	r := newRig(t)
	service := &platform{}
	r.segment.Serve(imds, service)
	f := &fates{}
	r.a.port.Impair(f)
	require.Equal(t, trace.Answered, r.a.send(routerMAC, udp(addrA, imds, 4000, 53)))
	require.Equal(t, trace.Answered, r.a.port.Send(arp(wire.ARPRequest, addrA, router4)))
	r.run()
	require.Equal(t, 1, service.asked)
	require.Len(t, r.a.take(), 2)
	require.Empty(t, f.asked)
}

func TestADeadGuestNeitherGetsNorSends(t *testing.T) {
	r := newRig(t)
	r.engine.Log = &trace.Log{}
	seen := 0
	r.b.port.Tap(func(time.Duration, bool, []byte) { seen++ })
	ip := udp(addrA, addrB, 4000, 53)

	// One packet and one answer to ARP are under way when the power goes.
	require.Equal(t, trace.Delivered, r.a.port.Send(frame(macB, macA, ip)))
	ask := wire.AppendARP(nil, wire.ARPRequest, macB, addrB, wire.MAC{}, addrA)
	require.Equal(t, trace.Answered, r.b.port.Send(frameOf(wire.Broadcast, macB, wire.EtherTypeARP, ask)))
	seen = 0
	r.b.port.PowerOff("instance b is dead")
	require.Equal(t, "instance b is dead", r.b.port.Dead())
	r.run()
	require.Empty(t, r.b.take())
	require.Equal(t, trace.Lost, r.engine.Log.Walks()[0].End())
	require.Contains(t, r.story(), "destination 10.0.0.20 is its own; lost by a fault: instance b is dead")

	walks := len(r.engine.Log.Walks())
	require.Equal(t, trace.Lost, r.b.port.Send(frame(macA, macB, udp(addrB, addrA, 53, 4000))))
	require.Len(t, r.engine.Log.Walks(), walks, "what has no power sends no packet")
	require.Zero(t, seen)

	r.b.port.PowerOn()
	r.a.send(macB, ip)
	requireDelivered(t, r.b, macA, ip)
}

func TestAnotherGuestPluggedInIsAlive(t *testing.T) {
	r := newRig(t)
	r.b.port.PowerOff("instance b is dead")
	r.b.port.Plug(r.b)
	ip := udp(addrA, addrB, 4000, 53)
	r.a.send(macB, ip)
	requireDelivered(t, r.b, macA, ip)
}
