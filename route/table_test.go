package route

import (
	"maps"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

func pfx(s string) netip.Prefix { return netip.MustParsePrefix(s) }
func addr(s string) netip.Addr  { return netip.MustParseAddr(s) }

func TestTheZeroTableIsEmptyAndReady(t *testing.T) {
	var rt Table[string]
	require.Zero(t, rt.Len())
	_, _, ok := rt.Lookup(addr("10.0.0.1"))
	require.False(t, ok)
	_, ok = rt.Get(pfx("0.0.0.0/0"))
	require.False(t, ok)
	require.False(t, rt.Delete(pfx("::/0")))
	require.Empty(t, maps.Collect(rt.All()))

	rt.Insert(pfx("10.0.0.0/8"), "vgw")
	require.Equal(t, 1, rt.Len())
}

func TestTheLongestPrefixWins(t *testing.T) {
	var rt Table[string]
	for _, p := range []string{"0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/16", "10.0.1.0/24", "10.0.1.9/32", "::/0", "2001:db8::/32", "2001:db8::1/128"} {
		rt.Insert(pfx(p), p)
	}
	tests := []struct{ addr, want string }{
		{"10.0.1.9", "10.0.1.9/32"},
		{"10.0.1.8", "10.0.1.0/24"},
		{"10.0.2.0", "10.0.0.0/16"},
		{"10.255.255.255", "10.0.0.0/8"},
		{"11.0.0.0", "0.0.0.0/0"},
		// A zone names a link and takes no part.
		{"2001:db8::1", "2001:db8::1/128"},
		{"2001:db8::1%eth0", "2001:db8::1/128"},
		{"2001:db8::2", "2001:db8::/32"},
		{"fe80::1%eth0", "::/0"},
		// An IPv4-mapped address is the IPv4 address.
		{"::ffff:10.0.1.9", "10.0.1.9/32"},
		{"::ffff:11.0.0.0", "0.0.0.0/0"},
	}
	for _, tt := range tests {
		t.Run(tt.addr, func(t *testing.T) {
			dst, v, ok := rt.Lookup(addr(tt.addr))
			require.True(t, ok)
			require.Equal(t, tt.want, dst.String())
			require.Equal(t, tt.want, v)
		})
	}
}

func TestTheFamiliesNeverAnswerForEachOther(t *testing.T) {
	var rt Table[int]
	rt.Insert(pfx("::/0"), 6)
	_, _, ok := rt.Lookup(addr("10.0.0.1"))
	require.False(t, ok)
	_, _, ok = rt.Lookup(addr("::ffff:10.0.0.1"))
	require.False(t, ok)

	require.True(t, rt.Delete(pfx("::/0")))
	rt.Insert(pfx("0.0.0.0/0"), 4)
	_, _, ok = rt.Lookup(addr("2001:db8::1"))
	require.False(t, ok)
	_, _, ok = rt.Lookup(addr("::1"))
	require.False(t, ok)
}

func TestAPrefixIsStoredInOneForm(t *testing.T) {
	tests := []struct{ given, stored string }{
		{"10.1.2.3/8", "10.0.0.0/8"},
		{"2001:db8::1/32", "2001:db8::/32"},
		{"::ffff:10.1.2.3/104", "10.0.0.0/8"},
		{"::ffff:0.0.0.0/96", "0.0.0.0/0"},
		// Wider than the mapped block: an IPv6 prefix.
		{"::ffff:10.1.2.3/95", "::fffe:0:0/95"},
		{"::ffff:10.1.2.3/0", "::/0"},
	}
	for _, tt := range tests {
		t.Run(tt.given, func(t *testing.T) {
			stored, given := pfx(tt.stored), pfx(tt.given)
			var rt Table[int]
			rt.Insert(given, 1)
			require.Equal(t, map[netip.Prefix]int{stored: 1}, maps.Collect(rt.All()))
			rt.Insert(stored, 2)
			require.Equal(t, 1, rt.Len())
			v, ok := rt.Get(given)
			require.True(t, ok)
			require.Equal(t, 2, v)
			require.True(t, rt.Delete(given))
			require.Zero(t, rt.Len())
		})
	}
}

func TestAnInvalidPrefixOrAddressIsNotFound(t *testing.T) {
	var rt Table[int]
	rt.Insert(pfx("0.0.0.0/0"), 1)
	rt.Insert(pfx("::/0"), 2)
	_, ok := rt.Get(netip.Prefix{})
	require.False(t, ok)
	require.False(t, rt.Delete(netip.PrefixFrom(addr("10.0.0.0"), 33)))
	_, _, ok = rt.Lookup(netip.Addr{})
	require.False(t, ok)
}

func TestInsertOfAnInvalidPrefixPanics(t *testing.T) {
	var rt Table[int]
	require.PanicsWithValue(t, `route: Insert of the invalid prefix "invalid Prefix"`, func() {
		rt.Insert(netip.Prefix{}, 1)
	})
	require.PanicsWithValue(t, `route: Insert of the invalid prefix "invalid Prefix"`, func() {
		rt.Insert(netip.PrefixFrom(addr("10.0.0.0"), 33), 1)
	})
}

func TestAllStopsWhenAsked(t *testing.T) {
	var rt Table[int]
	for i, p := range []string{"10.0.0.0/8", "10.0.0.0/9", "11.0.0.0/8", "2001:db8::/32"} {
		rt.Insert(pfx(p), i)
	}
	var seen []int
	for _, v := range rt.All() {
		seen = append(seen, v)
		if len(seen) == 2 {
			break
		}
	}
	require.Equal(t, []int{0, 1}, seen)
}

func TestACloneSharesNothing(t *testing.T) {
	src := newSource(3)
	var rt Table[int]
	for i := range 500 {
		rt.Insert(src.prefix(), i)
	}
	before := maps.Collect(rt.All())
	c := rt.Clone()
	require.Equal(t, before, maps.Collect(c.All()))
	for p := range before {
		switch src.IntN(3) {
		case 0:
			require.True(t, c.Delete(p))
		case 1:
			c.Insert(p, -1)
		}
		c.Insert(src.prefix(), -2)
	}
	require.Equal(t, before, maps.Collect(rt.All()))
	require.Equal(t, len(before), rt.Len())
}

// Every operation in random order, each answer compared with the list's.
func TestTableAnswersAsTheList(t *testing.T) {
	for seed := range uint64(20) {
		src := newSource(seed)
		var rt Table[int]
		var twin list[int]
		for i := range 3000 {
			p, a := src.prefix(), src.addr(twin)
			switch {
			case src.IntN(3) > 0:
				rt.Insert(p, i)
				twin.Insert(p, i)
			case len(twin) > 0 && src.IntN(4) > 0:
				p = twin[src.IntN(len(twin))].dst
				require.True(t, rt.Delete(p), "seed %d: Delete(%v)", seed, p)
				twin.Delete(p)
			default:
				require.Equal(t, twin.Delete(p), rt.Delete(p), "seed %d: Delete(%v)", seed, p)
			}
			requireSame(t, &rt, &twin, p, a)
		}
		requireSameAll(t, &rt, &twin)
		for _, r := range twin {
			require.True(t, rt.Delete(r.dst))
		}
		require.Equal(t, Table[int]{}, rt, "nodes are left without a route")
	}
}

func requireSame(t *testing.T, rt *Table[int], twin *list[int], p netip.Prefix, a netip.Addr) {
	t.Helper()
	require.Equal(t, len(*twin), rt.Len())
	wantV, wantOK := twin.Get(p)
	v, ok := rt.Get(p)
	require.Equal(t, wantOK, ok, "Get(%v)", p)
	require.Equal(t, wantV, v, "Get(%v)", p)
	wantDst, wantV, wantOK := twin.Lookup(a)
	dst, v, ok := rt.Lookup(a)
	require.Equal(t, wantOK, ok, "Lookup(%v)", a)
	require.Equal(t, wantDst, dst, "Lookup(%v)", a)
	require.Equal(t, wantV, v, "Lookup(%v)", a)
}

func requireSameAll(t *testing.T, rt *Table[int], twin *list[int]) {
	t.Helper()
	var want, got []listed[int]
	for p, v := range twin.All() {
		want = append(want, listed[int]{p, v})
	}
	for p, v := range rt.All() {
		got = append(got, listed[int]{p, v})
	}
	require.Equal(t, want, got)
}

func TestTableOperationsDoNotAllocate(t *testing.T) {
	var rt Table[int]
	src := newSource(5)
	for i := range 1000 {
		rt.Insert(src.prefix(), i)
	}
	rt.Insert(pfx("10.0.1.0/24"), -1)
	var v int
	require.Zero(t, testing.AllocsPerRun(100, func() {
		_, v, _ = rt.Lookup(addr("10.0.1.7"))
		_, _ = rt.Get(pfx("10.0.1.0/24"))
		rt.Delete(pfx("192.0.2.0/24"))
	}))
	require.Equal(t, -1, v)
}

// FuzzTable reads operations of 18 bytes: what to do, a length, an address.
func FuzzTable(f *testing.F) {
	src := newSource(1)
	seed := make([]byte, 0, 18*40)
	for range 40 {
		p := src.prefix()
		b := p.Addr().As16()
		seed = append(append(seed, byte(src.IntN(8)), byte(p.Bits())), b[:]...)
	}
	f.Add(seed)
	f.Add(seed[:18])
	f.Fuzz(func(t *testing.T, ops []byte) {
		var rt Table[int]
		var twin list[int]
		for i := 0; i+18 <= len(ops) && i < 18*200; i += 18 {
			op, a := ops[i], netip.AddrFrom16([16]byte(ops[i+2:i+18]))
			if op&1 != 0 {
				a = netip.AddrFrom4([4]byte(ops[i+2 : i+6]))
			}
			p := netip.PrefixFrom(a, int(ops[i+1])%(a.BitLen()+1))
			if op&6 != 0 {
				rt.Insert(p, i)
				twin.Insert(p, i)
			} else {
				require.Equal(t, twin.Delete(p), rt.Delete(p))
			}
			requireSame(t, &rt, &twin, p, a)
		}
		requireSameAll(t, &rt, &twin)
	})
}

func TestCoveringContainsAllOfThePrefix(t *testing.T) {
	var table Table[string]
	table.Insert(pfx("10.0.0.0/8"), "wide")
	table.Insert(pfx("10.1.0.0/24"), "narrow")
	for dst, want := range map[string]string{"10.1.0.0/16": "wide", "10.1.0.9/24": "narrow", "10.1.0.8/29": "narrow", "10.0.0.0/8": "wide", "10.0.0.0/7": "", "2001:db8::/32": ""} {
		got, ok := table.Covering(pfx(dst))
		require.Equal(t, want, got, dst)
		require.Equal(t, want != "", ok, dst)
	}
	_, ok := table.Covering(netip.Prefix{})
	require.False(t, ok)
}
