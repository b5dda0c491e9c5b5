package vpn

import (
	"net/netip"
	"strings"

	"github.com/vpcsim/vpcsim/remote"
	"github.com/vpcsim/vpcsim/vpc"
)

// checkCustomer holds a customer gateway's address and number to what AWS takes (EC2
// API, CreateCustomerGateway; the sentences are inferred).
func checkCustomer(outside netip.Addr, asn int64) error {
	if !outside.Is4() || outside.IsPrivate() || outside.IsUnspecified() || outside.IsLoopback() || outside.IsMulticast() {
		return vpc.Refuse("InvalidParameterValue", "Value (%s) for parameter ipAddress is invalid. Invalid IPv4 address.", outside)
	}
	if asn < 1 || asn > 1<<32-1 {
		return vpc.Refuse("InvalidParameterValue", "Value (%d) for parameter bgpAsn is invalid. Invalid ASN.", asn)
	}
	return nil
}

// checkCreate refuses a gateway of another region, inside CIDRs that AWS reserves, that
// are none or that the gateway's connections have already, and what exceeds the quotas
// (Site-to-Site VPN guide, "Tunnel options", "Quotas"; the sentences are inferred).
func checkCreate(tx *vpc.Tx, g remote.Gateway, c Config) error {
	if err := tx.Needs("vpnGatewayId", g); err != nil {
		return err
	}
	used := insides(tx, func(o *Connection) bool { return o.gateway.ID() == g.ID() })
	for _, p := range c.Inside {
		if p == (netip.Prefix{}) {
			continue
		}
		if p.Bits() != 30 || !linkLocal.Contains(p.Addr()) || reserved(p.Masked()) || used[p.Masked()] {
			return vpc.Refuse("InvalidParameterValue", "Invalid value for parameter tunnelInsideCidr: %s", p)
		}
		used[p.Masked()] = true
	}
	all, same := 0, 0
	for _, o := range vpc.Gateways[*Connection](tx) {
		if o.ended.IsZero() {
			all++
			if o.gateway.ID() == g.ID() {
				same++
			}
		}
	}
	if err := tx.Within(vpc.QuotaVPNConnections, all, tx.Region().Name()); err != nil {
		return err
	}
	if isTransit(g) {
		return nil
	}
	return tx.Within(vpc.QuotaVPNConnectionsPerGateway, same, g.ID())
}

var linkLocal = netip.MustParsePrefix("169.254.0.0/16")

// reserved reports whether AWS keeps an inside CIDR for itself (Site-to-Site VPN guide,
// "Tunnel options").
func reserved(p netip.Prefix) bool {
	a := p.Addr().As4()
	return a[3] == 0 && a[2] <= 5 || a[2] == 169 && a[3] == 252
}

// taken counts the connections that were ever made, for addresses of a new one's tunnels.
func taken(tx *vpc.Tx) int { return len(vpc.Gateways[*Connection](tx)) }

// there refuses a connection that has been deleted (seen).
func (v *Connection) there() error {
	if !v.ended.IsZero() {
		return vpc.Refuse("InvalidVpnConnectionID.NotFound", "The vpnConnection ID '%s' does not exist", v.ID())
	}
	return nil
}

// checkRoute reads a static route's destination. Routes of a connection with BGP are
// refused (the sentence is inferred).
func (v *Connection) checkRoute(destination string) (netip.Prefix, error) {
	if err := v.there(); err != nil {
		return netip.Prefix{}, err
	}
	if !v.static {
		return netip.Prefix{}, vpc.Refuse("UnsupportedOperation", "Static routes are not supported for the VPN connection %s, which uses BGP.", v.ID())
	}
	dst, err := vpc.ParseCIDR(destination, "destinationCidrBlock")
	if err == nil && dst.Addr().Is6() && !v.six() {
		return dst, vpc.Refuse("InvalidParameterValue", "Value (%s) for parameter destinationCidrBlock is invalid. This is not a valid CIDR block.", destination)
	}
	return dst, err
}

func refuseStatic(v *Connection) error {
	return vpc.Refuse("UnsupportedOperation", "The VPN connection %s has static routes and no BGP session.", v.ID())
}

// transit reports whether the connection ends at a transit gateway.
func (v *Connection) transit() bool { return isTransit(v.gateway) }

func isTransit(g remote.Gateway) bool { return strings.HasPrefix(g.ID(), "tgw-") }

// six reports whether the connection carries IPv6: never to a virtual private gateway
// (Site-to-Site VPN guide, "Limitations").
func (v *Connection) six() bool { return v.transit() }
