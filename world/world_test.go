package world_test

import (
	"bytes"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/internet"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/world"
)

// public makes a VPC with one public subnet whose default group lets everything in.
func public(t *testing.T, w *world.World, region string) (*vpc.Region, *vpc.Subnet) {
	t.Helper()
	r := w.Region(vpc.RegionConfig{Name: region})
	v, err := r.CreateVPC("10.0.0.0/16", vpc.VPCConfig{})
	require.NoError(t, err)
	g, err := igw.Create(r, igw.Config{})
	require.NoError(t, err)
	require.NoError(t, g.Attach(v))
	s, err := v.CreateSubnet("10.0.0.0/24", vpc.SubnetConfig{MapPublicIPOnLaunch: true})
	require.NoError(t, err)
	require.NoError(t, v.MainRouteTable().CreateRoute("0.0.0.0/0", g))
	require.NoError(t, v.DefaultSecurityGroup().AuthorizeIngress(vpc.AllTraffic("0.0.0.0/0")))
	return r, s
}

func boot(t *testing.T, w *world.World, s *vpc.Subnet, name string) (*host.Host, *vpc.Instance) {
	t.Helper()
	i, err := s.RunInstance(vpc.InstanceConfig{Name: name})
	require.NoError(t, err)
	h, err := w.Boot(i, host.Config{Name: name})
	require.NoError(t, err)
	return h, i
}

func TestTwoRegionsReachEachOtherByTheInternet(t *testing.T) {
	w := world.New(world.Config{Seed: 1, InternetLatency: 40 * time.Millisecond})
	_, near := public(t, w, "eu-west-1")
	_, far := public(t, w, "ap-northeast-3")
	a, _ := boot(t, w, near, "a")
	_, i := boot(t, w, far, "b")

	r := a.Ping(i.Interface().PublicIP(), host.PingConfig{Count: 1})

	require.Equal(t, 1, r.Received, r.Text)
	require.Equal(t, uint8(254), r.Replies[0].TTL, "one internet gateway takes one, the other none")
}

func TestTheLatencyOfTheInternetIsAParameter(t *testing.T) {
	for latency, want := range map[time.Duration]time.Duration{0: internet.DefaultLatency, 40 * time.Millisecond: 40 * time.Millisecond} {
		w := world.New(world.Config{InternetLatency: latency})
		_, s := public(t, w, "us-east-1")
		a, _ := boot(t, w, s, "a")
		dst := netip.MustParseAddr("198.51.100.7")
		_, err := w.OnInternet(host.Config{Name: "server"}, dst)
		require.NoError(t, err)
		a.Ping(dst, host.PingConfig{}) // neighbours are known from here on
		r := a.Ping(dst, host.PingConfig{})
		require.GreaterOrEqual(t, r.Replies[0].RTT, 2*want)
		require.Less(t, r.Replies[0].RTT, 2*want+time.Millisecond)
	}
}

func TestMetadataTellsEachInstanceItsOwn(t *testing.T) {
	w := world.New(world.Config{Seed: 1})
	r, s := public(t, w, "us-east-1")
	a, first := boot(t, w, s, "a")
	b, second := boot(t, w, s, "b")
	get := func(h *host.Host, path string) string {
		res, err := h.HTTPGet("http://169.254.169.254/latest/meta-data/" + path)
		require.NoError(t, err)
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		return string(body)
	}
	require.Equal(t, first.ID(), get(a, "instance-id"))
	require.Equal(t, second.ID(), get(b, "instance-id"))
	require.Equal(t, first.Interface().PublicIP().String(), get(a, "public-ipv4"))
	require.Equal(t, r.PrivateDNSName(first.Interface().PrivateIP()), get(a, "local-hostname"))
	mac := first.Interface().MAC().String()
	require.Equal(t, "10.0.0.0/16", get(a, "network/interfaces/macs/"+mac+"/vpc-ipv4-cidr-block"))
	require.Equal(t, mac+"/", strings.TrimSpace(get(a, "network/interfaces/macs/")))
}

func TestAddressesOutsideAreTakenOnce(t *testing.T) {
	w := world.New(world.Config{})
	_, s := public(t, w, "us-east-1")
	_, i := boot(t, w, s, "a")
	dst := netip.MustParseAddr("198.51.100.7")
	_, err := w.OnInternet(host.Config{}, dst)
	require.NoError(t, err)
	_, err = w.OnInternet(host.Config{}, dst)
	require.EqualError(t, err, "world: addresses [198.51.100.7]: expected at least one, none of them taken")
	_, err = w.OnInternet(host.Config{})
	require.EqualError(t, err, "world: addresses []: expected at least one, none of them taken")
	_, err = w.OnInternet(host.Config{}, i.Interface().PublicIP())
	require.EqualError(t, err, "world: address "+i.Interface().PublicIP().String()+" is no address of a host of internet: invalid, or a region's")
}

func TestAnInstanceOfAnotherWorldIsRefused(t *testing.T) {
	w := world.New(world.Config{})
	_, s := public(t, w, "us-east-1")
	i, err := s.RunInstance(vpc.InstanceConfig{})
	require.NoError(t, err)
	_, err = world.New(world.Config{}).Boot(i, host.Config{})
	require.EqualError(t, err, "world: instance "+i.ID()+" is in a region of another world")
}

func TestAChangeTakesEffectBetweenTwoPackets(t *testing.T) {
	w := world.New(world.Config{})
	_, s := public(t, w, "us-east-1")
	a, _ := boot(t, w, s, "a")
	dst := netip.MustParseAddr("198.51.100.7")
	_, err := w.OnInternet(host.Config{Name: "server"}, dst)
	require.NoError(t, err)
	log := w.Trace()
	require.Equal(t, 1, a.Ping(dst, host.PingConfig{}).Received)
	require.NoError(t, s.VPC().MainRouteTable().DeleteRoute("0.0.0.0/0"))
	log.Clear()
	require.Equal(t, 0, a.Ping(dst, host.PingConfig{}).Received)
	require.Equal(t, trace.NoRoute, log.Walks()[0].End())
}

// One Region may live in several worlds, each with state of its own.
func TestARegionMayLiveInTwoWorlds(t *testing.T) {
	one := world.New(world.Config{Seed: 1})
	r, s := public(t, one, "us-east-1")
	i, err := s.RunInstance(vpc.InstanceConfig{Name: "a"})
	require.NoError(t, err)
	two := world.New(world.Config{Seed: 1})
	two.Add(r)
	var first, second bytes.Buffer
	for w, out := range map[*world.World]*bytes.Buffer{one: &first, two: &second} {
		h, err := w.Boot(i, host.Config{Name: "a"})
		require.NoError(t, err)
		_, err = w.OnInternet(host.Config{Name: "server"}, netip.MustParseAddr("198.51.100.7"))
		require.NoError(t, err)
		log := w.Trace()
		require.Equal(t, 1, h.Ping(netip.MustParseAddr("198.51.100.7"), host.PingConfig{}).Received)
		for _, walk := range log.Walks() {
			out.WriteString(walk.String())
		}
	}
	require.Equal(t, first.String(), second.String())
}
