package load_test

import (
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/load"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/reach"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/world"
)

const shopPlan = "../plan/testdata/shop/plan.json"

// plannedShop is the network of the plan shop, made by the calls that apply would make.
func plannedShop(t testing.TB) *world.World {
	w := world.New(world.Config{})
	r := w.Region(vpc.RegionConfig{Name: "eu-west-1"})
	v := got(r.CreateVPC("10.20.0.0/16", vpc.VPCConfig{Name: "shop"})).or(t)
	require.NoError(t, v.SetAttributes(vpc.VPCAttributes{EnableDNSSupport: true, EnableDNSHostnames: true}))
	g := got(igw.Create(r, igw.Config{})).or(t)
	require.NoError(t, g.Attach(v))
	outer := got(v.CreateRouteTable(vpc.RouteTableConfig{})).or(t)
	require.NoError(t, outer.CreateRoute("0.0.0.0/0", g))
	a := got(v.CreateNetworkACL(vpc.NetworkACLConfig{})).or(t)
	entry := vpc.ACLEntry{Number: 100, Protocol: 6, FromPort: 0, ToPort: 65535, Allow: true, CIDR: prefix("0.0.0.0/0")}
	require.NoError(t, a.CreateIngressEntry(entry))
	require.NoError(t, a.CreateEgressEntry(entry))
	var public, private [2]*vpc.Subnet
	for i, zone := range []string{"eu-west-1a", "eu-west-1b"} {
		public[i] = got(v.CreateSubnet([]string{"10.20.0.0/24", "10.20.1.0/24"}[i], vpc.SubnetConfig{Zone: zone})).or(t)
		private[i] = got(v.CreateSubnet([]string{"10.20.10.0/24", "10.20.11.0/24"}[i], vpc.SubnetConfig{Zone: zone})).or(t)
		require.NoError(t, outer.Associate(public[i]))
		require.NoError(t, got(v.CreateRouteTable(vpc.RouteTableConfig{})).or(t).Associate(private[i]))
		require.NoError(t, private[i].SetNetworkACL(a))
	}
	nat := got(natgw.Create(public[0], natgw.Config{})).or(t)
	require.NoError(t, private[0].RouteTable().CreateRoute("0.0.0.0/0", nat))

	group := func(name string, egress bool, in ...vpc.Permission) *vpc.SecurityGroup {
		x := got(v.CreateSecurityGroup(name, vpc.SecurityGroupConfig{Description: name})).or(t)
		require.NoError(t, x.AuthorizeIngress(in...))
		if !egress {
			require.NoError(t, x.RevokeEgress(x.Egress()[0]))
		}
		return x
	}
	web := group("web", true, vpc.TCPPort(443, "0.0.0.0/0"))
	app := group("app", true, vpc.Permission{Protocol: 6, FromPort: 8080, ToPort: 8080, Group: web})
	db := group("db", false, vpc.Permission{Protocol: 6, FromPort: 5432, ToPort: 5432, Group: app})
	for _, i := range []struct {
		name, address string
		in            *vpc.Subnet
		group         *vpc.SecurityGroup
		public        bool
	}{
		{"aws_instance.web[0]", "10.20.0.10", public[0], web, true}, {"aws_instance.web[1]", "10.20.1.10", public[1], web, true},
		{"app", "10.20.10.10", private[0], app, false}, {"aws_instance.db", "10.20.11.10", private[1], db, false},
	} {
		nic := vpc.NetworkInterfaceConfig{PrivateIP: netip.MustParseAddr(i.address), Groups: []*vpc.SecurityGroup{i.group}}
		got(i.in.RunInstance(vpc.InstanceConfig{Name: i.name, Interface: nic, AssociatePublicIP: i.public})).or(t)
	}
	return w
}

// TestPlanAnswersAsTheNetworkItMakes asks the network of a plan, and the one that the
// calls make, the same questions, between all of their instances and the internet.
func TestPlanAnswersAsTheNetworkItMakes(t *testing.T) {
	n, err := load.Plan(shopPlan, load.Config{})
	require.NoError(t, err)
	names := []string{"aws_instance.web[0]", "aws_instance.web[1]", "app", "aws_instance.db", "internet"}
	var questions []reach.Spec
	for _, from := range names {
		for _, to := range names {
			for _, port := range []int{443, 8080, 5432, 22} {
				if from != to && !(from == "internet" && !strings.Contains(to, "web")) {
					questions = append(questions, reach.Spec{From: from, To: to, Proto: "tcp", Port: port})
				}
			}
			if from != to && from != "internet" {
				questions = append(questions, reach.Spec{From: from, To: to, Proto: "icmp"})
			}
		}
	}
	got, err := reach.Sweep(n.World, questions, reach.Config{})
	require.NoError(t, err)
	want, err := reach.Sweep(plannedShop(t), questions, reach.Config{})
	require.NoError(t, err)
	answered := 0
	for i, q := range questions {
		require.Empty(t, got[i].Unknown, "%v", q)
		require.Equal(t, want[i].Observed, got[i].Observed, "%v", q)
		require.Equal(t, want[i].Reason, got[i].Reason, "%v", q)
		require.Equal(t, want[i].Direction, got[i].Direction, "%v", q)
		if got[i].Reachable() {
			answered++
		}
	}
	require.Greater(t, answered, 5)
}

func TestPlanNamesResourcesByAddress(t *testing.T) {
	n, err := load.Plan(shopPlan, load.Config{})
	require.NoError(t, err)
	for _, name := range []string{
		"aws_instance.web[1]", `module.net.aws_subnet.private["eu-west-1b"]`, "module.net.aws_vpc.this[0]", "shop", "aws_security_group.db",
		"module.net.aws_route_table.public", "module.net.aws_nat_gateway.this", "aws_network_interface.db", "module.net.aws_network_acl.private", "module.net.aws_eip.nat",
	} {
		require.Len(t, n.Find(name), 1, name)
	}
	at, ok := n.Source(n.Find("aws_instance.web[1]")[0].ID())
	require.True(t, ok)
	require.Equal(t, load.Source{File: "plan.json", Path: "aws_instance.web[1]"}, at)
	for _, s := range n.Skipped {
		require.Empty(t, s.ID, "%s", s)
	}
}

func TestPlanThatMakesEverythingHasNothingBefore(t *testing.T) {
	_, err := load.Plan(shopPlan, load.Config{Before: true})
	require.EqualError(t, err, "load: plan.json: expected a network in the plan's prior_state, found none: the plan makes everything anew")
}

func TestFilesThatAreNoPlans(t *testing.T) {
	for text, want := range map[string]string{
		`{"Vpcs": []}`:          `load: plan.json: expected what "terraform show -json" prints, found no format_version`,
		`{"format_version": 1}`: "load: plan.json: format_version: expected a string, found number",
		`{"format_version": "2.0", "planned_values": {}}`: `load: plan.json: format_version "2.0": expected 1, or 0 of Terraform before 1.1`,
		`{"format_version": "1.2"}`:                       `load: plan.json: expected planned_values of a plan, or values of a state: "terraform show -json" prints both`,
		`{"format_version": "1.2", "planned_values": {"root_module": {"resources": [{}, {"address": 7}]}}}`: "load: plan.json: planned_values.root_module.resources[1].address: expected a string, found number",
		`{"format_version": "1.2", "planned_values": {"root_module": {"resources": [{"values": [1]}]}}}`:    "load: plan.json: planned_values.root_module.resources[0].values[0]: expected an object, found array",
		`{"format_version": "1.2", "planned_values": {"root_module": [`:                                     "load: plan.json: planned_values.root_module[0]: expected more JSON, the file ends",
		`{"format_version": "1.2", "planned_values": {}}`:                                                   "load: plan.json: expected resources of a VPC's network in the plan, found none",
		"PK\x03\x04": "load: plan.json: expected JSON, found a plan in Terraform's own format: \"terraform show -json\" prints it as JSON",
	} {
		_, err := load.PlanText("plan.json", []byte(text), load.Config{})
		require.EqualError(t, err, want)
	}
}

// FuzzPlan holds plans to what is promised of any file: no panic, and an error that names
// the place.
func FuzzPlan(f *testing.F) {
	text, err := os.ReadFile(shopPlan)
	require.NoError(f, err)
	f.Add(text)
	f.Add([]byte(`{"format_version":"1.2","planned_values":{"root_module":{"resources":[{"address":"aws_vpc.a","values":{"cidr_block":"10.0.0.0/16"}},` +
		`{"address":"aws_subnet.a[0]","values":{"cidr_block":"10.0.0.0/24"}}]}},"resource_changes":[{"address":"aws_subnet.a[0]","change":{"after_unknown":{"id":true,"vpc_id":true}}}],` +
		`"configuration":{"root_module":{"resources":[{"address":"aws_subnet.a","expressions":{"vpc_id":{"references":["aws_vpc.a.id","aws_vpc.a"]}}}]}}}`))
	f.Add([]byte(`{"format_version":1}"","a`)) // text behind the end
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, before := range []bool{false, true} {
			n, err := load.PlanText("plan.json", data, load.Config{Before: before})
			if err != nil {
				var e *load.Error
				require.ErrorAs(t, err, &e)
				require.NotEmpty(t, e.Msg)
				continue
			}
			for _, r := range n.Regions {
				require.NotNil(t, n.World.Live(r).Snapshot())
				load.Answers(r)
			}
		}
	})
}

// TestPlanOfNearlyEveryKind asks the network of the plan wide, which joins VPCs and has
// services in them.
func TestPlanOfNearlyEveryKind(t *testing.T) {
	n, err := load.Plan("../plan/testdata/wide/plan.json", load.Config{})
	require.NoError(t, err)
	for _, s := range n.Skipped {
		require.True(t, s.Assumed || s.Path == "aws_vpc_endpoint.s3.ServiceName", "%s", s)
	}
	p, err := reach.New(n.World, reach.Config{})
	require.NoError(t, err)
	address := func(name string) string { // of a service's only interface in the zone a
		x := n.Find(name)
		require.Len(t, x, 1, name)
		var found string
		for _, r := range n.Regions {
			r.View(func(tx *vpc.Tx) {
				for _, nic := range vpc.Resources[*vpc.NetworkInterface](tx) {
					if nic.Owner() == x[0] && strings.HasSuffix(nic.Subnet().Zone(), "a") {
						found = tx.PrivateAddresses(nic)[0].IP.String()
					}
				}
			})
		}
		require.NotEmpty(t, found, name)
		return found
	}
	for _, c := range []struct {
		from, to string
		port     int
		observed reach.Observed
		reason   string
	}{
		// Peering: both tables have the way; the west's default group lets nobody in.
		{"aws_instance.west", `aws_instance.server["a"]`, 80, reach.Open, "answered"},
		{`aws_instance.server["a"]`, "aws_instance.west", 80, reach.Filtered, "no security group ingress rule allows it"},
		// The transit gateway's table for data knows the subnet a of the application alone.
		{"aws_instance.data", `aws_instance.server["a"]`, 80, reach.Open, "answered"},
		{"aws_instance.data", `aws_instance.server["b"]`, 80, reach.Filtered, "transit gateway has no route"},
		// The prefix list has the office in it, and not the data VPC.
		{"aws_instance.data", `aws_instance.server["a"]`, 22, reach.Filtered, "no security group ingress rule allows it"},
		// The route to the office is propagated from the VPN connection; beyond is no plan.
		{"aws_instance.data", "192.168.1.1", 80, reach.Unknown, "not modelled"},
		// One server has an Elastic IP address, the other has none.
		{`aws_instance.server["a"]`, "internet", 443, reach.Open, "answered"},
		{`aws_instance.server["b"]`, "internet", 443, reach.Filtered, "source has no public address"},
		// Services.
		{`aws_instance.server["b"]`, address("aws_vpc_endpoint.sqs"), 443, reach.Open, "answered"},
		{`aws_instance.server["b"]`, address("aws_lb.net"), 8080, reach.Open, "answered"},
		{`aws_instance.server["b"]`, address("aws_lb.web"), 80, reach.Open, "answered"},
		{"aws_instance.west", "orders", 5432, reach.Filtered, "no route"},
		{`aws_instance.server["a"]`, "orders", 5432, reach.Open, "answered"},
		{`aws_instance.server["b"]`, "orders", 5432, reach.Filtered, "transit gateway has no route"},
	} {
		q, err := p.Question(reach.Spec{From: c.from, To: c.to, Proto: "tcp", Port: c.port})
		require.NoError(t, err, "%+v", c)
		r := p.Probe(q)
		require.Equal(t, c.observed, r.Observed, "%+v: %s", c, r.Reason)
		require.Equal(t, c.reason, r.Reason, "%+v", c)
	}
	require.Len(t, n.Find("aws_db_instance.orders"), 1)
	require.Equal(t, n.Find("orders"), n.Find("aws_db_instance.orders"))
	require.Len(t, n.Find("aws_vpc_peering_connection.west"), 2, "one end in each region")
}

// askedOfPlan is the answer to one question, of a plan's network before or after it.
func askedOfPlan(t *testing.T, file string, before bool, q reach.Spec) reach.Result {
	t.Helper()
	n, err := load.Plan(file, load.Config{Before: before})
	require.NoError(t, err)
	p, err := reach.New(n.World, reach.Config{})
	require.NoError(t, err)
	question, err := p.Question(q)
	require.NoError(t, err)
	return p.Probe(question)
}

// TestPlanFollowsRulesOfTheirOwn: a group's values hold the rules that resources of their
// own have put there before the plan; after it those resources say which there are.
func TestPlanFollowsRulesOfTheirOwn(t *testing.T) {
	const rules = "../plan/testdata/rules/plan.json"
	for port, open := range map[int][2]bool{22: {true, false}, 80: {true, false}, 443: {false, true}, 23: {false, false}} {
		for i, before := range []bool{true, false} {
			r := askedOfPlan(t, rules, before, reach.Spec{From: "aws_instance.client", To: "aws_instance.server", Proto: "tcp", Port: port})
			require.Equal(t, open[i], r.Reachable(), "%d before=%v: %s", port, before, r.Reason)
		}
	}
	for _, before := range []bool{true, false} {
		r := askedOfPlan(t, rules, before, reach.Spec{From: "aws_instance.client", To: "aws_instance.server", Proto: "icmp"})
		require.True(t, r.Reachable())
	}
}

// TestPlanGuessesNothing: what an expression leaves open, or another configuration decides,
// is neither a yes nor a no.
func TestPlanGuessesNothing(t *testing.T) {
	const unknown, rules = "../plan/testdata/unknown/plan.json", "../plan/testdata/rules/plan.json"
	for _, c := range []struct {
		file, from, to string
		port           int
		observed       reach.Observed
	}{
		{unknown, "aws_instance.one", "aws_instance.server", 22, reach.Unknown}, // one group of two
		{unknown, "aws_instance.one", "aws_instance.server", 80, reach.Unknown},
		{unknown, "aws_instance.one", "aws_instance.server", 443, reach.Open},
		{unknown, "aws_instance.one", "aws_instance.server", 23, reach.Filtered},
		{unknown, "aws_instance.one", "internet", 443, reach.Unknown},                  // one NAT gateway of two
		{rules, "aws_instance.shared[0]", "aws_instance.shared[1]", 80, reach.Unknown}, // another's network ACLs
		{rules, "aws_instance.shared[0]", "internet", 80, reach.Unknown},               // and its main route table
	} {
		r := askedOfPlan(t, c.file, false, reach.Spec{From: c.from, To: c.to, Proto: "tcp", Port: c.port})
		require.Equal(t, c.observed, r.Observed, "%+v: %s", c, r.Reason)
	}
	n, err := load.Plan(unknown, load.Config{})
	require.NoError(t, err)
	left, ok := n.LeftOut("aws_instance.somewhere")
	require.True(t, ok)
	require.Equal(t, "plan.json: aws_instance.somewhere.subnet_id: known after apply, and its expression may be of aws_subnet.s[0], aws_subnet.s[1]: it is left out", left.String())
	_, ok = n.LeftOut("aws_elb.old")
	require.True(t, ok)
}

// TestPlanAnswersAsTheStateOnceApplied asks the network of a plan, and that of the state
// that Terraform has of it afterwards, the same questions.
func TestPlanAnswersAsTheStateOnceApplied(t *testing.T) {
	for _, name := range []string{"shop", "wide"} {
		before, err := load.Plan("../plan/testdata/"+name+"/plan.json", load.Config{})
		require.NoError(t, err)
		after, err := load.Plan("../plan/testdata/"+name+"/state.json", load.Config{})
		require.NoError(t, err)
		var hosts []string
		for _, r := range before.Regions {
			var all []*vpc.Instance
			r.View(func(tx *vpc.Tx) { all = vpc.Resources[*vpc.Instance](tx) })
			for _, i := range all {
				hosts = append(hosts, i.Label())
			}
		}
		var questions []reach.Spec
		for _, from := range hosts {
			for _, to := range append(hosts, "internet") {
				for _, port := range []int{22, 80, 443, 5432} {
					questions = append(questions, reach.Spec{From: from, To: to, Proto: "tcp", Port: port})
				}
			}
		}
		got, err := reach.Sweep(before.World, questions, reach.Config{})
		require.NoError(t, err)
		want, err := reach.Sweep(after.World, questions, reach.Config{})
		require.NoError(t, err)
		for i, q := range questions {
			require.Equal(t, want[i].Observed, got[i].Observed, "%s: %v: %s, %s", name, q, want[i].Reason, got[i].Reason)
			require.Equal(t, want[i].Reason, got[i].Reason, "%s: %v", name, q)
		}
	}
}
