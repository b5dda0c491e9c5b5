package tgw_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
)

const west = "us-west-1"

// newNetIn is a transit gateway in another region of n's world, or another one in n's.
func (n *net) newNetIn(r *vpc.Region) *net {
	n.t.Helper()
	m := &net{World: n.World, t: n.t, region: r}
	var err error
	m.g, err = tgw.Create(r, tgw.Config{Name: "tgw of " + r.Name()})
	n.must(err)
	return m
}

// peered is two gateways that are peered, each with a branch, and routes both ways.
type peered struct {
	near, far *net
	a, b      *branch
	to        *tgw.Attachment // the requester's, of near
	from      *tgw.Attachment // the accepter's, of far
}

// newPeered peers two gateways, of two regions where apart is set.
func newPeered(t *testing.T, apart bool) *peered {
	t.Helper()
	f := &peered{near: newNet(t, tgw.Config{})}
	r := f.near.Region
	if apart {
		r = f.near.World.World.Region(vpc.RegionConfig{Name: west, Account: "210987654321"})
	}
	f.far = f.near.newNetIn(r)
	f.a, f.b = f.near.branch("a", "10.1"), f.far.branch("b", "10.2")
	var err error
	f.to, err = tgw.Peer(f.near.g, f.far.g, tgw.PeeringConfig{Name: "peering"})
	f.near.must(err)
	f.from = f.to.Other()
	require.NotNil(t, f.from)
	return f
}

func (f *peered) accept() *peered {
	f.near.t.Helper()
	f.near.must(f.from.Accept(), f.near.table().CreateRoute("10.2.0.0/16", f.to), f.far.table().CreateRoute("10.1.0.0/16", f.from))
	return f
}

func TestPeeringAttachments(t *testing.T) {
	for name, apart := range map[string]bool{"within a region": false, "between regions": true} {
		t.Run(name+": C141 each gateway takes one from the TTL", func(t *testing.T) {
			f := newPeered(t, apart).accept()
			r := f.a.host.Host.Ping(f.b.host.Addr, host.PingConfig{Count: 1})
			require.Len(t, r.Replies, 1)
			require.Equal(t, uint8(253), r.Replies[0].TTL)
			require.Equal(t, apart, r.Replies[0].RTT > 60*time.Millisecond)
			f.b.host.Ping(f.a.host.Addr).OK(t)
			require.Equal(t, 1, f.a.host.Host.Ping(f.b.host.Addr, host.PingConfig{Count: 1, TTL: 3}).Received)
			require.Zero(t, f.a.host.Host.Ping(f.b.host.Addr, host.PingConfig{Count: 1, TTL: 2}).Received)
		})
		t.Run(name+": nothing is propagated", func(t *testing.T) {
			f := newPeered(t, apart)
			f.near.must(f.from.Accept())
			f.a.host.Ping(f.b.host.Addr).Dropped(t, trace.TransitNoRoute)
			f.near.must(f.near.table().CreateRoute("10.2.0.0/16", f.to))
			f.a.host.Ping(f.b.host.Addr).Dropped(t, trace.TransitNoRoute) // the reply
		})
		t.Run(name+": the other end's table decides", func(t *testing.T) {
			f := newPeered(t, apart).accept()
			f.near.must(f.far.table().Disassociate(f.from))
			f.a.host.Ping(f.b.host.Addr).Dropped(t, trace.TransitUnassociated)
		})
		t.Run(name+": deleted it is a black hole at both ends", func(t *testing.T) {
			f := newPeered(t, apart).accept()
			f.a.host.Ping(f.b.host.Addr).OK(t)
			f.near.must(f.from.Delete())
			f.a.host.Ping(f.b.host.Addr).Dropped(t, trace.TransitBlackhole)
			f.b.host.Ping(f.a.host.Addr).Dropped(t, trace.TransitBlackhole)
			require.Equal(t, ec2.TransitGatewayAttachmentStateDeleted, f.to.State())
		})
	}
	t.Run("in another region's zones any interface will do", func(t *testing.T) {
		f := newPeered(t, true).accept()
		f.near.must(f.b.attach.AddSubnets(f.b.SubnetIn(west+"b", "10.2.254.0/28").Subnet))
		f.a.host.Ping(f.b.host.Addr).OK(t)
	})
	t.Run("no way through a third gateway without its own routes", func(t *testing.T) {
		f := newPeered(t, true).accept()
		third := f.near.newNetIn(f.near.World.World.Region(vpc.RegionConfig{Name: "eu-west-1"}))
		c := third.branch("c", "10.3")
		to, err := tgw.Peer(f.far.g, third.g, tgw.PeeringConfig{})
		f.near.must(err, to.Other().Accept(), f.near.table().CreateRoute("10.3.0.0/16", f.to))
		f.a.host.Ping(c.host.Addr).Dropped(t, trace.TransitNoRoute)
		f.near.must(f.far.table().CreateRoute("10.3.0.0/16", to), third.table().CreateRoute("10.1.0.0/16", to.Other()))
		r := f.a.host.Host.Ping(c.host.Addr, host.PingConfig{Count: 1})
		require.Equal(t, uint8(252), r.Replies[0].TTL)
	})
}

func TestPeeringAttachmentsAreRefused(t *testing.T) {
	f := newPeered(t, true)
	g, id := f.near.g.ID(), f.to.ID()
	invalid := "IncorrectState: " + id + " is in invalid state"
	_, err := tgw.Peer(f.near.g, f.near.g, tgw.PeeringConfig{})
	require.EqualError(t, err, "InvalidParameterValue: "+g+" cannot be peered with itself.")
	_, err = tgw.Peer(f.near.g, f.far.g, tgw.PeeringConfig{})
	require.EqualError(t, err, "DuplicateTransitGatewayAttachment: "+g+" has non-deleted Transit Gateway Attachments with same Transit Gateway ID.")
	_, err = tgw.Peer(f.near.g, nil, tgw.PeeringConfig{})
	require.EqualError(t, err, "MissingParameter: The request must contain the parameter peerTransitGatewayId")
	require.EqualError(t, f.to.Accept(), invalid) // the requester's own
	require.EqualError(t, f.to.Reject(), invalid)
	require.EqualError(t, f.near.table().CreateRoute("10.2.0.0/16", f.to), invalid)
	require.EqualError(t, f.near.table().Associate(f.to), invalid)
	require.EqualError(t, f.near.table().CreateRoute("10.2.0.0/16", f.from),
		"InvalidTransitGatewayAttachmentID.NotFound: Transit Gateway Attachment "+id+" was deleted or does not exist.")
	f.near.must(f.from.Accept())
	require.EqualError(t, f.from.Accept(), invalid)
	require.EqualError(t, f.near.table().EnablePropagation(f.to), "UnsupportedOperation: Propagation is not supported for the peering attachment "+id+".")
	require.EqualError(t, f.to.SetApplianceMode(true),
		"InvalidTransitGatewayAttachmentID.NotFound: Transit Gateway Attachment "+id+" was deleted or does not exist.")
	f.near.must(f.a.attach.Delete())
	require.EqualError(t, f.near.g.Delete(), "IncorrectState: "+g+" has non-deleted Transit Gateway Cross Region Peering Attachments: "+id+".")
	f.near.must(f.to.Delete())
	require.EqualError(t, f.to.Delete(), invalid)
	require.EqualError(t, f.from.Delete(), invalid)
	f.near.must(f.near.g.Delete())

	again := newPeered(t, true)
	again.near.must(again.from.Reject())
	require.Equal(t, ec2.TransitGatewayAttachmentStateRejected, again.to.State())
	gone := again.near.newNetIn(again.far.region)
	again.near.must(gone.g.Delete())
	failed, err := tgw.Peer(again.near.g, gone.g, tgw.PeeringConfig{})
	again.near.must(err)
	require.Equal(t, ec2.TransitGatewayAttachmentStateFailed, failed.State())
	require.Nil(t, failed.Other())
	_, err = tgw.Peer(again.near.g, again.far.g, tgw.PeeringConfig{ID: again.to.ID()})
	require.ErrorContains(t, err, "is in use")
	again.near.Region.SetQuota(vpc.QuotaTransitGatewayPeerings, 0)
	_, err = tgw.Peer(again.near.g, again.far.g, tgw.PeeringConfig{})
	require.EqualError(t, err, "TransitGatewayAttachmentLimitExceeded: The maximum number of transit gateway peering attachments has been reached.")
}

func TestPeeringAttachmentsAreDescribedAtBothEnds(t *testing.T) {
	f := newPeered(t, true)
	one := func(r *vpc.Region) ec2.TransitGatewayPeeringAttachment {
		list := tgw.DescribePeeringAttachments(r).TransitGatewayPeeringAttachments
		require.Len(t, list, 1)
		return list[0]
	}
	here, there := one(f.near.Region), one(f.far.region)
	require.Equal(t, ec2.TransitGatewayAttachmentStatePendingAcceptance, *here.State)
	require.Equal(t, ec2.PeeringTgwInfo{TransitGatewayId: new(f.far.g.ID()), OwnerId: new("210987654321"), Region: new(west)}, *here.AccepterTgwInfo)
	require.Nil(t, here.AccepterTransitGatewayAttachmentId)
	require.NotEmpty(t, here.Tags)
	here.Tags, there.Tags = nil, nil
	there.CreationTime = here.CreationTime
	require.Equal(t, here, there)
	f.accept()
	for _, s := range tgw.DescribeAttachments(f.far.region).TransitGatewayAttachments {
		if *s.ResourceType == ec2.TransitGatewayAttachmentResourceTypePeering {
			require.Equal(t, f.near.g.ID(), *s.ResourceId)
			require.Equal(t, f.near.Region.Account(), *s.ResourceOwnerId)
			require.Equal(t, f.far.table().ID(), *s.Association.TransitGatewayRouteTableId)
		}
	}
	route := f.near.table().Search().Routes[1]
	require.Equal(t, "10.2.0.0/16", *route.DestinationCidrBlock)
	require.Equal(t, ec2.TransitGatewayAttachmentResourceTypePeering, *route.TransitGatewayAttachments[0].ResourceType)
	f.near.must(f.to.Delete())
	require.Equal(t, ec2.TransitGatewayAttachmentStateDeleted, *one(f.far.region).State)
	require.Equal(t, ec2.TransitGatewayRouteStateBlackhole, *f.near.table().Search().Routes[1].State)
	f.far.region.Advance(2*time.Hour + 1)
	require.Empty(t, tgw.DescribePeeringAttachments(f.far.region).TransitGatewayPeeringAttachments)

	inside := newPeered(t, false)
	list := tgw.DescribePeeringAttachments(inside.near.Region).TransitGatewayPeeringAttachments
	require.Len(t, list, 2)
	require.Equal(t, inside.from.ID(), *list[0].AccepterTransitGatewayAttachmentId)
	require.NotEqual(t, inside.from.ID(), *list[0].TransitGatewayAttachmentId)
}

func TestPeeringAttachmentsAreRestored(t *testing.T) {
	for name, apart := range map[string]bool{"within a region": false, "between regions": true} {
		t.Run(name, func(t *testing.T) {
			f := newPeered(t, apart).accept()
			olds := []*vpc.Region{f.near.Region}
			if apart {
				olds = append(olds, f.far.region)
			}
			var news []*vpc.Region
			ends := map[string]*tgw.Attachment{}
			for _, r := range olds {
				again := vpc.NewRegion(vpc.RegionConfig{Name: r.Name(), Account: r.Account()})
				for _, g := range tgw.Describe(r).TransitGateways {
					_, err := tgw.Create(again, tgw.Config{ID: *g.TransitGatewayId})
					f.near.must(err)
				}
				f.near.must(again.Change(func(tx *vpc.Tx) error {
					for _, s := range tgw.DescribePeeringAttachments(r).TransitGatewayPeeringAttachments {
						a, err := tgw.RestorePeering(tx, s)
						if err != nil {
							return err
						}
						ends[a.Gateway().ID()] = a
					}
					return nil
				}))
				news = append(news, again)
			}
			require.Len(t, ends, 2)
			tgw.Join(news...)
			for i, r := range olds {
				want := tgw.DescribePeeringAttachments(r).TransitGatewayPeeringAttachments
				require.Equal(t, want, tgw.DescribePeeringAttachments(news[i]).TransitGatewayPeeringAttachments)
			}
			a, b := ends[f.near.g.ID()], ends[f.far.g.ID()]
			require.Same(t, b, a.Other())
			require.Same(t, a, b.Other())
			f.near.must(b.Delete())
			require.Equal(t, ec2.TransitGatewayAttachmentStateDeleted, a.State())
		})
	}
	bad := vpc.NewRegion(vpc.RegionConfig{})
	info := &ec2.PeeringTgwInfo{TransitGatewayId: new("tgw-1")}
	for _, s := range []ec2.TransitGatewayPeeringAttachment{
		{},
		{TransitGatewayAttachmentId: new("tgw-attach-1"), State: new(ec2.TransitGatewayAttachmentStateAvailable)},
		{TransitGatewayAttachmentId: new("tgw-attach-1"), State: new(ec2.TransitGatewayAttachmentStateAvailable), RequesterTgwInfo: info, AccepterTgwInfo: info},
	} {
		require.Error(t, bad.Change(func(tx *vpc.Tx) error {
			_, err := tgw.RestorePeering(tx, s)
			return err
		}))
	}
}

// Collections of files may lack the peering attachments' own.
func TestPeeringAttachmentsAreRestoredFromWhatAllKindsHave(t *testing.T) {
	f := newPeered(t, true).accept()
	var news []*vpc.Region
	for _, r := range []*vpc.Region{f.near.Region, f.far.region} {
		again := vpc.NewRegion(vpc.RegionConfig{Name: r.Name(), Account: r.Account()})
		f.near.must(again.Change(func(tx *vpc.Tx) error {
			for _, g := range tgw.Describe(r).TransitGateways {
				if _, err := tgw.Restore(tx, g); err != nil {
					return err
				}
			}
			for _, s := range tgw.DescribeAttachments(r).TransitGatewayAttachments {
				if *s.ResourceType == ec2.TransitGatewayAttachmentResourceTypeVpc {
					continue
				}
				if _, err := tgw.RestoreOther(tx, s); err != nil {
					return err
				}
			}
			return nil
		}))
		news = append(news, again)
	}
	tgw.Join(news...)
	a := news[0].Find(f.to.ID()).(*tgw.Attachment)
	require.Equal(t, f.from.ID(), a.Other().ID())
	require.Same(t, a, a.Other().Other())
	require.Equal(t, west, *tgw.DescribePeeringAttachments(news[0]).TransitGatewayPeeringAttachments[0].AccepterTgwInfo.Region)
	var refused *vpc.ShapeError
	require.ErrorAs(t, news[0].Change(func(tx *vpc.Tx) error {
		_, err := tgw.RestoreOther(tx, ec2.TransitGatewayAttachment{TransitGatewayId: new(f.near.g.ID()), ResourceType: new(ec2.TransitGatewayAttachmentResourceType("client-vpn"))})
		return err
	}), &refused)
}

// The other end of an attachment may be in a region that the world does not have.
func TestAGatewayThatNobodyKnowsIsNotModelled(t *testing.T) {
	n := newNet(t, tgw.Config{})
	a := n.branch("a", "10.1")
	n.must(n.Region.Change(func(tx *vpc.Tx) error {
		p, err := tgw.RestorePeering(tx, ec2.TransitGatewayPeeringAttachment{
			TransitGatewayAttachmentId: new("tgw-attach-1"), State: new(ec2.TransitGatewayAttachmentStateAvailable),
			RequesterTgwInfo: &ec2.PeeringTgwInfo{TransitGatewayId: new(n.g.ID()), Region: new("us-east-1")},
			AccepterTgwInfo:  &ec2.PeeringTgwInfo{TransitGatewayId: new("tgw-2"), Region: new(west)},
		})
		require.NotNil(t, p)
		return err
	}))
	n.must(n.table().CreateRoute("10.2.0.0/16", n.Region.Find("tgw-attach-1").(*tgw.Attachment)))
	require.Nil(t, n.Region.Find("tgw-attach-1").(*tgw.Attachment).Other())
	a.host.Ping(netip.MustParseAddr("10.2.0.9")).Dropped(t, trace.Unmodelled)
}
