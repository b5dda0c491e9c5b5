package dataplane

import "github.com/vpcsim/vpcsim/wire"

// Replace has the walk go on with other bytes in the place of p, the packet that walks:
// what a node makes of it that turns one address family into the other. The bytes are
// copied and read; what is wrong with them comes back, and then there is no packet: the
// node drops it for trace.Malformed. It does not allocate in the long run.
func (c *Context) Replace(p *wire.Packet, ip []byte) error {
	c.varies = true
	f := c.flight
	if len(f.buf) < len(ip) {
		f.buf = make([]byte, len(ip))
	}
	f.n = copy(f.buf, ip)
	return p.Read(f.buf[:f.n])
}
