package plan

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/vpcsim/vpcsim/ec2"
)

// joins describes what joins a VPC with others and with sites: peering connections, private
// gateways, VPN connections.
func (b *builder) joins() {
	for _, r := range b.of("aws_vpc_peering_connection") {
		b.peering(r)
	}
	for _, r := range b.of("aws_vpc_peering_connection_accepter") {
		b.accepted(r)
	}
	for _, r := range b.of("aws_vpc_peering_connection_options") {
		r.used = true
		for _, p := range b.peerings.all {
			if p.id == b.known(r, "vpc_peering_connection_id") {
				b.options(p, r)
			}
		}
	}
	emit(b, &b.peerings)
	for _, r := range b.of("aws_vpn_gateway") {
		b.vpnGateway(r)
	}
	for _, r := range b.of("aws_ec2_carrier_gateway") {
		id := b.identify(r)
		b.call(r, id)
		if in, ok := b.id(r.root().get("vpc_id")); ok {
			b.add(r, ec2.CarrierGateway{CarrierGatewayId: &id, VpcId: &in, State: new(ec2.CarrierGatewayStateAvailable), OwnerId: owner(r), Tags: tags(r)})
		}
	}
	for _, r := range b.of("aws_customer_gateway") {
		n, id := r.root(), b.identify(r)
		b.call(r, id)
		b.add(r, ec2.CustomerGateway{
			CustomerGatewayId: &id, BgpAsn: some(n.get("bgp_asn").text()), BgpAsnExtended: some(n.get("bgp_asn_extended").text()), IpAddress: some(n.get("ip_address").text()),
			DeviceName: some(n.get("device_name").text()), State: new("available"), Type: new("ipsec.1"), Tags: tags(r),
		})
	}
	for _, r := range b.of("aws_vpn_connection") {
		b.vpnConnection(r)
	}
}

// peering describes a peering connection, at its requester's end and, in one region, at
// both.
func (b *builder) peering(r *resource) {
	n, id := r.root(), b.identify(r)
	b.call(r, id)
	from, _ := b.id(n.get("vpc_id"))
	to, _ := b.id(n.get("peer_vpc_id"))
	region := cmp.Or(n.get("peer_region").text(), r.region)
	p := b.peerings.put(r, id, ec2.VpcPeeringConnection{
		VpcPeeringConnectionId: &id, Tags: tags(r), RequesterVpcInfo: b.end(from, r.region, owner(r)), AccepterVpcInfo: b.end(to, region, some(n.get("peer_owner_id").text())),
		Status: &ec2.VpcPeeringConnectionStateReason{Code: new(ec2.VpcPeeringConnectionStateReasonCodePendingAcceptance)},
	})
	status := n.get("accept_status").text()
	if b.updated[r.address] && status == string(ec2.VpcPeeringConnectionStateReasonCodePendingAcceptance) {
		status = "" // of before: an update accepts it where auto_accept is set
	}
	if status == "active" || status == "" && n.get("auto_accept").bool() {
		p.shape.Status.Code = new(ec2.VpcPeeringConnectionStateReasonCodeActive)
	} else if status != "" {
		p.shape.Status.Code = new(ec2.VpcPeeringConnectionStateReasonCode(status))
	}
	b.options(p, r)
	b.regional = append(b.regional, regional{region, p})
}

// regional is a connection whose accepter is of another region.
type regional struct {
	region string
	part   *part[ec2.VpcPeeringConnection]
}

// end describes an end of a peering connection.
func (b *builder) end(vpc, region string, account *string) *ec2.VpcPeeringConnectionVpcInfo {
	s := &ec2.VpcPeeringConnectionVpcInfo{VpcId: &vpc, Region: some(region), OwnerId: account}
	v := b.vpcs.byID[vpc]
	if v == nil {
		return s
	}
	s.OwnerId = cmp.Or(v.shape.OwnerId, account)
	for _, a := range v.shape.CidrBlockAssociationSet {
		s.CidrBlockSet = append(s.CidrBlockSet, ec2.CidrBlock{CidrBlock: a.CidrBlock})
	}
	for _, a := range v.shape.Ipv6CidrBlockAssociationSet {
		s.Ipv6CidrBlockSet = append(s.Ipv6CidrBlockSet, ec2.Ipv6CidrBlock{Ipv6CidrBlock: a.Ipv6CidrBlock})
	}
	return s
}

// accepted describes what the accepter's configuration makes of a connection: accepted,
// where it says so.
func (b *builder) accepted(r *resource) {
	r.used = true
	n := r.root()
	id, _ := b.id(n.get("vpc_peering_connection_id"))
	p := b.peerings.byID[id]
	if p == nil { // the requester's configuration is another one
		p = b.peerings.put(r, id, ec2.VpcPeeringConnection{
			VpcPeeringConnectionId: &id, Tags: tags(r), Status: &ec2.VpcPeeringConnectionStateReason{Code: new(ec2.VpcPeeringConnectionStateReasonCodeActive)},
			RequesterVpcInfo: b.end(n.get("peer_vpc_id").text(), cmp.Or(n.get("peer_region").text(), r.region), some(n.get("peer_owner_id").text())),
			AccepterVpcInfo:  b.end(n.get("vpc_id").text(), r.region, owner(r)),
		})
		b.call(r, id)
	}
	if n.get("auto_accept").bool() || n.get("accept_status").text() == "active" {
		p.shape.Status.Code = new(ec2.VpcPeeringConnectionStateReasonCodeActive)
	}
	b.options(p, r)
}

// options says whether host names of the other end lead to private addresses.
func (b *builder) options(p *part[ec2.VpcPeeringConnection], r *resource) {
	for _, side := range []struct {
		block string
		end   *ec2.VpcPeeringConnectionVpcInfo
	}{{"accepter", p.shape.AccepterVpcInfo}, {"requester", p.shape.RequesterVpcInfo}} {
		for _, o := range r.root().get(side.block).list() {
			if a := o.get("allow_remote_vpc_dns_resolution"); a.known() && a.value != nil {
				side.end.PeeringOptions = &ec2.VpcPeeringConnectionOptionsDescription{AllowDnsResolutionFromRemoteVpc: new(a.bool())}
			}
		}
	}
}

// vpnGateway describes a virtual private gateway.
func (b *builder) vpnGateway(r *resource) {
	n, id := r.root(), b.identify(r)
	b.call(r, id)
	s := ec2.VpnGateway{VpnGatewayId: &id, State: new(ec2.VpnStateAvailable), Type: new(ec2.GatewayTypeIpsec1), Tags: tags(r)}
	if asn, err := strconv.ParseInt(n.get("amazon_side_asn").text(), 10, 64); err == nil {
		s.AmazonSideAsn = &asn
	}
	attach := func(in node) {
		if v, ok := b.id(in); ok && v != "" {
			s.VpcAttachments = ec2.List[ec2.VpcAttachment]{{VpcId: &v, State: new(ec2.AttachmentStatusAttached)}}
		}
	}
	if in := n.get("vpc_id"); in.expr != nil || len(b.was("vpn_gateway_id", id, "aws_vpn_gateway_attachment")) == 0 && in.known() {
		attach(in)
	}
	for _, a := range b.of("aws_vpn_gateway_attachment") {
		a.used = true
		if to, ok := b.id(a.root().get("vpn_gateway_id")); ok && to == id {
			attach(a.root().get("vpc_id"))
		}
	}
	b.add(r, s)
}

// vpnConnection describes a VPN connection. Whether its tunnels are up no plan tells.
func (b *builder) vpnConnection(r *resource) {
	n, id := r.root(), b.identify(r)
	b.call(r, id)
	customer, _ := b.id(n.get("customer_gateway_id"))
	s := ec2.VpnConnection{
		VpnConnectionId: &id, CustomerGatewayId: &customer, State: new(ec2.VpnStateAvailable), Type: new(ec2.GatewayTypeIpsec1), Tags: tags(r),
		Options:                      &ec2.VpnConnectionOptions{StaticRoutesOnly: new(n.get("static_routes_only").bool())},
		CustomerGatewayConfiguration: some(n.get("customer_gateway_configuration").text()),
	}
	if g := n.get("vpn_gateway_id"); g.text() != "" || g.expr != nil {
		gateway, _ := b.id(g)
		s.VpnGatewayId = &gateway
	} else if g := n.get("transit_gateway_id"); g.text() != "" || g.expr != nil {
		gateway, _ := b.id(g)
		s.TransitGatewayId = &gateway
	}
	for i, tunnel := range []string{"tunnel1", "tunnel2"} {
		outside := n.get(tunnel + "_address").text()
		if outside == "" {
			outside = "192.0.2." + strconv.Itoa(1+i) // TEST-NET-1: Amazon gives it
		}
		s.Options.TunnelOptions = append(s.Options.TunnelOptions, ec2.TunnelOption{OutsideIpAddress: &outside, TunnelInsideCidr: some(n.get(tunnel + "_inside_cidr").text())})
		s.VgwTelemetry = append(s.VgwTelemetry, ec2.VgwTelemetry{OutsideIpAddress: &outside, Status: new(ec2.TelemetryStatusUP)})
	}
	b.assume(r, "", "its tunnels are taken to be up: plans do not tell")
	if !*s.Options.StaticRoutesOnly {
		b.note(r, "", "what BGP announces by its tunnels is in no plan: routes that are propagated from them are missing")
	}
	for _, x := range b.of("aws_vpn_connection_route") {
		x.used = true
		if to, ok := b.id(x.root().get("vpn_connection_id")); ok && to == id {
			s.Routes = append(s.Routes, ec2.VpnStaticRoute{DestinationCidrBlock: some(x.root().get("destination_cidr_block").text()), State: new(ec2.VpnStateAvailable)})
		}
	}
	b.add(r, s)
}

// distant describes connections between regions in the accepter's region too.
func (b *builder) distant() {
	for _, x := range b.regional {
		other := slices.ContainsFunc(b.vpcs.all, func(v *part[ec2.Vpc]) bool {
			return v.id == ec2.Value(x.part.shape.AccepterVpcInfo.VpcId) && v.r.region == x.region
		})
		if x.region != x.part.r.region && other {
			b.entries[x.region] = append(b.entries[x.region], Entry{x.part.r.address, x.part.shape})
		}
	}
}
