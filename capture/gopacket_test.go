package capture

import (
	"net"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/require"
	"github.com/vpcsim/vpcsim/wire"
)

func TestSerializedLayersAreWhatWireBuilds(t *testing.T) {
	for _, c := range []struct{ src, dst string }{{"10.0.0.11", "10.0.1.55"}, {"fd00::11", "fd00::55"}} {
		src, dst := wire.MustParseAddr(c.src), wire.MustParseAddr(c.dst)
		var ip gopacket.SerializableLayer = &layers.IPv4{Version: 4, IHL: 5, TTL: 255, Protocol: layers.IPProtocolUDP, SrcIP: net.ParseIP(c.src), DstIP: net.ParseIP(c.dst)}
		if !src.Is4() {
			ip = &layers.IPv6{Version: 6, HopLimit: 255, NextHeader: layers.IPProtocolUDP, SrcIP: net.ParseIP(c.src), DstIP: net.ParseIP(c.dst)}
		}
		got, err := Serialize(ip, &layers.UDP{SrcPort: 59743, DstPort: 33437}, gopacket.Payload("hello"))
		require.NoError(t, err)
		require.Equal(t, wire.AppendUDP(nil, wire.Header{Src: src, Dst: dst, TTL: 255}, 59743, 33437, []byte("hello")), got)
	}
	_, err := Serialize(&layers.UDP{SrcPort: 1, DstPort: 2})
	require.EqualError(t, err, "capture: UDP without an IPv4 or IPv6 layer before it")
}

func TestAFrameIsAGopacketPacketOfItsLinkType(t *testing.T) {
	ethernet := make([]byte, wire.EthernetLen)
	wire.PutEthernet(ethernet, wire.MAC{2, 2}, wire.MAC{2, 1}, wire.EtherTypeIPv4)
	sll := append(make([]byte, 14), 8, 0)
	sll2 := append([]byte{8, 0}, make([]byte, sll2Len-2)...)
	for link, head := range map[LinkType][]byte{0: ethernet, LinkEthernet: ethernet, LinkRaw: nil, LinkIPv4: nil, LinkLinuxSLL: sll, LinkLinuxSLL2: sll2} {
		f := Frame{At: time.Second, Link: link, Bytes: append(append([]byte(nil), head...), ping()...), Len: 1000}
		p := f.Packet()
		require.Nil(t, p.ErrorLayer(), "link type %s", link)
		icmp, ok := p.Layer(layers.LayerTypeICMPv4).(*layers.ICMPv4)
		require.True(t, ok, "link type %s", link)
		require.Equal(t, uint16(7), icmp.Id)
		require.Equal(t, time.Unix(1, 0).UTC(), p.Metadata().Timestamp)
		require.True(t, p.Metadata().Truncated)
		cut := len(f.Bytes) - len(p.Data())
		require.Equal(t, 1000-cut, p.Metadata().Length)
	}
	require.NotNil(t, Frame{Bytes: []byte{1}}.Packet().ErrorLayer())
	require.NotNil(t, Frame{Link: 999, Bytes: []byte{1}}.Packet().ErrorLayer())
}

func TestWhatAFrameHolds(t *testing.T) {
	ip, ok := Frame{Link: LinkRaw, Bytes: ping()}.IP()
	require.True(t, ok)
	require.Equal(t, ping(), ip)
	for link, n := range map[LinkType]int{LinkEthernet: 13, LinkLinuxSLL: 15, LinkLinuxSLL2: 19, LinkRaw: 0, 999: 60} {
		_, _, ok := Frame{Link: link, Bytes: make([]byte, n)}.Payload()
		require.False(t, ok, "link type %s", link)
	}
	tagged := make([]byte, wire.EthernetLen)
	wire.PutEthernet(tagged, wire.MAC{}, wire.MAC{}, 0x88a8)
	tagged = append(tagged, 0, 1, 0x81, 0, 0, 2, 8, 0)
	_, ok = Frame{Bytes: tagged[:16]}.IP()
	require.False(t, ok)
	ip, ok = Frame{Bytes: append(tagged, ping()...)}.IP()
	require.True(t, ok)
	require.Equal(t, ping(), ip)
	_, ok = Frame{Link: LinkRaw, Bytes: []byte{0x50}}.IP()
	require.False(t, ok)
	require.Equal(t, []string{"EN10MB", "EN10MB", "RAW", "LINUX_SLL2", "999"}, []string{
		LinkType(0).String(), LinkEthernet.String(), LinkRaw.String(), LinkLinuxSLL2.String(), LinkType(999).String()})
}
