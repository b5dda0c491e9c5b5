package remote_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/remote"
	"github.com/vpcsim/vpcsim/vpc"
)

// link is one that has paths and nothing else.
type link struct {
	remote.Link
	paths []remote.Path
}

func (l *link) Paths(*vpc.Tx) []remote.Path { return l.paths }

// worse says whether a way is worse than another to the same prefix, word for word.
func worse(a, b remote.Path) bool {
	switch {
	case a.Down != b.Down:
		return a.Down
	case a.Kind != b.Kind:
		return a.Kind > b.Kind
	case a.Far != b.Far:
		return a.Far
	case max(a.ASPath, 1) != max(b.ASPath, 1):
		return max(a.ASPath, 1) > max(b.ASPath, 1)
	}
	return a.MED > b.MED
}

// Of random ways, those to a prefix than which none is better, in the order of the links.
func TestRoutesAreTheWaysThanWhichNoneIsBetter(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		var links []remote.Link
		var all []remote.Hop
		for range rng.IntN(5) {
			l := &link{}
			for range rng.IntN(6) {
				p := remote.Path{Kind: remote.Kind(rng.IntN(4)), Via: rng.IntN(2), Down: rng.IntN(4) == 0, Far: rng.IntN(2) == 0}
				p.Prefix = netip.MustParsePrefix(fmt.Sprintf("10.%d.0.0/16", rng.IntN(3)))
				p.ASPath, p.MED = rng.IntN(3), uint32(rng.IntN(2))
				l.paths = append(l.paths, p)
			}
			links = append(links, l)
			for _, p := range l.paths {
				all = append(all, remote.Hop{Link: l, Path: p})
			}
		}
		var want []remote.Route
		for _, h := range all {
			if slices.ContainsFunc(all, func(o remote.Hop) bool { return o.Path.Prefix == h.Path.Prefix && worse(h.Path, o.Path) }) {
				continue
			}
			i := slices.IndexFunc(want, func(r remote.Route) bool { return r.Prefix == h.Path.Prefix })
			if i < 0 {
				want, i = append(want, remote.Route{Prefix: h.Path.Prefix}), len(want)
			}
			want[i].Hops = append(want[i].Hops, h)
		}
		slices.SortFunc(want, func(a, b remote.Route) int { return cmp.Compare(a.Prefix.String(), b.Prefix.String()) })
		require.Equal(t, want, remote.Routes(nil, links))
	}
}

func TestWhatIsNoCIDRIsRefused(t *testing.T) {
	six := netip.MustParsePrefix("2001:db8::/32")
	_, err := remote.CheckPrefixes([]netip.Prefix{six}, true)
	require.EqualError(t, err, "InvalidParameterValue: Value (2001:db8::/32) for parameter destinationCidrBlock is invalid. This is not a valid CIDR block.")
	list, err := remote.CheckPrefixes([]netip.Prefix{six, netip.MustParsePrefix("10.0.0.9/8")}, false)
	require.NoError(t, err)
	require.Equal(t, []netip.Prefix{six, netip.MustParsePrefix("10.0.0.0/8")}, list)
	_, err = remote.CheckAnnouncements([]remote.Announcement{{}}, false)
	require.Error(t, err)
	require.Equal(t, "VPN BGP", remote.VPNBGP.String())
	require.Equal(t, "no kind", remote.Kind(9).String())
}
