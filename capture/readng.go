package capture

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"time"
)

// The blocks of a pcapng file that are read; others are passed over
// (draft-ietf-opsawg-pcapng section 4).
const (
	blockSection   = magicPcapNG
	blockInterface = 1
	blockPacket    = 2 // obsolete, yet found in old files
	blockSimple    = 3
	blockEnhanced  = 6
)

// blockMax is the longest block that is read, in bytes: a frame and its options.
const blockMax = 16 << 20

// section is the part of a pcapng file that is being read: a file may have
// several, each with a byte order and interfaces of its own.
type section struct {
	r      *source
	order  binary.ByteOrder
	ifaces []ngInterface
}

// ngInterface is what frames need to know of the interface they came from.
type ngInterface struct {
	name  string
	link  LinkType
	fault error // why its frames can't be read
	snap  uint32
	ticks uint64 // of its clock, a second
	shift int64  // seconds to add to its clock
}

// next reads blocks up to the next frame.
func (s *section) next() (captured, error) {
	for {
		start := s.r.at
		kind, body, err := s.block()
		if err != nil {
			return captured{}, err
		}
		var c captured
		found := false
		switch kind {
		case blockInterface:
			err = s.addInterface(body)
		case blockEnhanced, blockPacket:
			c, err = s.packet(kind, body)
			found = true
		case blockSimple:
			c, err = s.simple(body)
			found = true
		}
		if err != nil {
			return captured{}, fmt.Errorf("at byte %d: %w", start, err)
		}
		if found {
			return c, nil
		}
	}
}

// block reads one block and returns what stands between its two lengths.
func (s *section) block() (kind uint32, body []byte, err error) {
	start := s.r.at
	h, err := s.r.take(8, true)
	if err != nil {
		return 0, nil, err
	}
	if binary.BigEndian.Uint32(h) == blockSection {
		magic, err := s.r.take(4, false)
		if err != nil {
			return 0, nil, err
		}
		if err := s.begin(magic); err != nil {
			return 0, nil, fmt.Errorf("at byte %d: %w", start, err)
		}
		h = append(h, magic...)
	}
	kind = s.order.Uint32(h)
	n := s.order.Uint32(h[4:])
	if n%4 != 0 || int64(n) < int64(len(h)+4) || n > blockMax {
		return 0, nil, fmt.Errorf("at byte %d: a block of %d bytes: expected a multiple of 4, from %d to %d", start, n, len(h)+4, blockMax)
	}
	body, err = s.r.take(int(n)-len(h), false)
	if err != nil {
		return 0, nil, err
	}
	body, tail := body[:len(body)-4], s.order.Uint32(body[len(body)-4:])
	if tail != n {
		return 0, nil, fmt.Errorf("at byte %d: a block of %d bytes that ends with the length %d", start, n, tail)
	}
	return kind, body, nil
}

// begin starts a section whose byte order its magic number tells.
func (s *section) begin(magic []byte) error {
	const want = 0x1a2b3c4d
	switch {
	case binary.LittleEndian.Uint32(magic) == want:
		s.order = binary.LittleEndian
	case binary.BigEndian.Uint32(magic) == want:
		s.order = binary.BigEndian
	default:
		return fmt.Errorf("a section's byte-order magic is % x: expected 1a 2b 3c 4d or its reverse", magic)
	}
	s.ifaces = nil
	return nil
}

// addInterface reads an interface description block. A link type that is not
// known is no fault of the file: only its frames can't be read.
func (s *section) addInterface(b []byte) error {
	if len(b) < 8 {
		return fmt.Errorf("an interface description of %d bytes: expected 8", len(b))
	}
	i := ngInterface{snap: s.order.Uint32(b[4:]), ticks: 1e6}
	i.link, i.fault = checkLink(uint32(s.order.Uint16(b)))
	for b = b[8:]; len(b) >= 4; {
		code, n := s.order.Uint16(b), int(s.order.Uint16(b[2:]))
		if code == 0 {
			break
		}
		padded := 4 + (n+3)&^3
		if len(b) < 4+n {
			return fmt.Errorf("option %d of %d bytes in an interface description with %d left", code, n, len(b)-4)
		}
		if err := i.option(code, b[4:4+n], s.order); err != nil {
			return err
		}
		b = b[min(padded, len(b)):]
	}
	s.ifaces = append(s.ifaces, i)
	return nil
}

// Options of an interface description.
const (
	optionName   = 2
	optionTick   = 9
	optionOffset = 14
)

func (i *ngInterface) option(code uint16, v []byte, order binary.ByteOrder) error {
	switch code {
	case optionName:
		i.name = string(v)
	case optionTick:
		if len(v) != 1 {
			return fmt.Errorf("a time resolution of %d bytes: expected 1", len(v))
		}
		return i.setTicks(v[0])
	case optionOffset:
		if len(v) != 8 {
			return fmt.Errorf("a time offset of %d bytes: expected 8", len(v))
		}
		i.shift = int64(order.Uint64(v))
	}
	return nil
}

// setTicks takes a time resolution: a power of 2 with the highest bit set, else of 10.
func (i *ngInterface) setTicks(v byte) error {
	n := v & 0x7f
	if v&0x80 != 0 {
		if n > 63 {
			return fmt.Errorf("a time resolution of 2^-%d s: expected 2^-63 at most", n)
		}
		i.ticks = 1 << n
		return nil
	}
	if n > 19 {
		return fmt.Errorf("a time resolution of 10^-%d s: expected 10^-19 at most", n)
	}
	i.ticks = 1
	for range n {
		i.ticks *= 10
	}
	return nil
}

// packet reads an enhanced packet block, or the packet block of old.
func (s *section) packet(kind uint32, b []byte) (captured, error) {
	const size = 20
	if len(b) < size {
		return captured{}, fmt.Errorf("a packet block of %d bytes: expected %d", len(b), size)
	}
	iface := s.order.Uint32(b)
	if kind == blockPacket {
		iface = uint32(s.order.Uint16(b)) // the other half counts drops
	}
	i, err := s.iface(iface)
	if err != nil {
		return captured{}, err
	}
	clock := uint64(s.order.Uint32(b[4:]))<<32 | uint64(s.order.Uint32(b[8:]))
	have, length := int64(s.order.Uint32(b[12:])), int64(s.order.Uint32(b[16:]))
	if err := checkLengths(have, length); err != nil {
		return captured{}, err
	}
	if have > int64(len(b)-size) {
		return captured{}, fmt.Errorf("%d bytes captured in a block with room for %d", have, len(b)-size)
	}
	f := Frame{Link: i.link, Interface: i.name, Bytes: b[size : size+have : size+have], Len: int(length)}
	return captured{f, i.time(clock)}, nil
}

// simple reads a simple packet block, which has no time and is of interface 0.
func (s *section) simple(b []byte) (captured, error) {
	if len(b) < 4 {
		return captured{}, fmt.Errorf("a simple packet block of %d bytes: expected 4", len(b))
	}
	i, err := s.iface(0)
	if err != nil {
		return captured{}, err
	}
	length := int64(s.order.Uint32(b))
	have := min(length, int64(len(b)-4))
	if i.snap != 0 {
		have = min(have, int64(i.snap))
	}
	if err := checkLengths(have, length); err != nil {
		return captured{}, err
	}
	f := Frame{Link: i.link, Interface: i.name, Bytes: b[4 : 4+have : 4+have], Len: int(length)}
	return captured{f, i.time(0)}, nil
}

func (s *section) iface(n uint32) (*ngInterface, error) {
	if int64(n) >= int64(len(s.ifaces)) {
		return nil, fmt.Errorf("a frame of interface %d in a section of %d interfaces", n, len(s.ifaces))
	}
	if i := &s.ifaces[n]; i.fault == nil {
		return i, nil
	}
	return nil, fmt.Errorf("interface %d: %w", n, s.ifaces[n].fault)
}

// time returns what an interface's clock shows, to the nanosecond.
func (i *ngInterface) time(clock uint64) time.Time {
	// The remainder is below the divisor, so the product's upper half is, too.
	hi, lo := bits.Mul64(clock%i.ticks, uint64(time.Second))
	ns, _ := bits.Div64(hi, lo, i.ticks)
	return time.Unix(int64(clock/i.ticks)+i.shift, int64(ns)).UTC()
}
