package vpn

import (
	"cmp"
	"strconv"
	"time"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/vpc"
)

// ipsec is the one type of VPN.
const ipsec = "ipsec.1"

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

// Describe lists the region's connections (DescribeVpnConnections), in the order in
// which they were made. A deleted one stays listed for an hour.
func Describe(r *vpc.Region) *ec2.DescribeVpnConnectionsResult {
	list := []ec2.VpnConnection{}
	r.View(func(tx *vpc.Tx) {
		for _, v := range vpc.Gateways[*Connection](tx) {
			if v.ended.IsZero() || r.Now().Before(v.ended.Add(listed)) {
				list = append(list, v.shape(tx))
			}
		}
	})
	return &ec2.DescribeVpnConnectionsResult{VpnConnections: list}
}

// shape leaves configuration, options and telemetry out of a deleted one (inferred).
func (v *Connection) shape(tx *vpc.Tx) ec2.VpnConnection {
	s := ec2.VpnConnection{
		VpnConnectionId: new(v.ID()), CustomerGatewayId: new(v.customer.ID()), Category: new("VPN"),
		State: new(ec2.VpnStateAvailable), Type: new(ec2.GatewayType(ipsec)), Routes: []ec2.VpnStaticRoute{},
		GatewayAssociationState: new(ec2.GatewayAssociationStateAssociated), Tags: tx.TagShapes(v),
	}
	if v.transit() {
		s.TransitGatewayId = new(v.gateway.ID())
	} else {
		s.VpnGatewayId = new(v.gateway.ID())
	}
	if !v.ended.IsZero() {
		s.State = new(ec2.VpnStateDeleted)
		return s
	}
	s.CustomerGatewayConfiguration = new(v.configuration())
	for _, dst := range v.routes {
		s.Routes = append(s.Routes, ec2.VpnStaticRoute{
			DestinationCidrBlock: new(dst.String()), Source: new(ec2.VpnStaticRouteSource("Static")), State: new(ec2.VpnStateAvailable),
		})
	}
	o := &ec2.VpnConnectionOptions{
		EnableAcceleration: new(false), StaticRoutesOnly: new(v.static),
		LocalIpv4NetworkCidr: new(cmp.Or(v.local, everything).String()), RemoteIpv4NetworkCidr: new(cmp.Or(v.remote, everything).String()),
		OutsideIpAddressType: new("PublicIpv4"), TunnelInsideIpVersion: new(ec2.TunnelInsideIpVersionIpv4),
	}
	for i := range v.tunnels {
		t := &v.tunnels[i]
		o.TunnelOptions = append(o.TunnelOptions, ec2.TunnelOption{
			OutsideIpAddress: new(t.outside.String()), TunnelInsideCidr: new(t.inside.String()), PreSharedKey: new(t.key),
		})
		if !v.untold {
			s.VgwTelemetry = append(s.VgwTelemetry, v.telemetry(t))
		}
	}
	s.Options = o
	return s
}

// telemetry is a tunnel's. The messages are as seen of real ones.
func (v *Connection) telemetry(t *tunnel) ec2.VgwTelemetry {
	s := ec2.VgwTelemetry{
		OutsideIpAddress: new(t.outside.String()), Status: new(ec2.TelemetryStatusDOWN), StatusMessage: new("IPSEC IS DOWN"),
		AcceptedRouteCount: new(int32(0)), LastStatusChange: new(ec2.TimestampOf(t.changed)),
	}
	if !t.up {
		return s
	}
	s.Status, s.StatusMessage = new(ec2.TelemetryStatusUP), new("")
	if v.static {
		s.AcceptedRouteCount = new(int32(len(v.routes)))
	} else {
		routes := max(len(t.announced), t.accepted) // a description may count more than its routes tell
		s.AcceptedRouteCount, s.StatusMessage = new(int32(routes)), new(strconv.Itoa(routes)+" BGP ROUTES")
	}
	return s
}

// Since returns when a tunnel, 0 or 1, last went up or down.
func (v *Connection) Since(i int) time.Time {
	var at time.Time
	v.Region().View(func(*vpc.Tx) { at = v.tunnels[i&1].changed })
	return at
}
