package tgw

import (
	"cmp"
	"slices"
	"time"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/vpc"
)

// DescribeConnects lists the region's Connect attachments (DescribeTransitGatewayConnects),
// gateway by gateway.
func DescribeConnects(r *vpc.Region) *ec2.DescribeTransitGatewayConnectsResult {
	list := []ec2.TransitGatewayConnect{}
	eachAttachment(r, func(tx *vpc.Tx, a *Attachment) {
		if x, ok := a.link.(*Connect); ok {
			list = append(list, ec2.TransitGatewayConnect{
				TransitGatewayAttachmentId: new(a.ID()), TransportTransitGatewayAttachmentId: new(x.transport.ID()), TransitGatewayId: new(a.gateway.ID()),
				State: new(a.state()), CreationTime: new(ec2.TimestampOf(a.created)),
				Options: &ec2.TransitGatewayConnectOptions{Protocol: new(ec2.ProtocolValueGre)}, Tags: tx.TagShapes(a),
			})
		}
	})
	return &ec2.DescribeTransitGatewayConnectsResult{TransitGatewayConnects: list}
}

// DescribeConnectPeers lists the region's Connect peers (DescribeTransitGatewayConnectPeers),
// by id.
func DescribeConnectPeers(r *vpc.Region) *ec2.DescribeTransitGatewayConnectPeersResult {
	list := []ec2.TransitGatewayConnectPeer{}
	r.View(func(tx *vpc.Tx) {
		for _, p := range vpc.Resources[*ConnectPeer](tx) {
			list = append(list, p.shape(tx))
		}
	})
	return &ec2.DescribeTransitGatewayConnectPeersResult{TransitGatewayConnectPeers: list}
}

func (p *ConnectPeer) shape(tx *vpc.Tx) ec2.TransitGatewayConnectPeer {
	s := p.told
	s.Tags = tx.TagShapes(p)
	return s
}

// shape is what AWS says of a peer that is up: two BGP sessions, of the first addresses of
// the inside CIDR (Transit Gateway guide, "Connect peers").
func (c *ConnectPeerConfig) shape(p *ConnectPeer, at time.Time) ec2.TransitGatewayConnectPeer {
	config := &ec2.TransitGatewayConnectPeerConfiguration{
		TransitGatewayAddress: new(p.own.String()), PeerAddress: new(p.peer.String()), InsideCidrBlocks: []string{p.inside[0].String()}, Protocol: new(ec2.ProtocolValueGre),
	}
	appliance := p.inside[0].Addr().Next()
	for end, k := appliance.Next(), 0; k < 2; end, k = end.Next(), k+1 {
		config.BgpConfigurations = append(config.BgpConfigurations, ec2.TransitGatewayAttachmentBgpConfiguration{
			TransitGatewayAsn: new(p.connect.gateway.asn), PeerAsn: new(c.ASN), TransitGatewayAddress: new(end.String()), PeerAddress: new(appliance.String()),
			BgpStatus: new(ec2.BgpStatusUp),
		})
	}
	return ec2.TransitGatewayConnectPeer{
		TransitGatewayAttachmentId: new(p.connect.ID()), TransitGatewayConnectPeerId: new(p.ID()), State: new(ec2.TransitGatewayConnectPeerStateAvailable),
		CreationTime: new(ec2.TimestampOf(at)), ConnectPeerConfiguration: config,
	}
}

// down reports whether nothing goes by the peer: it is not available, or all of its BGP
// sessions are down. One session is enough (Transit Gateway guide, "Connect attachments").
func (p *ConnectPeer) down() bool {
	if state := cmp.Or(ec2.Value(p.told.State), ec2.TransitGatewayConnectPeerStateAvailable); state != ec2.TransitGatewayConnectPeerStateAvailable {
		return true
	}
	sessions := p.told.ConnectPeerConfiguration.BgpConfigurations
	return len(sessions) > 0 && !slices.ContainsFunc(sessions, func(b ec2.TransitGatewayAttachmentBgpConfiguration) bool {
		return ec2.Value(b.BgpStatus) != ec2.BgpStatusDown
	})
}
