package reach_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/peering"
	"github.com/vpcsim/vpcsim/reach"
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
)

// closed adds to an office a subnet with an ACL of its own that denies everything, and
// an instance in it whose group lets nothing in.
func (o *office) closed(t *testing.T) {
	t.Helper()
	s := o.vpc.Subnet("10.0.2.0/24")
	acl, err := o.vpc.CreateNetworkACL(vpc.NetworkACLConfig{ID: "acl-00000000000000db1", Name: "db"})
	require.NoError(t, err)
	require.NoError(t, s.SetNetworkACL(acl))
	require.NoError(t, acl.CreateIngressEntry(vpc.ACLEntry{Number: 100, Protocol: 6, FromPort: 22, ToPort: 22, CIDR: netip.MustParsePrefix("10.0.0.0/16")}))
	g, err := o.vpc.CreateSecurityGroup("db", vpc.SecurityGroupConfig{ID: "sg-00000000000000db1"})
	require.NoError(t, err)
	_, err = s.RunInstance(vpc.InstanceConfig{ID: "i-00000000000000db1", Name: "db", Interface: vpc.NetworkInterfaceConfig{
		ID: "eni-00000000000000db1", Groups: []*vpc.SecurityGroup{g},
	}})
	require.NoError(t, err)
}

// branch adds to an office a VPC 10.9.0.0/16 with an instance named far.
func (o *office) branch(t *testing.T) (far *vpc.Instance) {
	t.Helper()
	v := o.VPC("10.9.0.0/16")
	return o.launch(t, v.Subnet("10.9.0.0/24"), "far", false, o.newGroup(t, v, "far"))
}

func TestVerdicts(t *testing.T) {
	o := newOffice(t)
	o.closed(t)
	far := o.branch(t)
	peered, err := peering.Create(o.vpc.VPC, far.Interface().Subnet().VPC(), peering.Config{})
	require.NoError(t, err)
	require.NoError(t, peered.Accept())
	p := prober(t, o.World.World, reach.Config{})
	var b strings.Builder
	for _, s := range []reach.Spec{
		{From: "web", To: "app"}, {From: "web", To: "db", Proto: "tcp", Port: 22}, {From: "web", To: "db", Proto: "udp", Port: 53}, {From: "web", To: "db"},
		{From: "internet", To: "web", Proto: "tcp", Port: 80}, {From: "internet", To: "app", Proto: "tcp", Port: 22},
		{From: "app", To: "far", Proto: "tcp", Port: 22}, {From: "web", To: "10.0.0.77"}, {From: "web", To: "web", Proto: "tcp", Port: 80},
		{From: "far", To: "8.8.8.8"}, {From: "8.8.8.8", To: "9.9.9.9"},
	} {
		fmt.Fprintf(&b, "%s: %s\n", s, p.Explain(s))
	}
	text := o.words(b.String())
	for id, name := range map[string]string{far.ID(): "i-far", far.Interface().ID(): "eni-far", peered.ID(): "pcx-a"} {
		text = strings.ReplaceAll(text, id, name)
	}
	golden(t, "verdicts.txt", text)
}

// What a fix says is what lifts the blocker: applied one after another they make the
// destination answer.
func TestTheFixesOfAVerdictMakeItReachable(t *testing.T) {
	o := newOffice(t)
	o.closed(t)
	ssh := reach.Spec{From: "web", To: "db", Proto: "tcp", Port: 22}
	v := prober(t, o.World.World, reach.Config{}).Explain(ssh)
	require.False(t, v.Reachable)
	require.Len(t, v.Blockers, 3)
	require.Equal(t, []trace.Reason{trace.ACLIngress, trace.GroupIngress, trace.ACLEgress},
		[]trace.Reason{v.Blockers[0].Reason(), v.Blockers[1].Reason(), v.Blockers[2].Reason()})
	require.Equal(t, []string{"request", "request", "reply"}, []string{v.Blockers[0].Direction, v.Blockers[1].Direction, v.Blockers[2].Direction})
	changes := []string{
		"db/ingress/99=allow tcp/22 10.0.0.5/32", "sg-00000000000000db1/ingress/tcp/22/10.0.0.5/32=allow", "acl-00000000000000db1/egress/100=allow tcp/1024-65535 10.0.0.5/32",
	}
	changes[0] = strings.Replace(changes[0], "db/", "acl-00000000000000db1/", 1)
	for i, c := range changes {
		overlay, err := reach.ParseOverlay(c)
		require.NoError(t, err)
		require.NoError(t, overlay.Apply(o.World.World))
		v = prober(t, o.World.World, reach.Config{}).Explain(ssh)
		require.Len(t, v.Blockers, len(changes)-i-1, "%s", v)
	}
	require.True(t, v.Reachable)
	require.Equal(t, "reachable: open (answered)\n", v.String())
}

// zones is two VPCs on a transit gateway; packets from a come to b's second attachment
// by chance, and only one of b's attachment subnets may send them on.
func TestChancesHaveShares(t *testing.T) {
	o := newOffice(t)
	g, err := tgw.Create(o.Region, tgw.Config{})
	require.NoError(t, err)
	zones := o.Region.Zones()
	a, b := o.VPC("10.1.0.0/16"), o.VPC("10.2.0.0/16")
	all := vpc.AllTraffic("10.0.0.0/8")
	here := a.SubnetIn(zones[0], "10.1.0.0/24")
	o.launch(t, here, "here", false, o.newGroup(t, a, "a", all))
	there := b.SubnetIn(zones[1], "10.2.0.0/24")
	o.launch(t, there, "there", false, o.newGroup(t, b, "b", all))
	doors := []*vpc.Subnet{b.SubnetIn(zones[1], "10.2.9.0/24").Subnet, b.SubnetIn(zones[2], "10.2.10.0/24").Subnet}
	_, err = g.Attach(tgw.AttachmentConfig{}, here.Subnet)
	require.NoError(t, err)
	to, err := g.Attach(tgw.AttachmentConfig{ID: "tgw-attach-00000000000000b01"}, doors...)
	require.NoError(t, err)
	here.Route("10.0.0.0/8", g)
	there.Route("10.0.0.0/8", g)
	deny, err := b.CreateNetworkACL(vpc.NetworkACLConfig{ID: "acl-00000000000000b01"})
	require.NoError(t, err)
	ping := reach.Spec{From: "here", To: "there"}
	p := prober(t, o.World.World, reach.Config{})

	r := p.Ask(ping)
	require.Empty(t, r.Outcomes, "whatever zone is chosen, the answer is the same")
	require.Equal(t, "true reply ttl 254: answered ", line(r))

	require.NoError(t, doors[1].SetNetworkACL(deny))
	r = p.Ask(ping)
	require.Nil(t, r.RoundTrip)
	require.Equal(t, reach.Unknown, r.Observed)
	require.Len(t, r.Outcomes, 2)
	require.Equal(t, 0.5, r.Outcomes[0].Share)
	require.Equal(t, "depends on the zone at "+to.ID()+": 1 of 2 (us-east-1b): reply (answered); 1 of 2 (us-east-1c): no-reply (network ACL denies it outbound)", r.Unknown)
	v := p.Explain(ping)
	require.False(t, v.Reachable, "what is left to chance never passes")
	require.Len(t, v.Blockers, 1)
	require.Equal(t, 0.5, v.Blockers[0].Share)
	require.Contains(t, v.String(), "in 1 of 2\n")

	one := prober(t, o.World.World, reach.Config{Outcomes: 1}).Ask(ping)
	require.Nil(t, one.RoundTrip, "outcomes that were not tried are unknown")
	require.Contains(t, one.Unknown, "1 of 2: not tried")
}

func TestWhatAnApplianceDoesIsUnknownUntilSomebodySays(t *testing.T) {
	o := newOffice(t)
	nat := o.launch(t, o.public, "nat instance", true, o.newGroup(t, o.vpc, "nat", vpc.AllTraffic("10.0.0.0/16")))
	require.NoError(t, nat.SetSourceDestCheck(false))
	o.private.Route("8.0.0.0/8", nat.Interface())
	ping := reach.Spec{From: "app", To: "8.8.8.8"}
	r := prober(t, o.World.World, reach.Config{}).Ask(ping)
	require.Equal(t, reach.Unknown, r.Observed)
	require.Nil(t, r.RoundTrip)
	require.Equal(t, nat.Interface().ID(), r.Where)
	require.Equal(t, nat.Interface().ID()+": what the guest of "+nat.ID()+" ("+nat.Interface().ID()+
		") does with packets for others is in no snapshot: say what it is (forwards, masquerades) to have them go on", r.Unknown)

	forwards := prober(t, o.World.World, reach.Config{Appliances: map[string]reach.Appliance{nat.ID(): {}}}).Ask(ping)
	require.Equal(t, trace.NoPublicAddress, forwards.End(), "untranslated it has no way out")

	p := prober(t, o.World.World, reach.Config{Appliances: map[string]reach.Appliance{nat.ID(): {Masquerade: true}}})
	for range 2 { // the guest forgets too
		r = p.Ask(ping)
		require.Equal(t, "true reply ttl <=254: answered ", line(r))
		require.Equal(t, nat.Interface().PublicIP().String(), r.SeenAs)
		tcp := p.Ask(reach.Spec{From: "app", To: "8.8.8.8", Proto: "tcp", Port: 443})
		require.Equal(t, reach.Open, tcp.Observed)
		require.Equal(t, reach.Open, p.Ask(reach.Spec{From: "app", To: "nat instance", Proto: "tcp", Port: 22}).Observed, "it is a host, too")
	}
}
