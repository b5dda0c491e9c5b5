package vpcsim_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/trace"
)

// fewestAllocs returns the least that a call of f allocates over several runs, the
// garbage collector's own and the runtime's being no packet's.
func fewestAllocs(runs, calls int, f func()) float64 {
	fewest := testing.AllocsPerRun(calls, f)
	for range runs - 1 {
		fewest = min(fewest, testing.AllocsPerRun(calls, f))
	}
	return fewest
}

func TestAnEstablishedFlowAllocatesNothing(t *testing.T) {
	p := newPath(t)
	requests, answers := p.open(t, 64)
	for _, way := range []struct {
		name    string
		walk    func(testing.TB, []byte)
		packets row
		at      *sink
	}{{"out", p.send, requests, &p.sent}, {"back", p.respond, answers, &p.got}} {
		for i := range 64 {
			way.walk(t, way.packets.at(i))
		}
		before, i := way.at.n, 0
		allocs := fewestAllocs(3, 200, func() {
			way.walk(t, way.packets.at(i))
			i++
		})
		require.Equal(t, before+3*201, way.at.n, "%s: every packet was delivered", way.name)
		require.Zero(t, allocs, way.name)
	}
}

func TestABatchAllocatesNothing(t *testing.T) {
	p := newPath(t)
	requests, _ := p.open(t, 64)
	batch, ends := make([][]byte, 64), make([]trace.Reason, 64)
	p.sendBatch(t, requests, 0, batch, ends)
	before := p.sent.n
	allocs := fewestAllocs(3, 20, func() { p.sendBatch(t, requests, 0, batch, ends) })
	require.Equal(t, before+3*21*64, p.sent.n)
	require.Zero(t, allocs)
}

func TestATracedFlowAllocatesNothingWhereTheLogHasALimit(t *testing.T) {
	p := newPath(t)
	requests, _ := p.open(t, 1)
	log := p.world.Trace()
	log.Limit = 2
	for range 10 {
		p.send(t, requests.at(0))
	}
	before := p.sent.n
	allocs := fewestAllocs(3, 200, func() { p.send(t, requests.at(0)) })
	require.Equal(t, before+3*201, p.sent.n)
	require.Zero(t, allocs)
	require.Len(t, log.Walks(), 2)
	require.Len(t, log.Walks()[1].Steps, len(log.Walks()[0].Steps))
	require.Greater(t, len(log.Walks()[0].Steps), 5)
}

func TestADroppedPacketAllocatesNothing(t *testing.T) {
	for _, d := range drops {
		t.Run(d.end.String(), func(t *testing.T) {
			p := newPath(t)
			at, ip := d.packet(t, p)
			ended := 0
			allocs := fewestAllocs(3, 200, func() {
				if p.world.Engine.Send(at, ip) == d.end {
					ended++
				}
			})
			require.Equal(t, 3*201, ended)
			require.Zero(t, allocs)
		})
	}
}

func TestNewFlowsAllocateNothingOnceTheFirstHaveIdledOut(t *testing.T) {
	p := newChurn(t, 2000)
	buf, i := make([]byte, 0, packetLen), 0
	open := func() {
		p.send(t, request(buf, i))
		i++
	}
	for range 10_000 {
		open()
	}
	const batch = 2000 // an allocation now and then is none for each flow
	allocs := fewestAllocs(3, 1, func() {
		for range batch {
			open()
		}
	})
	require.Equal(t, i, p.sent.n, "every packet was delivered")
	require.Less(t, allocs/batch, 0.01)
}

func TestPortsTowardADestinationEndAtTheirLimitAndEachRefusalIsCounted(t *testing.T) {
	p := newPath(t)
	p.fillPorts(t)
	buf := make([]byte, 0, packetLen)
	for i := range 10 {
		require.Equal(t, trace.NoPort, p.world.Engine.Send(p.host, requestToOne(buf, 55_000+i)))
	}
	require.Equal(t, uint64(10), p.nat.Counters(p.live).ErrorPortAllocation)
	p.send(t, request(buf, flowsToOne)) // to another server
	require.Equal(t, 55_001, p.sent.n)
}
