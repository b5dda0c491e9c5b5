package filter

import (
	"time"

	"github.com/vpcsim/vpcsim/wire"
)

// state is how far a tracked flow has come; it decides how long the flow may be
// idle. The zero state is a record without a flow.
type state uint8

const (
	noFlow state = iota
	tcpSynSent
	tcpSynReceived
	tcpEstablished
	tcpClosing // a FIN has passed
	tcpClosed  // a RST has passed
	udpAsked
	udpAnswered
	udpAskedAgain
	udpStream // two questions, each answered
	icmpQuery
	otherProtocol
	fragments // later fragments of datagrams whose first fragment passed
	states
)

// What AWS does not document is as in Linux (nf_conntrack's defaults; its five
// states after a FIN, of 30 to 120 seconds, are one here).
const (
	synSentTimeout     = 120 * time.Second
	synReceivedTimeout = 60 * time.Second
	closingTimeout     = 120 * time.Second
	closedTimeout      = 10 * time.Second
	icmpTimeout        = 30 * time.Second
	fragmentTimeout    = 30 * time.Second

	// otherTimeout is AWS's (ec2 security-group-connection-tracking).
	otherTimeout = 600 * time.Second
)

// opening returns the state that p begins a flow in, noFlow where it can't.
//
// Only a SYN begins a TCP flow. AWS says that an untracked connection is cut at
// once when its rule goes (ec2 security-group-connection-tracking), which could not
// be if the other side's next segment began a tracked flow in its place. Only a
// query begins an ICMP flow, so that no request is let in by an answer to nothing.
func opening(p *wire.Packet) state {
	switch p.Flow.Proto {
	case wire.ProtoTCP:
		if p.Flags&(wire.SYN|wire.ACK|wire.RST|wire.FIN) == wire.SYN {
			return tcpSynSent
		}
		return noFlow
	case wire.ProtoUDP:
		return udpAsked
	case wire.ProtoICMP, wire.ProtoICMPv6:
		if p.IsRequest() {
			return icmpQuery
		}
		return noFlow
	}
	return otherProtocol
}

// next returns the state after a packet with TCP flags f, which came from the
// flow's opener or from the other side; noFlow where it is not of this flow.
func (s state) next(f wire.TCPFlags, opener bool) state {
	switch s {
	case tcpEstablished:
		if f&(wire.FIN|wire.RST) == 0 {
			return s
		}
		return s.nextTCP(f, opener)
	case tcpSynSent, tcpSynReceived, tcpClosing, tcpClosed:
		return s.nextTCP(f, opener)
	case udpAsked, udpAskedAgain:
		if !opener {
			return s + 1
		}
	case udpAnswered:
		if opener {
			return udpAskedAgain
		}
	}
	return s
}

func (s state) nextTCP(f wire.TCPFlags, opener bool) state {
	const syn, ack = wire.SYN, wire.ACK
	switch {
	case f&wire.RST != 0:
		return tcpClosed
	case s >= tcpClosing && f&(syn|ack) == syn:
		return noFlow // a new connection between the same ports: the rules decide
	case s == tcpClosed:
		return s
	case f&wire.FIN != 0:
		return tcpClosing
	case s == tcpSynSent && !opener && f&syn != 0:
		return tcpSynReceived
	case s == tcpSynReceived && opener && f&(syn|ack) == ack:
		return tcpEstablished
	}
	return s
}
