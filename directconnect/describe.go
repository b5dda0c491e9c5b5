package directconnect

import (
	"cmp"
	"slices"

	"github.com/vpcsim/vpcsim/directconnect/shape"
	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/vpc"
)

// gateways returns the Direct Connect gateways that a region knows, by id.
func gateways(r *vpc.Region) []*Gateway {
	var list []*Gateway
	r.View(func(tx *vpc.Tx) { list = vpc.Resources[*Gateway](tx) })
	return list
}

// Describe lists the Direct Connect gateways that the region knows, by id
// (DescribeDirectConnectGateways). One that only its associations tell of, such as another
// account's, is not among them.
func Describe(r *vpc.Region) *shape.DescribeGateways {
	list := []shape.DirectConnectGateway{}
	for _, g := range gateways(r) {
		s := g.site.Get()
		if s.told == nil {
			continue
		}
		told := *s.told
		told.OwnerAccount = new(cmp.Or(ec2.Value(told.OwnerAccount), r.Account()))
		list = append(list, told)
	}
	return &shape.DescribeGateways{DirectConnectGateways: list}
}

// DescribeAssociations lists the associations of the Direct Connect gateways that the
// region knows, of every region, by id
// (DescribeDirectConnectGatewayAssociations for each of them).
func DescribeAssociations(r *vpc.Region) *shape.DescribeAssociations {
	list := []shape.DirectConnectGatewayAssociation{}
	for _, g := range gateways(r) {
		for _, a := range g.site.Get().associations {
			list = append(list, a.shape())
		}
	}
	slices.SortFunc(list, func(a, b shape.DirectConnectGatewayAssociation) int {
		return cmp.Compare(*a.AssociationID, *b.AssociationID)
	})
	return &shape.DescribeAssociations{DirectConnectGatewayAssociations: list}
}

func (a *Association) shape() shape.DirectConnectGatewayAssociation {
	region := a.Region().Name()
	owner := a.gateway.OwnerID()
	s := shape.DirectConnectGatewayAssociation{
		DirectConnectGatewayID: new(a.direct.id), DirectConnectGatewayOwnerAccount: new(a.Owner()), AssociationState: new(a.state), AssociationID: new(a.ID()),
		AssociatedGateway: &shape.AssociatedGateway{ID: new(a.gateway.ID()), Type: new(shape.TransitGateway), OwnerAccount: new(owner), Region: new(region)},
		AllowedPrefixes:   []shape.RouteFilterPrefix{},
	}
	for _, p := range a.allowed {
		s.AllowedPrefixes = append(s.AllowedPrefixes, shape.RouteFilterPrefix{CIDR: new(p.String())})
	}
	if !transit(a.gateway) {
		s.AssociatedGateway.Type = new(shape.VirtualPrivateGateway)
		s.VirtualGatewayID, s.VirtualGatewayRegion, s.VirtualGatewayOwnerAccount = new(a.gateway.ID()), new(region), new(owner)
	}
	return s
}

// DescribeAttachments lists the virtual interfaces of the Direct Connect gateways that the
// region knows, by gateway and in the order in which they were made
// (DescribeDirectConnectGatewayAttachments for each of them).
func DescribeAttachments(r *vpc.Region) *shape.DescribeAttachments {
	list := []shape.DirectConnectGatewayAttachment{}
	for _, g := range gateways(r) {
		for _, l := range g.site.Get().lines {
			s := shape.DirectConnectGatewayAttachment{
				DirectConnectGatewayID: new(g.id), VirtualInterfaceID: new(l.vif.ID()), VirtualInterfaceRegion: new(l.vif.Region().Name()),
				VirtualInterfaceOwnerAccount: new(l.vif.OwnerID()), AttachmentState: new(shape.Attached), AttachmentType: new(shape.PrivateVirtualInterface),
			}
			if l.vif.transit() {
				s.AttachmentType = new(shape.TransitVirtualInterface)
			}
			list = append(list, s)
		}
	}
	return &shape.DescribeAttachments{DirectConnectGatewayAttachments: list}
}

// DescribeInterfaces lists the region's virtual interfaces, by id
// (DescribeVirtualInterfaces).
func DescribeInterfaces(r *vpc.Region) *shape.DescribeInterfaces {
	list := []shape.VirtualInterface{}
	r.View(func(tx *vpc.Tx) {
		for _, v := range vpc.Resources[*VirtualInterface](tx) {
			told := v.told
			if l := v.line(); l != nil {
				told = l.told
			}
			if told != nil {
				list = append(list, *told)
			}
		}
	})
	return &shape.DescribeInterfaces{VirtualInterfaces: list}
}

// DescribeConnections lists the region's connections, by id (DescribeConnections). Link
// aggregation groups are listed by [DescribeLags].
func DescribeConnections(r *vpc.Region) *shape.DescribeConnections {
	list := []shape.Connection{}
	r.View(func(tx *vpc.Tx) {
		for _, x := range vpc.Resources[*Connection](tx) {
			if x.told != nil {
				list = append(list, *x.told)
			}
		}
	})
	return &shape.DescribeConnections{Connections: list}
}

// DescribeLags lists the region's link aggregation groups, by id (DescribeLags).
func DescribeLags(r *vpc.Region) *shape.DescribeLags {
	list := []shape.Lag{}
	r.View(func(tx *vpc.Tx) {
		for _, x := range vpc.Resources[*Connection](tx) {
			if x.lag != nil {
				list = append(list, *x.lag)
			}
		}
	})
	return &shape.DescribeLags{Lags: list}
}
