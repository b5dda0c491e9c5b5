package vpn

import (
	"net/netip"
	"slices"
	"time"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/eni"
	"github.com/vpcsim/vpcsim/remote"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// EndAt has the connection's tunnels end at an interface that has the customer gateway's
// address: the customer's device is an instance, in a region of the same world. Its guest
// gets what comes out of a tunnel past groups and source/dest check, which see IPsec
// alone. What it sends goes by the tunnel where AWS has told of a way to its destination,
// as BGP would and as an operator writes for static routes (inferred: no API tells what a
// guest encrypts), but for what is for the device's own VPC. The tunnels end there until
// EndAt is called again or the connection is deleted. An interface without the address is
// refused.
func (v *Connection) EndAt(n *vpc.NetworkInterface) error {
	if !hasPublic(n, v.customer.ip) {
		return vpc.Refuse("InvalidParameterValue", "The interface %s does not have the address %s of the customer gateway %s", n.ID(), v.customer.ip, v.customer.ID())
	}
	end := &customerEnd{id: v.ID(), region: v.Region().Name(), bgp: !v.static, nic: n}
	if err := n.Change(func(tx *vpc.Tx) error { // first: the interface may be gone
		tx.EndTunnel(n, end)
		return nil
	}); err != nil {
		return err
	}
	var before *customerEnd
	if err := v.Change(func(*vpc.Tx) error {
		if err := v.there(); err != nil {
			return err
		}
		before, v.end = v.end, end
		return nil
	}); err != nil {
		end.leave()
		return err
	}
	before.leave()
	return nil
}

// leave takes the end from its interface; the nil end is nowhere.
func (e *customerEnd) leave() {
	if e == nil {
		return
	}
	e.nic.Region().Change(func(tx *vpc.Tx) error {
		tx.DropTunnel(e.nic, e)
		return nil
	})
}

// Device returns the interface that the tunnels end at, nil where it is not known.
func (v *Connection) Device() *vpc.NetworkInterface {
	var n *vpc.NetworkInterface
	v.Region().View(func(*vpc.Tx) {
		if v.end != nil {
			n = v.end.nic
		}
	})
	return n
}

func hasPublic(n *vpc.NetworkInterface, public netip.Addr) bool {
	for _, a := range n.PrivateAddresses() {
		if a.Public.IsValid() && a.Public == public {
			return true
		}
	}
	return false
}

// customerEnd is the customer's end of a connection at an instance.
type customerEnd struct {
	id, region string // of the connection
	bgp        bool
	nic        *vpc.NetworkInterface
}

// endKey is by what the connection's end at the device is known to Amazon's.
func endKey(id string) string { return id + " customer" }

// CompileEnd makes the end at the interface.
func (e *customerEnd) CompileEnd(c *vpc.Compiler, i *eni.Interface) eni.Interceptor {
	out := &encryption{id: e.id, text: "IPsec of " + e.id, bgp: e.bgp, device: c.Unmodelled(e.nic), abroad: c.Abroad()}
	if e.region != e.nic.Region().Name() {
		out.latency = c.Latency().CrossRegion
	}
	for _, cidr := range c.CIDRsOf(e.nic.Subnet().VPC()) {
		out.own = append(out.own, wire.PrefixFrom(cidr))
	}
	c.EnterFromAbroad(endKey(e.id), &decryption{id: i.ID, name: i.Label + " out of " + e.id, guest: i.FromService(), latency: out.latency})
	return out
}

// encryption takes what the guest sends by the tunnels.
type encryption struct {
	id      string // the connection's
	text    string // for traces
	bgp     bool
	own     []wire.Prefix  // the device's VPC
	device  dataplane.Node // that nobody knows what it does
	abroad  func(id string) dataplane.Node
	latency time.Duration
}

// Intercept returns Amazon's end of the tunnel for what AWS has told the device of a way
// to. Where all that BGP tells of is a default route nobody knows whether the guest sends
// by the tunnel what is for the internet.
func (x *encryption) Intercept(c *dataplane.Context, p *wire.Packet) dataplane.Node {
	t, ok := x.abroad(x.id).(*tunnelIn)
	if !ok || !t.Takes(p.Flow.Dst) || !t.carries(p) {
		return nil
	}
	for _, cidr := range x.own {
		if cidr.Contains(p.Flow.Dst) {
			return nil
		}
	}
	if d, ok := t.to.(interface{ ByDefault(wire.Addr) bool }); ok && !p.Flow.Dst.Netip().IsPrivate() && d.ByDefault(p.Flow.Dst) {
		if x.bgp {
			return x.device
		}
		return nil
	}
	c.Latency += x.latency
	if c.Tracing() {
		c.Note(p, trace.Step{Act: trace.Routed, Match: x.text, MatchID: x.id})
	}
	return t
}

// Reaches reports whether AWS has told the device of a way to a.
func (x *encryption) Reaches(a wire.Addr) bool {
	t, ok := x.abroad(x.id).(*tunnelIn)
	return ok && t.Takes(a)
}

// decryption is where packets come out of a tunnel at the device.
type decryption struct {
	id, name string // the interface's
	guest    dataplane.Node
	latency  time.Duration
}

// Name returns the interface's name and the connection's id.
func (d *decryption) Name() string { return d.name }

// Resource returns the interface's id.
func (d *decryption) Resource() string { return d.id }

// Forward hands the packet to the guest.
func (d *decryption) Forward(c *dataplane.Context, _ *wire.Packet) dataplane.Next {
	c.Latency += d.latency
	return dataplane.To(d.guest)
}

// Join has the connections end at the instances that have their customer gateways'
// addresses, in whatever region. It returns those that what BGP announces was inferred
// for: files may not tell it, and a device that announces as many prefixes as its VPC has
// CIDRs is taken to announce these. The regions must not be used meanwhile.
func Join(regions ...*vpc.Region) (inferred []*Connection) {
	var all []*Connection
	for _, r := range regions {
		r.View(func(tx *vpc.Tx) { all = append(all, vpc.Gateways[*Connection](tx)...) })
	}
	if len(all) == 0 {
		return nil
	}
	at := map[netip.Addr]*vpc.NetworkInterface{}
	for _, r := range regions {
		var nics []*vpc.NetworkInterface
		r.View(func(tx *vpc.Tx) { nics = vpc.Resources[*vpc.NetworkInterface](tx) })
		for _, n := range nics {
			if n.Type() != vpc.InterfaceUser {
				continue
			}
			for _, a := range n.PrivateAddresses() {
				if a.Public.IsValid() {
					at[a.Public] = n
				}
			}
		}
	}
	for _, v := range all {
		n := at[v.customer.ip]
		if n == nil || !v.ended.IsZero() || v.EndAt(n) != nil {
			continue
		}
		if v.infer(n.Subnet().VPC().CIDRs()) {
			inferred = append(inferred, v)
		}
	}
	return inferred
}

// infer has the tunnels announce what lies in the device's own CIDRs: of what propagated
// routes tell without saying by which connection, else these CIDRs, where as many
// announcements are all that is known.
func (v *Connection) infer(cidrs []netip.Prefix) (done bool) {
	v.Change(func(tx *vpc.Tx) error {
		own := cidrs
		if g, ok := v.gateway.(interface {
			LearnedAside(*vpc.Tx) []netip.Prefix
		}); ok {
			if list := within(g.LearnedAside(tx), cidrs); len(list) > 0 {
				own = list
			}
		}
		for i := range v.tunnels {
			t := &v.tunnels[i]
			if v.static || !t.up || len(t.announced) > 0 || t.accepted != len(own) {
				continue
			}
			for _, p := range own {
				t.announced = append(t.announced, remote.Announcement{Prefix: p})
			}
			done = true
		}
		return nil
	})
	return done
}

// within returns the prefixes that lie in one of the CIDRs.
func within(list, cidrs []netip.Prefix) []netip.Prefix {
	var in []netip.Prefix
	for _, p := range list {
		if slices.ContainsFunc(cidrs, func(c netip.Prefix) bool { return c.Bits() <= p.Bits() && c.Contains(p.Addr()) }) {
			in = append(in, p)
		}
	}
	return in
}

// Untold reports whether BGP has announced more than is known.
func (v *Connection) Untold(*vpc.Tx) bool {
	for i := range v.tunnels {
		if t := &v.tunnels[i]; !v.static && t.up && len(t.announced) < t.accepted {
			return true
		}
	}
	return false
}

// selects reports whether the addresses lie in the networks that the tunnels carry
// packets between, the customer's and AWS's (EC2 API, VpnConnectionOptions).
func (s *selectors) selects(customer, aws wire.Addr) bool {
	return s.local.Contains(customer) && s.remote.Contains(aws) || !customer.Is4()
}

// selectors are the networks at both ends; all addresses unless the options say
// otherwise.
type selectors struct{ local, remote wire.Prefix }

func (v *Connection) selectors() selectors {
	s := selectors{wire.PrefixFrom(everything), wire.PrefixFrom(everything)}
	if v.local.IsValid() {
		s.local = wire.PrefixFrom(v.local)
	}
	if v.remote.IsValid() {
		s.remote = wire.PrefixFrom(v.remote)
	}
	return s
}

var everything = netip.PrefixFrom(netip.IPv4Unspecified(), 0)

// carries reports whether the tunnel carries a packet of the customer's.
func (t *tunnelIn) carries(p *wire.Packet) bool { return t.selects(p.Flow.Src, p.Flow.Dst) }

// end returns where packets come out at the device, nil where none is known.
func (t *tunnelOut) end() dataplane.Node {
	if t.site != nil || t.abroad == nil {
		return t.site
	}
	return t.abroad(endKey(t.id))
}

// mute is the reason to end what goes by a tunnel of which no telemetry tells.
const mute = trace.Unmodelled
