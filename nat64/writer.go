package nat64

import "github.com/vpcsim/vpcsim/wire"

// Writer writes packets of one family as ones of the other between addresses that its
// caller names: for a translator that keeps sessions of both families itself. The zero
// Writer is ready. It belongs to one goroutine.
type Writer struct {
	id uint16 // identification of the last IPv4 packet that may be fragmented
}

// Write appends to b what the other family has for p, from src to dst, both of that
// family. Ports are p's. It reports false of what is not translated: other protocols than
// TCP, UDP and echo, ICMP errors, extension headers other than a fragment's. It does not
// allocate where b has room.
func (w *Writer) Write(b []byte, p *wire.Packet, src, dst wire.Addr) ([]byte, bool) {
	if p.IsError() {
		return b, false
	}
	if p.Is4() {
		h, ok := read4(p.Bytes())
		if !ok {
			return b, false
		}
		return write6(b, h, src, dst)
	}
	h, ok := read6(p.Bytes())
	if !ok {
		return b, false
	}
	return w.write4(b, h, src, dst)
}
