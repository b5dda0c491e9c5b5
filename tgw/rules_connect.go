package tgw

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/vpcsim/vpcsim/vpc"
)

// mostPeers is the quota of Connect peers an attachment (Transit Gateway guide, "Quotas").
const mostPeers = 4

var linkLocal = netip.MustParsePrefix("169.254.0.0/16")

// checkPeer refuses a peer one too many, without an address, of another family than the
// gateway's end, whose end lies in no CIDR block of the gateway, whose two ends are those of
// another over the same transport, which could not be told apart, and inside CIDRs that are
// none, reserved or a peer's already (EC2 API, CreateTransitGatewayConnectPeer;
// Transit Gateway guide, "Connect attachments"; all sentences are inferred). It fills in what is not given.
func (x *Connect) checkPeer(tx *vpc.Tx, c *ConnectPeerConfig) error {
	refuse := func(format string, args ...any) error { return vpc.Refuse("InvalidParameterValue", format, args...) }
	used, inside, same := map[netip.Addr]bool{}, map[netip.Prefix]bool{}, map[[2]netip.Addr]bool{}
	for _, p := range vpc.Resources[*ConnectPeer](tx) {
		if p.connect.gateway == x.gateway {
			used[p.own] = true
			for _, i := range p.inside {
				inside[i] = true
			}
		}
		if p.connect.transport == x.transport {
			same[[2]netip.Addr{p.own, p.peer}] = true
		}
	}
	if !c.GatewayAddress.IsValid() {
		c.GatewayAddress = x.gateway.freeAddress(c.Address, used)
	}
	if !c.Inside.IsValid() {
		for block := 6 << 5; !c.Inside.IsValid() || inside[c.Inside] || reserved(c.Inside); block++ {
			c.Inside = netip.PrefixFrom(netip.AddrFrom4([4]byte{169, 254, byte(block >> 5), byte(block << 3)}), 29)
		}
	}
	c.ASN = cmp.Or(c.ASN, x.gateway.asn)
	switch {
	case len(x.peers) >= mostPeers:
		return vpc.Refuse("TransitGatewayConnectPeerLimitExceeded", "The maximum number of %d Connect peers for %s has been reached.", mostPeers, x.ID())
	case !c.Address.IsValid() || c.Address.Is4In6():
		return refuse("Value (%s) for parameter peerAddress is invalid.", c.Address)
	case !c.GatewayAddress.IsValid():
		return refuse("%s has no CIDR block with a free address for a Connect peer.", x.gateway.ID())
	case c.GatewayAddress.Is4() != c.Address.Is4():
		return refuse("The addresses %s and %s of a Connect peer are of different families.", c.GatewayAddress, c.Address)
	case !slices.ContainsFunc(x.gateway.cidrs, func(p netip.Prefix) bool { return p.Contains(c.GatewayAddress) }):
		return refuse("%s lies in no CIDR block of %s.", c.GatewayAddress, x.gateway.ID())
	case same[[2]netip.Addr{c.GatewayAddress, c.Address}]:
		return refuse("The addresses %s and %s are those of another Connect peer.", c.GatewayAddress, c.Address)
	case c.Inside.Bits() != 29 || !linkLocal.Contains(c.Inside.Addr()) || reserved(c.Inside.Masked()) || inside[c.Inside.Masked()]:
		return refuse("Value (%s) for parameter insideCidrBlocks is invalid.", c.Inside)
	}
	return nil
}

// reserved reports whether AWS keeps an inside CIDR for itself (Transit Gateway guide,
// "Connect peers": 169.254.0.0/29 to 169.254.5.0/29, and 169.254.169.248/29).
func reserved(inside netip.Prefix) bool {
	a := inside.Addr().As4()
	return a[3] == 0 && a[2] <= 5 || a[2] == 169 && a[3] == 248
}

// freeAddress returns the first address of the gateway's CIDR blocks, of like's family, that
// no peer has; invalid where there is none. The blocks' own addresses are left out.
func (g *TransitGateway) freeAddress(like netip.Addr, used map[netip.Addr]bool) netip.Addr {
	for _, p := range g.cidrs {
		if p.Addr().Is4() != like.Is4() {
			continue
		}
		for a, n := p.Addr().Next(), 0; p.Contains(a) && n < 1<<12; a, n = a.Next(), n+1 {
			if !used[a] {
				return a
			}
		}
	}
	return netip.Addr{}
}

// checkCIDRs refuses CIDR blocks of a gateway that are none, or longer than /24 or /64, or
// in 169.254.0.0/16 (Transit Gateway guide, "Transit gateway CIDR blocks"; the sentence is
// inferred).
func checkCIDRs(blocks []netip.Prefix) ([]netip.Prefix, error) {
	var list []netip.Prefix
	for _, p := range blocks {
		if !p.IsValid() || p.Addr().Is4In6() || p.Addr().Is4() && (p.Bits() > 24 || linkLocal.Overlaps(p)) || p.Addr().Is6() && p.Bits() > 64 {
			return nil, vpc.Refuse("InvalidParameterValue", "Value (%s) for parameter transitGatewayCidrBlocks is invalid. This is not a valid CIDR block.", p)
		}
		list = append(list, p.Masked())
	}
	return list, nil
}
