package capture

import (
	"bytes"
	"encoding/binary"
	"maps"
	"net/netip"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vpcsim/vpcsim/wire"
)

// toMoved rewrites the addresses of homeAddrs and homeMACs.
func toMoved(t *testing.T) Rewrite {
	t.Helper()
	addrs := map[netip.Addr]netip.Addr{}
	for from, to := range homeAddrs {
		addrs[from.Netip()] = to.Netip()
	}
	r, err := NewRewrite(addrs, homeMACs)
	require.NoError(t, err)
	return r
}

// rewritable reports whether all addresses and checksums of a packet stand where
// they can be read: not behind the first fragment, in a tunnel, in a redirect,
// where the destination is not the final one, or in an error that quotes too little.
func rewritable(b []byte) bool {
	var p wire.Packet
	if p.Read(b) != nil || p.Fragment == wire.LaterFragment || tunnel(p.Flow) || segmentsLeft(&p) {
		return false
	}
	foreign := func(f wire.Flow) bool { // ICMP of the other family: no message at all
		return f.Src.Is4() && f.Proto == wire.ProtoICMPv6 || !f.Src.Is4() && f.Proto == wire.ProtoICMP
	}
	redirect := p.Flow.Proto == wire.ProtoICMP && p.Type == wire.ICMPRedirect
	in, ok := p.Inner()
	solicitation := p.Type == wire.ICMPv6NeighborSolicitation || p.Type == wire.ICMPv6NeighborAdvertisement
	switch {
	case redirect, foreign(p.Flow):
		return false
	case p.Flow.Proto == wire.ProtoICMPv6 && solicitation:
		return p.Fragment == wire.Whole // RFC 6980 forbids others
	case p.IsError():
		return ok && in.Fragment != wire.LaterFragment && !tunnel(in.Flow) && !foreign(in.Flow)
	}
	return true
}

func tunnel(f wire.Flow) bool { return f.Proto == protoIPv4 || f.Proto == protoIPv6 }

func TestARewrittenCaptureIsTheCaptureOfTheOtherAddresses(t *testing.T) {
	r, done := toMoved(t), map[wire.EtherType]int{}
	for seed := range uint64(20000) {
		here, there := newMaker(seed), newMaker(seed)
		here.sound, there.sound, there.moved = true, true, true
		link := pick(here, LinkEthernet, LinkRaw)
		pick(there, 0, 0)
		was, want := here.frame(link), there.frame(link)
		f := Frame{Link: link, Bytes: bytes.Clone(was)}
		typ, b, _ := f.Payload()
		_, ip := f.IP()
		arp := typ == wire.EtherTypeARP && wire.ARP(b).Check() == nil
		if !arp && (!ip || !rewritable(b)) {
			continue
		}
		require.NoError(t, r.Frame(f))
		require.Equal(t, want, f.Bytes, "seed %d: %s", seed, (&Tcpdump{Stamp: StampNone}).Line(Frame{Link: link, Bytes: was}))
		if !bytes.Equal(was, want) {
			done[typ]++
		}
	}
	require.Equal(t, []wire.EtherType{wire.EtherTypeIPv4, wire.EtherTypeARP, wire.EtherTypeIPv6}, slices.Sorted(maps.Keys(done)))
	for typ, n := range done {
		require.Greater(t, n, 100, "EtherType %#04x", typ)
	}
}

func TestCookedCapturesKeepTheirHeaders(t *testing.T) {
	r := toMoved(t)
	home, away := wire.MAC{2, 1, 2, 3, 4, 5}, wire.MAC{6, 0xff, 0xee, 0xdd, 0xcc, 0xbb}
	for link, at := range map[LinkType]int{LinkLinuxSLL: 6, LinkLinuxSLL2: 12} {
		n := map[LinkType]int{LinkLinuxSLL: sllLen, LinkLinuxSLL2: sll2Len}[link]
		for _, halen := range []byte{6, 8} {
			b := bytes.Repeat([]byte{0xa5}, n)
			if link == LinkLinuxSLL {
				binary.BigEndian.PutUint16(b[14:], uint16(wire.EtherTypeIPv4))
				binary.BigEndian.PutUint16(b[4:], uint16(halen))
			} else {
				binary.BigEndian.PutUint16(b, uint16(wire.EtherTypeIPv4))
				b[11] = halen
			}
			copy(b[at:], home[:])
			want := bytes.Clone(b)
			if halen == 6 {
				copy(want[at:], away[:])
			}
			f := Frame{Link: link, Bytes: append(b, ping()...)}
			require.NoError(t, r.Frame(f))
			require.Equal(t, want, f.Bytes[:n])
			ip, _ := f.IP()
			require.Equal(t, wire.MustParseAddr("192.168.7.1"), wire.IPv4(ip).Src())
		}
	}
}

func TestMissingChecksumsAreFilledIn(t *testing.T) {
	r := toMoved(t)
	r.FillChecksums = true
	sums := map[wire.Proto]int{wire.ProtoTCP: 16, wire.ProtoUDP: 6, wire.ProtoICMP: 2, wire.ProtoICMPv6: 2}
	done := map[wire.Proto]int{}
	for seed := range uint64(3000) {
		here, there := newMaker(seed), newMaker(seed)
		here.sound, there.sound, there.moved = true, true, true
		want, _ := there.packet()
		got, _ := here.packet()
		var p wire.Packet
		if !rewritable(got) || p.Read(got) != nil || p.Fragment != wire.Whole || sums[p.Flow.Proto] == 0 {
			continue
		}
		copy(p.Transport()[sums[p.Flow.Proto]:], []byte{0xa5, 0xa5})
		require.NoError(t, r.Frame(Frame{Link: LinkRaw, Bytes: got}))
		require.Equal(t, want, got, "seed %d", seed)
		done[p.Flow.Proto]++
	}
	require.Len(t, done, len(sums))
}

func TestAMalformedPacketIsNamedAndLeftAlone(t *testing.T) {
	r := toMoved(t)
	f := make([]byte, wire.EthernetLen)
	wire.PutEthernet(f, wire.MAC{2, 1, 2, 3, 4, 5}, wire.MAC{}, wire.EtherTypeIPv4)
	f = append(f, ping()...)
	whole := bytes.Clone(f)
	require.Equal(t, wire.BadTotalLength, r.Frame(Frame{Bytes: f[:50]}))
	require.Equal(t, whole[6:], f[6:])
	require.Equal(t, []byte{6, 0xff, 0xee, 0xdd, 0xcc, 0xbb}, f[:6])
	require.Equal(t, wire.ShortFrame, r.Frame(Frame{Bytes: f[:13]}))
	require.NoError(t, r.Frame(Frame{Bytes: bytes.Repeat([]byte{0xa5}, 60)}))

	arp := make([]byte, wire.EthernetLen, 60)
	wire.PutEthernet(arp, wire.MAC{}, wire.MAC{}, wire.EtherTypeARP)
	require.Equal(t, wire.BadARP, r.Frame(Frame{Bytes: append(arp, 0, 1)}))
}

func TestAnAddressKeepsItsFamily(t *testing.T) {
	four, six := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("fd00::1")
	_, err := NewRewrite(map[netip.Addr]netip.Addr{four: six}, nil)
	require.EqualError(t, err, "capture: 10.0.0.1 can't become fd00::1: expected two addresses of one family")
	_, err = NewRewrite(map[netip.Addr]netip.Addr{six: {}}, nil)
	require.EqualError(t, err, "capture: fd00::1 can't become invalid IP: expected two addresses of one family")
	require.NoError(t, Rewrite{}.Frame(Frame{Link: LinkRaw, Bytes: ping()}))
}

func FuzzRewrite(f *testing.F) {
	m := newMaker(9)
	for range 40 {
		f.Add(uint16(LinkEthernet), m.frame(LinkEthernet), true)
		f.Add(uint16(LinkRaw), m.frame(LinkRaw), false)
	}
	f.Fuzz(func(t *testing.T, link uint16, b []byte, fill bool) {
		r := toMoved(t)
		r.FillChecksums = fill
		frame := Frame{Link: LinkType(link), Bytes: bytes.Clone(b)}
		_, was, _ := Frame{Link: LinkType(link), Bytes: b}.Payload()
		if err := r.Frame(frame); err != nil {
			_, is, _ := frame.Payload()
			require.Equal(t, was, is, "a packet that is refused stays as it came")
		}
	})
}
