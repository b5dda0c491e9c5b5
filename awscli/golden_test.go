package awscli_test

import (
	"bytes"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/awscli"
	"github.com/vpcsim/vpcsim/ec2"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew from what the installed aws CLI prints")

// golden is one command of the aws CLI and the answer that it gets.
type golden struct {
	file    string   // in testdata, without the ending that names the format
	action  string   // that the command calls
	args    []string // after "aws ec2"
	query   string
	formats []string // all three where nil
	answer  any
}

var goldens = []golden{
	// S002: the route tables of the three subnets
	{"s002-source", "DescribeRouteTables", []string{"describe-route-tables"}, "RouteTables[].Routes", []string{"table", "json"}, s002(source)},
	{"s002-destination", "DescribeRouteTables", []string{"describe-route-tables"}, "RouteTables[].Routes", []string{"table"}, s002(destination)},
	{"s002-nat", "DescribeRouteTables", []string{"describe-route-tables"}, "RouteTables[].Routes", []string{"table"}, s002(natSubnet)},
	// S002: the private NAT gateway
	{"s002-nat-gateway", "DescribeNatGateways", []string{"describe-nat-gateways"}, "", nil, privateNATGateway},

	{"route-tables", "DescribeRouteTables", []string{"describe-route-tables"}, "", nil, routeTables},
	{"route-tables-empty", "DescribeRouteTables", []string{"describe-route-tables"}, "", nil, &ec2.DescribeRouteTablesResult{RouteTables: []ec2.RouteTable{}}},
	{"route-tables-named", "DescribeRouteTables", []string{"describe-route-tables"}, "RouteTables[].{Vpc:VpcId,Id:RouteTableId}", nil, routeTables},
	{"route-tables-listed", "DescribeRouteTables", []string{"describe-route-tables"}, "RouteTables[].[RouteTableId,VpcId]", nil, routeTables},
	{"route-tables-first", "DescribeRouteTables", []string{"describe-route-tables"}, "RouteTables[0].RouteTableId", nil, routeTables},
	{"route-tables-counted", "DescribeRouteTables", []string{"describe-route-tables"}, "length(RouteTables)", nil, routeTables},
	{"route-tables-none", "DescribeRouteTables", []string{"describe-route-tables"}, "RouteTables[9]", nil, routeTables},
	{"security-groups", "DescribeSecurityGroups", []string{"describe-security-groups"}, "", nil, securityGroups},
	{"instances", "DescribeInstances", []string{"describe-instances"}, "", nil, instances},
	{"vpc-attribute", "DescribeVpcAttribute", []string{"describe-vpc-attribute", "--vpc-id", "vpc-1", "--attribute", "enableDnsSupport"}, "", nil, vpcAttribute},
	{"endpoint-services", "DescribeVpcEndpointServices", []string{"describe-vpc-endpoint-services"}, "", []string{"json"}, endpointServices},
	// when it puts pages together, the CLI forgets AdditionalRoutesAvailable
	{"transit-gateway-routes", "SearchTransitGatewayRoutes", []string{"search-transit-gateway-routes", "--transit-gateway-route-table-id", "tgw-rtb-1", "--filters", "Name=state,Values=active", "--no-paginate"}, "", nil, transitGatewayRoutes},
	{"delete-route", "DeleteRoute", []string{"delete-route", "--route-table-id", "rtb-1", "--destination-cidr-block", "0.0.0.0/0"}, "", nil, nil},
}

// each calls f for every golden file.
func each(t *testing.T, f func(t *testing.T, g golden, format, path string)) {
	for _, g := range goldens {
		formats := g.formats
		if formats == nil {
			formats = []string{"json", "table", "text"}
		}
		for _, format := range formats {
			name := g.file + "." + format
			t.Run(name, func(t *testing.T) { f(t, g, format, filepath.Join("testdata", name)) })
		}
	}
}

func TestWhatIsPrintedIsTheGoldenFile(t *testing.T) {
	each(t, func(t *testing.T, g golden, format, path string) {
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, string(want), printed(t, g, format))
	})
}

// printed is what this package prints of the answer to a command.
func printed(t *testing.T, g golden, format string) string {
	answer := g.answer
	if answer == nil {
		answer = struct{}{}
	}
	if g.query != "" {
		var err error
		answer, err = awscli.Query(answer, g.query)
		require.NoError(t, err)
	}
	var b bytes.Buffer
	switch format {
	case "json":
		require.NoError(t, awscli.JSON(&b, answer))
	case "table":
		require.NoError(t, awscli.Table(&b, g.action, answer))
	case "text":
		require.NoError(t, awscli.Text(&b, answer))
	}
	return b.String()
}

// The CLI itself calls an endpoint on this machine, which gives it the answer as EC2's XML.
func TestTheGoldenFilesAreWhatTheCLIPrints(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the aws CLI some 40 times, half a second each")
	}
	if out, err := exec.Command("aws", "--version").CombinedOutput(); !strings.HasPrefix(string(out), "aws-cli/1.45.11 ") {
		t.Skipf("the aws CLI 1.45.11 is not installed here: %q, %v", out, err)
	}
	answers := map[string]any{} // by action
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		action := r.FormValue("Action")
		text, err := ec2.MarshalResponse(action, "req-1", answers[action])
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/xml;charset=UTF-8")
		_, _ = w.Write(text)
	}))
	defer endpoint.Close()
	each(t, func(t *testing.T, g golden, format, path string) {
		answers[g.action] = g.answer
		want := cli(t, endpoint.URL, g, format)
		if *rewrite {
			require.NoError(t, os.WriteFile(path, want, 0o644))
		}
		got, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, string(want), string(got))
	})
}

// cli runs the aws CLI and returns what it prints.
func cli(t *testing.T, endpoint string, g golden, format string) []byte {
	args := append([]string{"ec2"}, g.args...)
	args = append(args, "--endpoint-url", endpoint, "--region", "ap-northeast-3", "--output", format)
	if g.query != "" {
		args = append(args, "--query", g.query)
	}
	cmd := exec.CommandContext(t.Context(), "aws", args...)
	cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=simulated", "AWS_SECRET_ACCESS_KEY=simulated",
		"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull, "AWS_EC2_METADATA_DISABLED=true",
		"AWS_PAGER=", "PYTHONIOENCODING=utf-8", "NO_PROXY=127.0.0.1", "AWS_MAX_ATTEMPTS=1")
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	require.NoError(t, err, fmt.Sprint(args, complaints.String()))
	return out
}
