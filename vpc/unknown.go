package vpc

import (
	"net/netip"

	"github.com/vpcsim/vpcsim/ec2"
)

// UnknownGateway is the target of a restored route about which nothing is known but
// its id, and whether AWS called the route active. An active route leads to what is
// unknown: packets end there as trace.Unmodelled and are never delivered.
type UnknownGateway struct {
	Base
	field  string // the member of ec2.Route that names it, "" where none does
	active map[*VPC]bool

	missing string // why nothing is known
}

// open records that a route of the VPC was active, or was a black hole.
func (u *UnknownGateway) open(v *VPC, active bool) { u.active[v] = u.active[v] || active }

// CheckRoute refuses new routes: AWS does not know the gateway as far as the region does.
func (u *UnknownGateway) CheckRoute(*Tx, *RouteTable, netip.Prefix) error {
	return TargetNotFound(u.id)
}

// Available reports whether routes of the VPC to it were active.
func (u *UnknownGateway) Available(_ *Tx, v *VPC) bool { return u.active[v] }

// ListRoute lists a route in the member that it was restored from.
func (u *UnknownGateway) ListRoute(s *ec2.Route) {
	id := new(u.id)
	switch u.field {
	case "":
	case "NetworkInterfaceId":
		s.NetworkInterfaceId = id
	case "NatGatewayId":
		s.NatGatewayId = id
	case "TransitGatewayId":
		s.TransitGatewayId = id
	case "VpcPeeringConnectionId":
		s.VpcPeeringConnectionId = id
	case "EgressOnlyInternetGatewayId":
		s.EgressOnlyInternetGatewayId = id
	case "LocalGatewayId":
		s.LocalGatewayId = id
	case "CarrierGatewayId":
		s.CarrierGatewayId = id
	case "CoreNetworkArn":
		s.CoreNetworkArn = id
	case "OdbNetworkArn":
		s.OdbNetworkArn = id
	case "InstanceId":
		s.InstanceId = id
	default:
		s.GatewayId = id
	}
}

// Compile has routes to it lead to what is unknown.
func (u *UnknownGateway) Compile(c *Compiler) {
	n := &unmodelled{labelOf(u), u.id, u.missing}
	for _, v := range c.region.vpcs {
		if u.active[v] {
			c.Enter(u, v, Entry{Node: n})
		}
	}
}
