package load_test

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/load"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/world"
)

// change is a function as a change.
type change func(w *world.World) error

func (c change) Apply(w *world.World) error { return c(w) }

// answers is all that the regions of a network say of themselves.
func answers(n *load.Network) (all []load.Answer) {
	for _, r := range n.Regions {
		all = append(all, load.Answers(r)...)
	}
	return all
}

// deny denies everything out of each VPC's default network ACL.
var deny = change(func(w *world.World) error {
	for _, r := range w.Regions() {
		var all []*vpc.VPC
		r.View(func(tx *vpc.Tx) { all = tx.VPCs() })
		for _, v := range all {
			err := v.DefaultNetworkACL().CreateEgressEntry(vpc.ACLEntry{Number: 7, Protocol: -1, CIDR: netip.MustParsePrefix("0.0.0.0/0")})
			if err != nil {
				return err
			}
		}
	}
	return nil
})

func TestWithLeavesTheNetworkAsItWas(t *testing.T) {
	n := loadFS(t, folder(newShop(t).region, "us-east-1"))
	was := answers(n)
	same, err := n.With()
	require.NoError(t, err)
	require.Equal(t, was, answers(same), "without changes it is a copy")
	require.NotSame(t, n.Regions[0], same.Regions[0])
	denied, err := n.With(deny)
	require.NoError(t, err)
	require.Equal(t, was, answers(n))
	require.NotEqual(t, was, answers(denied))
	require.Len(t, n.Find("web-1"), len(denied.Find("web-1")))
	require.NotSame(t, n.Find("web-1")[0], denied.Find("web-1")[0])

	both, err := denied.With(change(func(w *world.World) error {
		for _, x := range denied.Find("web-1") {
			if i, ok := w.Regions()[0].Find(x.ID()).(*vpc.Instance); ok {
				return i.Stop()
			}
		}
		return errors.New("no web-1")
	}))
	require.NoError(t, err, "the first change is made anew for the second")
	require.NotEqual(t, answers(denied), answers(both))
	again, err := both.With()
	require.NoError(t, err)
	require.Equal(t, answers(both), answers(again))

	broken := errors.New("no")
	_, err = n.With(change(func(*world.World) error { return broken }))
	require.ErrorIs(t, err, broken)
	require.NoError(t, deny(n.World))
	_, err = n.With()
	require.EqualError(t, err, "load: us-east-1 was changed after it was loaded, by other calls than With: expected a network as it was loaded")
}

// undescribed is a resource that no description tells of.
type undescribed struct{ vpc.Base }

func TestOfIsACopyOfWhatWasBuilt(t *testing.T) {
	s := newShop(t)
	was := load.Answers(s.region)
	built := world.New(world.Config{})
	built.Add(s.region)
	n, err := load.Of(built, load.Config{})
	require.NoError(t, err)
	require.Equal(t, was, answers(n))
	denied, err := n.With(deny)
	require.NoError(t, err)
	require.NotEqual(t, was, answers(denied))
	require.Equal(t, was, load.Answers(s.region))

	require.NoError(t, s.region.BlockPublicAccess("block-bidirectional"))
	_, err = s.private[0].VPC().ExcludeFromBlock("allow-egress")
	require.NoError(t, err)
	n, err = load.Of(built, load.Config{})
	require.NoError(t, err)
	require.Equal(t, load.Answers(s.region), answers(n))

	x := &undescribed{}
	require.NoError(t, s.region.Change(func(tx *vpc.Tx) (err error) {
		x.Base, err = tx.NewBase("odd", "", "")
		tx.Add(x)
		return err
	}))
	_, err = load.Of(built, load.Config{})
	require.EqualError(t, err, "load: us-east-1: "+x.ID()+", a *load_test.undescribed, can't be copied: no describe-… answer holds it")
	w := world.New(world.Config{})
	w.Region(vpc.RegionConfig{Name: "eu-west-1"})
	w.Region(vpc.RegionConfig{Name: "eu-west-1"})
	_, err = load.Of(w, load.Config{})
	require.EqualError(t, err, "load: two regions are called eu-west-1: expected one")
}

// TestWithOnLabs: what was read of a real network and is made anew is described alike, in
// less time than loading takes.
func TestWithOnLabs(t *testing.T) {
	labs(t, func(t *testing.T, _, dir string) {
		start := time.Now()
		n, err := load.Dir(dir, load.Config{})
		require.NoError(t, err)
		loaded := time.Since(start)
		start = time.Now()
		same, err := n.With()
		require.NoError(t, err)
		t.Logf("loaded in %v, copied in %v", loaded, time.Since(start))
		require.Equal(t, answers(n), answers(same))
		require.Equal(t, n.Skipped, same.Skipped)
		_, err = same.With(deny)
		require.NoError(t, err)
		require.Equal(t, answers(n), answers(same))
	})
}

// TestWithOfAPlan: a plan's network is made anew as a folder's is, names included.
func TestWithOfAPlan(t *testing.T) {
	n, err := load.Plan("../cmd/vpcsim/testdata/answers/plan.json", load.Config{})
	require.NoError(t, err)
	was := answers(n)
	denied, err := n.With(deny)
	require.NoError(t, err)
	require.Equal(t, was, answers(n))
	require.NotEqual(t, was, answers(denied))
	require.NotEmpty(t, n.Find("aws_instance.db"))
	require.Len(t, denied.Find("aws_instance.db"), len(n.Find("aws_instance.db")))
}
