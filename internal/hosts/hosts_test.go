package hosts_test

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/internal/hosts"
)

// list is the slow twin: every address of the CIDR, or its first thousand, with who
// has it.
type list struct {
	cidr  netip.Prefix
	block int
	all   []netip.Addr
	user  map[netip.Addr]string // "one" or "block"
}

func newList(cidr netip.Prefix, block int) *list {
	l := &list{cidr: cidr, block: block, user: map[netip.Addr]string{}}
	for a := cidr.Addr(); cidr.Contains(a) && len(l.all) < 1024; a = a.Next() {
		l.all = append(l.all, a)
	}
	return l
}

func (l *list) reserved(i int) bool { return i < 4 || !l.cidr.Contains(l.all[i].Next()) }

func (l *list) free(n int, but map[netip.Addr]bool) []netip.Addr {
	var found []netip.Addr
	for i, a := range l.all {
		if len(found) < n && !l.reserved(i) && l.user[a] == "" && !but[a] {
			found = append(found, a)
		}
	}
	return found
}

func (l *list) of(b netip.Prefix) []netip.Addr {
	var in []netip.Addr
	for _, a := range l.all {
		if b.Contains(a) {
			in = append(in, a)
		}
	}
	return in
}

func (l *list) blockInUse(b netip.Prefix) bool {
	for _, a := range l.of(b) {
		if l.user[a] != "" {
			return true
		}
	}
	return false
}

func TestASpaceIsAListOfAddresses(t *testing.T) {
	for _, cidr := range []string{"10.0.0.0/24", "10.0.0.16/28", "10.0.0.64/26", "255.255.255.0/24", "0.0.0.0/24"} {
		for seed := range uint64(20) {
			rng := rand.New(rand.NewPCG(seed, 3))
			space, twin := hosts.New(netip.MustParsePrefix(cidr)), newList(netip.MustParsePrefix(cidr), 28)
			require.True(t, space.Empty())
			for range 300 {
				step(t, rng, &space, twin)
			}
		}
	}
}

func step(t *testing.T, rng *rand.Rand, space *hosts.Space, twin *list) {
	i := rng.IntN(len(twin.all))
	a := twin.all[i]
	b := netip.PrefixFrom(a, twin.block).Masked()
	require.Equal(t, twin.reserved(i), space.Reserved(a), a)
	require.Equal(t, twin.user[a] != "", space.InUse(a), a)
	require.Equal(t, twin.blockInUse(b), space.BlockInUse(b), b)
	switch {
	case rng.IntN(8) == 0 && space.Assignable(b) && !space.BlockInUse(b):
		space.TakeBlock(b)
		for _, a := range twin.of(b) {
			twin.user[a] = "block"
		}
	case rng.IntN(3) == 0 && twin.user[a] == "block":
		space.ReleaseBlock(b)
		for _, a := range twin.of(b) {
			delete(twin.user, a)
		}
	case rng.IntN(2) == 0 && twin.user[a] == "one":
		space.Release(a)
		delete(twin.user, a)
	default:
		but := map[netip.Addr]bool{a: true}
		n := 1 + rng.IntN(3)
		found := space.Free(n, but)
		require.Equal(t, twin.free(n, but), found)
		for _, a := range found {
			space.Take(a)
			twin.user[a] = "one"
		}
	}
	require.Equal(t, len(twin.free(len(twin.all), nil)), space.Available())
	if b, ok := space.FreeBlock(); ok {
		require.False(t, twin.blockInUse(b))
		require.True(t, space.Assignable(b))
	}
}

func TestAnIPv6SpaceSkipsItsBlocks(t *testing.T) {
	space := hosts.New(netip.MustParsePrefix("2001:db8::/64"))
	b, ok := space.FreeBlock()
	require.True(t, ok)
	require.Equal(t, netip.MustParsePrefix("2001:db8:0:0:1::/80"), b)
	space.TakeBlock(b)
	require.True(t, space.InUse(netip.MustParseAddr("2001:db8:0:0:1::7")))
	require.Equal(t, []netip.Addr{netip.MustParseAddr("2001:db8::4")}, space.Free(1, nil))
	require.False(t, space.Assignable(netip.MustParsePrefix("2001:db8::/80")), "it holds addresses that are kept")
	require.True(t, space.Reserved(netip.MustParseAddr("2001:db8::ffff:ffff:ffff:ffff")))
}

func TestTheZeroSpaceHoldsNothing(t *testing.T) {
	var space hosts.Space
	require.Empty(t, space.Free(1, nil))
	require.False(t, space.Contains(netip.MustParseAddr("10.0.0.1")))
	require.False(t, space.Assignable(netip.MustParsePrefix("10.0.0.0/28")))
	_, ok := space.FreeBlock()
	require.False(t, ok)
}
