package vpc_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/vpc"
)

// fake says what a gateway of a kind without a package of its own here is like.
type fake struct {
	attachTo *vpc.VPC
	learned  []string
}

// fakeGateway is a transit gateway, a local gateway or another thing that routes may
// name, as far as the rules of routes see it.
type fakeGateway struct {
	vpc.Base
	vpc     *vpc.VPC
	learned []netip.Prefix
}

func newFake(t *testing.T, r *vpc.Region, prefix string, c fake) *fakeGateway {
	t.Helper()
	g := &fakeGateway{vpc: c.attachTo}
	for _, p := range c.learned {
		g.learned = append(g.learned, cidr(p))
	}
	require.NoError(t, r.Change(func(tx *vpc.Tx) (err error) {
		if g.Base, err = tx.NewBase(prefix, "", ""); err != nil {
			return err
		}
		tx.Add(g)
		if g.vpc != nil {
			tx.Attach(g.vpc, g)
		}
		return nil
	}))
	return g
}

func (g *fakeGateway) delete() error {
	return g.Change(func(tx *vpc.Tx) error {
		tx.Detach(g.vpc, g)
		tx.DropPropagation(g)
		tx.Remove(g)
		return nil
	})
}

func (g *fakeGateway) CheckRoute(_ *vpc.Tx, t *vpc.RouteTable, _ netip.Prefix) error {
	if g.vpc != t.VPC() {
		return vpc.TargetNotFound(g.ID())
	}
	return nil
}
func (g *fakeGateway) Available(v *vpc.VPC) bool { return g.vpc == v }
func (g *fakeGateway) Compile(*vpc.Compiler)     {}
func (g *fakeGateway) Learned() []netip.Prefix   { return g.learned }
