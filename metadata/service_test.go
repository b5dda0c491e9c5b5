package metadata

import (
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/clock"
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// instance is a guest whose link leads to the metadata service and nowhere else.
type instance struct {
	t       *testing.T
	engine  *dataplane.Engine
	guest   *host.Host
	nic     *host.NIC
	service *Service
	facts   Facts
	ttls    []uint8 // of the packets that the service sent
}

var routerMAC = wire.MAC{2, 0, 0, 0, 0, 1}

func newInstance(t *testing.T, c Config) *instance {
	i := &instance{t: t, engine: &dataplane.Engine{Clock: &clock.Clock{}}}
	i.facts = Facts{
		InstanceID: "i-0123456789abcdef0", InstanceType: "t3.micro", Zone: "ap-northeast-3a", Region: "ap-northeast-3",
		Interfaces: []Interface{{
			MAC: wire.MAC{0x0e, 0x49, 0x61, 0x0f, 0xc3, 0x11}, InterfaceID: "eni-0a", SubnetID: "subnet-0b", VPCID: "vpc-0c",
			OwnerID: "123456789012", LocalHostname: "ip-10-0-1-55.ap-northeast-3.compute.internal",
			LocalIPv4s: []netip.Addr{netip.MustParseAddr("10.0.1.55"), netip.MustParseAddr("10.0.1.56")},
			Associations: []Association{
				{Public: netip.MustParseAddr("203.0.113.25"), Private: netip.MustParseAddr("10.0.1.55")},
			},
			SecurityGroups: []string{"default", "web"}, SecurityGroupIDs: []string{"sg-0d", "sg-0e"},
			SubnetIPv4: netip.MustParsePrefix("10.0.1.0/24"),
			VPCIPv4s:   []netip.Prefix{netip.MustParsePrefix("10.0.0.0/16"), netip.MustParsePrefix("10.5.0.0/16")},
		}},
	}
	i.guest = host.New(i.engine, host.Config{Name: "app"})
	var err error
	i.nic, err = i.guest.AddNIC(host.NICConfig{
		Link: host.LinkFunc(i.fromGuest), MAC: i.facts.Interfaces[0].MAC,
		Addrs:   []netip.Prefix{netip.MustParsePrefix("10.0.1.55/24"), netip.MustParsePrefix("2600::55/64")},
		Gateway: netip.MustParseAddr("10.0.1.1"), Gateway6: netip.MustParseAddr("fe80::1"),
	})
	require.NoError(t, err)
	i.service, err = New(i.engine, c, func() Facts { return i.facts }, i.toGuest)
	require.NoError(t, err)
	return i
}

// fromGuest is the subnet's router: it answers ARP and discovery for its own
// addresses, and packets for the service reach it.
func (i *instance) fromGuest(frame []byte) trace.Reason {
	e := wire.Ethernet(frame)
	if e.Type() == wire.EtherTypeARP {
		a := wire.ARP(e.Payload())
		i.frame(wire.EtherTypeARP, wire.AppendARP(nil, wire.ARPReply, routerMAC, a.Target(), a.SenderMAC(), a.Sender()))
		return trace.Answered
	}
	var p wire.Packet
	require.NoError(i.t, p.Read(append([]byte(nil), e.Payload()...)))
	if p.Type == wire.ICMPv6NeighborSolicitation && p.Flow.Proto == wire.ProtoICMPv6 {
		i.advertise(&p)
		return trace.Answered
	}
	i.engine.Clock.Schedule(50*time.Microsecond, clock.Func(func() { i.service.Receive(&p) }))
	return trace.Delivered
}

func (i *instance) advertise(p *wire.Packet) {
	target := wire.ICMP(p.Transport()).Payload()[:16]
	h := wire.Header{Src: wire.AddrFrom16([16]byte(target)), Dst: p.Flow.Src, TTL: 255}
	body := append(append([]byte(nil), target...), 2, 1)
	i.frame(wire.EtherTypeIPv6, wire.AppendICMP(nil, h, wire.ICMPv6NeighborAdvertisement, 0, 3<<29, append(body, routerMAC[:]...)))
}

func (i *instance) toGuest(ip []byte) {
	var p wire.Packet
	require.NoError(i.t, p.Read(append([]byte(nil), ip...)))
	i.ttls = append(i.ttls, p.TTL())
	t := wire.EtherTypeIPv6
	if p.Is4() {
		t = wire.EtherTypeIPv4
	}
	i.frame(t, p.Bytes())
}

func (i *instance) frame(t wire.EtherType, payload []byte) {
	b := make([]byte, wire.EthernetLen, wire.EthernetLen+len(payload))
	wire.PutEthernet(b, i.nic.MAC(), routerMAC, t)
	b = append(b, payload...)
	i.engine.Clock.Schedule(50*time.Microsecond, clock.Func(func() { i.nic.Frame(b) }))
}

// ask makes a request and returns its status and body.
func (i *instance) ask(method, url string, headers ...string) (int, string, http.Header) {
	i.t.Helper()
	r, err := http.NewRequest(method, url, nil)
	require.NoError(i.t, err)
	for k := 0; k < len(headers); k += 2 {
		r.Header.Set(headers[k], headers[k+1])
	}
	res, err := i.guest.HTTP(r)
	require.NoError(i.t, err)
	body, err := io.ReadAll(res.Body)
	require.NoError(i.t, err)
	return res.StatusCode, string(body), res.Header
}

const (
	base = "http://169.254.169.254/latest/"
	macs = base + "meta-data/network/interfaces/macs/0e:49:61:0f:c3:11/"
)

func TestNetworkingPathsTellTheFacts(t *testing.T) {
	i := newInstance(t, Config{})
	for path, want := range map[string]string{
		"http://169.254.169.254/":                            "latest",
		base:                                                 "meta-data",
		base + "meta-data/mac":                               "0e:49:61:0f:c3:11",
		base + "meta-data/local-ipv4":                        "10.0.1.55",
		base + "meta-data/public-ipv4":                       "203.0.113.25",
		base + "meta-data/local-hostname":                    "ip-10-0-1-55.ap-northeast-3.compute.internal",
		base + "meta-data/security-groups":                   "default\nweb",
		base + "meta-data/placement/":                        "availability-zone\nregion",
		base + "meta-data/network":                           "interfaces/",
		base + "meta-data/network/interfaces/macs/":          "0e:49:61:0f:c3:11/",
		macs + "device-number":                               "0",
		macs + "local-ipv4s":                                 "10.0.1.55\n10.0.1.56",
		macs + "ipv4-associations/":                          "203.0.113.25",
		macs + "ipv4-associations/203.0.113.25":              "10.0.1.55",
		macs + "subnet-ipv4-cidr-block":                      "10.0.1.0/24",
		macs + "vpc-ipv4-cidr-block":                         "10.0.0.0/16",
		macs + "vpc-ipv4-cidr-blocks":                        "10.0.0.0/16\n10.5.0.0/16",
		macs + "security-group-ids":                          "sg-0d\nsg-0e",
		strings.TrimSuffix(macs, "/") + "/ipv4-associations": "203.0.113.25",
	} {
		status, body, _ := i.ask("GET", path)
		require.Equal(t, 200, status, path)
		require.Equal(t, want, body, path)
	}
	_, listing, _ := i.ask("GET", macs)
	require.Equal(t, `device-number
interface-id
ipv4-associations/
local-hostname
local-ipv4s
mac
network-card
owner-id
public-ipv4s
security-group-ids
security-groups
subnet-id
subnet-ipv4-cidr-block
vpc-id
vpc-ipv4-cidr-block
vpc-ipv4-cidr-blocks`, listing)
}

func TestWhatDoesNotApplyIsNotFound(t *testing.T) {
	i := newInstance(t, Config{})
	i.facts.Interfaces[0].Associations = nil
	for _, path := range []string{
		base + "meta-data/public-ipv4", base + "meta-data/ipv6", base + "user-data", base + "meta-data/nonsense",
		base + "meta-data/network/interfaces/macs/0E:49:61:0F:C3:11/mac", "http://169.254.169.254/1.0/meta-data/mac",
	} {
		status, body, h := i.ask("GET", path)
		require.Equal(t, 404, status, path)
		require.Contains(t, body, "<h1>404 - Not Found</h1>", path)
		require.Equal(t, "EC2ws", h.Get("Server"))
	}
}

func TestVersion2GivesATokenThatHoldsItsTime(t *testing.T) {
	i := newInstance(t, Config{TokensRequired: true})
	status, _, _ := i.ask("GET", base+"meta-data/mac")
	require.Equal(t, 401, status)

	status, token, h := i.ask("PUT", base+"api/token", ttlHeader, "60")
	require.Equal(t, 200, status)
	require.Len(t, token, 56)
	require.Equal(t, "60", h.Get(ttlHeader))

	status, mac, h := i.ask("GET", base+"meta-data/mac", tokenHeader, token)
	require.Equal(t, 200, status)
	require.Equal(t, "0e:49:61:0f:c3:11", mac)
	require.Equal(t, "59", h.Get(ttlHeader))

	i.engine.Clock.Run(i.engine.Now() + time.Minute)
	status, _, _ = i.ask("GET", base+"meta-data/mac", tokenHeader, token)
	require.Equal(t, 401, status)
}

func TestVersion1TakesRequestsWithoutTokenButNoWrongToken(t *testing.T) {
	i := newInstance(t, Config{})
	status, _, _ := i.ask("GET", base+"meta-data/mac")
	require.Equal(t, 200, status)
	status, _, _ = i.ask("GET", base+"meta-data/mac", tokenHeader, "made up")
	require.Equal(t, 401, status)
}

func TestTokensAreRefused(t *testing.T) {
	i := newInstance(t, Config{})
	for name, c := range map[string]struct {
		status  int
		headers []string
	}{
		"without a time to live":  {400, nil},
		"for no time":             {400, []string{ttlHeader, "0"}},
		"for more than six hours": {400, []string{ttlHeader, "21601"}},
		"through a proxy":         {403, []string{ttlHeader, "60", "X-Forwarded-For", "10.0.0.9"}},
	} {
		status, _, _ := i.ask("PUT", base+"api/token", c.headers...)
		require.Equal(t, c.status, status, name)
	}
	status, _, _ := i.ask("POST", base+"api/token", ttlHeader, "60")
	require.Equal(t, 405, status)
	i.service.Configure(Config{Disabled: true})
	status, _, _ = i.ask("GET", base+"meta-data/mac")
	require.Equal(t, 403, status)
}

func TestHopLimitIsTheTTLOfTheTokenAlone(t *testing.T) {
	i := newInstance(t, Config{HopLimit: 2})
	i.ask("GET", base+"meta-data/mac")
	require.NotContains(t, i.ttls, uint8(2))
	i.ask("PUT", base+"api/token", ttlHeader, "60")
	require.Contains(t, i.ttls, uint8(2))
	require.EqualError(t, i.service.Configure(Config{HopLimit: 65}), "metadata: hop limit 65 is not in 1-64")
}

func TestIPv6AnswersOnlyWhereEnabled(t *testing.T) {
	i := newInstance(t, Config{IPv6: true})
	_, mac, _ := i.ask("GET", "http://[fd00:ec2::254]/latest/meta-data/mac")
	require.Equal(t, "0e:49:61:0f:c3:11", mac)
	i.service.Configure(Config{})
	_, err := i.guest.HTTPGet("http://[fd00:ec2::254]/latest/meta-data/mac")
	require.ErrorIs(t, err, host.ErrTimeout)
}

// setUpNAT is what the stock script of a NAT instance does (S003).
func setUpNAT(t *testing.T, h *host.Host) (cidr string) {
	mac := h.NIC("eth0").MAC().String()
	cidr = "0.0.0.0/0"
	res, err := h.HTTPGet(base + "meta-data/network/interfaces/macs/" + mac + "/vpc-ipv4-cidr-block")
	if err == nil && res.StatusCode == 200 {
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		cidr = string(body)
	}
	require.NoError(t, h.Sysctl("net.ipv4.ip_forward", "1"))
	require.NoError(t, h.Sysctl("net.ipv4.conf.eth0.send_redirects", "0"))
	_, err = h.IPTables("-t", "nat", "-A", "POSTROUTING", "-o", "eth0", "-s", cidr, "-j", "MASQUERADE")
	require.NoError(t, err)
	return cidr
}

func TestNATInstanceSetUp(t *testing.T) {
	t.Run("C024 takes the VPC's primary CIDR from the service", func(t *testing.T) {
		i := newInstance(t, Config{})
		require.Equal(t, "10.0.0.0/16", setUpNAT(t, i.guest))
	})
	t.Run("C025 takes 0.0.0.0/0 where the service does not answer so", func(t *testing.T) {
		i := newInstance(t, Config{TokensRequired: true})
		require.Equal(t, "0.0.0.0/0", setUpNAT(t, i.guest))
	})
}
