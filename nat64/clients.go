package nat64

import "github.com/vpcsim/vpcsim/wire"

// The addresses that are lent: 240.0.0.1 and the following (RFC 1112 section 4: reserved,
// so that no host has one).
const (
	lentFirst = 0xf0000001
	lentMost  = 0x0ffffffe
)

// Clients are the IPv6 clients of one NAT64 and the IPv4 addresses lent to them, for
// life. The zero Clients is ready. It belongs to one goroutine.
type Clients struct {
	lent   map[wire.Addr]uint32 // which one, from 0
	all    []wire.Addr
	writer Writer
}

// Lend returns the address lent to a client, and false where all are.
func (c *Clients) Lend(client wire.Addr) (wire.Addr, bool) {
	n, ok := c.lent[client]
	if !ok {
		if len(c.all) >= lentMost {
			return wire.Addr{}, false
		}
		if c.lent == nil {
			c.lent = map[wire.Addr]uint32{}
		}
		n = uint32(len(c.all))
		c.lent[client], c.all = n, append(c.all, client)
	}
	return wire.AddrFromV4(lentFirst + n), true
}

// Client returns the client that an address is lent to, and false where it is lent to
// nobody. It does not allocate.
func (c *Clients) Client(lent wire.Addr) (wire.Addr, bool) {
	if !lent.Is4() {
		return wire.Addr{}, false
	}
	n := lent.V4() - lentFirst
	if uint64(n) >= uint64(len(c.all)) {
		return wire.Addr{}, false
	}
	return c.all[n], true
}
