package vpctest_test

import (
	"flag"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/intent"
	"github.com/vpcsim/vpcsim/reach"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

// shop is a web server with a public address, an application behind a NAT gateway and a
// database that only the application reaches.
func shop(t vpctest.TB) *vpctest.World {
	w := vpctest.New(t)
	v := w.VPC("10.0.0.0/16")
	public, private := v.Subnet("10.0.0.0/24"), v.Subnet("10.0.1.0/24")
	nat := public.NATGateway()
	public.Route("0.0.0.0/0", v.InternetGateway())
	private.Route("0.0.0.0/0", nat)
	web := public.Launch(vpc.InstanceConfig{
		Name: "web", AssociatePublicIP: true, Interface: vpc.NetworkInterfaceConfig{Groups: group(t, v, "web", vpc.TCPPort(443, "0.0.0.0/0"))},
	}, hostConfig)
	private.Launch(vpc.InstanceConfig{Name: "app", Interface: vpc.NetworkInterfaceConfig{
		Groups: group(t, v, "app", vpc.TCPPort(8080, web.Addr.String()+"/32")),
	}}, hostConfig)
	private.Launch(vpc.InstanceConfig{Name: "db", Interface: vpc.NetworkInterfaceConfig{
		Groups: group(t, v, "db", vpc.TCPPort(5432, "10.0.1.0/24")),
	}}, hostConfig)
	return w
}

func group(t vpctest.TB, v *vpctest.VPC, name string, rules ...vpc.Permission) []*vpc.SecurityGroup {
	t.Helper()
	g, err := v.CreateSecurityGroup(name, vpc.SecurityGroupConfig{})
	if err == nil {
		err = g.AuthorizeIngress(rules...)
	}
	if err != nil {
		t.Fatalf("refused: %v", err)
	}
	return []*vpc.SecurityGroup{g}
}

func TestMatrix(t *testing.T) {
	vpctest.Matrix(t, shop(t).Network(), []vpctest.Want{
		{"internet", "web", "tcp/443", vpctest.Reachable},
		{"internet", "web", "tcp/22", vpctest.Blocked("ENI_SG_RULES_MISMATCH")},
		{"internet", "db", "any", vpctest.Blocked()},
		{"web", "app", "tcp/8080", vpctest.Reachable},
		{"web", "db", "", vpctest.Blocked()},
		{"app", "db", "tcp/5432", vpctest.Reachable},
		{"app", "internet", "tcp/443", vpctest.Via("NAT gateway in 10.0.0.0/24")},
	})
}

func TestIntents(t *testing.T) {
	file := filepath.Join(t.TempDir(), "intents.txt")
	require.NoError(t, os.WriteFile(file, []byte("# shop\ninternet -> web tcp/443 reachable\napp -> internet via \"NAT gateway in 10.0.0.0/24\"\n"), 0o644))
	n := shop(t).Network()
	for range 2 { // a network may be asked by many at once
		t.Run("", func(t *testing.T) {
			t.Parallel()
			vpctest.Intents(t, n, file)
		})
	}
}

func TestReachabilityIsGolden(t *testing.T) {
	vpctest.Golden(t, "reachability.txt", shop(t).Network().Reachability(t, "icmp", "tcp/443", "tcp/8080", "tcp/5432"))
}

func TestGoldenTellsTheFirstLineThatDiffers(t *testing.T) {
	if f := flag.Lookup("update"); f.Value.String() == "true" {
		t.Skip("golden files are being written")
	}
	t.Chdir(t.TempDir())
	require.NoError(t, os.Mkdir("testdata", 0o755))
	require.NoError(t, os.WriteFile(filepath.Join("testdata", "a.txt"), []byte("one\ntwo\n"), 0o644))
	vpctest.Golden(t, "a.txt", "one\ntwo\n")
	for got, want := range map[string]string{
		"one\n2\n":          "a.txt:2 differs (go test -update writes it anew)\n want \"two\"\n got  \"2\"",
		"one":               "a.txt:2 differs (go test -update writes it anew)\n want \"two\"\n got  end of file",
		"one\ntwo\nthree\n": "a.txt:3 differs (go test -update writes it anew)\n want \"\"\n got  \"three\"",
	} {
		var failed recorder
		vpctest.Golden(&failed, "a.txt", got)
		require.Equal(t, "testdata"+string(filepath.Separator)+want, failed.text)
	}
	var failed recorder
	vpctest.Golden(&failed, "none.txt", "")
	require.Contains(t, failed.text, "go test -update writes it")
}

func TestAsk(t *testing.T) {
	n := shop(t).Network()
	v := n.Ask(t, "web", "db", "tcp/5432")
	require.False(t, v.Reachable)
	require.Len(t, v.Blockers, 1)
	require.Equal(t, "ENI_SG_RULES_MISMATCH", v.Blockers[0].Code)
	for _, bad := range []string{"any", "tcp", "tcp/1-2", "x", "icmp/8"} {
		var failed recorder
		n.Ask(&failed, "web", "db", bad)
		require.Contains(t, failed.text, "expected icmp, or a port such as tcp/443", bad)
	}
	var failed recorder
	n.Ask(&failed, "web", "nobody", "icmp")
	require.Contains(t, failed.text, `"nobody"`)
}

func TestClosedPortsAreAssumed(t *testing.T) {
	w := shop(t)
	n := w.Network().Assume(reach.Config{Closed: true})
	require.Equal(t, reach.Closed, n.Ask(t, "app", "db", "tcp/5432").Observed)
}

func TestWithLeavesTheNetworkAsItWas(t *testing.T) {
	n := shop(t).Network()
	was := n.Reachability(t, "icmp", "tcp/5432")
	closed := n.With(t, "db/ingress/tcp/5432/10.0.1.0/24=none")
	require.False(t, closed.Ask(t, "app", "db", "tcp/5432").Reachable)
	require.True(t, n.Ask(t, "app", "db", "tcp/5432").Reachable)
	require.Equal(t, was, n.Reachability(t, "icmp", "tcp/5432"))
	require.Contains(t, n.Diff(t, closed, "icmp", "tcp/5432"), "lost    app (eni-")
	require.Empty(t, n.Diff(t, n, "icmp", "tcp/5432"))
	require.Empty(t, n.Diff(t, closed.With(t, "db/ingress/tcp/5432/10.0.1.0/24=allow"), "icmp", "tcp/5432"))
	v := closed.Ask(t, "app", "db", "tcp/5432")
	require.True(t, closed.With(t, v.Blockers[0].Fix).Ask(t, "app", "db", "tcp/5432").Reachable, "what is proposed can be tried")

	var failed recorder
	n.With(&failed, "db/ingress/tcp/5432/10.0.1.0/24=none", "nobody/state=stopped")
	require.Contains(t, failed.text, `reach: change "nobody/state=stopped": nothing in the network is called "nobody"`)
	failed = recorder{}
	n.Diff(&failed, closed, "any")
	require.Contains(t, failed.text, `traffic "any": expected icmp, or a port such as tcp/443`)
	for i := range 3 {
		t.Run("", func(t *testing.T) { // others may ask meanwhile
			t.Parallel()
			after := n.With(t, "db/state=stopped")
			require.False(t, after.Ask(t, "app", "db", "tcp/5432").Reachable)
			require.True(t, n.Ask(t, "app", "db", "tcp/5432").Reachable, i)
		})
	}
}

// TestFails is run by the test below, in a process of its own, to see how it fails.
func TestFails(t *testing.T) {
	if os.Getenv("VPCTEST_FAIL") == "" {
		t.Skip("for TestAFailureStandsAlone")
	}
	w := shop(t)
	acl, err := w.Region.Find(os.Getenv("VPCTEST_FAIL")).(*vpc.VPC).CreateNetworkACL(vpc.NetworkACLConfig{Name: "acl-db"})
	require.NoError(t, err)
	require.NoError(t, acl.CreateIngressEntry(vpc.ACLEntry{Number: 100, Allow: true, CIDR: netip.MustParsePrefix("0.0.0.0/0")}))
	for _, r := range []string{"app", "nobody"} {
		vpctest.Matrix(t, w.Network(), []vpctest.Want{{"web", r, "tcp/8080", vpctest.Reachable}})
	}
	vpctest.Matrix(t, w.Network(), []vpctest.Want{{"web", "db", "tcp/5432", vpctest.Reachable}, {From: "web", To: "db"}})
	loaded := vpctest.Load(t, "../cmd/vpcsim/testdata/shop")
	app, db := loaded.Ask(t, "app", "db", "tcp/5432").Way[0], loaded.Ask(t, "db", "app", "tcp/5432").Way[0]
	vpctest.Matrix(t, loaded.Assume(reach.Config{
		Closed: true, Ports: map[string][]reach.Port{app: {{Proto: "tcp", Number: 22}}}, Appliances: map[string]reach.Appliance{db: {Masquerade: true}},
	}), []vpctest.Want{{"web", "db", "tcp/5432", vpctest.Reachable}})
}

func TestAFailureStandsAlone(t *testing.T) {
	id := vpcOf(shop(t))
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run", "^TestFails$", "-test.artifacts", "-test.outputdir", dir)
	cmd.Env = append(os.Environ(), "VPCTEST_FAIL="+id)
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	text := string(out)
	require.Contains(t, text, "FAIL web -> db tcp/5432 reachable: filtered: no security group ingress rule allows it at eni-")
	require.Contains(t, text, "why   ENI_SG_RULES_MISMATCH: request: no security group ingress rule allows it at db (eni-")
	require.Contains(t, text, "fix   aws ec2 authorize-security-group-ingress --group-id sg-")
	require.Contains(t, text, `rerun: go test -run '^TestFails$/^web_->_db_tcp$/^5432_reachable$'`)
	require.Contains(t, text, "UNKNOWN web -> nobody tcp/8080 reachable: \"nobody\": nothing in the network with an address is called so", "unknown fails")
	require.Contains(t, text, "want 1, web -> db : expected an Expect: Reachable, Blocked(…) or Via(…)", "an expectation is needed")
	require.Regexp(t, `or  vpcsim trace \.\./cmd/vpcsim/testdata/shop eni-\w+ eni-\w+ --tcp 5432 --appliance eni-\w+=masquerade --assume-open=eni-\w+:tcp/22 --seed 0`, text)
	require.NotContains(t, text, "web_->_app")
	var files []string
	require.NoError(t, filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		files = append(files, filepath.Base(path))
		return err
	}))
	require.Contains(t, files, "path.svg")
	require.Contains(t, files, "path.pcapng")
	require.Contains(t, text, "path.svg")
	out, _ = exec.Command(os.Args[0], "-test.list", ".").CombinedOutput()
	require.Contains(t, string(out), "TestFails")
}

func vpcOf(w *vpctest.World) string {
	var id string
	w.Region.View(func(tx *vpc.Tx) { id = vpc.Resources[*vpc.VPC](tx)[0].ID() })
	return id
}

func TestRunFindsASubtestByItsName(t *testing.T) {
	cmd := exec.Command(os.Args[0], "-test.v", "-test.run", "^TestMatrix$/^web_->_app_tcp$/^8080_reachable$")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Equal(t, 1, strings.Count(string(out), "--- PASS: TestMatrix/"), string(out))
}

func TestLoadFailsOnAFolderThatIsNoNetwork(t *testing.T) {
	var failed recorder
	require.Nil(t, vpctest.Load(&failed, t.TempDir()))
	require.Contains(t, failed.text, ": expected files of describe-… answers, found none")
	_, err := vpctest.LoadNetwork(t.TempDir(), nil)
	require.Error(t, err)
}

func TestExpectationsAreIntents(t *testing.T) {
	for want, e := range map[string]vpctest.Expectation{
		"reachable": vpctest.Reachable, "blocked": vpctest.Blocked(), "blocked by X": vpctest.Blocked("X"), `reachable via "a b" c`: vpctest.Via("a b", "c"),
	} {
		i, err := intent.ParseLine("a -> b " + want)
		require.NoError(t, err)
		require.Contains(t, i.String(), want)
		require.NotZero(t, e)
	}
}

func TestLoadTakesATerraformPlan(t *testing.T) {
	n := vpctest.Load(t, "../cmd/vpcsim/testdata/answers/plan.json")
	vpctest.Matrix(t, n, []vpctest.Want{
		{"aws_instance.app", "aws_instance.db", "tcp/5432", vpctest.Blocked()},
		{"aws_instance.db", "internet", "tcp/443", vpctest.Via("aws_nat_gateway.data")},
	})
}
