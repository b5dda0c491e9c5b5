package vpn

import (
	"cmp"
	"encoding/xml"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/remote"
	"github.com/vpcsim/vpcsim/vpc"
)

// RestoreCustomerGateway makes a customer gateway as described. See the Restore methods
// of [vpc.Tx].
func RestoreCustomerGateway(tx *vpc.Tx, s ec2.CustomerGateway) (*CustomerGateway, error) {
	b, err := tx.RestoreBase("CustomerGatewayId", s.CustomerGatewayId, nil, s.Tags)
	if err != nil {
		return nil, err
	}
	g := &CustomerGateway{Base: b, asn: DefaultASN, device: ec2.Value(s.DeviceName)}
	if text := cmp.Or(ec2.Value(s.BgpAsnExtended), ec2.Value(s.BgpAsn)); text != "" {
		if g.asn, err = strconv.ParseInt(text, 10, 64); err != nil {
			return nil, &vpc.ShapeError{Field: "BgpAsn", Value: text, Want: "an autonomous system number"}
		}
	}
	if s.IpAddress != nil { // a gateway with a certificate may have none
		if g.ip, err = netip.ParseAddr(*s.IpAddress); err != nil {
			return nil, &vpc.ShapeError{Field: "IpAddress", Value: *s.IpAddress, Want: "an IP address"}
		}
	}
	tx.Add(g)
	return g, nil
}

// Restore makes a connection as described, after its gateways: tunnels are up where the
// telemetry says so, and what BGP announced is told by the routes that it propagated
// ([Connection.Learn]). A transit gateway's attachment is restored after it, by itself.
// The site is not modelled until [Connection.Connect]. See the Restore
// methods of [vpc.Tx].
func Restore(tx *vpc.Tx, s ec2.VpnConnection) (*Connection, error) {
	customer, err := vpc.Named[*CustomerGateway](tx, "CustomerGatewayId", s.CustomerGatewayId)
	if err != nil {
		return nil, err
	}
	field, id := "VpnGatewayId", s.VpnGatewayId
	if ec2.Value(s.TransitGatewayId) != "" {
		field, id = "TransitGatewayId", s.TransitGatewayId
	}
	gateway, err := vpc.Named[remote.Gateway](tx, field, id)
	if err != nil {
		return nil, err
	}
	b, err := tx.RestoreBase("VpnConnectionId", s.VpnConnectionId, nil, s.Tags)
	if err != nil {
		return nil, err
	}
	v := &Connection{Base: b, customer: customer, gateway: gateway, created: tx.RestoreTime(nil)}
	v.newTunnels(tx, [2]netip.Prefix{})
	if err := v.restoreOptions(s.Options); err != nil {
		return nil, err
	}
	for i := range s.Routes {
		dst, err := netip.ParsePrefix(ec2.Value(s.Routes[i].DestinationCidrBlock))
		if err != nil {
			return nil, &vpc.ShapeError{Field: fmt.Sprintf("Routes[%d].DestinationCidrBlock", i), Value: ec2.Value(s.Routes[i].DestinationCidrBlock), Want: "a CIDR"}
		}
		if ec2.Value(s.Routes[i].State) != ec2.VpnStateDeleted {
			v.routes = append(v.routes, dst.Masked())
		}
	}
	told := v.readConfiguration(ec2.Value(s.CustomerGatewayConfiguration))
	if err := v.restoreTunnels(tx, &s); err != nil {
		return nil, err
	}
	tx.Add(v)
	if v.transit() {
		return v, told // its attachment is described by itself
	}
	return v, errors.Join(told, gateway.Link(tx, v))
}

// restoreOptions takes what the options say of all tunnels.
func (v *Connection) restoreOptions(o *ec2.VpnConnectionOptions) error {
	if o == nil {
		return nil
	}
	v.static = ec2.Value(o.StaticRoutesOnly)
	for _, m := range []struct {
		field string
		text  *string
		to    *netip.Prefix
	}{{"LocalIpv4NetworkCidr", o.LocalIpv4NetworkCidr, &v.local}, {"RemoteIpv4NetworkCidr", o.RemoteIpv4NetworkCidr, &v.remote}} {
		if m.text == nil {
			continue
		}
		p, err := netip.ParsePrefix(*m.text)
		if err != nil || !p.Addr().Is4() {
			return &vpc.ShapeError{Field: "Options." + m.field, Value: *m.text, Want: "an IPv4 CIDR"}
		}
		*m.to = p.Masked()
	}
	return nil
}

// readConfiguration takes addresses and keys of the tunnels from the XML for the
// customer's device, where descriptions without TunnelOptions tell them. XML that can't
// be read is told.
func (v *Connection) readConfiguration(text string) error {
	if text == "" {
		return nil
	}
	var c struct {
		Tunnels []both `xml:"ipsec_tunnel"`
	}
	if err := xml.Unmarshal([]byte(text), &c); err != nil {
		return &vpc.ShapeError{Field: "CustomerGatewayConfiguration", Value: err.Error(), Want: "XML of a VPN connection", Absent: true}
	}
	for i, o := range c.Tunnels[:min(2, len(c.Tunnels))] {
		t := &v.tunnels[i]
		t.key = cmp.Or(o.IKE.Key, t.key)
		if a, err := netip.ParseAddr(o.Gateway.Outside.Address); err == nil {
			t.outside = a
		}
		if a, err := netip.ParseAddr(o.Gateway.Inside.Address); err == nil {
			if p := netip.PrefixFrom(a, o.Gateway.Inside.Bits); p.IsValid() {
				t.inside = p.Masked()
			}
		}
	}
	return nil
}

// restoreTunnels takes addresses and keys from the options, states from the telemetry,
// which names tunnels by Amazon's outside address. Without any nobody knows whether they
// are up.
func (v *Connection) restoreTunnels(tx *vpc.Tx, s *ec2.VpnConnection) error {
	if s.Options != nil {
		for i, o := range s.Options.TunnelOptions[:min(2, len(s.Options.TunnelOptions))] {
			t := &v.tunnels[i]
			t.key = cmp.Or(ec2.Value(o.PreSharedKey), t.key)
			if a, err := netip.ParseAddr(ec2.Value(o.OutsideIpAddress)); err == nil {
				t.outside = a
			}
			if p, err := netip.ParsePrefix(ec2.Value(o.TunnelInsideCidr)); err == nil {
				t.inside = p
			}
		}
	}
	if v.untold = len(s.VgwTelemetry) == 0; v.untold {
		v.tunnels[0].up, v.tunnels[1].up = true, true
	}
	for i, o := range s.VgwTelemetry[:min(2, len(s.VgwTelemetry))] {
		a, err := netip.ParseAddr(ec2.Value(o.OutsideIpAddress))
		if err != nil {
			return &vpc.ShapeError{Field: fmt.Sprintf("VgwTelemetry[%d].OutsideIpAddress", i), Value: ec2.Value(o.OutsideIpAddress), Want: "an IP address"}
		}
		if k := slices.IndexFunc(v.tunnels[:], func(t tunnel) bool { return t.outside == a }); k >= 0 {
			i = k
		}
		t := &v.tunnels[i]
		t.outside, t.up = a, ec2.Value(o.Status) == ec2.TelemetryStatusUP
		t.changed, t.accepted = tx.RestoreTime(o.LastStatusChange), int(ec2.Value(o.AcceptedRouteCount))
	}
	return nil
}

// Learns reports whether BGP announces: of a connection without static routes, by a tunnel
// that is up.
func (v *Connection) Learns(tx *vpc.Tx) bool { return !v.static && len(v.Ways(tx)) > 0 }

// Learn has BGP announce a prefix by each tunnel that is up, unless it does or the
// prefix is a static route: what a propagated route tells of a restored connection.
func (v *Connection) Learn(_ *vpc.Tx, dst netip.Prefix) {
	if v.static || !dst.IsValid() {
		return
	}
	for i := range v.tunnels {
		t := &v.tunnels[i]
		if t.up && !slices.ContainsFunc(t.announced, func(a remote.Announcement) bool { return a.Prefix == dst }) {
			t.announced = append(slices.Clone(t.announced), remote.Announcement{Prefix: dst})
		}
	}
}
