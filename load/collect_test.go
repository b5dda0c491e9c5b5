package load_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jmespath/go-jmespath"
	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/load"
	"github.com/vpcsim/vpcsim/vpc"
)

// TestMain is an aws CLI too, of the shop: see fakeAWS.
func TestMain(m *testing.M) {
	if calls := os.Getenv("FAKE_AWS_CALLS"); calls != "" {
		if err := fakeAWS(calls, os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(254)
		}
		return
	}
	os.Exit(m.Run())
}

// told are the calls that answer with a list of their own, and its key.
var told = map[string]string{
	"ec2 describe-instances": "Reservations", "ec2 describe-managed-prefix-lists": "PrefixLists",
	"ec2 describe-vpc-endpoint-service-configurations": "ServiceConfigurations", "elb describe-load-balancers": "LoadBalancerDescriptions",
	"elbv2 describe-load-balancers": "LoadBalancers", "elbv2 describe-target-groups": "TargetGroups",
	"directconnect describe-direct-connect-gateways": "directConnectGateways", "directconnect describe-virtual-interfaces": "virtualInterfaces",
	"directconnect describe-connections": "connections", "directconnect describe-lags": "lags",
	"ec2 describe-vpc-block-public-access-options": "VpcBlockPublicAccessOptions", "ec2 describe-vpc-block-public-access-exclusions": "VpcBlockPublicAccessExclusions",
}

// within are the calls that answer about the object of an option, without naming it: the
// key under which a collector keeps the answers, and the object's member.
var within = map[string][3]string{
	"ec2 describe-vpc-attribute":                       {"vpc-id", "VpcAttributes", "VpcId"},
	"ec2 get-managed-prefix-list-entries":              {"prefix-list-id", "PrefixListEntries", "PrefixListId"},
	"ec2 get-transit-gateway-route-table-propagations": {"transit-gateway-route-table-id", "TransitGatewayPropagations", "TransitGatewayRouteTableId"},
	"ec2 search-transit-gateway-routes":                {"transit-gateway-route-table-id", "TransitGatewayStaticRoutes", "TransitGatewayRouteTableId"},
	"elbv2 describe-listeners":                         {"load-balancer-arn", "LoadBalancerListeners", "LoadBalancerArn"},
	"elbv2 describe-load-balancer-attributes":          {"load-balancer-arn", "LoadBalancerAttributes", "LoadBalancerArn"},
	"elbv2 describe-rules":                             {"listener-arn", "ListenerRules", "ListenerArn"},
	"elbv2 describe-target-health":                     {"target-group-arn", "LoadBalancerTargetHealth", "TargetGroupArn"},
	"elbv2 describe-target-group-attributes":           {"target-group-arn", "TargetGroupAttributes", "TargetGroupArn"},
}

// fakeAWS writes the call down and answers as the aws CLI would for the network in
// testdata/shop.
func fakeAWS(calls string, args []string) error {
	f, err := os.OpenFile(calls, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	fmt.Fprintln(f, strings.Join(args, " "))
	f.Close()
	options, plain := map[string]string{}, []string{}
	for i := 0; i < len(args); i++ {
		if name, ok := strings.CutPrefix(args[i], "--"); ok && i+1 < len(args) {
			options[name] = args[i+1]
			i++
			continue
		}
		plain = append(plain, args[i])
	}
	if len(plain) < 2 {
		return fmt.Errorf("aws: expected a service and a command, found %q", args)
	}
	answer, err := answerTo(plain[0]+" "+plain[1], options)
	if err != nil {
		return err
	}
	if q := options["query"]; q != "" {
		if answer, err = jmespath.Search(q, answer); err != nil {
			return err
		}
	}
	if list, ok := answer.([]any); ok && options["output"] == "text" {
		for i, x := range list {
			fmt.Print(strings.Repeat("\t", min(i, 1)), x)
		}
		fmt.Println()
		return nil
	}
	return json.NewEncoder(os.Stdout).Encode(answer)
}

// answerTo is the answer to a call, before any query.
func answerTo(call string, options map[string]string) (any, error) {
	if about, ok := within[call]; ok {
		var file map[string][]map[string]any
		text, err := os.ReadFile(filepath.Join(os.Getenv("FAKE_AWS_SHOP"), about[1]+".json"))
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(text, &file); err != nil {
			return nil, err
		}
		for _, one := range file[about[1]] {
			if one[about[2]] == options[about[0]] {
				if about[2] != "VpcId" {
					delete(one, about[2])
				}
				return one, nil
			}
		}
		return nil, fmt.Errorf("aws: %s: nothing is called %q", call, options[about[0]])
	}
	key := told[call]
	if key == "" {
		_, name, _ := strings.Cut(call, " describe-")
		for part := range strings.SplitSeq(name, "-") {
			if part != "" {
				key += strings.ToUpper(part[:1]) + part[1:]
			}
		}
	}
	text, err := os.ReadFile(filepath.Join(os.Getenv("FAKE_AWS_SHOP"), key+".json"))
	if err != nil {
		return nil, fmt.Errorf("aws: %s: AccessDenied", call)
	}
	var answer any
	return answer, json.Unmarshal(text, &answer)
}

// collect runs a script with the fake aws on the PATH and returns the folder and the calls.
func collect(t *testing.T, c load.CollectConfig) (dir string, calls []string, errs string) {
	t.Helper()
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("there is no sh here")
	}
	text, err := load.Collect(c)
	require.NoError(t, err)
	bin, log := t.TempDir(), filepath.Join(t.TempDir(), "calls")
	self, err := os.Executable()
	require.NoError(t, err)
	require.NoError(t, os.Symlink(self, filepath.Join(bin, "aws")))
	dir = filepath.Join(t.TempDir(), "snapshot")
	shop, err := filepath.Abs(filepath.Join("testdata", "shop"))
	require.NoError(t, err)
	sh := exec.Command("sh", "-s", dir)
	var told strings.Builder
	sh.Stdin, sh.Stderr = strings.NewReader(text), &told
	sh.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"), "FAKE_AWS_CALLS="+log, "FAKE_AWS_SHOP="+shop)
	require.NoError(t, sh.Run(), told.String())
	lines, err := os.ReadFile(log)
	require.NoError(t, err)
	return dir, strings.Split(strings.TrimSpace(string(lines)), "\n"), told.String()
}

// TestWhatIsCollectedIsTheNetwork runs the script with an aws CLI that knows the shop: it
// asks for nothing but what it may read, and its folder loads as the shop.
func TestWhatIsCollectedIsTheNetwork(t *testing.T) {
	dir, calls, errs := collect(t, load.CollectConfig{Regions: []string{"us-east-1"}, Account: "123456789012", Profile: "prod"})
	reads := regexp.MustCompile(`^--profile prod --region us-east-1 --output (json|text) [a-z0-9-]+ (describe|get|search|list)-`)
	for _, c := range calls {
		require.Regexp(t, reads, c)
	}
	require.Contains(t, errs, "files below")
	n, err := load.Dir(dir, load.Config{})
	require.NoError(t, err)
	require.Empty(t, n.Skipped)
	whole, err := load.Dir("testdata/shop", load.Config{})
	require.NoError(t, err)
	require.Equal(t, answers(whole), answers(n))
	for _, x := range []string{"web-1", "bastion", "front"} {
		require.Len(t, n.Find(x), len(whole.Find(x)), x)
	}
	var all int
	n.Regions[0].View(func(tx *vpc.Tx) { all = len(vpc.Resources[vpc.Resource](tx)) })
	require.Greater(t, all, 50)
}

// TestEveryKindIsCollected holds the script to the keys that files are known by.
func TestEveryKindIsCollected(t *testing.T) {
	text, err := load.Collect(load.CollectConfig{})
	require.NoError(t, err)
	other := map[string]string{ // by whose file, or answer, they come
		"LoadBalancerDescriptions": "get ClassicLoadBalancers elb describe-load-balancers",
		"Listeners":                "LoadBalancerListeners: [", // which say whose they are
		"Rules":                    "ListenerRules: [",
		"TransitGatewayRoutes":     "TransitGatewayStaticRoutes: [",
	}
	for _, key := range load.Keys() {
		name := strings.ToUpper(key[:1]) + key[1:]
		if key == "connections" {
			name = "DirectConnectConnections"
		}
		asked := strings.Contains(text, "get "+name+" ") || strings.Contains(text, `get "`+name+"-") || strings.Contains(text, "{"+key+": [")
		if want := other[key]; want != "" {
			asked = strings.Contains(text, want)
		}
		require.True(t, asked, "nothing in collect.sh asks for %s", key)
	}
	verbs := regexp.MustCompile(`\b(ec2|elbv2|elb|rds|directconnect|network-firewall|opensearch) ([a-z]+)-[a-z-]+`)
	found := verbs.FindAllStringSubmatch(text, -1)
	require.Greater(t, len(found), 60)
	for _, m := range found {
		require.True(t, slices.Contains([]string{"describe", "get", "search", "list"}, m[2]), "%s changes something", m[0])
	}
}

func TestCollectRefusesWhatIsNoName(t *testing.T) {
	for want, c := range map[string]load.CollectConfig{
		`load: region "a; rm -rf /": expected a region, such as us-east-1`: {Regions: []string{"us-east-1", "a; rm -rf /"}},
		`load: account "12": expected twelve digits`:                       {Account: "12"},
		`load: profile "$(x)": expected the name of a profile`:             {Profile: "$(x)"},
	} {
		_, err := load.Collect(c)
		require.EqualError(t, err, want)
	}
}
