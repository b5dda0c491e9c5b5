package plan

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/vpcsim/vpcsim/ec2"
)

// Propagations are the attachments that propagate to a table of a transit gateway.
type Propagations struct {
	Table string
	List  []ec2.TransitGatewayRouteTablePropagation
}

// TransitRoutes are the static routes of a table of a transit gateway.
type TransitRoutes struct {
	Table  string
	Routes []ec2.TransitGatewayRoute
}

// transitParts are what several resources tell of transit gateways.
type transitParts struct {
	transitTables list[ec2.TransitGatewayRouteTable]
	propagations  list[Propagations]
	transitRoutes list[TransitRoutes]
	attachments   list[ec2.TransitGatewayAttachment]
}

// transit describes transit gateways, their attachments, tables and routes.
func (b *builder) transit() {
	for _, r := range b.of("aws_ec2_transit_gateway") {
		b.transitGateway(r)
	}
	for _, r := range b.of("aws_ec2_transit_gateway_route_table") {
		id := b.identify(r)
		b.call(r, id)
		gateway, _ := b.id(r.root().get("transit_gateway_id"))
		b.transitTable(r, id, gateway, false, false).shape.Tags = tags(r)
	}
	for _, r := range b.of("aws_ec2_transit_gateway_vpc_attachment") {
		b.vpcAttachment(r)
	}
	for _, r := range b.of("aws_vpn_connection") {
		b.vpnAttachment(r)
	}
	for _, r := range b.of("aws_ec2_transit_gateway_peering_attachment") {
		b.peeringAttachment(r)
	}
	for _, r := range b.of("aws_ec2_transit_gateway_peering_attachment_accepter", "aws_ec2_transit_gateway_vpc_attachment_accepter") {
		r.used = true
	}
	b.transitLinks()
	for _, r := range b.of("aws_ec2_transit_gateway_route") {
		b.transitRoute(r)
	}
	emit(b, &b.transitTables)
	emit(b, &b.attachments)
	emit(b, &b.propagations)
	emit(b, &b.transitRoutes)
}

// transitGateway describes a gateway, and its default table, which AWS makes with it where
// it is asked to associate or to propagate by default (Transit Gateway guide).
func (b *builder) transitGateway(r *resource) {
	n, id := r.root(), b.identify(r)
	b.call(r, id)
	o := &ec2.TransitGatewayOptions{
		VpnEcmpSupport:                  new(ec2.VpnEcmpSupportValue(cmp.Or(n.get("vpn_ecmp_support").text(), "enable"))),
		DnsSupport:                      new(ec2.DnsSupportValue(cmp.Or(n.get("dns_support").text(), "enable"))),
		SecurityGroupReferencingSupport: new(ec2.SecurityGroupReferencingSupportValue(cmp.Or(n.get("security_group_referencing_support").text(), "disable"))),
	}
	if asn, err := strconv.ParseInt(n.get("amazon_side_asn").text(), 10, 64); err == nil {
		o.AmazonSideAsn = &asn
	}
	if associates, propagates := enabled(n.get("default_route_table_association")), enabled(n.get("default_route_table_propagation")); associates || propagates {
		table := b.one(r, "association_default_route_table_id")
		b.transitTable(r, table, id, associates, propagates)
		o.AssociationDefaultRouteTableId, o.PropagationDefaultRouteTableId = &table, &table
	}
	b.add(r, ec2.TransitGateway{TransitGatewayId: &id, State: new(ec2.TransitGatewayStateAvailable), OwnerId: owner(r), Description: some(n.get("description").text()), Options: o, Tags: tags(r)})
}

// enabled reads a switch that is on where it is not stated.
func enabled(n node) bool { return n.text() != "disable" }

// transitTable describes a table, of which it is known what propagates to it.
func (b *builder) transitTable(r *resource, id, gateway string, associates, propagates bool) *part[ec2.TransitGatewayRouteTable] {
	b.propagations.put(r, id, Propagations{Table: id})
	b.transitRoutes.put(r, id, TransitRoutes{Table: id})
	return b.transitTables.put(r, id, ec2.TransitGatewayRouteTable{
		TransitGatewayRouteTableId: &id, TransitGatewayId: &gateway, State: new(ec2.TransitGatewayRouteTableStateAvailable),
		DefaultAssociationRouteTable: &associates, DefaultPropagationRouteTable: &propagates,
	})
}

// transitAttached describes an attachment in the words that all kinds have, and ties it to the
// default table where nothing else is said.
func (b *builder) transitAttached(r *resource, id, gateway string, kind ec2.TransitGatewayAttachmentResourceType, of string, associate, propagate bool) {
	p := b.attachments.put(r, id, ec2.TransitGatewayAttachment{
		TransitGatewayAttachmentId: &id, TransitGatewayId: &gateway, ResourceType: &kind, ResourceId: &of, State: new(ec2.TransitGatewayAttachmentStateAvailable), Tags: tags(r),
	})
	for _, t := range b.transitTables.all {
		if ec2.Value(t.shape.TransitGatewayId) != gateway {
			continue
		}
		if associate && ec2.Value(t.shape.DefaultAssociationRouteTable) {
			p.shape.Association = associatedWith(t.id)
		}
		if propagate && ec2.Value(t.shape.DefaultPropagationRouteTable) {
			b.propagateTo(t.id, id)
		}
	}
}

func associatedWith(table string) *ec2.TransitGatewayAttachmentAssociation {
	return &ec2.TransitGatewayAttachmentAssociation{TransitGatewayRouteTableId: &table, State: new(ec2.TransitGatewayAssociationStateAssociated)}
}

func (b *builder) propagateTo(table, attachment string) {
	if p := b.propagations.byID[table]; p != nil {
		p.shape.List = append(p.shape.List, ec2.TransitGatewayRouteTablePropagation{TransitGatewayAttachmentId: &attachment, State: new(ec2.TransitGatewayPropagationStateEnabled)})
	}
}

// vpcAttachment describes the attachment of a VPC, with its interfaces.
func (b *builder) vpcAttachment(r *resource) {
	n, id := r.root(), b.identify(r)
	b.call(r, id)
	gateway, _ := b.id(n.get("transit_gateway_id"))
	in, _ := b.id(n.get("vpc_id"))
	subs, _ := b.ids(n.get("subnet_ids"))
	s := ec2.TransitGatewayVpcAttachment{
		TransitGatewayAttachmentId: &id, TransitGatewayId: &gateway, VpcId: &in, SubnetIds: subs, State: new(ec2.TransitGatewayAttachmentStateAvailable), Tags: tags(r),
		Options: &ec2.TransitGatewayVpcAttachmentOptions{
			ApplianceModeSupport: new(ec2.ApplianceModeSupportValue(cmp.Or(n.get("appliance_mode_support").text(), "disable"))),
			Ipv6Support:          new(ec2.Ipv6SupportValue(cmp.Or(n.get("ipv6_support").text(), "disable"))),
			DnsSupport:           new(ec2.DnsSupportValue(cmp.Or(n.get("dns_support").text(), "enable"))),
		},
	}
	if v := n.get("security_group_referencing_support").text(); v != "" {
		s.Options.SecurityGroupReferencingSupport = new(ec2.SecurityGroupReferencingSupportValue(v))
	}
	for _, sub := range subs {
		b.serviceIn(r, sub, "transit_gateway", "Network Interface for Transit Gateway Attachment "+id)
	}
	b.add(r, s)
	associate, propagate := n.get("transit_gateway_default_route_table_association"), n.get("transit_gateway_default_route_table_propagation")
	b.transitAttached(r, id, gateway, ec2.TransitGatewayAttachmentResourceTypeVpc, in,
		!associate.known() || associate.value == nil || associate.bool(), !propagate.known() || propagate.value == nil || propagate.bool())
}

// serviceIn makes a service's interface in a subnet, and returns its part, nil where there
// can't be one.
func (b *builder) serviceIn(r *resource, sub string, kind ec2.NetworkInterfaceType, description string) *part[ec2.NetworkInterface] {
	return b.serviceWith(r, sub, kind, description, node{r: r, path: "private address in " + b.subnetName(sub)})
}

// serviceWith is serviceIn with an address.
func (b *builder) serviceWith(r *resource, sub string, kind ec2.NetworkInterfaceType, description string, address node) *part[ec2.NetworkInterface] {
	s := b.space(sub)
	if s == nil {
		b.note(r, "", "no resource of the plan is the subnet "+sub+": it has no interface there")
		return nil
	}
	w := where{subnet: sub, space: s, vpc: ec2.Value(b.subnets.byID[sub].shape.VpcId)}
	id := newID("eni", r.address, sub)
	nic, ok := b.service(r, id, w, kind, description, address)
	if !ok {
		return nil
	}
	return b.interfaces.put(r, id, nic)
}

// vpnAttachment describes the attachment of a VPN connection.
func (b *builder) vpnAttachment(r *resource) {
	g := r.root().get("transit_gateway_id")
	if g.text() == "" && g.expr == nil {
		return
	}
	gateway, _ := b.id(g)
	ids := b.value(r, "transit_gateway_attachment_id")
	if len(ids) == 1 {
		b.transitAttached(r, ids[0], gateway, ec2.TransitGatewayAttachmentResourceTypeVpn, b.identify(r), true, true)
	}
}

// peeringAttachment describes a peering attachment in the regions of both gateways.
func (b *builder) peeringAttachment(r *resource) {
	n, id := r.root(), b.identify(r)
	b.call(r, id)
	from, _ := b.id(n.get("transit_gateway_id"))
	to, _ := b.id(n.get("peer_transit_gateway_id"))
	region := cmp.Or(n.get("peer_region").text(), r.region)
	s := ec2.TransitGatewayPeeringAttachment{
		TransitGatewayAttachmentId: &id, AccepterTransitGatewayAttachmentId: &id, State: new(ec2.TransitGatewayAttachmentStateAvailable), Tags: tags(r),
		RequesterTgwInfo: &ec2.PeeringTgwInfo{TransitGatewayId: &from, Region: some(r.region), OwnerId: owner(r)},
		AccepterTgwInfo:  &ec2.PeeringTgwInfo{TransitGatewayId: &to, Region: some(region), OwnerId: some(n.get("peer_account_id").text())},
	}
	if state := n.get("state").text(); state != "" {
		s.State = new(ec2.TransitGatewayAttachmentState(state))
	} else {
		b.assume(r, "", "the attachment is taken to be accepted")
	}
	b.add(r, s)
	b.transitAttached(r, id, from, ec2.TransitGatewayAttachmentResourceTypePeering, to, false, false)
	if region != r.region {
		b.entries[region] = append(b.entries[region], Entry{r.address, s})
	}
}

// transitLinks ties attachments to tables, as resources of their own say.
func (b *builder) transitLinks() {
	for _, r := range b.of("aws_ec2_transit_gateway_route_table_association") {
		r.used = true
		attachment, _ := b.id(r.root().get("transit_gateway_attachment_id"))
		table, ok := b.id(r.root().get("transit_gateway_route_table_id"))
		switch p := b.attachments.byID[attachment]; {
		case p == nil:
			b.leave(r, "transit_gateway_attachment_id", "no resource of the plan is the attachment "+attachment+": the association is left out")
		case ok:
			p.shape.Association = associatedWith(table)
		default: // what no description tells of, the loader has unknown
			b.attachments.all = slices.DeleteFunc(b.attachments.all, func(o *part[ec2.TransitGatewayAttachment]) bool { return o == p })
		}
	}
	for _, r := range b.of("aws_ec2_transit_gateway_route_table_propagation") {
		r.used = true
		attachment, _ := b.id(r.root().get("transit_gateway_attachment_id"))
		table, _ := b.id(r.root().get("transit_gateway_route_table_id"))
		if b.propagations.byID[table] == nil {
			b.leave(r, "transit_gateway_route_table_id", "no resource of the plan is the route table "+table+": the propagation is left out")
			continue
		}
		b.propagateTo(table, attachment)
	}
}

// transitRoute describes a static route.
func (b *builder) transitRoute(r *resource) {
	r.used = true
	n := r.root()
	table, _ := b.id(n.get("transit_gateway_route_table_id"))
	p := b.transitRoutes.byID[table]
	if p == nil {
		b.leave(r, "transit_gateway_route_table_id", "no resource of the plan is the route table "+table+": the route is left out")
		return
	}
	s := ec2.TransitGatewayRoute{DestinationCidrBlock: some(n.get("destination_cidr_block").text()), Type: new(ec2.TransitGatewayRouteTypeStatic), State: new(ec2.TransitGatewayRouteStateActive)}
	if n.get("blackhole").bool() {
		s.State = new(ec2.TransitGatewayRouteStateBlackhole)
	} else {
		attachment, _ := b.id(n.get("transit_gateway_attachment_id"))
		s.TransitGatewayAttachments = ec2.List[ec2.TransitGatewayRouteAttachment]{{TransitGatewayAttachmentId: &attachment}}
	}
	p.shape.Routes = append(p.shape.Routes, s)
}
