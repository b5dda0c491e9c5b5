package wire

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
)

// comparison is one input and what both sides made of it.
type comparison struct {
	b      []byte
	fault  error
	ours   reading
	theirs reading
}

// difference is a reason for which a peer may read a packet differently.
type difference struct {
	name    string
	applies func(c *comparison) bool
}

func refusedFor(faults ...Fault) func(c *comparison) bool {
	return func(c *comparison) bool {
		for _, f := range faults {
			if c.fault == f && c.theirs.ok {
				return true
			}
		}
		return false
	}
}

// extensionsOf returns the numbers of the headers behind an IPv6 header, the last
// one included, as far as they can be followed, whatever they are.
func extensionsOf(b []byte) (all []Proto) {
	if len(b) < IPv6Len || b[0]>>4 != 6 {
		return nil
	}
	for next, at := Proto(b[6]), IPv6Len; ; {
		all = append(all, next)
		if !isExtension(next) || len(b) < at+8 {
			return all
		}
		next, at = Proto(b[at]), at+extensionLen(next, b[at+1])
		if at >= len(b) {
			return append(all, next)
		}
	}
}

func hasExtension(p Proto) func(c *comparison) bool {
	return func(c *comparison) bool {
		for _, e := range extensionsOf(c.b) {
			if e == p {
				return true
			}
		}
		return false
	}
}

var gvisorDifferences = []difference{
	{"gVisor judges what no datagram can hold in its reassembler, not in its header package", refusedFor(BadFragment, TinyFragment)},
	{"gVisor lets IPv4-mapped addresses through", refusedFor(MappedAddress)},
	{"gVisor does not walk the authentication header", func(c *comparison) bool {
		return c.theirs.flow.Proto == extAuth && hasExtension(extAuth)(c)
	}},
	{"gVisor walks the extension header for experiments (RFC 4727), 253", func(c *comparison) bool {
		return c.ours.flow.Proto == 253 && c.ours.part != LaterFragment
	}},
	{"gVisor walks any number of headers, and a second fragment header", refusedFor(BadExtension)},
	{"gVisor sums the destination on the way, not the final one of a routing header", func(c *comparison) bool {
		same := c.theirs
		same.checksum = true
		return c.ours == same && hasExtension(extRouting)(c)
	}},
}

var gopacketDifferences = []difference{
	{"gopacket sums no IPv4 header", refusedFor(BadHeaderChecksum)},
	{"gopacket judges no fragment", refusedFor(BadFragment, TinyFragment)},
	{"gopacket lets IPv4-mapped addresses through", refusedFor(MappedAddress)},
	{"gopacket walks any number of headers, and a second fragment header", refusedFor(BadExtension)},
	{"gopacket takes IPv4's total length 0 for all there is (segmentation offload)", func(c *comparison) bool {
		return c.fault == BadTotalLength && c.theirs.ok && IPv4(c.b).TotalLen() == 0
	}},
	{"gopacket takes UDP's length 0 for a jumbogram", func(c *comparison) bool {
		return c.fault == BadUDPLength && c.theirs.ok
	}},
	{"gopacket is content with 4 bytes of ICMPv6", refusedFor(ShortTransport)},
	{"gopacket refuses options of IP that it can't read; routers don't look", func(c *comparison) bool {
		return c.ours.ok && !c.theirs.ok && c.b[0] > 0x45 && c.b[0]>>4 == 4
	}},
	{"gopacket refuses options of TCP that it can't read", func(c *comparison) bool {
		return c.ours.ok && !c.theirs.ok && c.ours.flow.Proto == ProtoTCP && c.ours.part != LaterFragment
	}},
	{"gopacket refuses an IPv6 packet with nothing behind its header", func(c *comparison) bool {
		return c.ours.ok && !c.theirs.ok && c.b[0]>>4 == 6 && IPv6(c.b).PayloadLen() == 0
	}},
	{"gopacket reads hop-by-hop options, and cuts the payload behind them too late", func(c *comparison) bool {
		return len(c.b) > IPv6Len && c.b[0]>>4 == 6 && c.b[6] == byte(extHopByHop)
	}},
	{"gopacket fails on an authentication header of 8 bytes", func(c *comparison) bool {
		return c.ours.ok && !c.theirs.ok && hasExtension(extAuth)(c)
	}},
}

// mutate spoils b in one to three ways, and half the time makes the IPv4 header's
// checksum right again.
func (g gen) mutate(b []byte) []byte {
	for range 1 + g.IntN(3) {
		if len(b) == 0 {
			return b
		}
		switch g.IntN(6) {
		case 0:
			b = b[:g.IntN(len(b)+1)]
		case 1:
			b = append(b, g.bytes(g.IntN(20))...)
		case 2:
			b[g.IntN(min(len(b), 8))] = byte(g.Uint32())
		case 3:
			b[g.IntN(min(len(b), 64))] ^= 1 << g.IntN(8)
		case 4:
			b[g.IntN(len(b))] = [...]byte{0, 1, 0x7f, 0x80, 0xff, 6, 17, 58, 44, 43, 51, 60}[g.IntN(12)]
		case 5:
			if at := g.IntN(len(b)); at+2 <= len(b) {
				binary.BigEndian.PutUint16(b[at:], uint16(g.IntN(len(b)+9)))
			}
		}
	}
	if len(b) > 0 && b[0]>>4 == 4 && g.oneIn(2) {
		return with(b, func([]byte) {})
	}
	return b
}

// estrange gives an IPv6 packet what no sender sends.
func (g gen) estrange(d *datagram) {
	mapped := addrBytes(host4)
	mapped = append([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, mapped...)
	switch g.IntN(5) {
	case 0:
		d.src = AddrFrom16([16]byte(mapped))
	case 1:
		d.ext = append(d.ext, append([]byte{byte(extRouting), 0, 2, 0, 1, 0, 0, 0, 0}, addrBytes(d.dst)...))
	case 2:
		d.ext = append(d.ext, append([]byte{253, 0, 0}, g.bytes(6)...))
	case 3:
		d.ext = append(d.ext, []byte{byte(extAuth), 0, 0, 0, 0, 0, 0, 0, 0})
	case 4:
		for range MaxExtensions {
			d.ext = append(d.ext, []byte{byte(extDestination), 0, 0, 1, 4, 0, 0, 0, 0})
		}
	}
}

// input draws a packet: one in four as it was built, the others spoilt, few of noise.
func (g gen) input() []byte {
	if g.oneIn(50) {
		b := g.bytes(g.IntN(100))
		if len(b) > 0 {
			b[0] = [...]byte{0x45, 0x46, 0x60, byte(g.Uint32())}[g.IntN(4)]
		}
		return b
	}
	d := g.datagram(g.oneIn(2), 0)
	if g.oneIn(8) && !d.dst.Is4() {
		g.estrange(&d)
	}
	b := d.bytes()
	if g.oneIn(4) {
		return b
	}
	return g.mutate(b)
}

// compare runs both parsers over random and mutated packets. Where they disagree, a
// difference on the list must say why; each of them must have its case.
func compare(t *testing.T, seed uint64, read func([]byte) reading, sums bool, list []difference) {
	g := newGen(seed)
	n, agreed, accepted := 150_000, 0, 0
	if testing.Short() {
		n /= 10
	}
	used := make([]int, len(list))
	for range n {
		c := comparison{b: g.input()}
		c.theirs = read(c.b)
		c.ours, c.fault = ourReading(c.b)
		if !sums {
			c.theirs.checksum = c.ours.checksum
		}
		if c.ours == c.theirs || !c.ours.ok && !c.theirs.ok {
			agreed++
			if c.ours.ok {
				accepted++
			}
			continue
		}
		why := -1
		for i, d := range list {
			if d.applies(&c) {
				why = i
				break
			}
		}
		require.GreaterOrEqual(t, why, 0, "%x\n%v\nours   %+v\ntheirs %+v", c.b, c.fault, c.ours, c.theirs)
		used[why]++
	}
	t.Logf("%d inputs: %d read alike, %d more refused alike", n, accepted, agreed-accepted)
	for i, d := range list {
		t.Logf("%6d %s", used[i], d.name)
		if !testing.Short() {
			require.Positive(t, used[i], "%s: no case; take it off the list", d.name)
		}
	}
	require.Greater(t, accepted, n/4)
}

func TestPacketsAreReadAsGVisorReadsThem(t *testing.T) {
	compare(t, 30, startGVisor(t), true, gvisorDifferences)
}

func TestPacketsAreReadAsGopacketReadsThem(t *testing.T) {
	compare(t, 31, gopacketReading, false, gopacketDifferences)
}
