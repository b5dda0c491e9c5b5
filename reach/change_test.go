package reach_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/reach"
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/vpc"
)

// set applies changes to an office.
func (o *office) set(t *testing.T, changes ...string) {
	t.Helper()
	overlay, err := reach.ParseOverlay(changes...)
	require.NoError(t, err)
	require.NoError(t, overlay.Apply(o.World.World))
	for i, c := range overlay {
		require.Equal(t, changes[i], c.String())
	}
}

func TestEachChangeDoesWhatItSays(t *testing.T) {
	ssh, ping := reach.Spec{From: "web", To: "app", Proto: "tcp", Port: 22}, reach.Spec{From: "web", To: "app"}
	for _, row := range []struct {
		change string
		ask    reach.Spec
		want   string
	}{
		{"sg/ingress/tcp/22/0.0.0.0/0=none", ssh, "filtered (no security group ingress rule allows it)"},
		{"sg/ingress/tcp/20-80/10.0.0.0/8=allow", reach.Spec{From: "web", To: "app", Proto: "tcp", Port: 80}, "open (answered)"},
		{"sg/ingress/all/sg=allow", reach.Spec{From: "web", To: "app", Proto: "tcp", Port: 443}, "open (answered)"},
		{"sg/ingress/47/10.0.0.0/8=allow", reach.Spec{From: "web", To: "app", Proto: "47"}, "unknown (delivered; nothing answers)"},
		{"sg/ingress/icmp/10.0.0.0/8=none", ping, "no-reply (no security group ingress rule allows it)"},
		{"sg/egress/all/0.0.0.0/0=none", ping, "no-reply (no security group egress rule allows it)"},
		{"sg/ingress/udp/53/10.0.0.0/8=none", reach.Spec{From: "web", To: "app", Proto: "udp", Port: 53}, "filtered (no security group ingress rule allows it)"},
		{"acl/ingress/90=deny tcp/22 10.0.0.0/8", ssh, "filtered (network ACL denies it inbound)"},
		{"acl/ingress/100=deny all 0.0.0.0/0", ping, "no-reply (network ACL denies it inbound)"},
		{"acl/ingress/90=deny icmp/8 10.0.0.0/8", ping, "no-reply (network ACL denies it inbound)"},
		{"acl/ingress/90=deny icmp/3-4 10.0.0.0/8", ping, "reply (answered)"},
		{"acl/egress/100=none", ping, "no-reply (network ACL denies it outbound)"},
		{"app/state=stopped", ping, "no-reply (instance not running)"},
		{"eni/groups=default", ping, "no-reply (no security group ingress rule allows it)"},
		{"eni/source-dest-check=off", reach.Spec{From: "eni/10.0.1.99", To: "web"}, "no-reply (no interface has the destination address)"},
		{"i/source-dest-check=off", reach.Spec{From: "eni/10.0.1.99", To: "web"}, "no-reply (no interface has the destination address)"},
		{"rtb/0.0.0.0/0=none", reach.Spec{From: "web", To: "8.8.8.8"}, "no-reply (no route)"},
		{"rtb/0.0.0.0/0=nat", reach.Spec{From: "web", To: "8.8.8.8"}, "no-reply (loop: too many hops)"},
		{"app/groups=default", ping, "no-reply (no security group ingress rule allows it)"},
		{"rtb/10.0.1.0/24=eni", ping, "reply (answered)"},
		{"rtb/10.0.1.0/24=local", ping, ""},
	} {
		t.Run(row.change, func(t *testing.T) {
			o := newOffice(t)
			acl := o.vpc.DefaultNetworkACL().ID()
			ids := map[string]string{
				"sg": o.group.ID(), "acl": acl, "eni": o.app.Interface().ID(), "rtb": o.public.RouteTable().ID(), "nat": o.nat.ID(),
				"default": o.vpc.DefaultSecurityGroup().ID(), "i": o.app.ID(),
			}
			named := func(text string) string {
				return regexp.MustCompile(`\b(sg|acl|eni|rtb|nat|default|i)\b`).ReplaceAllStringFunc(text, func(n string) string { return ids[n] })
			}
			change := named(row.change)
			overlay, err := reach.ParseOverlay(change)
			require.NoError(t, err)
			if err := overlay.Apply(o.World.World); row.want == "" {
				require.ErrorContains(t, err, "reach: change ")
				return
			} else {
				require.NoError(t, err)
			}
			row.ask.From = named(row.ask.From)
			r := prober(t, o.World.World, reach.Config{}).Ask(row.ask)
			require.Equal(t, row.want, string(r.Observed)+" ("+r.Reason+")")
		})
	}
}

func TestChangesOfATransitGateway(t *testing.T) {
	o := newOffice(t)
	far := o.branch(t)
	g, err := tgw.Create(o.Region, tgw.Config{})
	require.NoError(t, err)
	v := far.Interface().Subnet()
	a, err := g.Attach(tgw.AttachmentConfig{ID: "tgw-attach-0000000000000000a"}, o.private.Subnet)
	require.NoError(t, err)
	b, err := g.Attach(tgw.AttachmentConfig{ID: "tgw-attach-0000000000000000b"}, v)
	require.NoError(t, err)
	o.private.Route("10.9.0.0/16", g)
	require.NoError(t, v.VPC().MainRouteTable().CreateRoute("10.0.0.0/16", g))
	require.NoError(t, far.Interface().Groups()[0].AuthorizeIngress(vpc.AllTraffic("10.0.0.0/8")))
	told := func() string {
		r := prober(t, o.World.World, reach.Config{}).Ask(reach.Spec{From: "app", To: "far"})
		return string(r.Observed) + " (" + r.Reason + ")"
	}
	table := g.DefaultRouteTable().ID()
	require.Equal(t, "reply (answered)", told())
	o.set(t, table+"/10.9.0.0/24=blackhole")
	require.Equal(t, "no-reply (route of the transit gateway is a black hole)", told())
	o.set(t, table+"/10.9.0.0/24="+b.ID())
	require.Equal(t, "reply (answered)", told())
	o.set(t, table+"/10.9.0.0/24="+a.ID(), a.ID()+"/appliance-mode=on", b.ID()+"/appliance-mode=off")
	require.NotEqual(t, "reply (answered)", told())
	o.set(t, table+"/10.9.0.0/24=none")
	require.Equal(t, "reply (answered)", told())
}

func TestChangesThatCannotBe(t *testing.T) {
	o := newOffice(t)
	g, err := igw.Create(o.Region, igw.Config{Name: "loose"})
	require.NoError(t, err)
	_, err = o.Region.CreateDHCPOptions(vpc.DHCPOptionsConfig{Name: "dopt", Options: []vpc.DHCPOption{{Key: "domain-name", Values: []string{"a.b"}}}})
	require.NoError(t, err)
	_, err = o.vpc.CreateNetworkACL(vpc.NetworkACLConfig{Name: "twin"})
	require.NoError(t, err)
	_, err = o.vpc.CreateNetworkACL(vpc.NetworkACLConfig{Name: "twin"})
	require.NoError(t, err)
	sg, rtb, acl, eni := o.group.ID(), o.public.RouteTable().ID(), o.vpc.DefaultNetworkACL().ID(), o.app.Interface().ID()
	for change, words := range map[string]string{
		"dopt/a=b":                             `nothing of dopt can be changed here`,
		"nonsense":                             `reach: change "nonsense": expected <object>/<what>=<value>, such as rtb-1/0.0.0.0/0=igw-1`,
		"i-none/state=stopped":                 `nothing in the network is called "i-none"`,
		"loose/flag=on":                        `expected loose/vpc=<vpc> or none`,
		"twin/ingress/1=none":                  `expected an id`,
		o.app.ID() + "/state=gone":             `expected ` + o.app.ID() + `/state=running, stopped or terminated, or ` + o.app.ID() + `/source-dest-check=on or off, or `,
		rtb + "/everything=" + eni:             `destination "everything": expected a CIDR or a prefix list`,
		rtb + "/0.0.0.0/0=" + acl:              acl + ` is no target of a route`,
		rtb + "/1.0.0.0/8=loose":               `route table ` + rtb + ` and network gateway ` + g.ID() + ` belong to different networks`,
		sg + "/ingress/tcp/x/::/0=allow":       `ports "x": expected a number or a range, such as 80-90`,
		sg + "/ingress/quic/::/0=allow":        `protocol "quic": expected tcp, udp, icmp, icmpv6, all or a number`,
		sg + "/sideways/all/::/0=allow":        `expected ` + sg + `/ingress/<traffic>/<peer>=allow or none, or ` + sg + `/egress/<traffic>/<peer>=allow or none`,
		sg + "/ingress/all/nobody=allow":       `peer "nobody": expected a CIDR, a group or a prefix list`,
		sg + "/ingress/all/" + eni + "=allow":  `peer "` + eni + `": expected a CIDR, a group or a prefix list`,
		acl + "/ingress/x=none":                `expected ` + acl + `/ingress/<number>=<allow or deny> <traffic> <CIDR>, or ` + acl + `/egress/<number>=`,
		acl + "/ingress/7=maybe":               `value "maybe": expected allow or deny, the traffic and a CIDR, such as allow tcp/22 10.0.0.0/8`,
		acl + "/ingress/7=deny all all":        `peer "all": expected a CIDR`,
		acl + "/ingress/7=deny icmp/ping ::/0": `traffic "icmp/ping": expected such as tcp/22, udp/80-90, icmp, icmp/3-4 (type and code), all`,
		acl + "/ingress/7=none":                `InvalidNetworkAclEntry.NotFound`,
		eni + "/groups=" + rtb:                 rtb + ` is no security group`,
		eni + "/mtu=9001":                      `expected ` + eni + `/source-dest-check=on or off`,
	} {
		overlay, err := reach.ParseOverlay(change)
		if err == nil {
			err = overlay.Apply(o.World.World)
		}
		require.ErrorContains(t, err, words, change)
	}
}

func TestDiffTellsWhatAChangeDoes(t *testing.T) {
	before, after := newOffice(t), newOffice(t)
	after.set(t,
		after.group.ID()+"/ingress/tcp/22/0.0.0.0/0=none",
		after.group.ID()+"/ingress/tcp/80/10.0.0.0/8=allow",
		after.private.RouteTable().ID()+"/0.0.0.0/0="+after.vpc.InternetGateway().ID(),
	)
	questions := []reach.Spec{
		{From: "web", To: "app"}, {From: "web", To: "app", Proto: "tcp", Port: 22}, {From: "web", To: "app", Proto: "tcp", Port: 80},
		{From: "app", To: "8.8.8.8"}, {From: "web", To: "10.0.0.99", Proto: "tcp", Port: 80},
	}
	found, err := reach.Diff(reach.Side{World: before.World.World}, reach.Side{World: after.World.World}, questions)
	require.NoError(t, err)
	lines := strings.Split(after.words(found.String()), "\n")
	require.Equal(t, []string{
		"lost    web -> app tcp/22: open -> filtered (no security group ingress rule allows it at app (eni-app))",
		"lost    app -> 8.8.8.8 icmp: reply -> no-reply (source has no public address at internet gateway (" + after.vpc.InternetGateway().ID() + "))",
		"gained  web -> app tcp/80: filtered (no security group ingress rule allows it at app (eni-app)) -> open",
		"2 lost, 1 gained, of 5 asked", "",
	}, lines)
}

func TestCompareNamesTheMostImportantDifference(t *testing.T) {
	yes, no := true, false
	open := reach.Result{RoundTrip: &yes, Observed: reach.Open, SeenAs: "203.0.113.1", Way: []string{"eni-a", "nat-a"}}
	for _, row := range []struct {
		change string
		after  func(r *reach.Result)
	}{
		{"", func(*reach.Result) {}},
		{"lost", func(r *reach.Result) { r.RoundTrip, r.Observed, r.SeenAs = &no, reach.Filtered, "" }},
		{"lost", func(r *reach.Result) { r.Observed = reach.Closed }},
		{"unknown", func(r *reach.Result) { r.RoundTrip, r.Observed = nil, reach.Unknown }},
		{"egress", func(r *reach.Result) { r.SeenAs, r.Way = "203.0.113.2", nil }},
		{"way", func(r *reach.Result) { r.Way = []string{"eni-a", "nat-b"} }},
		{"way", func(r *reach.Result) { r.WayBack = []string{"nat-b"} }},
	} {
		after := open
		row.after(&after)
		require.Equal(t, row.change, reach.Compare(open, after))
		if row.change == "lost" {
			require.Equal(t, "gained", reach.Compare(after, open))
		}
	}
	filtered := reach.Result{RoundTrip: &no, Observed: reach.Filtered, Reason: "no route"}
	other := filtered
	other.Reason = "route is a black hole"
	require.Equal(t, "reason", reach.Compare(filtered, other))
}

func TestASweepAnswersAsOneProberDoes(t *testing.T) {
	o := newOffice(t)
	o.closed(t)
	questions := append(reach.AllPairs(o.World.World), reach.AllPairs(o.World.World, reach.Port{Proto: "tcp", Number: 22}, reach.Port{Proto: "udp", Number: 53})...)
	require.Len(t, questions, 3*3*3, "three instances to two others and to the NAT gateway's interface")
	got, err := reach.Sweep(o.World.World, questions, reach.Config{})
	require.NoError(t, err)
	p := prober(t, o.World.World, reach.Config{})
	for i, q := range questions {
		want := p.Ask(q)
		require.NotEmpty(t, want.Story)
		want.Story, want.Request, want.Return = nil, nil, nil
		require.Equal(t, want, got[i], "%s", q)
	}
	_, err = reach.Sweep(o.World.World, questions, reach.Config{Ports: map[string][]reach.Port{"i-none": nil}})
	require.Error(t, err)
}
