package resolver_test

import (
	"net/http"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/alb"
	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/dns"
	"github.com/vpcsim/vpcsim/endpoint"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/peering"
	"github.com/vpcsim/vpcsim/rds"
	"github.com/vpcsim/vpcsim/resolver"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

func ip(s string) netip.Addr { return netip.MustParseAddr(s) }

// lab is a VPC with names, a host with a public address in it, one without, and one on the internet
// that asks a public name server.
type lab struct {
	*vpctest.World
	t         *testing.T
	v         *vpctest.VPC
	public    *vpctest.Subnet
	web, app  *vpctest.Host
	elsewhere *host.Host
}

func newLab(t *testing.T) *lab {
	w := vpctest.New(t)
	v := w.VPC("10.0.0.0/16")
	require.NoError(t, v.SetAttributes(vpc.VPCAttributes{EnableDNSSupport: true, EnableDNSHostnames: true}))
	l := &lab{World: w, t: t, v: v, public: v.Subnet("10.0.0.0/24")}
	l.public.Route("0.0.0.0/0", v.InternetGateway())
	l.web, l.app = l.public.PublicHost("web"), v.SubnetIn("us-east-1b", "10.0.1.0/24").Host("app")
	_, err := w.NameServer(host.Config{Name: "ns"}, ip("198.51.100.53"))
	require.NoError(t, err)
	l.elsewhere, err = w.World.OnInternet(host.Config{Name: "elsewhere"}, ip("198.51.100.9"))
	require.NoError(t, err)
	l.elsewhere.SetNameservers([]netip.Addr{ip("198.51.100.53")})
	return l
}

// resolves requires that a host gets these addresses for a name, in any order.
func (l *lab) resolves(h *host.Host, name string, want ...string) {
	l.t.Helper()
	got, err := h.Resolve(name)
	if len(want) == 0 {
		require.ErrorIs(l.t, err, host.ErrNoSuchHost, name)
		return
	}
	require.NoError(l.t, err, name)
	var all []string
	for _, a := range got {
		all = append(all, a.String())
	}
	slices.Sort(all)
	require.Equal(l.t, want, all, name)
}

func (l *lab) must(errs ...error) {
	l.t.Helper()
	for _, err := range errs {
		require.NoError(l.t, err)
	}
}

func TestNamesOfInstances(t *testing.T) {
	l := newLab(t)
	web, private, public := l.web, l.web.Addr.String(), l.web.PublicAddr()
	name := l.Region.PublicDNSName(public)
	require.Equal(t, "ec2-203-0-113-1.compute-1.amazonaws.com", name)
	l.resolves(l.app.Host, name, private)
	l.resolves(l.elsewhere, name, public.String())
	l.resolves(l.app.Host, "ip-10-0-0-4.ec2.internal", "10.0.0.4")
	l.resolves(l.app.Host, "ip-10-0-0-4", "10.0.0.4") // by the search list of DHCP
	l.resolves(l.app.Host, "IP-10-0-0-4.EC2.Internal.", "10.0.0.4")
	l.resolves(l.app.Host, "ip-10-9-0-4.ec2.internal")
	l.resolves(l.elsewhere, "ip-10-0-0-4.ec2.internal")
	l.resolves(l.app.Host, "ec2-198-51-100-99.compute-1.amazonaws.com")
	l.resolves(l.app.Host, "10.0.0.4", "10.0.0.4")

	t.Run("reverse", func(t *testing.T) {
		for a, want := range map[string]string{"10.0.1.55": "ip-10-0-1-55.ec2.internal", public.String(): name} {
			m, err := l.app.Query(dns.Reverse(ip(a)), dns.PTR)
			require.NoError(t, err)
			require.Equal(t, want, m.Answers[0].Target)
		}
		m, err := l.app.Query(dns.Reverse(ip("192.0.2.1")), dns.PTR)
		require.NoError(t, err)
		require.Equal(t, dns.NXDomain, m.Code)
		m, err = l.elsewhere.Query(dns.Reverse(ip("10.0.1.55")), dns.PTR)
		require.NoError(t, err)
		require.Equal(t, dns.NXDomain, m.Code)
	})
	t.Run("resource names, where the subnet has them", func(t *testing.T) {
		id := web.Instance.ID()
		l.resolves(l.app.Host, id+".ec2.internal")
		l.must(l.public.SetNames(vpc.SubnetNames{ResourceA: true}))
		l.resolves(l.app.Host, id+".ec2.internal", private)
	})
	t.Run("without host names there are no public names", func(t *testing.T) {
		l.must(l.v.SetAttributes(vpc.VPCAttributes{EnableDNSSupport: true}))
		l.resolves(l.app.Host, name)
		l.resolves(l.elsewhere, name)
	})
}

func TestTheResolverIsWhereTheVPCHasIt(t *testing.T) {
	l := newLab(t)
	ask := func(at string) error {
		_, err := l.app.QueryAt(ip(at), "ip-10-0-0-4.ec2.internal", dns.A)
		return err
	}
	l.must(ask("10.0.0.2"), ask("169.254.169.253"))
	require.Error(t, ask("10.0.1.2"), "base+2 of a subnet is no resolver")

	t.Run("C109 groups and ACLs that deny all do not filter it", func(t *testing.T) {
		l := newLab(t)
		g := l.app.Interface.Groups()[0]
		l.must(g.RevokeEgress(g.Egress()...), g.RevokeIngress(g.Ingress()...))
		acl, err := l.v.CreateNetworkACL(vpc.NetworkACLConfig{})
		l.must(err, l.app.Interface.Subnet().SetNetworkACL(acl))
		for _, at := range []string{"10.0.0.2", "169.254.169.253"} {
			m, err := l.app.QueryAt(ip(at), "ip-10-0-0-4.ec2.internal", dns.A)
			l.must(err)
			require.Equal(t, []netip.Addr{ip("10.0.0.4")}, m.Addrs(dns.A))
		}
	})
	t.Run("it answers no ping", func(t *testing.T) {
		l := newLab(t)
		l.app.Ping(ip("10.0.0.2")).Dropped(t, trace.NoListener)
	})
	t.Run("without DNS support it is not there", func(t *testing.T) {
		l := newLab(t)
		l.must(l.v.SetAttributes(vpc.VPCAttributes{}))
		_, err := l.app.Resolve("ip-10-0-0-4.ec2.internal")
		require.ErrorIs(t, err, host.ErrServerFailure)
		walks := l.Trace().Walks()
		require.Equal(t, trace.NoResolver, walks[len(walks)-1].End())
	})
	t.Run("a peer does not reach it", func(t *testing.T) {
		l := newLab(t)
		other := l.VPC("10.1.0.0/16")
		pcx, err := peering.Create(l.v.VPC, other.VPC, peering.Config{})
		l.must(err, pcx.Accept())
		s := other.Subnet("10.1.0.0/24")
		s.Route("10.0.0.0/16", pcx)
		h := s.Host("peer")
		_, err = h.QueryAt(ip("10.0.0.2"), "ip-10-0-0-4.ec2.internal", dns.A)
		require.Error(t, err)
		walks := l.Trace().Walks()
		require.Equal(t, trace.NoSuchAddress, walks[len(walks)-1].End())
	})
	t.Run("other option sets have other servers", func(t *testing.T) {
		l := newLab(t)
		d, err := l.Region.CreateDHCPOptions(vpc.DHCPOptionsConfig{Options: []vpc.DHCPOption{
			{Key: "domain-name-servers", Values: []string{"198.51.100.53", "AmazonProvidedDNS"}}, {Key: "domain-name", Values: []string{"example.com"}},
		}})
		l.must(err, l.v.SetDHCPOptions(d))
		require.Equal(t, []netip.Addr{ip("198.51.100.53"), ip("10.0.0.2")}, l.public.Host("new").Nameservers())
	})
}

func TestPeersNamesLeadToPrivateAddressesWhereTheyAreShared(t *testing.T) {
	l := newLab(t)
	other := l.VPC("10.1.0.0/16")
	peer := other.Subnet("10.1.0.0/24").Host("peer")
	pcx, err := peering.Create(l.v.VPC, other.VPC, peering.Config{})
	l.must(err)
	require.Equal(t, &vpc.Error{Code: "InvalidStateTransition", Message: "VpcPeeringConnectionID " + pcx.ID() + " is not in the correct state for the request."}, pcx.SetDNSResolution(l.v.VPC, true))
	l.must(pcx.Accept())
	name := l.Region.PublicDNSName(l.web.PublicAddr())
	l.resolves(peer.Host, name, l.web.PublicAddr().String())
	require.Equal(t, &vpc.Error{Code: "InvalidVpcPeeringConnectionState.DnsHostnamesDisabled", Message: "DNS hostnames are disabled for the VPC " + other.ID() + "."}, pcx.SetDNSResolution(other.VPC, true))
	l.must(pcx.SetDNSResolution(l.v.VPC, true))
	l.resolves(peer.Host, name, l.web.Addr.String())
	l.resolves(peer.Host, "ip-10-0-0-4.ec2.internal", "10.0.0.4")
	l.resolves(l.app.Host, "ip-10-1-0-4.ec2.internal")
	l.must(pcx.SetDNSResolution(l.v.VPC, false))
	l.resolves(peer.Host, name, l.web.PublicAddr().String())
}

func TestNamesOfServices(t *testing.T) {
	l := newLab(t)
	lb, err := alb.Create(l.Region, "web", balancer.Config{Subnets: []*vpc.Subnet{l.public.Subnet, l.app.Interface.Subnet()}})
	l.must(err)
	var nodes []string
	for _, n := range lb.Interfaces() {
		nodes = append(nodes, n.PrivateIP().String())
	}
	slices.Sort(nodes)
	l.resolves(l.app.Host, lb.DNSName(), nodes...)
	l.resolves(l.elsewhere, lb.DNSName(), nodes...) // of an internal one too (ALB guide)
	m, err := l.app.Query(lb.DNSName(), dns.A)
	l.must(err)
	require.Equal(t, uint32(60), m.Answers[0].TTL)
	first := m.Answers[0].Addr
	m, err = l.app.Query(lb.DNSName(), dns.A)
	l.must(err)
	require.NotEqual(t, first, m.Answers[0].Addr, "in turn")

	db, err := rds.Create(l.public.Subnet, "Orders", rds.Config{})
	l.must(err)
	l.resolves(l.app.Host, db.DNSName(), db.Interface().PrivateIP().String())

	e, err := endpoint.CreateInterface("com.amazonaws.us-east-1.ssm", []*vpc.Subnet{l.public.Subnet}, endpoint.Config{PrivateDNS: true})
	l.must(err)
	l.SetPublic("ssm.us-east-1.amazonaws.com", "198.51.100.200")
	private := e.Interfaces()[0].PrivateIP().String()
	l.resolves(l.app.Host, "ssm.us-east-1.amazonaws.com", private)
	l.resolves(l.elsewhere, "ssm.us-east-1.amazonaws.com", "198.51.100.200")
	l.resolves(l.elsewhere, e.Names()[0].Name, private)
}

// SetPublic gives a name of the internet an address.
func (l *lab) SetPublic(name, addr string) { l.Resolver.SetPublic(name, ip(addr)) }

func TestPrivateHostedZones(t *testing.T) {
	l := newLab(t)
	l.SetPublic("www.example.com", "198.51.100.200")
	l.SetPublic("api.example.com", "198.51.100.201")
	z, err := resolver.CreateHostedZone("example.com.", l.v.VPC)
	l.must(err, z.Set("www.example.com", 5*time.Minute, ip("10.0.0.80")), z.Set("*.dev.example.com", 0, ip("10.0.0.81")),
		z.SetAlias("app.example.com", 0, "www.example.com"), z.SetAlias("out.example.com", 0, "www.example.net"),
		z.SetAlias("loop.example.com", 0, "loop.example.com"))
	l.SetPublic("www.example.net", "198.51.100.202")
	l.resolves(l.app.Host, "www.example.com", "10.0.0.80")
	l.resolves(l.elsewhere, "www.example.com", "198.51.100.200")
	l.resolves(l.app.Host, "a.b.dev.example.com", "10.0.0.81")
	l.resolves(l.app.Host, "app.example.com", "10.0.0.80")
	l.resolves(l.app.Host, "out.example.com", "198.51.100.202")
	l.resolves(l.app.Host, "api.example.com") // what the zone has not does not exist
	_, err = l.app.Resolve("loop.example.com")
	require.ErrorIs(t, err, host.ErrServerFailure)
	m, err := l.app.Query("example.com", dns.A)
	l.must(err)
	require.Equal(t, dns.NoError, m.Code)
	require.Empty(t, m.Answers)

	narrower, err := resolver.CreateHostedZone("dev.example.com", l.v.VPC)
	l.must(err)
	l.resolves(l.app.Host, "a.dev.example.com")
	l.must(narrower.Delete())
	l.resolves(l.app.Host, "a.dev.example.com", "10.0.0.81")

	for want, call := range map[string]func() error{
		"ConflictingDomainExists: The VPC " + l.v.ID() + " in region us-east-1 has already been associated with the hosted zone " + z.ID() + " with the same domain name.": func() error {
			_, err := resolver.CreateHostedZone("example.com", l.v.VPC)
			return err
		},
		"InvalidDomainName: a..b is not a valid domain name":                                           func() error { _, err := resolver.CreateHostedZone("a..b", l.v.VPC); return err },
		"InvalidChangeBatch: [RRSet with DNS name example.net. is not permitted in zone example.com.]": func() error { return z.Set("example.net", 0, ip("10.0.0.1")) },
	} {
		require.EqualError(t, call(), want)
	}
}

func TestDNS64(t *testing.T) {
	l := newLab(t)
	l.SetPublic("four.example.com", "198.51.100.7")
	l.Resolver.SetPublic("both.example.com", ip("198.51.100.7"), ip("2001:db8:f::7"))
	six := func(name string) dns.Message {
		m, err := l.app.Query(name, dns.AAAA)
		l.must(err)
		return m
	}
	require.Empty(t, six("four.example.com").Answers)
	l.must(l.app.Interface.Subnet().SetNames(vpc.SubnetNames{DNS64: true}))
	require.Equal(t, "four.example.com. 60 IN AAAA 64:ff9b::c633:6407", six("four.example.com").Answers[0].String())
	require.Equal(t, []netip.Addr{ip("2001:db8:f::7")}, six("both.example.com").Addrs(dns.AAAA), "what has an AAAA record keeps it")
	require.Equal(t, dns.NXDomain, six("none.example.com").Code)
	m, err := l.web.Query("four.example.com", dns.AAAA)
	l.must(err)
	require.Empty(t, m.Answers, "it is the subnet's switch")
}

// A long answer comes by TCP.
func TestLongAnswers(t *testing.T) {
	l := newLab(t)
	var addrs []netip.Addr
	for k := range 200 {
		addrs = append(addrs, netip.AddrFrom4([4]byte{198, 51, 100, byte(k)}))
	}
	l.Resolver.SetPublic("many.example.com", addrs...)
	got, err := l.app.Resolve("many.example.com")
	l.must(err)
	require.Len(t, got, 200)
}

func TestMalformedQueriesGetAnError(t *testing.T) {
	l := newLab(t)
	c, err := l.app.ListenUDP(netip.AddrPort{})
	l.must(err)
	_, err = c.Send(netip.AddrPortFrom(ip("10.0.0.2"), 53), []byte{0, 7, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	l.must(err)
	d, ok := c.Read(time.Second)
	require.True(t, ok)
	m, _ := dns.Parse(d.Payload)
	require.Equal(t, uint16(7), m.ID)
	require.Equal(t, dns.FormErr, m.Code)
	require.Equal(t, "10.0.0.2:53", d.Src.String())
}

func TestIPv6HostsAskOverIPv6(t *testing.T) {
	w := vpctest.New(t)
	v := w.VPC("10.0.0.0/16")
	require.NoError(t, v.AssociateCIDR("2001:db8:0:1a00::/56"))
	s := v.Subnet("10.0.0.0/24")
	require.NoError(t, s.AssociateIPv6("2001:db8:0:1a00::/64"))
	h := s.Launch(vpc.InstanceConfig{Interface: vpc.NetworkInterfaceConfig{IPv6Count: 1}}, host.Config{Name: "six"})
	m, err := h.QueryAt(resolver.Addr6, "ip-10-0-0-9.ec2.internal", dns.A)
	require.NoError(t, err)
	require.Equal(t, []netip.Addr{ip("10.0.0.9")}, m.Addrs(dns.A))
}

func TestWebsByName(t *testing.T) {
	l := newLab(t)
	_, err := l.web.ServeHTTP(netip.AddrPortFrom(netip.Addr{}, 80), func(*host.Conn, *http.Request) *http.Response {
		return host.NewResponse(http.StatusOK, "text/plain", "hello")
	})
	l.must(err)
	l.web.Allow(vpc.TCPPort(80, "0.0.0.0/0"))
	for _, h := range []*host.Host{l.app.Host, l.elsewhere} {
		res, err := h.HTTPGet("http://" + l.Region.PublicDNSName(l.web.PublicAddr()) + "/")
		l.must(err)
		require.Equal(t, 200, res.StatusCode)
	}
}
