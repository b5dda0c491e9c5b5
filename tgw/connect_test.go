package tgw_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/eni"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/remote"
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
	"github.com/vpcsim/vpcsim/wire"
)

var (
	branches  = remote.Announcement{Prefix: netip.MustParsePrefix("172.16.0.0/12")}
	branchPC  = netip.MustParseAddr("172.16.0.9")
	greBlock  = netip.MustParsePrefix("192.0.2.0/24")
	elsewhere = netip.MustParseAddr("10.2.0.200") // of b's VPC, and nobody's
)

// newConnect is a pair of branches whose gateway has a Connect attachment over b's.
func newConnect(t *testing.T) (n *net, a, b *branch, x *tgw.Connect) {
	t.Helper()
	n = newNet(t, tgw.Config{CIDRs: []netip.Prefix{greBlock}})
	a, b = n.branch("a", "10.1"), n.branch("b", "10.2")
	x, err := n.g.AttachConnect(b.attach, tgw.ConnectConfig{Name: "sd-wan"})
	n.must(err)
	return n, a, b, x
}

func (n *net) peer(x *tgw.Connect, name string, at netip.Addr) *tgw.ConnectPeer {
	n.t.Helper()
	p, err := x.CreatePeer(tgw.ConnectPeerConfig{Name: name, Address: at})
	n.must(err, p.Announce(branches))
	return p
}

func TestConnectAttachments(t *testing.T) {
	n, a, b, x := newConnect(t)
	a.host.Ping(branchPC).Dropped(t, trace.TransitNoRoute)
	p := n.peer(x, "router", elsewhere)
	o := a.host.Ping(branchPC)
	o.Dropped(t, trace.Unmodelled)
	require.Contains(t, o.Walks.String(), "router")
	site, err := n.Behind("branches", x)
	n.must(err)
	desk, err := n.At(site, host.Config{Name: "desk"}, branchPC)
	n.must(err)
	a.host.Ping(branchPC).OK(t)
	require.Equal(t, 1, desk.Ping(a.host.Addr, host.PingConfig{Count: 1}).Received)
	s := tgw.DescribeAttachments(n.Region).TransitGatewayAttachments[2]
	require.Equal(t, ec2.TransitGatewayAttachmentResourceTypeConnect, *s.ResourceType)
	require.Equal(t, b.attach.ID(), *s.ResourceId)

	n.must(p.SetUp(false))
	require.Equal(t, ec2.BgpStatusDown, *tgw.DescribeConnectPeers(n.Region).TransitGatewayConnectPeers[0].ConnectPeerConfiguration.BgpConfigurations[1].BgpStatus)
	a.host.Ping(branchPC).Dropped(t, trace.TransitNoRoute)
	n.must(n.table().CreateRoute("172.16.0.0/12", n.g.Linked(x)))
	a.host.Ping(branchPC).Dropped(t, trace.TransitBlackhole)
	n.must(p.SetUp(true))
	a.host.Ping(branchPC).OK(t)

	n.must(b.attach.Delete()) // the transport
	a.host.Ping(branchPC).Dropped(t, trace.TransitBlackhole)
	n.must(x.Delete())
	a.host.Ping(branchPC).Dropped(t, trace.TransitBlackhole)
	require.False(t, p.Exists())
}

// router is an appliance's guest: a ping that comes to it in GRE it answers for its
// branches, inside GRE too.
type router struct {
	*vpctest.Host
	port *eni.Port
	mac  wire.MAC
	via  wire.MAC
	from wire.Addr // what its tunnel is from, in the place of its own address
	last wire.Flow // inside
}

func (n *net) router(b *branch) *router {
	n.t.Helper()
	r := &router{Host: b.subnet.Host("router of " + b.name)}
	live := n.World.World.Live(n.region)
	i := live.Interface(r.Interface)
	r.port, r.mac, r.via = live.Port(r.Interface), i.MAC, i.Segment.Router
	r.port.Plug(r)
	return r
}

// Frame answers.
func (r *router) Frame(frame []byte) trace.Reason {
	var p, inside wire.Packet
	if p.Read(wire.Ethernet(frame).Payload()) != nil || p.Flow.Proto != wire.ProtoGRE {
		return trace.NoListener
	}
	g := wire.GRE(p.Transport())
	if g.Check() != nil || inside.Read(g.Payload()) != nil {
		return trace.Malformed
	}
	r.last = inside.Flow
	m := wire.ICMP(inside.Transport())
	reply := wire.AppendICMP(nil, wire.Header{Src: r.last.Dst, Dst: r.last.Src, TTL: 64}, 0, 0, m.Rest(), m.Payload())
	h := wire.Header{Src: p.Flow.Dst, Dst: p.Flow.Src, TTL: 64, Proto: wire.ProtoGRE}
	if r.from != (wire.Addr{}) {
		h.Src = r.from
	}
	out := make([]byte, wire.EthernetLen)
	wire.PutEthernet(out, r.via, r.mac, wire.EtherTypeIPv4)
	r.port.Send(wire.AppendIP(out, h, wire.AppendGRE(nil, wire.EtherTypeIPv4, reply)))
	return trace.Forwarded
}

func TestConnectPeersGetGRE(t *testing.T) {
	n, a, b, x := newConnect(t)
	r := n.router(b)
	p := n.peer(x, "peer", r.Addr)
	require.Equal(t, "192.0.2.1", p.Address().String())
	o := a.host.Ping(branchPC)
	o.OK(t)
	require.Equal(t, branchPC.String(), r.last.Dst.String())
	story(t, "connect.txt", o.Walks.String())

	// GRE from another address than the peer's is traffic of the transport, whose table has
	// no route to the gateway's own address.
	r.from = wire.AddrFrom(elsewhere)
	n.must(r.Interface.SetSourceDestCheck(false))
	a.host.Ping(branchPC).Dropped(t, trace.TransitNoRoute)
	r.from = wire.Addr{}

	// Without an association of its own what comes out of the tunnel goes nowhere.
	n.must(n.table().Disassociate(n.g.Linked(x)))
	a.host.Ping(branchPC).Dropped(t, trace.TransitUnassociated)
	n.must(n.table().Associate(n.g.Linked(x)), p.Delete())
	a.host.Ping(branchPC).Dropped(t, trace.TransitNoRoute)
}

func TestTheAppliancesGroupSeesGRE(t *testing.T) {
	n, a, b, x := newConnect(t)
	r := n.router(b)
	n.peer(x, "peer", r.Addr)
	n.must(b.DefaultSecurityGroup().RevokeIngress(vpc.AllTraffic("0.0.0.0/0")))
	a.host.Ping(branchPC).Dropped(t, trace.GroupIngress)
	n.must(b.DefaultSecurityGroup().AuthorizeIngress(vpc.Permission{Protocol: int(wire.ProtoGRE), CIDR: greBlock}))
	a.host.Ping(branchPC).OK(t)
}

func TestFlowsAreSpreadOverConnectPeers(t *testing.T) {
	n, a, b, x := newConnect(t)
	one, two := n.router(b), n.router(b)
	n.peer(x, "one", one.Addr)
	n.peer(x, "two", two.Addr)
	for i := range 64 {
		a.host.Ping(netip.AddrFrom4([4]byte{172, 16, 1, byte(i)})).OK(t)
	}
	require.NotEqual(t, wire.Flow{}, one.last)
	require.NotEqual(t, wire.Flow{}, two.last)
}

func TestConnectPeersAreRefused(t *testing.T) {
	n, _, b, x := newConnect(t)
	refused := func(want string, c tgw.ConnectPeerConfig) {
		t.Helper()
		_, err := x.CreatePeer(c)
		require.EqualError(t, err, want)
	}
	at := elsewhere
	_, err := n.g.AttachConnect(n.g.Linked(x), tgw.ConnectConfig{})
	require.EqualError(t, err, "InvalidParameterValue: "+x.ID()+" can't be the transport of a Connect attachment.")
	_, err = n.g.AttachConnect(nil, tgw.ConnectConfig{})
	require.EqualError(t, err, "MissingParameter: The request must contain the parameter transportTransitGatewayAttachmentId")
	refused("InvalidParameterValue: Value (invalid IP) for parameter peerAddress is invalid.", tgw.ConnectPeerConfig{})
	refused("InvalidParameterValue: "+n.g.ID()+" has no CIDR block with a free address for a Connect peer.", tgw.ConnectPeerConfig{Address: netip.MustParseAddr("2001:db8::1")})
	refused("InvalidParameterValue: 198.51.100.1 lies in no CIDR block of "+n.g.ID()+".", tgw.ConnectPeerConfig{Address: at, GatewayAddress: netip.MustParseAddr("198.51.100.1")})
	refused("InvalidParameterValue: The addresses 192.0.2.1 and 2001:db8::1 of a Connect peer are of different families.",
		tgw.ConnectPeerConfig{Address: netip.MustParseAddr("2001:db8::1"), GatewayAddress: netip.MustParseAddr("192.0.2.1")})
	refused("InvalidParameterValue: Value (10.0.0.0/29) for parameter insideCidrBlocks is invalid.", tgw.ConnectPeerConfig{Address: at, Inside: netip.MustParsePrefix("10.0.0.0/29")})
	first, err := x.CreatePeer(tgw.ConnectPeerConfig{Address: at, Inside: netip.MustParsePrefix("169.254.6.0/29")})
	n.must(err)
	refused("InvalidParameterValue: The addresses 192.0.2.1 and 10.2.0.200 are those of another Connect peer.", tgw.ConnectPeerConfig{Address: at, GatewayAddress: first.Address()})
	refused("InvalidParameterValue: Value (169.254.6.0/29) for parameter insideCidrBlocks is invalid.", tgw.ConnectPeerConfig{Address: at, Inside: netip.MustParsePrefix("169.254.6.0/29")})
	for range 3 {
		at = at.Next()
		_, err := x.CreatePeer(tgw.ConnectPeerConfig{Address: at})
		n.must(err)
	}
	refused("TransitGatewayConnectPeerLimitExceeded: The maximum number of 4 Connect peers for "+x.ID()+" has been reached.", tgw.ConnectPeerConfig{Address: at.Next()})
	require.EqualError(t, n.g.Linked(x).Delete(), "IncorrectState: "+x.ID()+" is in invalid state")
	_, err = tgw.Create(n.Region, tgw.Config{CIDRs: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/28")}})
	require.EqualError(t, err, "InvalidParameterValue: Value (10.0.0.0/28) for parameter transitGatewayCidrBlocks is invalid. This is not a valid CIDR block.")
	require.Equal(t, b.attach.ID(), *tgw.DescribeConnects(n.Region).TransitGatewayConnects[0].TransportTransitGatewayAttachmentId)
}

func TestAConnectPeerOfADescriptionIsBroughtUpAndDown(t *testing.T) {
	n, a, b, x := newConnect(t)
	r := n.router(b)
	restore := func(id string, state ec2.TransitGatewayConnectPeerState) *tgw.ConnectPeer {
		var p *tgw.ConnectPeer
		n.must(n.Region.Change(func(tx *vpc.Tx) (err error) {
			p, err = tgw.RestoreConnectPeer(tx, ec2.TransitGatewayConnectPeer{
				TransitGatewayConnectPeerId: new(id), TransitGatewayAttachmentId: new(x.ID()), State: new(state),
				ConnectPeerConfiguration: &ec2.TransitGatewayConnectPeerConfiguration{TransitGatewayAddress: new("192.0.2.9"), PeerAddress: new(r.Addr.String())},
			})
			return err
		}))
		n.must(p.Announce(branches))
		return p
	}
	p := restore("tgw-connect-peer-0a", ec2.TransitGatewayConnectPeerStateAvailable)
	a.host.Ping(branchPC).OK(t)
	n.must(p.SetUp(false)) // nobody tells of its sessions
	a.host.Ping(branchPC).Dropped(t, trace.TransitNoRoute)
	n.must(p.SetUp(true))
	a.host.Ping(branchPC).OK(t)
	n.must(p.Delete())

	p = restore("tgw-connect-peer-0b", ec2.TransitGatewayConnectPeerStatePending)
	a.host.Ping(branchPC).Dropped(t, trace.TransitNoRoute)
	n.must(p.SetUp(true))
	a.host.Ping(branchPC).OK(t)
	n.must(p.Delete())

	p = restore("tgw-connect-peer-0c", ec2.TransitGatewayConnectPeerStateDeleting)
	require.EqualError(t, p.SetUp(true), "IncorrectState: tgw-connect-peer-0c is in invalid state")
	a.host.Ping(branchPC).Dropped(t, trace.TransitNoRoute)
}

func TestATunnelIsOnePeersOfATransport(t *testing.T) {
	n, a, b, x := newConnect(t)
	second, err := n.g.AttachConnect(b.attach, tgw.ConnectConfig{})
	n.must(err)
	other, err := n.g.AttachConnect(a.attach, tgw.ConnectConfig{})
	n.must(err)
	p := n.peer(x, "peer", elsewhere)
	same := tgw.ConnectPeerConfig{Address: elsewhere, GatewayAddress: p.Address()}
	_, err = second.CreatePeer(same)
	require.EqualError(t, err, "InvalidParameterValue: The addresses 192.0.2.1 and 10.2.0.200 are those of another Connect peer.")
	_, err = other.CreatePeer(same)
	n.must(err)
	_, err = second.CreatePeer(tgw.ConnectPeerConfig{Address: elsewhere.Next(), GatewayAddress: p.Address()})
	n.must(err)
}

func TestInsideCIDRsThatAWSReserves(t *testing.T) {
	_, _, _, x := newConnect(t)
	for _, inside := range []string{"169.254.0.0/29", "169.254.1.0/29", "169.254.2.0/29", "169.254.3.0/29", "169.254.4.0/29", "169.254.5.0/29", "169.254.5.3/29", "169.254.169.248/29"} {
		_, err := x.CreatePeer(tgw.ConnectPeerConfig{Address: elsewhere, Inside: netip.MustParsePrefix(inside)})
		require.EqualError(t, err, "InvalidParameterValue: Value ("+inside+") for parameter insideCidrBlocks is invalid.")
	}
	for i, inside := range []string{"169.254.0.8/29", "169.254.6.0/29", "169.254.169.240/29"} {
		_, err := x.CreatePeer(tgw.ConnectPeerConfig{Address: netip.AddrFrom4([4]byte{10, 2, 0, byte(i + 1)}), Inside: netip.MustParsePrefix(inside)})
		require.NoError(t, err, inside)
	}
}
