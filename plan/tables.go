package plan

import (
	"slices"
	"strings"

	"github.com/vpcsim/vpcsim/ec2"
)

// main makes a table the main one of a VPC, in place of the one that is.
func (b *builder) main(r *resource, vpc, table string) {
	for _, p := range b.tables.all {
		if ec2.Value(p.shape.VpcId) == vpc {
			p.shape.Associations = slices.DeleteFunc(p.shape.Associations, func(a ec2.RouteTableAssociation) bool { return ec2.Value(a.Main) })
		}
	}
	p := b.tables.put(r, table, ec2.RouteTable{RouteTableId: &table, VpcId: &vpc})
	p.shape.Associations = append(p.shape.Associations, ec2.RouteTableAssociation{
		Main: new(true), RouteTableId: &table, RouteTableAssociationId: new(newID("rtbassoc", vpc, "main")),
	})
}

// routeTables describes route tables, their routes and whom they route for.
func (b *builder) routeTables() {
	for _, r := range b.of("aws_route_table") {
		b.routeTable(r)
	}
	for _, r := range b.of("aws_default_route_table") {
		b.defaultTable(r)
	}
	for _, r := range b.all {
		if r.data && r.kind == "aws_route_table" {
			b.dataTable(r)
		}
	}
	for _, r := range b.of("aws_route") {
		b.route(r)
	}
	for _, r := range b.of("aws_main_route_table_association") {
		r.used = true
		in, ok := b.id(r.root().get("vpc_id"))
		table, told := b.id(r.root().get("route_table_id"))
		if ok && told {
			b.main(r, in, table)
		} else if ok {
			b.main(r, in, b.unknownTable(r, "route_table_id", in).id)
		}
	}
	for _, r := range b.of("aws_route_table_association") {
		b.associate(r)
	}
	for _, r := range b.of("aws_vpn_gateway_route_propagation") {
		r.used = true
		table, _ := b.id(r.root().get("route_table_id"))
		gateway, ok := b.id(r.root().get("vpn_gateway_id"))
		if p := b.tables.byID[table]; p != nil && ok {
			propagate(&p.shape, gateway)
		}
	}
}

func propagate(t *ec2.RouteTable, gateway string) {
	if !slices.ContainsFunc(t.PropagatingVgws, func(g ec2.PropagatingVgw) bool { return ec2.Value(g.GatewayId) == gateway }) {
		t.PropagatingVgws = append(t.PropagatingVgws, ec2.PropagatingVgw{GatewayId: &gateway})
	}
}

func (b *builder) routeTable(r *resource) {
	n, id := r.root(), b.identify(r)
	b.call(r, id)
	in, why := b.find(n.get("vpc_id"))
	if why != "" {
		b.leave(r, "vpc_id", why+": the table is left out")
		return
	}
	p := b.tables.put(r, id, ec2.RouteTable{RouteTableId: &id, VpcId: &in})
	p.r, p.shape.OwnerId, p.shape.Tags = r, owner(r), tags(r)
	b.rows(p, r)
}

// defaultTable describes what a configuration makes of a VPC's default table: it has the
// routes of the configuration and no others (Terraform's AWS provider,
// aws_default_route_table).
func (b *builder) defaultTable(r *resource) {
	id := b.known(r, "default_route_table_id")
	b.call(r, id)
	p := b.tables.byID[id]
	if p == nil {
		b.leave(r, "default_route_table_id", "no VPC of the plan has the table "+id+": it is left out")
		return
	}
	p.r, p.shape.Tags, p.shape.Routes = r, tags(r), nil
	b.rows(p, r)
}

// rows gives a table the routes that stand in it, and the gateways that propagate to it.
// Those that resources of their own had put there are those resources' to tell.
func (b *builder) rows(p *part[ec2.RouteTable], r *resource) {
	n := r.root()
	theirs := map[string]bool{}
	for _, o := range b.was("route_table_id", p.id, "aws_route") {
		theirs[destination(o.root(), "destination_")] = true
	}
	for _, row := range n.get("route").list() {
		if d := destination(row, ""); !theirs[d] {
			b.row(p, row, "")
		}
	}
	if rows := n.get("route"); !rows.known() && rows.expr != nil {
		b.note(r, "route", "known after apply: what takes a route that is not known otherwise ends as not modelled")
		p.shape.Routes = append(p.shape.Routes, unknownRows(rows.place())...)
	}
	gateways, _ := b.groupIDs(n.get("propagating_vgws"))
	for _, g := range gateways {
		if !slices.ContainsFunc(b.was("route_table_id", p.id, "aws_vpn_gateway_route_propagation"), func(o *resource) bool { return o.values["vpn_gateway_id"] == g }) {
			propagate(&p.shape, g)
		}
	}
}

// unknownRows are routes for all that no other takes, to what is not known at a place.
func unknownRows(place string) []ec2.Route {
	return []ec2.Route{
		{DestinationCidrBlock: new("0.0.0.0/0"), GatewayId: &place, State: new(ec2.RouteStateActive)},
		{DestinationIpv6CidrBlock: new("::/0"), GatewayId: &place, State: new(ec2.RouteStateActive)},
	}
}

// unknownTable is a table of which nobody knows what is in it, for want of an attribute.
func (b *builder) unknownTable(r *resource, attr, vpc string) *part[ec2.RouteTable] {
	id := newID("rtb", r.address, "unknown")
	return b.tables.put(r, id, ec2.RouteTable{RouteTableId: &id, VpcId: &vpc, Routes: unknownRows(strings.TrimSuffix(r.address+"."+attr, "."))})
}

// destination returns the destination of a row, in the attributes of an inline row or of
// an aws_route, which begin with a prefix.
func destination(n node, prefix string) string {
	for _, attr := range []string{prefix + "cidr_block", prefix + "ipv6_cidr_block", "destination_prefix_list_id"} {
		if s := n.get(attr).text(); s != "" {
			return s
		}
	}
	return ""
}

// targets are the attributes of a route's target, and the member that each fills.
var targets = []struct {
	attr   string
	member func(*ec2.Route) **string
}{
	{"gateway_id", func(r *ec2.Route) **string { return &r.GatewayId }},
	{"nat_gateway_id", func(r *ec2.Route) **string { return &r.NatGatewayId }},
	{"vpc_endpoint_id", func(r *ec2.Route) **string { return &r.GatewayId }},
	{"transit_gateway_id", func(r *ec2.Route) **string { return &r.TransitGatewayId }},
	{"vpc_peering_connection_id", func(r *ec2.Route) **string { return &r.VpcPeeringConnectionId }},
	{"network_interface_id", func(r *ec2.Route) **string { return &r.NetworkInterfaceId }},
	{"instance_id", func(r *ec2.Route) **string { return &r.InstanceId }},
	{"egress_only_gateway_id", func(r *ec2.Route) **string { return &r.EgressOnlyInternetGatewayId }},
	{"carrier_gateway_id", func(r *ec2.Route) **string { return &r.CarrierGatewayId }},
	{"local_gateway_id", func(r *ec2.Route) **string { return &r.LocalGatewayId }},
	{"core_network_arn", func(r *ec2.Route) **string { return &r.CoreNetworkArn }},
}

// row adds a route to a table. One whose target is not known before apply leads to what
// nobody knows.
func (b *builder) row(p *part[ec2.RouteTable], n node, prefix string) {
	s := ec2.Route{State: new(ec2.RouteStateActive), Origin: new(ec2.RouteOriginCreateRoute)}
	switch four, six, list := n.get(prefix+"cidr_block"), n.get(prefix+"ipv6_cidr_block"), n.get("destination_prefix_list_id"); {
	case !list.null() && (list.expr != nil || list.text() != ""):
		id, _ := b.id(list)
		s.DestinationPrefixListId = &id
	case six.text() != "":
		s.DestinationIpv6CidrBlock = new(six.text())
	case four.text() != "":
		s.DestinationCidrBlock = new(four.text())
	default:
		at := strings.TrimPrefix(n.path+"."+prefix+"cidr_block", ".")
		b.note(n.r, at, "known after apply: what no other route takes ends as not modelled")
		p.shape.Routes = append(p.shape.Routes, unknownRows(n.r.address+"."+at)...)
		return
	}
	for _, t := range targets {
		m := n.get(t.attr)
		if m.text() == "" && (m.known() || m.expr == nil && computed[t.attr]) {
			continue
		}
		id, _ := b.id(m)
		if id != "" && *t.member(&s) == nil {
			*t.member(&s) = &id
		}
		if t.attr != "network_interface_id" { // the interface of an instance comes with the instance
			break
		}
	}
	p.shape.Routes = append(slices.DeleteFunc(p.shape.Routes, func(o ec2.Route) bool { return sameDestination(o, s) }), s)
}

// computed are targets that AWS tells beside the one that was asked for.
var computed = map[string]bool{"network_interface_id": true, "instance_id": true}

func sameDestination(a, b ec2.Route) bool {
	return ec2.Value(a.DestinationCidrBlock) == ec2.Value(b.DestinationCidrBlock) &&
		ec2.Value(a.DestinationIpv6CidrBlock) == ec2.Value(b.DestinationIpv6CidrBlock) &&
		ec2.Value(a.DestinationPrefixListId) == ec2.Value(b.DestinationPrefixListId)
}

// route adds the route of a resource of its own.
func (b *builder) route(r *resource) {
	r.used = true
	n := r.root()
	id, ok := b.id(n.get("route_table_id"))
	if !ok {
		b.perhaps(r)
		return
	}
	p := b.tables.byID[id]
	if p == nil {
		b.leave(r, "route_table_id", "no resource of the plan is the route table "+id+": the route is left out")
		return
	}
	b.row(p, n, "destination_")
}

// perhaps has each table that may get a route lead its destination to what nobody knows.
func (b *builder) perhaps(r *resource) {
	n := r.root()
	for _, id := range b.candidates(n.get("route_table_id")) {
		if p := b.tables.byID[id]; p != nil {
			for _, s := range unknownRows(n.get("route_table_id").place()) {
				if list := n.get("destination_prefix_list_id").text(); list != "" {
					s.DestinationCidrBlock, s.DestinationIpv6CidrBlock, s.DestinationPrefixListId = nil, nil, &list
				} else if to := destination(n, "destination_"); to != "" && strings.Contains(to, ":") == (s.DestinationCidrBlock == nil) {
					s.DestinationCidrBlock, s.DestinationIpv6CidrBlock = some(to), nil
					if strings.Contains(to, ":") {
						s.DestinationCidrBlock, s.DestinationIpv6CidrBlock = nil, some(to)
					}
				} else if to != "" {
					continue
				}
				p.shape.Routes = append(slices.DeleteFunc(p.shape.Routes, func(o ec2.Route) bool { return sameDestination(o, s) }), s)
			}
		}
	}
}

// associate has a table route for a subnet, or for a gateway's inbound traffic.
func (b *builder) associate(r *resource) {
	r.used = true
	n := r.root()
	table, told := b.id(n.get("route_table_id"))
	link := ec2.RouteTableAssociation{Main: new(false), RouteTableAssociationId: some(b.identify(r)), AssociationState: &ec2.RouteTableAssociationState{State: new(ec2.RouteTableAssociationStateCodeAssociated)}}
	if g := n.get("gateway_id"); !g.null() && (g.text() != "" || g.expr != nil) {
		id, _ := b.id(g)
		link.GatewayId = &id
	} else {
		id, ok := b.id(n.get("subnet_id"))
		if !ok {
			b.uncertain(r)
			return
		}
		link.SubnetId = &id
	}
	p := b.tables.byID[table]
	if !told && link.SubnetId != nil {
		if s := b.subnets.byID[*link.SubnetId]; s != nil {
			p = b.unknownTable(r, "route_table_id", ec2.Value(s.shape.VpcId))
		}
	}
	if p == nil {
		b.leave(r, "route_table_id", "no resource of the plan is the route table "+table+": the association is left out")
		return
	}
	link.RouteTableId = new(p.id)
	p.shape.Associations = append(p.shape.Associations, link)
}

// uncertain has the subnets of which an association may be routed by nobody knows which
// table.
func (b *builder) uncertain(r *resource) {
	for _, id := range b.candidates(r.root().get("subnet_id")) {
		if s := b.subnets.byID[id]; s != nil {
			p := b.unknownTable(r, "subnet_id", ec2.Value(s.shape.VpcId))
			p.shape.Associations = append(p.shape.Associations, ec2.RouteTableAssociation{
				Main: new(false), RouteTableId: new(p.id), SubnetId: &id, RouteTableAssociationId: new(newID("rtbassoc", r.address, id)),
			})
		}
	}
}

// dataTable describes a route table that another configuration manages.
func (b *builder) dataTable(r *resource) {
	n := r.root()
	id, in := n.get("id").text(), n.get("vpc_id").text()
	if id == "" || in == "" || b.tables.byID[id] != nil {
		return
	}
	b.call(r, id)
	p := b.tables.put(r, id, ec2.RouteTable{RouteTableId: &id, VpcId: &in, OwnerId: owner(r), Tags: tags(r)})
	for _, row := range n.get("routes").list() {
		b.row(p, row, "")
	}
	for _, a := range n.get("associations").list() {
		if a.get("main").bool() {
			b.main(r, in, id)
			continue
		}
		p.shape.Associations = append(p.shape.Associations, ec2.RouteTableAssociation{
			Main: new(false), RouteTableId: &id, RouteTableAssociationId: some(a.get("route_table_association_id").text()),
			SubnetId: some(a.get("subnet_id").text()), GatewayId: some(a.get("gateway_id").text()),
		})
	}
}
