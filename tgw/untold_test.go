package tgw_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
)

// Where nobody tells what propagates, a route to the attachment that is narrower than what
// it may propagate settles nothing of the rest.
func TestWhatMayPropagateIsInDoubtBesideANarrowerRoute(t *testing.T) {
	n := newNet(t, tgw.Config{NoDefaultPropagation: true})
	a, b := n.branch("a", "10.1"), n.branch("b", "10.2")
	fallback := n.branch("fallback", "10.3")
	n.must(n.table().CreateRoute("10.2.0.0/24", b.attach), n.table().CreateRoute("0.0.0.0/0", fallback.attach), n.table().CreateRoute("10.1.0.0/16", a.attach))
	table := n.table()
	n.must(n.Region.Change(func(tx *vpc.Tx) error {
		table.RestoreUntold(tx, "its propagations are not in the snapshot")
		return nil
	}))
	a.host.Ping(b.host.Addr).OK(t)
	a.host.Ping(netip.MustParseAddr("10.2.1.9")).Dropped(t, trace.Unmodelled)
	n.must(n.table().CreateRoute("10.2.0.0/15", b.attach)) // propagated or not, it goes there
	a.host.Ping(netip.MustParseAddr("10.2.1.9")).Dropped(t, trace.NotInSubnet)
}

// attachOther restores an attachment of what is not modelled, to which a route of the
// table is propagated.
func (n *net) attachOther(id, resource string, kind ec2.TransitGatewayAttachmentResourceType, state ec2.TransitGatewayAttachmentState, dst string) {
	n.t.Helper()
	table := n.table()
	n.must(n.Region.Change(func(tx *vpc.Tx) error {
		if _, err := tgw.RestoreOther(tx, ec2.TransitGatewayAttachment{
			TransitGatewayAttachmentId: &id, TransitGatewayId: new(n.g.ID()), ResourceType: &kind, ResourceId: &resource, State: &state,
		}); err != nil {
			return err
		}
		return tgw.RestoreRoute(tx, table, ec2.TransitGatewayRoute{
			DestinationCidrBlock: &dst, Type: new(ec2.TransitGatewayRouteTypePropagated),
			TransitGatewayAttachments: []ec2.TransitGatewayRouteAttachment{{TransitGatewayAttachmentId: &id}},
		})
	}))
}

// What propagates is withdrawn with its attachment, of a VPC or of a link.
func TestALinksAttachmentThatIsNotAvailablePropagatesNothing(t *testing.T) {
	n, a, _, x := newConnect(t)
	n.peer(x, "router", elsewhere)
	n.attachOther("tgw-attach-0d", "dxgw", ec2.TransitGatewayAttachmentResourceTypeDirectConnectGateway, ec2.TransitGatewayAttachmentStateDeleting, branches.Prefix.String())
	routes := n.table().Routes()
	require.Equal(t, x.ID(), routes[len(routes)-1].Attachment.ID())
	o := a.host.Ping(branchPC)
	o.Dropped(t, trace.Unmodelled)
	require.Contains(t, o.Walks.String(), "router")
}

// Two attachments may be of one resource that is not there, such as a transport.
func TestRoutesOfTwoAttachmentsOfOneResourceAreTheirOwn(t *testing.T) {
	n := newNet(t, tgw.Config{})
	for id, dst := range map[string]string{"tgw-attach-0e": "172.16.0.0/16", "tgw-attach-0f": "172.17.0.0/16"} {
		n.attachOther(id, "tgw-attach-gone", ec2.TransitGatewayAttachmentResourceTypeConnect, ec2.TransitGatewayAttachmentStateAvailable, dst)
	}
	routes := n.table().Routes()
	require.Len(t, routes, 2)
	require.Equal(t, "tgw-attach-0e", routes[0].Attachment.ID())
	require.Equal(t, "tgw-attach-0f", routes[1].Attachment.ID())
}
