package wire

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// solicitationBytes: fe80::a asks for 2600::55, hop limit 255, and says where it is.
var solicitationBytes = []byte{
	0x60, 0x00, 0x00, 0x00, 0x00, 0x20, 0x3a, 0xff,
	0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0a,
	0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 0x55,
	0x87, 0x00, 0x52, 0x60, 0x00, 0x00, 0x00, 0x00, // type 135, checksum
	0x26, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x55,
	0x01, 0x01, 0x02, 0, 0, 0, 0, 0x0a, // source link-layer address
}

var link6 = MustParseAddr("fe80::a")

func TestANeighborSolicitationIsBuiltAndRead(t *testing.T) {
	require.Equal(t, solicitationBytes, AppendNeighborSolicitation(dirty(), Header{Src: link6}, peer6, macA))
	var p Packet
	require.NoError(t, p.Read(solicitationBytes))
	require.True(t, p.IsDiscovery())
	require.NoError(t, p.CheckDiscovery())
	m := NeighborMessage(p.Transport())
	require.NoError(t, m.Check())
	require.Equal(t, peer6, m.Target())
	mac, ok := m.Options().LinkAddr(SourceLinkAddr)
	require.True(t, ok)
	require.Equal(t, macA, mac)
	_, ok = m.Options().LinkAddr(TargetLinkAddr)
	require.False(t, ok)
	require.Equal(t, MAC{0x33, 0x33, 0xff, 0, 0, 0x55}, GroupMAC(p.Flow.Dst))
	require.Equal(t, MAC{0x01, 0x00, 0x5e, 0x7f, 0xff, 0xfa}, GroupMAC(MustParseAddr("239.255.255.250")))
	require.Equal(t, "ff02::1:ff12:3456", SolicitedNode(MustParseAddr("2600:1:2:3:4:5:ab12:3456")).String())
}

func TestANeighborAdvertisementIsBuiltAndRead(t *testing.T) {
	var p Packet
	h := Header{Src: peer6, Dst: link6}
	require.NoError(t, p.Read(AppendNeighborAdvertisement(dirty(), h, Solicited|Override, peer6, macB)))
	require.NoError(t, p.CheckDiscovery())
	require.Equal(t, ICMPv6NeighborAdvertisement, p.Type)
	m := NeighborMessage(p.Transport())
	require.Equal(t, byte(0x60), m[4])
	require.Equal(t, Solicited|Override, m.Flags())
	require.Equal(t, peer6, m.Target())
	mac, ok := m.Options().LinkAddr(TargetLinkAddr)
	require.True(t, ok)
	require.Equal(t, macB, mac)
}

func TestARouterAdvertisementIsBuiltAndRead(t *testing.T) {
	want := Advertisement{HopLimit: 64, Managed: true, Lifetime: 30 * time.Minute, Reachable: 1500 * time.Millisecond, Retransmit: time.Second}
	prefix := PrefixInformation{Prefix: netip.MustParsePrefix("2600:1f00::/64"), OnLink: true, Valid: Forever, Preferred: 7 * time.Hour}
	second := PrefixInformation{Prefix: netip.MustParsePrefix("2600:1f01::/56"), Autonomous: true}
	options := AppendPrefix(AppendMTU(AppendLinkAddr(nil, SourceLinkAddr, macA), 9001), prefix)
	options = AppendPrefix(options, second)
	require.Equal(t, []byte{3, 4, 64, 0x80, 0xff, 0xff, 0xff, 0xff, 0, 0, 0x62, 0x70, 0, 0, 0, 0, 0x26, 0, 0x1f, 0}, options[16:36])
	var p Packet
	h := Header{Src: link6, Dst: MustParseAddr("ff02::1")}
	require.NoError(t, p.Read(AppendRouterAdvertisement(dirty(), h, want, options)))
	require.NoError(t, p.CheckDiscovery())
	m := RouterAdvertisement(p.Transport())
	require.NoError(t, m.Check())
	require.Equal(t, want, m.Advertisement())
	mtu, ok := m.Options().MTU()
	require.True(t, ok)
	require.Equal(t, uint32(9001), mtu)
	got, rest, ok := m.Options().Prefix()
	require.True(t, ok)
	require.Equal(t, prefix, got)
	got, rest, ok = rest.Prefix()
	require.True(t, ok)
	require.Equal(t, second, got)
	_, _, ok = rest.Prefix()
	require.False(t, ok)
	require.PanicsWithValue(t, "wire: 10.0.0.0/8 is no IPv6 prefix", func() {
		AppendPrefix(nil, PrefixInformation{Prefix: netip.MustParsePrefix("10.0.0.0/8")})
	})
}

func TestDurationsAreCutToTheirFields(t *testing.T) {
	var p Packet
	a := Advertisement{Lifetime: 1000 * time.Hour, Reachable: -time.Second, Retransmit: 1<<63 - 1}
	require.NoError(t, p.Read(AppendRouterAdvertisement(nil, Header{Src: link6, Dst: host6}, a, nil)))
	got := RouterAdvertisement(p.Transport()).Advertisement()
	require.Equal(t, Advertisement{Lifetime: 65535 * time.Second, Retransmit: 4294967295 * time.Millisecond}, got)
}

// discovered builds a message of any kind, as bad as it may be.
func discovered(h Header, typ, code uint8, flags uint32, target Addr, options []byte) []byte {
	return AppendICMP(nil, h, typ, code, flags<<24, append(appendAddr(nil, target), options...))
}

func TestDiscoveryThatRFC4861HasDiscarded(t *testing.T) {
	all, group := MustParseAddr("ff02::1"), SolicitedNode(peer6)
	source := AppendLinkAddr(nil, SourceLinkAddr, macA)
	near := func(dst Addr) Header { return Header{Src: link6, Dst: dst, TTL: 255} }
	const solicit, advertise, redirect = ICMPv6NeighborSolicitation, ICMPv6NeighborAdvertisement, ICMPv6Redirect
	const router, ra = ICMPv6RouterSolicitation, ICMPv6RouterAdvertisement
	about := appendAddr(nil, peer6)
	for _, c := range []struct {
		name string
		b    []byte
		want error
	}{
		{"a solicitation", discovered(near(group), solicit, 0, 0, peer6, source), nil},
		{"hop limit 254: a router was between", discovered(Header{Src: link6, Dst: group, TTL: 254}, solicit, 0, 0, peer6, source), BadDiscovery},
		{"code 1", discovered(near(group), solicit, 1, 0, peer6, source), BadDiscovery},
		{"a fragment", AppendIP(nil, Header{Src: link6, Dst: group, TTL: 255, MF: true, Proto: ProtoICMPv6}, solicitationBytes[40:]), BadDiscovery},
		{"a wrong checksum", with(solicitationBytes, put(45, 9)), BadChecksum},
		{"half a target", AppendICMP(nil, near(group), solicit, 0, 0, make([]byte, 15)), BadDiscovery},
		{"a multicast target", discovered(near(group), solicit, 0, 0, all, nil), BadDiscovery},
		{"an option of length 0", discovered(near(group), solicit, 0, 0, peer6, make([]byte, 8)), BadDiscovery},
		{"half an option", discovered(near(group), solicit, 0, 0, peer6, source[:7]), BadDiscovery},
		{"one byte of an option", discovered(near(group), solicit, 0, 0, peer6, source[:1]), BadDiscovery},
		{"a probe for a duplicate", discovered(Header{Dst: group, TTL: 255}, solicit, 0, 0, peer6, nil), nil},
		{"such a probe to another group", discovered(Header{Dst: all, TTL: 255}, solicit, 0, 0, peer6, nil), BadDiscovery},
		{"such a probe with a link-layer address", discovered(Header{Dst: group, TTL: 255}, solicit, 0, 0, peer6, source), BadDiscovery},
		{"an unsolicited advertisement to all", discovered(near(all), advertise, 0, 0x20, peer6, nil), nil},
		{"a solicited advertisement to all", discovered(near(all), advertise, 0, 0x60, peer6, nil), BadDiscovery},
		{"an advertisement of a group", discovered(near(host6), advertise, 0, 0, all, nil), BadDiscovery},
		{"a router solicitation", AppendRouterSolicitation(nil, near(all), source), nil},
		{"one from :: with a link-layer address", AppendRouterSolicitation(nil, Header{Dst: all}, source), BadDiscovery},
		{"one from ::", AppendRouterSolicitation(nil, Header{Dst: all}, nil), nil},
		{"a router advertisement from afar", AppendRouterAdvertisement(nil, Header{Src: host6, Dst: all}, Advertisement{}, nil), BadDiscovery},
		{"a router advertisement cut short", AppendICMP(nil, near(all), ra, 0, 0, make([]byte, 7)), BadDiscovery},
		{"a redirect to a neighbour", discovered(near(host6), redirect, 0, 0, peer6, about), nil},
		{"a redirect to a router", discovered(near(host6), redirect, 0, 0, link6, about), nil},
		{"a redirect to elsewhere", discovered(near(host6), redirect, 0, 0, host6, about), BadDiscovery},
		{"a redirect of a group", discovered(near(host6), redirect, 0, 0, link6, appendAddr(nil, all)), BadDiscovery},
		{"a redirect from afar", discovered(Header{Src: host6, Dst: peer6, TTL: 255}, redirect, 0, 0, link6, about), BadDiscovery},
		{"a redirect cut short", discovered(near(host6), redirect, 0, 0, link6, about[:8]), BadDiscovery},
		{"a router solicitation of the eight bytes", AppendICMP(nil, near(all), router, 0, 0, nil), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var p Packet
			require.NoError(t, p.Read(c.b))
			require.Equal(t, c.want, p.CheckDiscovery())
		})
	}
	var p Packet
	require.NoError(t, p.Read(udp4Bytes))
	require.PanicsWithValue(t, "wire: CheckDiscovery of a packet that is no neighbour discovery message", func() { _ = p.CheckDiscovery() })
}
