package peering_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/peering"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

func refused(t *testing.T, r *vpc.Region, code, message string, call func() error) {
	t.Helper()
	text := func() string {
		b, err := json.Marshal([]any{peering.Describe(r), r.DescribeVpcs(), r.DescribeRouteTables()})
		require.NoError(t, err)
		return string(b)
	}
	before := text()
	require.Equal(t, &vpc.Error{Code: code, Message: message}, call())
	require.Equal(t, before, text(), "a refused call has changed something")
}

func request(t *testing.T, a, b *vpctest.VPC) *peering.Connection {
	t.Helper()
	p, err := peering.Create(a.VPC, b.VPC, peering.Config{Name: "peering"})
	require.NoError(t, err)
	return p
}

func TestPacketsCrossAnActiveConnectionBetweenItsTwoVPCs(t *testing.T) {
	w := vpctest.New(t)
	a, b, third := w.VPC("10.0.0.0/16"), w.VPC("10.1.0.0/16"), w.VPC("10.2.0.0/16")
	from, to := a.Subnet("10.0.0.0/24"), b.Subnet("10.1.0.0/24")
	client, server := from.Host("client"), to.Host("server")
	server.Allow(vpc.AllICMP("10.0.0.0/16"))
	p := request(t, a, b)
	from.Route("10.0.0.0/8", p)
	to.Route("10.0.0.0/16", p)
	client.Ping(server.Addr).Dropped(t, trace.Blackhole)
	require.NoError(t, p.Accept())
	require.Equal(t, p.ID(), *from.RouteTable().Describe().RouteTables[0].Routes[1].VpcPeeringConnectionId)
	out := client.Ping(server.Addr)
	out.OK(t)
	require.Contains(t, out.Walks.String(), "peering toward ")

	q := request(t, b, third)
	require.NoError(t, q.Accept())
	to.Route("10.2.0.0/16", q)
	client.Ping(third.Subnet("10.2.0.0/24").Host("far").Addr).Dropped(t, trace.OutsidePeer)
	refused(t, w.Region, "InvalidVpcPeeringConnectionID.NotFound", "VpcPeeringConnectionID "+q.ID()+" does not exist.", func() error {
		return from.RouteTable().CreateRoute("10.2.0.0/16", q)
	})
	require.NoError(t, p.Delete())
	client.Ping(server.Addr).Dropped(t, trace.Blackhole)
	refused(t, w.Region, "InvalidStateTransition", "VpcPeeringConnectionID "+p.ID()+" is not in the correct state for the request.", p.Delete)
}

func TestAnEndedRequestStaysListedForItsTime(t *testing.T) {
	w := vpctest.New(t)
	a, b, c := w.VPC("10.0.0.0/16"), w.VPC("10.1.0.0/16"), w.VPC("10.2.0.0/16")
	states := func() (list []string) {
		for _, s := range peering.Describe(w.Region).VpcPeeringConnections {
			list = append(list, string(*s.Status.Code))
		}
		return list
	}
	expiring, rejected := request(t, a, b), request(t, a, c)
	failed := request(t, a, a)
	require.NoError(t, rejected.Reject())
	require.Equal(t, []string{"pending-acceptance", "rejected", "failed"}, states())
	for _, p := range []*peering.Connection{rejected, failed} {
		refused(t, w.Region, "InvalidStateTransition", "VpcPeeringConnectionID "+p.ID()+" is not in the correct state for the request.", p.Accept)
	}
	w.Region.Advance(2*time.Hour + 1)
	require.Equal(t, []string{"pending-acceptance"}, states())
	w.Region.Advance(7 * 24 * time.Hour)
	require.Equal(t, []string{"expired"}, states())
	require.Equal(t, peering.Expired, expiring.State())
	w.Region.Advance(9*24*time.Hour + 1)
	require.Empty(t, states())
}

func TestARequestHoldsItsVPCsCIDRs(t *testing.T) {
	w := vpctest.New(t)
	a, b := w.VPC("10.0.0.0/16"), w.VPC("10.1.0.0/16")
	p := request(t, a, b)
	refused(t, w.Region, "VpcPeeringConnectionAlreadyExists", "A VPC peering connection between "+b.ID()+" and "+a.ID()+" already exists.", func() error {
		_, err := peering.Create(b.VPC, a.VPC, peering.Config{})
		return err
	})
	refused(t, w.Region, "InvalidVpcState", "The VPC "+a.ID()+" has a pending VPC peering connection "+p.ID()+".", func() error { return a.AssociateCIDR("10.3.0.0/16") })
	require.NoError(t, p.Accept())
	refused(t, w.Region, "InvalidVpc.Range", "The CIDR '10.1.0.0/17' conflicts with a CIDR of the peer VPC "+b.ID()+".", func() error { return a.AssociateCIDR("10.1.0.0/17") })
	require.NoError(t, a.AssociateCIDR("10.3.0.0/16"))
}
