package nat

import (
	"time"

	"github.com/vpcsim/vpcsim/wire"
)

// Counters are what a NAT gateway counts, by the names of its CloudWatch metrics
// (Amazon VPC user guide, NAT gateway metrics). Source is inside, destination
// outside; bytes are of IP packets. Connections are TCP's.
type Counters struct {
	// ActiveConnectionCount is how many connections there are now; one that both sides
	// have closed, or that was reset, is none.
	ActiveConnectionCount uint64
	// ConnectionAttemptCount counts SYNs from inside that asked for a session,
	// ConnectionEstablishedCount the handshakes that came to their end.
	ConnectionAttemptCount, ConnectionEstablishedCount uint64
	// ErrorPortAllocation counts packets for which there was no port.
	ErrorPortAllocation uint64
	// IdleTimeoutCount counts connections that were idle for too long and not closed.
	IdleTimeoutCount uint64
	// PacketsDropCount counts packets that were not forwarded, whyever.
	PacketsDropCount uint64

	// PacketsInFromSource and the others count what came in, whatever became of it, and
	// what went out translated.
	PacketsInFromSource, PacketsOutToDestination uint64
	PacketsInFromDestination, PacketsOutToSource uint64
	BytesInFromSource, BytesOutToDestination     uint64
	BytesInFromDestination, BytesOutToSource     uint64
}

// Counters returns the counters as they stand at an instant; sessions that have
// expired by then are ended and counted. See [Table.Expire] for its cost.
func (m *Masquerade) Counters(now time.Duration) Counters {
	m.table.Expire(now)
	return m.counters
}

// moved counts a connection's change of state.
func (c *Counters) moved(from, to State) {
	if from == to {
		return
	}
	if from == SynReceived && to == Established {
		c.ConnectionEstablishedCount++
	}
	switch over := closed(to); {
	case over && !closed(from):
		c.ActiveConnectionCount--
	case !over && closed(from): // the table was wrong about its end
		c.ActiveConnectionCount++
	}
}

func (c *Counters) ended(proto wire.Proto, s State, why End) {
	if proto != wire.ProtoTCP || closed(s) {
		return
	}
	c.ActiveConnectionCount--
	if why == Expired {
		c.IdleTimeoutCount++
	}
}

// closed reports whether a connection is over, though its session lives on.
func closed(s State) bool { return s == TimeWait || s == Close }
