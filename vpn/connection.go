package vpn

import (
	"net/netip"
	"slices"
	"time"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/remote"
	"github.com/vpcsim/vpcsim/vpc"
)

// Connection is a Site-to-Site VPN connection.
type Connection struct {
	vpc.Base
	customer *CustomerGateway
	gateway  remote.Gateway
	static   bool
	tunnels  [2]tunnel
	routes   []netip.Prefix // static ones
	site     dataplane.Node // what lies beyond, nil where it is not modelled
	end      *customerEnd   // the customer's, where it is an instance of the world
	local    netip.Prefix   // the customer's network in the tunnels, and AWS's;
	remote   netip.Prefix   // invalid is all addresses
	untold   bool           // no telemetry tells whether the tunnels are up
	created  time.Time
	ended    time.Time // zero until it is deleted
}

// tunnel is one of a connection's two.
type tunnel struct {
	outside   netip.Addr   // Amazon's end
	inside    netip.Prefix // /30; Amazon's end is its first host
	key       string       // pre-shared
	up        bool
	changed   time.Time
	announced []remote.Announcement
	accepted  int // how many announcements a description counts
}

// Config says how a connection is made.
type Config struct {
	// ID is the id to use; "" makes one.
	ID string
	// Name is the Name tag.
	Name string
	// Static has static routes say what lies beyond ([Connection.CreateRoute]); else the
	// site's BGP does ([Connection.Announce]).
	Static bool
	// Inside are the tunnels' inside CIDRs, /30 of 169.254.0.0/16; an invalid one is
	// chosen.
	Inside [2]netip.Prefix
}

// Create makes a connection of a customer gateway to a virtual private gateway or a
// transit gateway (CreateVpnConnection). Both tunnels are down until
// [Connection.SetTunnel]: it is the customer's side that brings them up.
func Create(customer *CustomerGateway, gateway remote.Gateway, c Config) (*Connection, error) {
	var v *Connection
	err := customer.Change(func(tx *vpc.Tx) error {
		if err := checkCreate(tx, gateway, c); err != nil {
			return err
		}
		b, err := tx.NewBase("vpn", c.ID, c.Name)
		if err != nil {
			return err
		}
		v = &Connection{Base: b, customer: customer, gateway: gateway, static: c.Static, created: tx.Region().Now()}
		v.newTunnels(tx, c.Inside)
		if err := gateway.Link(tx, v); err != nil {
			return err
		}
		tx.Add(v)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return v, nil
}

// newTunnels gives the tunnels addresses: outside ones of the documentation ranges
// (RFC 5737), inside ones of 169.254.0.0/16 that no other connection has.
func (v *Connection) newTunnels(tx *vpc.Tx, inside [2]netip.Prefix) {
	used := insides(tx, func(*Connection) bool { return true })
	for _, p := range inside {
		used[p.Masked()] = true
	}
	n := taken(tx)
	block := 2 * n
	for i := range v.tunnels {
		t := &v.tunnels[i]
		t.changed = tx.Region().Now()
		t.key = tx.NewSuffix() + tx.NewSuffix()
		t.outside = netip.AddrFrom4([4]byte{203, 0, 113, byte(1 + (2*n+i)%254)})
		if t.inside = inside[i].Masked(); t.inside.IsValid() {
			continue
		}
		for t.inside = insideAt(block); used[t.inside] || reserved(t.inside); t.inside = insideAt(block) {
			if block++; block > 2*n+1<<14 {
				break // all are in use: quotas end long before
			}
		}
		used[t.inside] = true
		block++
	}
}

// insideAt returns the inside CIDR of a number, from those that AWS does not keep.
func insideAt(block int) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{169, 254, byte(6 + block>>6), byte(block << 2)}), 30)
}

// insides are the inside CIDRs of the connections that are there and that of says.
func insides(tx *vpc.Tx, of func(*Connection) bool) map[netip.Prefix]bool {
	used := map[netip.Prefix]bool{}
	for _, o := range vpc.Gateways[*Connection](tx) {
		for i := range o.tunnels {
			if o.ended.IsZero() && of(o) {
				used[o.tunnels[i].inside] = true
			}
		}
	}
	return used
}

// Delete deletes the connection and its static routes (DeleteVpnConnection). Its tunnels
// end at no interface any more.
func (v *Connection) Delete() error {
	var end *customerEnd
	err := v.Change(func(tx *vpc.Tx) error {
		if err := v.there(); err != nil {
			return err
		}
		v.gateway.Unlink(tx, v)
		v.ended, v.routes = tx.Region().Now(), nil
		for i := range v.tunnels {
			v.tunnels[i].up, v.tunnels[i].announced = false, nil
		}
		end, v.end = v.end, nil
		return nil
	})
	end.leave() // the device may be in another region, which has a lock of its own
	return err
}

// CreateRoute adds a static route to a prefix of the site (CreateVpnConnectionRoute).
func (v *Connection) CreateRoute(destination string) error {
	return v.Change(func(tx *vpc.Tx) error {
		dst, err := v.checkRoute(destination)
		if err != nil {
			return err
		}
		if slices.Contains(v.routes, dst) {
			return nil
		}
		if err := tx.Within(vpc.QuotaVPNRoutes, len(v.routes), v.ID()); err != nil {
			return err
		}
		v.routes = append(slices.Clone(v.routes), dst)
		return nil
	})
}

// DeleteRoute deletes a static route (DeleteVpnConnectionRoute).
func (v *Connection) DeleteRoute(destination string) error {
	return v.Change(func(*vpc.Tx) error {
		dst, err := v.checkRoute(destination)
		if err != nil {
			return err
		}
		i := slices.Index(v.routes, dst)
		if i < 0 {
			return vpc.Refuse("InvalidRoute.NotFound", "The route %s does not exist in the VPN connection %s", dst, v.ID())
		}
		v.routes = slices.Delete(slices.Clone(v.routes), i, i+1)
		return nil
	})
}

// SetTunnel brings a tunnel up or down; i is 0 or 1. What BGP announced by a tunnel
// that is down is not known until it is up again. Another i is refused.
func (v *Connection) SetTunnel(i int, up bool) error {
	return v.onTunnel(i, func(tx *vpc.Tx, t *tunnel) error {
		if t.up != up {
			t.up, t.changed = up, tx.Region().Now()
		}
		return nil
	})
}

// Announce says what the site's BGP announces by a tunnel, in the place of what it did
// before; i is 0 or 1. A connection with static routes, and one that ends at a virtual
// private gateway and is told of IPv6, are refused.
func (v *Connection) Announce(i int, list ...remote.Announcement) error {
	return v.onTunnel(i, func(tx *vpc.Tx, t *tunnel) error {
		if v.static {
			return refuseStatic(v)
		}
		checked, err := remote.CheckAnnouncements(list, !v.six())
		if err != nil {
			return err
		}
		t.announced, t.accepted = checked, 0
		return nil
	})
}

func (v *Connection) onTunnel(i int, f func(tx *vpc.Tx, t *tunnel) error) error {
	return v.Change(func(tx *vpc.Tx) error {
		if err := v.there(); err != nil {
			return err
		}
		if i < 0 || i >= len(v.tunnels) {
			return vpc.Refuse("InvalidParameterValue", "The VPN connection %s has tunnels 0 and 1, not %d", v.ID(), i)
		}
		return f(tx, &v.tunnels[i])
	})
}

// Connect says what lies beyond: the node that takes the site's packets, nil for
// nothing that is modelled. Packets from it enter by [vpc.Snapshot.Outside] of the
// connection's id.
func (v *Connection) Connect(site dataplane.Node) error {
	return v.Change(func(*vpc.Tx) error {
		v.site = site
		return nil
	})
}

// Gateway returns the gateway that the connection ends at in AWS.
func (v *Connection) Gateway() remote.Gateway { return v.gateway }

// CustomerGateway returns the customer's end.
func (v *Connection) CustomerGateway() *CustomerGateway { return v.customer }

// Outside returns the address of Amazon's end of a tunnel, 0 or 1.
func (v *Connection) Outside(i int) netip.Addr { return v.tunnels[i&1].outside }

// Up reports whether a tunnel, 0 or 1, is up.
func (v *Connection) Up(i int) bool {
	var up bool
	v.Region().View(func(*vpc.Tx) { up = v.tunnels[i&1].up })
	return up
}

// Paths returns the static routes by every tunnel that is up, or once as down, or what
// was announced by the tunnels that are up.
func (v *Connection) Paths(tx *vpc.Tx) []remote.Path {
	var list []remote.Path
	ways := v.Ways(tx)
	for _, dst := range v.routes {
		p := remote.Path{Announcement: remote.Announcement{Prefix: dst}, Kind: remote.VPNStatic}
		if len(ways) == 0 {
			p.Down = true
			list = append(list, p)
		}
		for _, p.Via = range ways {
			list = append(list, p)
		}
	}
	for _, i := range ways {
		for _, a := range v.tunnels[i].announced {
			list = append(list, remote.Path{Announcement: a, Kind: remote.VPNBGP, Via: i})
		}
	}
	return list
}

// Ways returns the tunnels that are up.
func (v *Connection) Ways(*vpc.Tx) []int {
	var ways []int
	for i, t := range v.tunnels {
		if t.up {
			ways = append(ways, i)
		}
	}
	return ways
}

// Attaches says that it is a VPN that is attached.
func (v *Connection) Attaches() (ec2.TransitGatewayAttachmentResourceType, string) {
	return ec2.TransitGatewayAttachmentResourceTypeVpn, v.ID()
}

// Static reports whether static routes say what lies beyond.
func (v *Connection) Static() bool { return v.static }

// CheckRoute refuses every route of a VPC: its gateway is what routes name.
func (v *Connection) CheckRoute(*vpc.Tx, *vpc.RouteTable, netip.Prefix) error {
	return vpc.TargetNotFound(v.ID())
}

// Available reports that no route leads to a connection by itself.
func (v *Connection) Available(*vpc.Tx, *vpc.VPC) bool { return false }

// Compile makes nothing: the gateway asks for the connection's nodes.
func (v *Connection) Compile(*vpc.Compiler) {}
