package nat

import (
	"fmt"

	"github.com/vpcsim/vpcsim/internal/addrtable"
	"github.com/vpcsim/vpcsim/wire"
)

// Pair is an inside address and the outside address that it is known by.
type Pair struct{ Inside, Outside wire.Addr }

// Static is basic NAT (RFC 3022 section 2.1): one outside address for each inside
// address. It keeps no state, changes no port and works for any protocol and for
// fragments. It never changes, so any number of goroutines may use it. The zero
// Static knows no address. Make one with [NewStatic].
type Static struct {
	out, in addrtable.Table[wire.Addr]
}

// NewStatic returns the translation of the pairs. It refuses a pair without an
// address or of two families, and an address that is in two pairs on one side.
func NewStatic(pairs []Pair) (*Static, error) {
	s := &Static{}
	for i, p := range pairs {
		if !p.Inside.IsValid() || !p.Outside.IsValid() || p.Inside.Is4() != p.Outside.Is4() {
			return nil, fmt.Errorf("static NAT, pair %d: %v and %v are not two addresses of one family", i, p.Inside, p.Outside)
		}
		if had := s.out.Lookup(p.Inside); had.IsValid() {
			return nil, fmt.Errorf("static NAT, pair %d: inside address %v has %v outside already", i, p.Inside, had)
		}
		if had := s.in.Lookup(p.Outside); had.IsValid() {
			return nil, fmt.Errorf("static NAT, pair %d: outside address %v has %v inside already", i, p.Outside, had)
		}
		s.out.Insert(p.Inside, p.Outside)
		s.in.Insert(p.Outside, p.Inside)
	}
	return s, nil
}

// Outside returns the outside address of an inside one. It does not allocate.
func (s *Static) Outside(inside wire.Addr) (wire.Addr, bool) {
	a := s.out.Lookup(inside)
	return a, a.IsValid()
}

// Inside returns the inside address of an outside one. It does not allocate.
func (s *Static) Inside(outside wire.Addr) (wire.Addr, bool) {
	a := s.in.Lookup(outside)
	return a, a.IsValid()
}

// Out translates the source of a packet that goes outside and, of an ICMP error,
// the destination of the packet that it quotes (RFC 5508 section 4.2). It reports false, and
// leaves p alone, where p's source has no outside address. It does not allocate.
func (s *Static) Out(p *wire.Packet) bool {
	a := s.out.Lookup(p.Flow.Src)
	if !a.IsValid() {
		return false
	}
	s.OutTo(p, a)
	return true
}

// OutTo is Out for who knows the source's outside address from [Static.Outside].
func (s *Static) OutTo(p *wire.Packet, outside wire.Addr) {
	if p.IsError() {
		s.outQuoted(p)
	}
	p.SetSrc(outside, p.Flow.SrcPort)
}

func (s *Static) outQuoted(p *wire.Packet) {
	in, ok := p.Inner()
	if !ok {
		return
	}
	if a, ok := s.Outside(in.Flow.Dst); ok {
		in.SetDst(a, in.Flow.DstPort)
	}
}

// Back translates the destination of a packet that comes from outside and, of an
// ICMP error, the source of the packet that it quotes. It reports false, and leaves
// p alone, where p's destination has no inside address. It does not allocate.
func (s *Static) Back(p *wire.Packet) bool {
	a := s.in.Lookup(p.Flow.Dst)
	if !a.IsValid() {
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
	if a, ok := s.Inside(in.Flow.Src); ok {
		in.SetSrc(a, in.Flow.SrcPort)
	}
}
