package firewall_test

import (
	"encoding/json"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/endpoint"
	"github.com/vpcsim/vpcsim/firewall"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

const (
	policyText = `{"FirewallPolicyResponse": {"FirewallPolicyName": "policy", "FirewallPolicyArn": "arn:aws:network-firewall:us-east-1:123456789012:firewall-policy/policy"},
	"FirewallPolicy": {
		"StatelessRuleGroupReferences": [{"ResourceArn": "arn:stateless/early", "Priority": 1}],
		"StatelessDefaultActions": ["aws:forward_to_sfe"], "StatelessFragmentDefaultActions": ["aws:drop"],
		"StatefulRuleGroupReferences": [{"ResourceArn": "arn:stateful/web", "Priority": 10}],
		"StatefulDefaultActions": ["aws:drop_strict", "aws:alert_strict"],
		"StatefulEngineOptions": {"RuleOrder": "STRICT_ORDER", "StreamExceptionPolicy": "DROP", "FlowTimeouts": {"TcpIdleTimeoutSeconds": 600}},
		"PolicyVariables": {"RuleVariables": {"HOME_NET": {"Definition": ["10.0.0.0/24"]}}}}}`
	statelessText = `{"RuleGroupResponse": {"RuleGroupName": "early", "RuleGroupArn": "arn:stateless/early", "Type": "STATELESS"},
	"RuleGroup": {"RulesSource": {"StatelessRulesAndCustomActions": {"StatelessRules": [{"Priority": 1, "RuleDefinition": {"Actions": ["aws:pass"],
		"MatchAttributes": {"Sources": [{"AddressDefinition": "0.0.0.0/0"}], "Protocols": [1], "SourcePorts": [], "TCPFlags": []}}}]}}}}`
	statefulText = `{"RuleGroupResponse": {"RuleGroupName": "web", "RuleGroupArn": "arn:stateful/web", "Type": "STATEFUL"},
	"RuleGroup": {"RuleVariables": {"PortSets": {"WEB": {"Definition": ["80", "443"]}}},
		"RulesSource": {"StatefulRules": [{"Action": "PASS", "Header": {"Protocol": "TCP", "Source": "$HOME_NET", "SourcePort": "ANY", "Direction": "FORWARD", "Destination": "10.0.1.0/24", "DestinationPort": "$WEB"},
		"RuleOptions": [{"Keyword": "sid", "Settings": ["1"]}]}]}}}`
)

func TestRestore(t *testing.T) {
	w := vpctest.New(t)
	v := w.VPC("10.0.0.0/16")
	a, b, f := v.Subnet("10.0.0.0/24"), v.Subnet("10.0.1.0/24"), v.Subnet("10.0.2.0/24")
	e, err := endpoint.CreateGatewayLoadBalancer("com.amazonaws.vpce.us-east-1.vpce-svc-1", f.Subnet, endpoint.Config{})
	require.NoError(t, err)
	d := firewall.DescribeFirewallOutput{
		Firewall: firewall.Shape{
			FirewallName: "wall", FirewallArn: "arn:aws:network-firewall:us-east-1:123456789012:firewall/wall", VpcId: v.ID(),
			FirewallPolicyArn: "arn:aws:network-firewall:us-east-1:123456789012:firewall-policy/policy", SubnetMappings: []firewall.SubnetMapping{{SubnetId: f.ID()}},
		},
		FirewallStatus: firewall.Status{Status: "READY", SyncStates: map[string]firewall.SyncState{
			"us-east-1a": {Attachment: firewall.Attachment{SubnetId: f.ID(), EndpointId: e.ID(), Status: "READY"}},
		}},
	}
	var policy firewall.DescribePolicyOutput
	var groups [2]firewall.DescribeGroupOutput
	require.NoError(t, json.Unmarshal([]byte(policyText), &policy))
	require.NoError(t, json.Unmarshal([]byte(statelessText), &groups[0]))
	require.NoError(t, json.Unmarshal([]byte(statefulText), &groups[1]))
	restore := func(p []firewall.DescribePolicyOutput, g []firewall.DescribeGroupOutput) (wall *firewall.Firewall, err error) {
		require.NoError(t, w.Region.Change(func(tx *vpc.Tx) error { wall, err = firewall.Restore(tx, d, p, g); return nil }))
		return wall, err
	}
	_, err = restore([]firewall.DescribePolicyOutput{policy}, groups[:])
	require.NoError(t, err)
	require.Equal(t, []firewall.DescribeFirewallOutput{d}, firewall.Describe(w.Region))

	a.Route("10.0.1.0/24", e)
	b.Route("10.0.0.0/24", e)
	client, server := a.Host("client"), b.Host("server")
	for _, h := range []*vpctest.Host{client, server} {
		require.NoError(t, h.Interface.SetGroups(v.DefaultSecurityGroup()))
	}
	client.Allow(vpc.AllTraffic("10.0.0.0/16"))
	_, err = server.ListenTCP(netip.AddrPortFrom(netip.Addr{}, 443), nil)
	require.NoError(t, err)
	client.Ping(server.Addr).OK(t)
	_, err = client.Dial(netip.AddrPortFrom(server.Addr, 443))
	require.NoError(t, err)
	end := func(port uint16) trace.Reason {
		x := client.StartDial(netip.AddrPortFrom(server.Addr, port), func(*host.Conn, error) {})
		w.Run(1e8)
		x.Abort()
		walks := w.Trace().Walks()
		return walks[len(walks)-1].End()
	}
	require.Equal(t, trace.FirewallRule, end(22), "aws:drop_strict")

	d.Firewall.FirewallArn += "2"
	_, err = restore([]firewall.DescribePolicyOutput{policy}, groups[:1])
	require.ErrorContains(t, err, "arn:stateful/web")
	require.Equal(t, trace.Unmodelled, end(443), "a group of which nothing is known")
	d.Firewall.FirewallArn += "3"
	_, err = restore(nil, nil)
	require.ErrorContains(t, err, "firewall-policy/policy")
	client.Ping(server.Addr).Dropped(t, trace.Unmodelled)
}
