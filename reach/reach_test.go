package reach_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/reach"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
	"github.com/vpcsim/vpcsim/world"
)

var rewrite = flag.Bool("rewrite", false, "write the files in testdata anew")

// golden compares a text with a file of testdata.
func golden(t *testing.T, name, text string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *rewrite {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), text)
}

func prober(t testing.TB, w *world.World, c reach.Config) *reach.Prober {
	t.Helper()
	p, err := reach.New(w, c)
	require.NoError(t, err)
	return p
}

// line is a result in one line, for tables.
func line(r reach.Result) string {
	trip, ttl := "unknown", "-"
	if r.RoundTrip != nil {
		trip = fmt.Sprint(*r.RoundTrip)
	}
	switch {
	case r.ReplyTTL != nil:
		ttl = fmt.Sprint(*r.ReplyTTL)
	case r.ReplyTTLAtMost != nil:
		ttl = fmt.Sprint("<=", *r.ReplyTTLAtMost)
	}
	return fmt.Sprintf("%s %s ttl %s: %s %s", trip, r.Observed, ttl, r.Reason, r.Code)
}

// office is a VPC 10.0.0.0/16 with a public and a private subnet, a NAT gateway, an
// instance in each, and rules that let in ping from inside and ssh from everywhere.
type office struct {
	*vpctest.World
	vpc             *vpctest.VPC
	public, private *vpctest.Subnet
	nat             *vpctest.NATGateway
	group           *vpc.SecurityGroup
	web, app        *vpc.Instance
}

func newOffice(t testing.TB) *office {
	t.Helper()
	o := &office{World: vpctest.New(t)}
	o.vpc = o.VPC("10.0.0.0/16")
	o.public, o.private = o.vpc.Subnet("10.0.0.0/24"), o.vpc.Subnet("10.0.1.0/24")
	o.nat = o.public.NATGateway()
	o.public.Route("0.0.0.0/0", o.vpc.InternetGateway())
	o.private.Route("0.0.0.0/0", o.nat)
	o.group = o.newGroup(t, o.vpc, "servers", vpc.TCPPort(22, "0.0.0.0/0"), vpc.AllICMP("10.0.0.0/8"), vpc.UDPPort(53, "10.0.0.0/8"))
	o.web = o.launch(t, o.public, "web", true, o.group)
	o.app = o.launch(t, o.private, "app", false, o.group)
	return o
}

func (o *office) newGroup(t testing.TB, v *vpctest.VPC, name string, rules ...vpc.Permission) *vpc.SecurityGroup {
	t.Helper()
	g, err := v.CreateSecurityGroup(name, vpc.SecurityGroupConfig{})
	require.NoError(t, err)
	if len(rules) > 0 {
		require.NoError(t, g.AuthorizeIngress(rules...))
	}
	return g
}

func (o *office) launch(t testing.TB, s *vpctest.Subnet, name string, public bool, groups ...*vpc.SecurityGroup) *vpc.Instance {
	t.Helper()
	i, err := s.RunInstance(vpc.InstanceConfig{Name: name, AssociatePublicIP: public, Interface: vpc.NetworkInterfaceConfig{Groups: groups}})
	require.NoError(t, err)
	return i
}

// words replaces ids and addresses that a test can't know by names.
func (o *office) words(text string) string {
	return strings.NewReplacer(
		o.web.Interface().PublicIP().String(), "web's public address", o.web.ID(), "i-web", o.app.ID(), "i-app",
		o.web.Interface().ID(), "eni-web", o.app.Interface().ID(), "eni-app", o.nat.ID(), "nat-a", o.group.ID(), "sg-servers",
		o.public.ID(), "subnet-public", o.private.ID(), "subnet-private",
	).Replace(text)
}

func TestProbesOfASmallNetwork(t *testing.T) {
	o := newOffice(t)
	p := prober(t, o.World.World, reach.Config{})
	public := o.web.Interface().PublicIP().String()
	var b strings.Builder
	for _, s := range []reach.Spec{
		{From: "web", To: "app"}, {From: "app", To: "web", Proto: "tcp", Port: 22}, {From: "app", To: "web", Proto: "tcp", Port: 80},
		{From: "app", To: "web", Proto: "udp", Port: 53}, {From: "app", To: "web", Proto: "udp", Port: 123},
		{From: "app", To: "8.8.8.8"}, {From: "app", To: "8.8.8.8", Proto: "tcp", Port: 443}, {From: "web", To: "8.8.8.8", Proto: "udp", Port: 53},
		{From: "8.8.8.8", To: public, Proto: "tcp", Port: 22}, {From: "8.8.8.8", To: public}, {From: "internet", To: "web", Proto: "tcp", Port: 22},
		{From: "internet", To: "app", Proto: "tcp", Port: 22},
		{From: "app", To: public, Proto: "tcp", Port: 22}, {From: "web", To: public, Proto: "tcp", Port: 22}, {From: public, To: "app"},
		{From: "web", To: "web"}, {From: "web", To: "web", Proto: "tcp", Port: 22}, {From: "web", To: "web", Proto: "tcp", Port: 80},
		{From: "web", To: o.nat.PrivateAddr.String()}, {From: "web", To: "10.0.0.77"}, {From: "web", To: "10.0.9.9"}, {From: "web", To: "10.9.9.9"},
		{From: "web", To: "app", Proto: "47"}, {From: "web", To: "8.8.8.8", Proto: "47"},
		{From: "10.0.0.77", To: "web"}, {From: "8.8.8.8", To: "9.9.9.9"}, {From: o.nat.ID(), To: "web"}, {From: "nobody", To: "web"},
		{From: "web", To: "app", Proto: "tcp"}, {From: "web", To: "app", Proto: "quic"},
	} {
		r := p.Ask(s)
		fmt.Fprintf(&b, "%s\n    %s\n    at %s", s, line(r), r.Where)
		if r.SeenAs != "" {
			fmt.Fprintf(&b, ", seen as %s", r.SeenAs)
		}
		if r.Unknown != "" {
			fmt.Fprintf(&b, "\n    unknown: %s", r.Unknown)
		}
		fmt.Fprintln(&b)
	}
	golden(t, "probes.txt", o.words(b.String()))
}

func TestAResultsJSONIsWhatABatchPrints(t *testing.T) {
	o := newOffice(t)
	p := prober(t, o.World.World, reach.Config{})
	var s reach.Spec
	require.NoError(t, json.Unmarshal([]byte(`{"src_ip": "10.0.1.4", "dst_ip": "web", "proto": "icmp", "dport": null, "id": "x"}`), &s))
	b, err := json.MarshalIndent(p.Ask(s), "", " ")
	require.NoError(t, err)
	golden(t, "result.json", o.words(string(b))+"\n")
}

func TestGuestsListenOnWhatTheConfigurationSays(t *testing.T) {
	o := newOffice(t)
	ask := func(c reach.Config, proto string, port int) reach.Result {
		return prober(t, o.World.World, c).Ask(reach.Spec{From: "web", To: "app", Proto: proto, Port: port})
	}
	require.Equal(t, reach.Open, ask(reach.Config{}, "tcp", 22).Observed)
	closed := ask(reach.Config{Closed: true}, "tcp", 22)
	require.Equal(t, reach.Closed, closed.Observed)
	require.True(t, *closed.RoundTrip, "an RST is an answer")
	require.Equal(t, o.app.Interface().ID(), closed.Where)
	require.Equal(t, trace.NoListener, closed.End())
	require.Equal(t, reach.Closed, ask(reach.Config{Closed: true}, "udp", 53).Observed, "a port unreachable comes back")
	only := map[string][]reach.Port{o.app.ID(): {{"tcp", 22}}}
	require.Equal(t, reach.Open, ask(reach.Config{Closed: true, Ports: only}, "tcp", 22).Observed)
	require.Equal(t, reach.Closed, ask(reach.Config{Ports: only}, "udp", 53).Observed)
	byInterface := map[string][]reach.Port{o.app.Interface().ID(): nil}
	require.Equal(t, reach.Closed, ask(reach.Config{Ports: byInterface}, "tcp", 22).Observed)
	for words, c := range map[string]reach.Config{
		`reach: ports: "i-none": expected the id of an interface or of an instance of the network`:      {Ports: map[string][]reach.Port{"i-none": nil}},
		`reach: ports: ` + o.app.ID() + `: "icmp": expected tcp or udp`:                                 {Ports: map[string][]reach.Port{o.app.ID(): {{"icmp", 0}}}},
		`reach: appliances: "i-none": expected the id of an interface or of an instance of the network`: {Appliances: map[string]reach.Appliance{"i-none": {}}},
	} {
		_, err := reach.New(o.World.World, c)
		require.EqualError(t, err, words)
	}
}

func TestTTLIsWhatTheConfigurationSays(t *testing.T) {
	o := newOffice(t)
	r := prober(t, o.World.World, reach.Config{TTL: 64}).Ask(reach.Spec{From: "app", To: o.web.Interface().PublicIP().String(), Proto: "tcp", Port: 22})
	require.EqualValues(t, 62, *r.ReplyTTL, "an internet gateway and a NAT gateway take one each")
}

// A probe changes nothing for the world that it asks about, and sees changes of it.
func TestAProberFollowsTheNetworkAndLeavesTheWorldAlone(t *testing.T) {
	o := newOffice(t)
	p := prober(t, o.World.World, reach.Config{})
	ssh := reach.Spec{From: "web", To: "app", Proto: "tcp", Port: 22}
	walks := len(o.Engine.Log.Walks())
	require.Equal(t, reach.Open, p.Ask(ssh).Observed)
	require.Len(t, o.Engine.Log.Walks(), walks)
	require.Zero(t, o.Live(o.Region).Interface(o.app.Interface()).Flows.Len())
	require.NoError(t, o.group.RevokeIngress(vpc.TCPPort(22, "0.0.0.0/0")))
	require.Equal(t, reach.Filtered, p.Ask(ssh).Observed, "no tracked flow of the first probe lets it pass")
	o.launch(t, o.private, "late", false, o.group)
	require.Equal(t, reach.Reply, p.Ask(reach.Spec{From: "late", To: "app"}).Observed)
	require.NoError(t, o.app.Stop())
	r := p.Ask(reach.Spec{From: "late", To: "app"})
	require.Equal(t, trace.InstanceStopped, r.End())
	require.Equal(t, trace.InstanceStopped, p.Ask(reach.Spec{From: "app", To: "late"}).End())
}

func TestPlaces(t *testing.T) {
	o := newOffice(t)
	twin := o.VPC("10.0.0.0/16")
	o.launch(t, twin.Subnet("10.0.0.0/24"), "web", false)
	p := prober(t, o.World.World, reach.Config{})
	for name, words := range map[string]string{
		"web":                                 "",
		"10.0.0.5":                            "10.0.0.5 (eni-web)",
		"nobody":                              `reach: "nobody": nothing in the network is called so; expected the id or name of an interface, an instance or a service, an address, or internet`,
		"vpc-1/10.0.0.5":                      `reach: "vpc-1/10.0.0.5": nothing in the network is called so; expected one interface that has the address`,
		o.vpc.ID() + "/10.0.0.5":              "10.0.0.5 (eni-web)",
		o.web.ID():                            "10.0.0.5 (eni-web)",
		"internet":                            "192.0.2.113",
		"198.51.100.200":                      "198.51.100.200",
		o.web.Interface().PublicIP().String(): "web's public address (eni-web)",
		o.app.Interface().ID() + "/192.0.2.1": "192.0.2.1 (eni-app)",
	} {
		a, err := p.Place(name)
		got := a.String()
		if err != nil {
			got = err.Error()
		}
		if words == "" {
			require.ErrorContains(t, err, `reach: "web" is eni-`)
			require.ErrorContains(t, err, "expected the id or name")
			continue
		}
		require.Equal(t, words, o.words(got), name)
	}
}
