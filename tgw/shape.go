package tgw

import (
	"cmp"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/vpc"
)

// Describe lists the region's transit gateways (DescribeTransitGateways), in the
// order in which they were made.
func Describe(r *vpc.Region) *ec2.DescribeTransitGatewaysResult {
	list := []ec2.TransitGateway{}
	r.View(func(tx *vpc.Tx) {
		for _, g := range vpc.Gateways[*TransitGateway](tx) {
			list = append(list, g.shape(tx))
		}
	})
	return &ec2.DescribeTransitGatewaysResult{TransitGateways: list}
}

// shape has the defaults of what is not modelled as AWS has them.
func (g *TransitGateway) shape(tx *vpc.Tx) ec2.TransitGateway {
	r := tx.Region()
	o := &ec2.TransitGatewayOptions{
		AmazonSideAsn:                   new(g.asn),
		AutoAcceptSharedAttachments:     new(ec2.AutoAcceptSharedAttachmentsValueDisable),
		DefaultRouteTableAssociation:    new(ec2.DefaultRouteTableAssociationValueDisable),
		DefaultRouteTablePropagation:    new(ec2.DefaultRouteTablePropagationValueDisable),
		VpnEcmpSupport:                  new(ec2.VpnEcmpSupportValueEnable),
		DnsSupport:                      new(ec2.DnsSupportValueEnable),
		SecurityGroupReferencingSupport: new(ec2.SecurityGroupReferencingSupportValueDisable),
		MulticastSupport:                new(ec2.MulticastSupportValueDisable),
	}
	for _, p := range g.cidrs {
		o.TransitGatewayCidrBlocks = append(o.TransitGatewayCidrBlocks, p.String())
	}
	if g.references {
		o.SecurityGroupReferencingSupport = new(ec2.SecurityGroupReferencingSupportValueEnable)
	}
	if g.noECMP {
		o.VpnEcmpSupport = new(ec2.VpnEcmpSupportValueDisable)
	}
	if t := g.associates; t != nil {
		o.DefaultRouteTableAssociation, o.AssociationDefaultRouteTableId = new(ec2.DefaultRouteTableAssociationValueEnable), new(t.ID())
	}
	if t := g.propagates; t != nil {
		o.DefaultRouteTablePropagation, o.PropagationDefaultRouteTableId = new(ec2.DefaultRouteTablePropagationValueEnable), new(t.ID())
	}
	s := ec2.TransitGateway{
		TransitGatewayId: new(g.ID()), TransitGatewayArn: new(r.ARN("ec2", "transit-gateway/"+g.ID())),
		State: new(ec2.TransitGatewayStateAvailable), OwnerId: new(g.OwnerID()),
		CreationTime: new(ec2.TimestampOf(g.created)), Options: o, Tags: tx.TagShapes(g),
	}
	if g.description != "" {
		s.Description = new(g.description)
	}
	return s
}

// eachAttachment calls f for every attachment that is listed: a deleted one for two
// hours.
func eachAttachment(r *vpc.Region, f func(tx *vpc.Tx, a *Attachment)) {
	r.View(func(tx *vpc.Tx) {
		for _, g := range vpc.Gateways[*TransitGateway](tx) {
			for _, a := range g.attachments {
				if over, at := a.over(); !over || r.Now().Before(at.Add(listed)) {
					f(tx, a)
				}
			}
		}
	})
}

// DescribeVPCAttachments lists the attachments with their subnets and options
// (DescribeTransitGatewayVpcAttachments), gateway by gateway.
func DescribeVPCAttachments(r *vpc.Region) *ec2.DescribeTransitGatewayVpcAttachmentsResult {
	list := []ec2.TransitGatewayVpcAttachment{}
	eachAttachment(r, func(tx *vpc.Tx, a *Attachment) {
		if a.vpc == nil {
			return
		}
		s := ec2.TransitGatewayVpcAttachment{
			TransitGatewayAttachmentId: new(a.ID()), TransitGatewayId: new(a.gateway.ID()), VpcId: new(a.vpc.ID()),
			VpcOwnerId: new(a.vpc.OwnerID()), State: new(a.state()), SubnetIds: []string{},
			CreationTime: new(ec2.TimestampOf(a.created)), Options: a.options(), Tags: tx.TagShapes(a),
		}
		for _, n := range a.subnets() {
			s.SubnetIds = append(s.SubnetIds, n.ID())
		}
		list = append(list, s)
	})
	return &ec2.DescribeTransitGatewayVpcAttachmentsResult{TransitGatewayVpcAttachments: list}
}

func (a *Attachment) options() *ec2.TransitGatewayVpcAttachmentOptions {
	o := &ec2.TransitGatewayVpcAttachmentOptions{
		DnsSupport:                      new(ec2.DnsSupportValueEnable),
		SecurityGroupReferencingSupport: new(ec2.SecurityGroupReferencingSupportValueEnable),
		Ipv6Support:                     new(ec2.Ipv6SupportValueDisable),
		ApplianceModeSupport:            new(ec2.ApplianceModeSupportValueDisable),
	}
	if a.six {
		o.Ipv6Support = new(ec2.Ipv6SupportValueEnable)
	}
	if a.unreferenced {
		o.SecurityGroupReferencingSupport = new(ec2.SecurityGroupReferencingSupportValueDisable)
	}
	if a.appliance {
		o.ApplianceModeSupport = new(ec2.ApplianceModeSupportValueEnable)
	}
	return o
}

// DescribeAttachments lists the attachments with their associations
// (DescribeTransitGatewayAttachments), gateway by gateway.
func DescribeAttachments(r *vpc.Region) *ec2.DescribeTransitGatewayAttachmentsResult {
	list := []ec2.TransitGatewayAttachment{}
	eachAttachment(r, func(tx *vpc.Tx, a *Attachment) {
		s := ec2.TransitGatewayAttachment{
			TransitGatewayAttachmentId: new(a.ID()), TransitGatewayId: new(a.gateway.ID()), TransitGatewayOwnerId: new(a.gateway.OwnerID()),
			ResourceOwnerId: new(a.resourceOwner()), ResourceType: new(a.kind),
			ResourceId: new(a.resource()), State: new(a.state()), CreationTime: new(ec2.TimestampOf(a.created)), Tags: tx.TagShapes(a),
		}
		if a.table != nil && a.available() {
			s.Association = &ec2.TransitGatewayAttachmentAssociation{
				TransitGatewayRouteTableId: new(a.table.ID()), State: new(ec2.TransitGatewayAssociationStateAssociated),
			}
		}
		list = append(list, s)
	})
	return &ec2.DescribeTransitGatewayAttachmentsResult{TransitGatewayAttachments: list}
}

// resource returns the id of what is attached.
func (a *Attachment) resource() string {
	if a.peer != nil {
		return a.peer.far().id
	}
	if a.link != nil {
		_, id := a.link.Attaches()
		return id
	}
	return a.vpc.ID()
}

// resourceOwner returns the account of what is attached.
func (a *Attachment) resourceOwner() string {
	if a.peer != nil {
		return a.peer.far().owner
	}
	if a.link != nil {
		return cmp.Or(a.owner, a.gateway.OwnerID())
	}
	return a.vpc.OwnerID()
}

// DescribeRouteTables lists the route tables (DescribeTransitGatewayRouteTables),
// gateway by gateway.
func DescribeRouteTables(r *vpc.Region) *ec2.DescribeTransitGatewayRouteTablesResult {
	list := []ec2.TransitGatewayRouteTable{}
	r.View(func(tx *vpc.Tx) {
		for _, g := range vpc.Gateways[*TransitGateway](tx) {
			for _, t := range g.tables {
				list = append(list, ec2.TransitGatewayRouteTable{
					TransitGatewayRouteTableId: new(t.ID()), TransitGatewayId: new(g.ID()), State: new(ec2.TransitGatewayRouteTableStateAvailable),
					DefaultAssociationRouteTable: new(t == g.associates), DefaultPropagationRouteTable: new(t == g.propagates),
					CreationTime: new(ec2.TimestampOf(t.created)), Tags: tx.TagShapes(t),
				})
			}
		}
	})
	return &ec2.DescribeTransitGatewayRouteTablesResult{TransitGatewayRouteTables: list}
}

// Associations lists what is associated with the table
// (GetTransitGatewayRouteTableAssociations).
func (t *RouteTable) Associations() *ec2.GetTransitGatewayRouteTableAssociationsResult {
	list := []ec2.TransitGatewayRouteTableAssociation{}
	t.Region().View(func(*vpc.Tx) {
		for _, a := range t.gateway.attachments {
			if a.table == t && a.available() {
				list = append(list, ec2.TransitGatewayRouteTableAssociation{
					TransitGatewayAttachmentId: new(a.ID()), ResourceId: new(a.resource()),
					ResourceType: new(a.kind), State: new(ec2.TransitGatewayAssociationStateAssociated),
				})
			}
		}
	})
	return &ec2.GetTransitGatewayRouteTableAssociationsResult{Associations: list}
}

// Propagations lists what propagates to the table
// (GetTransitGatewayRouteTablePropagations).
func (t *RouteTable) Propagations() *ec2.GetTransitGatewayRouteTablePropagationsResult {
	list := []ec2.TransitGatewayRouteTablePropagation{}
	t.Region().View(func(*vpc.Tx) {
		for _, a := range t.propagated {
			list = append(list, ec2.TransitGatewayRouteTablePropagation{
				TransitGatewayAttachmentId: new(a.ID()), ResourceId: new(a.resource()),
				ResourceType: new(a.kind), State: new(ec2.TransitGatewayPropagationStateEnabled),
			})
		}
	})
	return &ec2.GetTransitGatewayRouteTablePropagationsResult{TransitGatewayRouteTablePropagations: list}
}

// Search lists the table's routes (SearchTransitGatewayRoutes, without a filter), in
// the order of Routes.
func (t *RouteTable) Search() *ec2.SearchTransitGatewayRoutesResult {
	list := []ec2.TransitGatewayRoute{}
	for _, r := range t.Routes() {
		list = append(list, r.shape())
	}
	return &ec2.SearchTransitGatewayRoutesResult{Routes: list, AdditionalRoutesAvailable: new(false)}
}

func (r Route) shape() ec2.TransitGatewayRoute {
	s := ec2.TransitGatewayRoute{
		DestinationCidrBlock: new(r.Destination.String()),
		Type:                 new(ec2.TransitGatewayRouteTypeStatic), State: new(ec2.TransitGatewayRouteStateActive),
	}
	if r.Propagated {
		s.Type = new(ec2.TransitGatewayRouteTypePropagated)
	}
	if r.Blackhole {
		s.State = new(ec2.TransitGatewayRouteStateBlackhole)
	}
	if r.PrefixList != nil {
		s.PrefixListId = new(r.PrefixList.ID())
	}
	if r.Attachment == nil {
		return s
	}
	for _, a := range append([]*Attachment{r.Attachment}, r.More...) {
		s.TransitGatewayAttachments = append(s.TransitGatewayAttachments, ec2.TransitGatewayRouteAttachment{
			ResourceId: new(a.resource()), TransitGatewayAttachmentId: new(a.ID()), ResourceType: new(a.kind),
		})
	}
	return s
}
