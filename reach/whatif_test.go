package reach_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/load"
	"github.com/vpcsim/vpcsim/reach"
)

// shop is the network of package load's own.
func shop(t testing.TB) *load.Network {
	t.Helper()
	n, err := load.Dir("../load/testdata/shop", load.Config{})
	require.NoError(t, err)
	return n
}

// described is all that a network says of itself.
func described(n *load.Network) string {
	var all string
	for _, r := range n.Regions {
		for _, a := range load.Answers(r) {
			all += string(a.JSON)
		}
	}
	return all
}

// overlay reads changes.
func overlay(t testing.TB, changes ...string) reach.Overlay {
	t.Helper()
	o, err := reach.ParseOverlay(changes...)
	require.NoError(t, err)
	return o
}

// answered is what one question is answered.
func answered(t testing.TB, n *load.Network, q reach.Spec) string {
	t.Helper()
	r := prober(t, n.World, reach.Config{}).Ask(q)
	return string(r.Observed) + " (" + r.Reason + ")"
}

func TestChangesOfEveryKind(t *testing.T) {
	base := shop(t)
	whole := described(base)
	ping := func(from, to string) reach.Spec { return reach.Spec{From: from, To: to, Proto: "icmp"} }
	tcp := func(from, to string, port int) reach.Spec {
		return reach.Spec{From: from, To: to, Proto: "tcp", Port: port}
	}
	const bastion, second, web, peer = "eni-003b061f661351836", "eni-04b3eee5eb561eeed", "eni-03884f50d388dc242", "pcx-0657b445f1ff82bc7"
	const tgwTable, shopSide, office = "tgw-rtb-0570641b0d91901c3", "tgw-attach-08bf61c3e4e43959c", "tgw-attach-0a254559d4fb0fd0e"
	const private, public, desks, igw = "rtb-0953aeb70673e29cb", "rtb-05edecf33512736da", "rtb-0dd2f9b2d0b5f15e6", "igw-0d868da3886729b56"
	const group = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/b5b1461ad985b3e8"
	const let = "sg-0538c6a0cda7326c7/ingress/icmp/10.0.0.0/8=allow" // at the desk
	for _, row := range []struct {
		changes []string
		ask     reach.Spec
		want    string
	}{
		{nil, ping(web, "8.8.8.8"), "reply (answered)"},
		{[]string{"nat/state=deleted"}, ping(web, "8.8.8.8"), "no-reply (route is a black hole)"},
		{[]string{private + "/offices=nat"}, ping(web, "8.8.8.8"), "reply (answered)"},
		{[]string{private + "/offices=nat", private + "/offices=none"}, ping(web, "8.8.8.8"), "reply (answered)"},
		{[]string{"private-us-east-1a/route-table=" + public}, ping(web, "8.8.8.8"), "no-reply (source has no public address)"},
		{[]string{"private-us-east-1a/network-acl=acl-03fdabe86cbbeaa11"}, ping(web, "8.8.8.8"), "reply (answered)"},
		{nil, ping(bastion, "8.8.8.8"), "reply (answered)"},
		{[]string{second + "/address=none"}, ping(second, "8.8.8.8"), "no-reply (source has no public address)"},
		{[]string{"eipalloc-0f46025fd97f61d68/association=none"}, ping(second, "8.8.8.8"), "no-reply (source has no public address)"},
		{[]string{"eipalloc-0f46025fd97f61d68/association=none", second + "/address=new"}, ping(second, "8.8.8.8"), "reply (answered)"},
		{[]string{"spare/association=web-1", private + "/0.0.0.0/0=" + igw}, ping(web, "8.8.8.8"), "reply (answered)"},
		{nil, ping("desk", web), "no-reply (no security group ingress rule allows it)"},
		{[]string{peer + "/state=deleted"}, ping("desk", web), "no-reply (route is a black hole)"},
		{[]string{desks + "/10.0.0.0/16=tgw-05d81788a5c2ef67f"}, ping("desk", web), "no-reply (no security group ingress rule allows it)"},
		{[]string{let}, ping("web-2", "desk"), "reply (answered)"},
		{[]string{shopSide + "/route-table=none", let}, ping("web-2", "desk"), "no-reply (transit gateway attachment is associated with no route table)"},
		{[]string{shopSide + "/route-table=none", shopSide + "/route-table=" + tgwTable, let}, ping("web-2", "desk"), "reply (answered)"},
		{[]string{tgwTable + "/propagation/" + office + "=off", let}, ping("web-2", "desk"), "no-reply (transit gateway has no route)"},
		{[]string{tgwTable + "/172.31.0.0/16=blackhole", let}, ping("web-2", "desk"), "no-reply (route of the transit gateway is a black hole)"},
		{[]string{tgwTable + "/172.31.0.0/16=blackhole", tgwTable + "/172.31.0.0/16=" + office, let}, ping("web-2", "desk"), "reply (answered)"},
		{[]string{shopSide + "/subnet/private-us-east-1b=off", let}, ping("web-2", "desk"), "no-reply (transit gateway is not attached in the zone of the packet)"},
		{[]string{office + "/state=deleted", let}, ping("web-2", "desk"), "no-reply (transit gateway has no route)"},
		{[]string{"hub/security-group-referencing=off", let}, ping("web-2", "desk"), "reply (answered)"},
		{nil, tcp(bastion, "10.0.1.6", 443), "open (answered)"},
		{[]string{group + "/target/web-1=healthy"}, tcp(bastion, "10.0.1.6", 443), "open (answered)"},
		{[]string{"web/target/web-1=healthy", "web/target/web-2=none"}, tcp(bastion, "10.0.1.6", 443), "filtered (load balancer has no target in the zone, and does not cross zones)"},
		{[]string{"web/target/web-1=on", "front/load_balancing.cross_zone.enabled=true"}, tcp(bastion, "10.0.1.6", 443), "open (answered)"},
		{[]string{"web-1/state=stopped"}, ping("web-2", web), "no-reply (instance not running)"},
		{nil, ping(bastion, "idle"), "no-reply (instance not running)"},
		{[]string{"offices/10.0.0.0/8=on"}, tcp(bastion, web, 22), "open (answered)"},
		{nil, tcp(bastion, web, 22), "filtered (no security group ingress rule allows it)"},
		{[]string{"vpc-0044c3cd7f43c661c/dns-hostnames=off", "vpc-0044c3cd7f43c661c/dns-support=off"}, reach.Spec{From: web, To: "10.0.0.2", Proto: "udp", Port: 53}, "filtered (DNS support is off in the VPC)"},
		{[]string{private + "/propagation/vpn=off"}, ping(web, "192.168.0.1"), "no-reply (RFC 1918 destination at an internet gateway)"},
		{nil, ping(web, "192.168.0.1"), "unknown (not modelled)"},
		{[]string{"s3/state=deleted"}, ping(web, "8.8.8.8"), "reply (answered)"},
		{[]string{"s3/route-table/" + private + "=off"}, ping(web, "8.8.8.8"), "reply (answered)"},
	} {
		n, err := base.With(overlay(t, row.changes...))
		require.NoError(t, err)
		require.Equal(t, row.want, answered(t, n, row.ask), "%v %v", row.changes, row.ask)
	}
	require.Equal(t, whole, described(base), "the network that was given is as it was")
}

func TestANetworkMayBeAskedWhileChangesAreTried(t *testing.T) {
	base := shop(t)
	q := reach.Spec{From: "bastion", To: "8.8.8.8"}
	want := answered(t, base, q)
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			n, err := base.With(overlay(t, "eipalloc-0f46025fd97f61d68/association=none", "web-1/state=stopped"))
			if err != nil || n.Find("web-1") == nil {
				t.Errorf("%v", err)
			}
		})
		wait.Go(func() {
			if got := answered(t, base, q); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
	wait.Wait()
}
