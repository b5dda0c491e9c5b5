package host

import (
	"encoding/binary"

	"github.com/vpcsim/vpcsim/wire"
)

// segment is a received TCP segment with the options that matter here.
type segment struct {
	seq, ack uint32
	flags    wire.TCPFlags
	wnd      uint32 // as it stands, not scaled
	data     []byte
	mss      int // 0 where the option is absent
	scale    int // -1 where the option is absent
	hasTS    bool
	ts, echo uint32
}

func readSegment(p *wire.Packet) segment {
	t := wire.TCP(p.Transport())
	s := segment{
		seq: t.Seq(), ack: t.Ack(), flags: t.Flags(), wnd: uint32(t.Window()), data: t.Payload(), scale: -1,
	}
	s.readOptions(t.Options())
	return s
}

// readOptions reads kinds 2, 3 and 8 (RFC 9293 section 3.1, RFC 7323); what makes
// no sense ends the list.
func (s *segment) readOptions(b []byte) {
	for len(b) > 0 && b[0] != 0 {
		if b[0] == 1 {
			b = b[1:]
			continue
		}
		if len(b) < 2 || int(b[1]) < 2 || int(b[1]) > len(b) {
			return
		}
		body := b[2:b[1]]
		switch {
		case b[0] == 2 && len(body) == 2:
			s.mss = int(binary.BigEndian.Uint16(body))
		case b[0] == 3 && len(body) == 1:
			s.scale = min(int(body[0]), 14)
		case b[0] == 8 && len(body) == 8:
			s.hasTS, s.ts, s.echo = true, binary.BigEndian.Uint32(body), binary.BigEndian.Uint32(body[4:])
		}
		b = b[b[1]:]
	}
}

// len returns the sequence space that the segment takes: SYN and FIN take one each
// (RFC 9293 section 3.4).
func (s *segment) len() uint32 {
	n := uint32(len(s.data))
	if s.flags.Has(wire.SYN) {
		n++
	}
	if s.flags.Has(wire.FIN) {
		n++
	}
	return n
}

// opens reports whether the segment asks for a new connection.
func (s *segment) opens() bool { return s.flags&(wire.SYN|wire.ACK|wire.RST) == wire.SYN }

// after reports whether sequence number a comes after b (RFC 9293 section 3.4:
// modulo 2^32).
func after(a, b uint32) bool { return int32(a-b) > 0 }
