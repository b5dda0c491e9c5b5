package wire

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAddressesAreThoseOfNetip(t *testing.T) {
	g := newGen(60)
	all := []string{"0.0.0.0", "127.0.0.1", "169.254.169.254", "169.255.0.0", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
		"::1", "fe80::1", "febf::1", "fec0::1", "ff02::1", "feff::1", "fd00:ec2::254"}
	addrs := make([]netip.Addr, 0, 2000)
	for _, s := range all {
		addrs = append(addrs, netip.MustParseAddr(s))
	}
	for len(addrs) < cap(addrs) {
		addrs = append(addrs, g.addr(g.oneIn(2)).Netip())
	}
	for i, n := range addrs {
		a := AddrFrom(n)
		require.Equal(t, n, a.Netip())
		require.Equal(t, n.String(), a.String())
		require.Equal(t, n.Is4(), a.Is4())
		require.Equal(t, n.IsMulticast(), a.IsMulticast(), n)
		require.Equal(t, n.IsLinkLocalUnicast(), a.IsLinkLocal(), n)
		require.True(t, a.IsValid())
		m := addrs[g.IntN(i+1)]
		if n.Is4() == m.Is4() {
			require.Equal(t, n.Compare(m), a.Compare(AddrFrom(m)))
		}
		hi, lo := a.Words()
		require.Equal(t, a, AddrFromWords(hi, lo))
	}
}

func TestAnAddressHasOneForm(t *testing.T) {
	require.Equal(t, MustParseAddr("10.0.0.1"), MustParseAddr("::ffff:10.0.0.1"))
	require.Equal(t, MustParseAddr("fe80::1"), MustParseAddr("fe80::1%eth0"))
	require.Equal(t, Addr{}, AddrFrom(netip.Addr{}))
	require.Equal(t, Addr{}, MustParseAddr("::"))
	require.False(t, Addr{}.IsValid() || Addr{}.Is4())
	require.Equal(t, netip.Addr{}, Addr{}.Netip())
	require.True(t, MustParseAddr("0.0.0.0").IsValid())
}

func TestPrefixesContainWhatNetipsDo(t *testing.T) {
	g := newGen(61)
	inside := 0
	for range 50_000 {
		v4 := g.oneIn(2)
		a := g.addr(v4).Netip()
		n := netip.PrefixFrom(a, g.IntN(a.BitLen()+1))
		p := PrefixFrom(n)
		b := g.near(a, n.Bits())
		require.Equal(t, n.Contains(b), p.Contains(AddrFrom(b)), "%v in %v", b, n)
		if n.Contains(b) {
			inside++
			require.Equal(t, p.Base(), p.Truncate(AddrFrom(b)))
		}
		require.Equal(t, AddrFrom(n.Masked().Addr()), p.Base())
		require.False(t, p.Contains(g.addr(!v4)), "the other family")
	}
	require.Greater(t, inside, 10_000)
	require.False(t, PrefixFrom(netip.Prefix{}).Contains(host4))
	require.False(t, Prefix{}.Contains(Addr{}))
	require.False(t, PrefixFrom(netip.MustParsePrefix("::/0")).Contains(host4))
	require.True(t, PrefixFrom(netip.MustParsePrefix("0.0.0.0/0")).Contains(host4))
	require.True(t, PrefixFrom(netip.MustParsePrefix("::/0")).Contains(Addr{}), ":: is in it")
	require.False(t, PrefixFrom(netip.MustParsePrefix("::ffff:0:0/96")).Contains(host4), "mapped, of IPv6")
	around := PrefixFrom(netip.MustParsePrefix("::fffe:0:0/95"))
	require.False(t, around.Contains(host4))
	require.True(t, around.Contains(MustParseAddr("::fffe:10.0.0.1")))
}

// near changes a bit of a around the end of a prefix.
func (g gen) near(a netip.Addr, bits int) netip.Addr {
	b := a.AsSlice()
	at := min(max(bits-2+g.IntN(4), 0), len(b)*8-1)
	b[at/8] ^= 0x80 >> (at % 8)
	c, _ := netip.AddrFromSlice(b)
	return c
}
