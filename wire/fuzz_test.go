package wire

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

// seeds are the packets of the tables and some of the generator's.
func seeds() (all [][]byte) {
	all = append(all, udp4Bytes, tcp6Bytes, fragment6Bytes, solicitationBytes)
	for _, c := range packetFaults {
		all = append(all, c.b)
	}
	for _, c := range errorRules {
		all = append(all, c.about)
	}
	g := newGen(40)
	for range 60 {
		d := g.datagram(g.oneIn(2), 0)
		all = append(all, d.bytes(), g.mutate(d.bytes()))
	}
	return all
}

func FuzzPacketRead(f *testing.F) {
	for _, b := range seeds() {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) { holdPacket(t, b) })
}

// The laws of the fuzz targets hold for far more inputs than a short fuzz makes.
func TestTheLawsOfReadingAndRewritingHold(t *testing.T) {
	g := newGen(41)
	n := 10_000
	if testing.Short() {
		n /= 10
	}
	for range n {
		holdPacket(t, g.input())
	}
	for _, b := range seeds() {
		holdPacket(t, b)
	}
}

// holdPacket holds any bytes to the laws: reading changes nothing, facts are those
// of the bytes, rewriting keeps both the facts and the checksum's verdict.
func holdPacket(t *testing.T, input []byte) {
	b := bytes.Clone(input)
	var p, again Packet
	err := p.Read(b)
	require.Equal(t, input, b)
	if err != nil {
		require.IsType(t, NoFault, err)
		require.Equal(t, Packet{}, p)
		return
	}
	require.NoError(t, again.Read(append(bytes.Clone(p.Bytes()), 0xa5)), "padded")
	require.Equal(t, p, again)
	require.True(t, bytes.HasPrefix(b, p.Bytes()))
	holdFacts(t, &p)
	holdErrorAbout(t, &p)
	holdInner(t, &p)
	holdRewriting(t, &p)
	if p.IsDiscovery() && p.CheckDiscovery() == nil {
		holdDiscovery(t, &p)
	}
	for _, mtu := range []int{68, 576, 1280} {
		for _, part := range p.Split(mtu, 1) {
			require.LessOrEqual(t, len(part), mtu)
		}
	}
}

func holdFacts(t *testing.T, p *Packet) {
	tr := p.Transport()
	require.Equal(t, p.Fragment == LaterFragment, tr == nil)
	_, ok := p.FragmentKey()
	require.Equal(t, p.Fragment != Whole, ok)
	require.Equal(t, p.Fragment == LaterFragment, p.FragmentOffset() > 0)
	if p.Fragment == FirstFragment {
		require.True(t, p.MoreFragments())
	}
	require.Equal(t, p.Is4(), p.Flow.Dst.Is4())
	switch {
	case p.IsRequest():
		require.Equal(t, ICMP(tr).ID(), p.Flow.SrcPort)
	case p.IsReply():
		require.Equal(t, ICMP(tr).ID(), p.Flow.DstPort)
	case p.HasPorts():
		require.Equal(t, Flow{p.Flow.Src, p.Flow.Dst, UDP(tr).SrcPort(), UDP(tr).DstPort(), p.Flow.Proto}, p.Flow)
	default:
		require.Zero(t, p.Flow.SrcPort|p.Flow.DstPort)
	}
}

// holdErrorAbout builds the ICMP error about p: it reads, and quotes p's flow.
func holdErrorAbout(t *testing.T, p *Packet) {
	router, typ := host4, ICMPTimeExceeded
	if !p.Is4() {
		router, typ = host6, ICMPv6TimeExceeded
	}
	var e Packet
	require.NoError(t, e.Read(AppendICMPError(nil, Header{Src: router, TTL: 64}, typ, 0, 0, p)))
	require.NoError(t, e.VerifyChecksum())
	require.LessOrEqual(t, e.Len(), MaxICMPv6Error)
	in, ok := e.Inner()
	if ok {
		require.Equal(t, p.Flow, in.Flow)
		require.Equal(t, p.Fragment, in.Fragment)
		require.Equal(t, p.HasPorts(), in.HasPorts())
	}
	if p.HasPorts() && int(p.at.l4)+8 <= 500 {
		require.True(t, ok)
	}
	require.False(t, p.IsError() && p.AllowsError(typ, 0))
}

// other returns another address of a's family.
func other(a Addr, by uint64) Addr {
	if a.Is4() {
		return AddrFromV4(a.V4() ^ uint32(by))
	}
	return AddrFromWords(a.hi^1<<62^by, a.lo^by)
}

func holdInner(t *testing.T, p *Packet) {
	in, ok := p.Inner()
	if !ok {
		return
	}
	require.True(t, p.IsError())
	verdict := p.VerifyChecksum()
	facts := p.Flow
	in.SetSrc(other(in.Flow.Src, 0x0101), in.Flow.SrcPort+7)
	in.SetDst(other(in.Flow.Dst, 0xff00), in.Flow.DstPort-9)
	require.Equal(t, verdict, p.VerifyChecksum())
	var again Packet
	require.NoError(t, again.Read(p.Bytes()))
	require.Equal(t, facts, again.Flow)
	inAgain, ok := again.Inner()
	require.True(t, ok)
	require.Equal(t, in.Flow, inAgain.Flow)
	require.Equal(t, in.Fragment, inAgain.Fragment)
	require.Equal(t, in.at, inAgain.at)
}

func holdRewriting(t *testing.T, p *Packet) {
	verdict := p.VerifyChecksum()
	if p.IsReply() && Checksum(p.Transport()) == 0xffff {
		return // all zeros: which of the two zeros its checksum is, rewriting can't tell
	}
	for _, port := range []uint16{0, 0xffff, p.Flow.SrcPort + 1} {
		p.SetSrc(other(p.Flow.Src, 0x1234), port)
		p.SetDst(other(p.Flow.Dst, 0xffff), port)
		p.SetTTL(p.TTL() + 3)
		p.DecTTL()
		var again Packet
		require.NoError(t, again.Read(p.Bytes()))
		require.Equal(t, *p, again)
		require.Equal(t, verdict, p.VerifyChecksum(), "port %d", port)
	}
}

func holdDiscovery(t *testing.T, p *Packet) {
	switch p.Type {
	case ICMPv6NeighborSolicitation, ICMPv6NeighborAdvertisement:
		m := NeighborMessage(p.Transport())
		require.NoError(t, m.Check())
		m.Options().LinkAddr(SourceLinkAddr)
	case ICMPv6RouterAdvertisement:
		m := RouterAdvertisement(p.Transport())
		require.NoError(t, m.Check())
		m.Advertisement()
		m.Options().MTU()
		m.Options().Prefix()
	}
}

// FuzzInner fuzzes what an error quotes.
func FuzzInner(f *testing.F) {
	for _, b := range seeds() {
		f.Add(b, true)
		f.Add(b, false)
	}
	f.Fuzz(func(t *testing.T, quote []byte, v4 bool) {
		h, typ := Header{Src: host6, Dst: peer6, TTL: 9}, ICMPv6Unreachable
		if v4 {
			h, typ = Header{Src: host4, Dst: peer4, TTL: 9}, ICMPUnreachable
		}
		holdPacket(t, AppendICMP(nil, h, typ, 1, 0, quote[:min(len(quote), 1400)]))
	})
}

// FuzzViews holds the views' promise: after Check no accessor panics.
func FuzzViews(f *testing.F) {
	for _, b := range seeds() {
		f.Add(b)
		if len(b) > 40 {
			f.Add(b[20:])
			f.Add(b[40:])
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if v := IPv4(b); v.Check() == nil {
			require.Equal(t, v.TotalLen(), v.HeaderLen()+len(v.Payload()))
			require.Equal(t, v.HeaderLen(), IPv4Len+len(v.Options()))
			require.True(t, v.Src().Is4() && v.Dst().Is4())
		}
		if v := IPv6(b); v.Check() == nil {
			require.Len(t, v.Payload(), v.PayloadLen())
			require.False(t, v.Src().Is4() || v.Dst().Is4())
		}
		if v := UDP(b); v.Check() == nil {
			require.Len(t, v.Payload(), v.Len()-UDPLen)
		}
		if v := TCP(b); v.Check() == nil {
			require.Equal(t, len(b), TCPLen+len(v.Options())+len(v.Payload()))
		}
		if v := ICMP(b); v.Check() == nil {
			require.Equal(t, uint32(v.ID())<<16|uint32(v.Seq()), v.Rest())
			require.Len(t, v.Payload(), len(b)-ICMPLen)
		}
		if v := Ethernet(b); v.Check() == nil {
			again := make([]byte, EthernetLen)
			PutEthernet(again, v.Dst(), v.Src(), v.Type())
			require.Equal(t, b, append(again, v.Payload()...))
		}
		if v := RouterAdvertisement(b); v.Check() == nil {
			v.Advertisement()
		}
		if v := NeighborMessage(b); v.Check() == nil {
			v.Target()
		}
		holdOptions(t, b)
	})
}

func holdOptions(t *testing.T, b []byte) {
	for kind := range uint8(6) {
		option, rest := DiscoveryOptions(b).Find(kind)
		if option != nil {
			require.Equal(t, kind, option[0])
			require.True(t, bytes.HasSuffix(b, append(bytes.Clone(option), rest...)))
		}
	}
	i, _, ok := DiscoveryOptions(b).Prefix()
	if ok {
		again, _, _ := DiscoveryOptions(AppendPrefix(nil, i)).Prefix()
		i.Prefix = i.Prefix.Masked()
		require.Equal(t, i, again)
	}
}

// FuzzARP holds that what is read is what is built.
func FuzzARP(f *testing.F) {
	f.Add(arpBytes)
	f.Add(arpBytes[:27])
	f.Add(append(bytes.Clone(arpBytes), make([]byte, 18)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		a := ARP(b)
		if a.Check() != nil {
			return
		}
		require.Equal(t, b[:ARPLen], AppendARP(dirty(), a.Op(), a.SenderMAC(), a.Sender(), a.TargetMAC(), a.Target()))
	})
}
