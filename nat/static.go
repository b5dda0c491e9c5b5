package nat

import (
	"fmt"
	"math/bits"

	"github.com/vpcsim/vpcsim/wire"
)

// Pair is an inside address and the outside address that it is known by.
type Pair struct{ Inside, Outside wire.Addr }

// Static is basic NAT (RFC 3022 section 2.1): one outside address for each inside
// address. It keeps no state, changes no port and works for any protocol and for
// fragments. It never changes, so any number of goroutines may use it. The zero
// Static knows no address. Make one with [NewStatic].
type Static struct {
	out, in oneWay
}

// NewStatic returns the translation of the pairs. It refuses a pair without an
// address or of two families, and an address that is in two pairs on one side.
func NewStatic(pairs []Pair) (*Static, error) {
	s := &Static{out: newOneWay(len(pairs)), in: newOneWay(len(pairs))}
	for i, p := range pairs {
		if !p.Inside.IsValid() || !p.Outside.IsValid() || p.Inside.Is4() != p.Outside.Is4() {
			return nil, fmt.Errorf("static NAT, pair %d: %v and %v are not two addresses of one family", i, p.Inside, p.Outside)
		}
		if had, ok := s.out.lookup(p.Inside); ok {
			return nil, fmt.Errorf("static NAT, pair %d: inside address %v has %v outside already", i, p.Inside, had)
		}
		if had, ok := s.in.lookup(p.Outside); ok {
			return nil, fmt.Errorf("static NAT, pair %d: outside address %v has %v inside already", i, p.Outside, had)
		}
		s.out.insert(p.Inside, p.Outside)
		s.in.insert(p.Outside, p.Inside)
	}
	return s, nil
}

// Outside returns the outside address of an inside one. It does not allocate.
func (s *Static) Outside(inside wire.Addr) (wire.Addr, bool) { return s.out.lookup(inside) }

// Inside returns the inside address of an outside one. It does not allocate.
func (s *Static) Inside(outside wire.Addr) (wire.Addr, bool) { return s.in.lookup(outside) }

// Out translates the source of a packet that goes outside and, of an ICMP error,
// the destination of the packet that it quotes (RFC 5508 section 4.2). It reports false, and
// leaves p alone, where p's source has no outside address. It does not allocate.
func (s *Static) Out(p *wire.Packet) bool {
	a, ok := s.out.lookup(p.Flow.Src)
	if !ok {
		return false
	}
	if p.IsError() {
		s.outQuoted(p)
	}
	p.SetSrc(a, p.Flow.SrcPort)
	return true
}

func (s *Static) outQuoted(p *wire.Packet) {
	in, ok := p.Inner()
	if !ok {
		return
	}
	if a, ok := s.out.lookup(in.Flow.Dst); ok {
		in.SetDst(a, in.Flow.DstPort)
	}
}

// Back translates the destination of a packet that comes from outside and, of an
// ICMP error, the source of the packet that it quotes. It reports false, and leaves
// p alone, where p's destination has no inside address. It does not allocate.
func (s *Static) Back(p *wire.Packet) bool {
	a, ok := s.in.lookup(p.Flow.Dst)
	if !ok {
		return false
	}
	if p.IsError() {
		s.backQuoted(p)
	}
	p.SetDst(a, p.Flow.DstPort)
	return true
}

func (s *Static) backQuoted(p *wire.Packet) {
	in, ok := p.Inner()
	if !ok {
		return
	}
	if a, ok := s.in.lookup(in.Flow.Src); ok {
		in.SetSrc(a, in.Flow.SrcPort)
	}
}

// oneWay is an open-addressing table from address to address, at most half full.
// Its keys are an operator's, not a sender's, so its hash needs no seed.
type oneWay struct {
	slot  []hop // a power of two of them
	shift uint8 // 64 - log2(len(slot))
}

type hop struct{ from, to wire.Addr }

func newOneWay(n int) oneWay {
	log := bits.Len(uint(n)) + 1
	return oneWay{slot: make([]hop, 1<<log), shift: uint8(64 - log)}
}

func (t *oneWay) home(a wire.Addr) uint64 {
	hi, lo := a.Words()
	return (hi*0xd6e8feb86659fd93 ^ lo) * 0x9e3779b97f4a7c15 >> (t.shift & 63)
}

func (t *oneWay) lookup(a wire.Addr) (wire.Addr, bool) {
	if len(t.slot) == 0 {
		return wire.Addr{}, false
	}
	mask := uint64(len(t.slot) - 1)
	for i := t.home(a); ; i++ {
		s := &t.slot[i&mask]
		switch s.from {
		case a:
			return s.to, a.IsValid()
		case wire.Addr{}:
			return wire.Addr{}, false
		}
	}
}

func (t *oneWay) insert(from, to wire.Addr) {
	mask := uint64(len(t.slot) - 1)
	i := t.home(from)
	for t.slot[i&mask].from.IsValid() {
		i++
	}
	t.slot[i&mask] = hop{from, to}
}
