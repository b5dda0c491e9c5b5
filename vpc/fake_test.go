package vpc_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/ec2"
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
	vpc.Attachment
	learned []netip.Prefix
}

func newFake(t *testing.T, r *vpc.Region, prefix string, c fake) *fakeGateway {
	t.Helper()
	g := &fakeGateway{}
	for _, p := range c.learned {
		g.learned = append(g.learned, cidr(p))
	}
	require.NoError(t, r.Change(func(tx *vpc.Tx) (err error) {
		if g.Base, err = tx.NewBase(prefix, "", ""); err != nil {
			return err
		}
		tx.Add(g)
		if c.attachTo != nil {
			tx.Attach(c.attachTo, g)
		}
		return nil
	}))
	return g
}

func (g *fakeGateway) delete() error {
	return g.Change(func(tx *vpc.Tx) error {
		tx.Detach(g.AttachedTo(tx), g)
		tx.Remove(g)
		return nil
	})
}

func (g *fakeGateway) CheckRoute(tx *vpc.Tx, t *vpc.RouteTable, _ netip.Prefix) error {
	if !g.Available(tx, t.VPC()) {
		return vpc.TargetNotFound(g.ID())
	}
	return nil
}
func (g *fakeGateway) Compile(*vpc.Compiler)          {}
func (g *fakeGateway) Learned(*vpc.Tx) []netip.Prefix { return g.learned }

// ListRoute lists a transit gateway in its own field, others as AWS lists a gateway.
func (g *fakeGateway) ListRoute(s *ec2.Route) {
	if strings.HasPrefix(g.ID(), "tgw-") {
		s.TransitGatewayId = new(g.ID())
		return
	}
	s.GatewayId = new(g.ID())
}
