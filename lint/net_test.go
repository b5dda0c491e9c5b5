package lint_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/lint"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/peering"
	"github.com/vpcsim/vpcsim/picture"
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

// network builds what a case needs in few words.
type network struct {
	t *testing.T
	w *vpctest.World
}

func (n network) ok(err error) {
	n.t.Helper()
	require.NoError(n.t, err)
}

func (n network) vpc(name, cidr string) *vpctest.VPC {
	v := n.w.VPC(cidr)
	n.ok(v.Tag("Name", name))
	return v
}

// subnet makes a subnet in zone a, b or c, with a table of its own.
func (n network) subnet(v *vpctest.VPC, name, cidr, zone string) *vpctest.Subnet {
	s := v.SubnetIn("us-east-1"+zone, cidr)
	n.ok(s.Tag("Name", name))
	t, err := v.CreateRouteTable(vpc.RouteTableConfig{Name: "table of " + name})
	n.ok(err)
	n.ok(t.Associate(s.Subnet))
	return s
}

func (n network) route(s *vpctest.Subnet, cidr string, to vpc.Target) {
	n.t.Helper()
	n.ok(s.RouteTable().CreateRoute(cidr, to))
}

// machine is a running instance with a group of its own.
type machine struct {
	*vpc.NetworkInterface
	group *vpc.SecurityGroup
}

func (n network) host(s *vpctest.Subnet, name string, in ...vpc.Permission) machine {
	n.t.Helper()
	return n.launch(s, name, false, in...)
}

func (n network) public(s *vpctest.Subnet, name string, in ...vpc.Permission) machine {
	n.t.Helper()
	return n.launch(s, name, true, in...)
}

func (n network) launch(s *vpctest.Subnet, name string, public bool, in ...vpc.Permission) machine {
	n.t.Helper()
	g, err := s.Subnet.VPC().CreateSecurityGroup(name, vpc.SecurityGroupConfig{})
	n.ok(err)
	n.ok(g.AuthorizeIngress(in...))
	i, err := s.RunInstance(vpc.InstanceConfig{Name: name, AssociatePublicIP: public, Interface: vpc.NetworkInterfaceConfig{Groups: []*vpc.SecurityGroup{g}}})
	n.ok(err)
	return machine{i.Interface(), g}
}

// allow adds an ingress rule for tcp/port from another machine's group.
func (n network) allow(to machine, port int, from machine) {
	n.ok(to.group.AuthorizeIngress(vpc.Permission{Protocol: 6, FromPort: port, ToPort: port, Group: from.group}))
}

// closed takes the egress rule for everything away.
func (n network) closed(m machine) { n.ok(m.group.RevokeEgress(m.group.Egress()...)) }

func (n network) acl(s *vpctest.Subnet, in, out []vpc.ACLEntry) *vpc.NetworkACL {
	a, err := s.Subnet.VPC().CreateNetworkACL(vpc.NetworkACLConfig{Name: "acl"})
	n.ok(err)
	for _, e := range in {
		n.ok(a.CreateIngressEntry(e))
	}
	for _, e := range out {
		n.ok(a.CreateEgressEntry(e))
	}
	n.ok(s.SetNetworkACL(a))
	return a
}

func entry(number int, allow bool, proto, from, to int, cidr string) vpc.ACLEntry {
	return vpc.ACLEntry{Number: number, Allow: allow, Protocol: proto, FromPort: from, ToPort: to, CIDR: netip.MustParsePrefix(cidr)}
}

var everything = []vpc.ACLEntry{entry(100, true, -1, 0, 0, "0.0.0.0/0")}

func (n network) peer(a, b *vpctest.VPC) *peering.Connection {
	p, err := peering.Create(a.VPC, b.VPC, peering.Config{})
	n.ok(err)
	n.ok(p.Accept())
	return p
}

func (n network) transit() *tgw.TransitGateway {
	g, err := tgw.Create(n.w.Region, tgw.Config{Name: "tgw"})
	n.ok(err)
	return g
}

func (n network) attach(g *tgw.TransitGateway, c tgw.AttachmentConfig, s ...*vpctest.Subnet) *tgw.Attachment {
	var plain []*vpc.Subnet
	for _, x := range s {
		plain = append(plain, x.Subnet)
	}
	a, err := g.Attach(c, plain...)
	n.ok(err)
	n.w.Run(600e9) // until it is available
	return a
}

// edgeTable associates a gateway route table with the VPC's internet gateway.
func (n network) edgeTable(v *vpctest.VPC) *vpc.RouteTable {
	t, err := v.CreateRouteTable(vpc.RouteTableConfig{Name: "edge"})
	n.ok(err)
	n.ok(t.AssociateGateway(v.InternetGateway()))
	return t
}

func (n network) detached() *igw.InternetGateway {
	g, err := igw.Create(n.w.Region, igw.Config{Name: "spare"})
	n.ok(err)
	return g
}

func (n network) privateNAT(s *vpctest.Subnet) *natgw.NATGateway {
	g, err := natgw.Create(s.Subnet, natgw.Config{Private: true})
	n.ok(err)
	return g
}

func find(t *testing.T, build func(network, bool), bad bool, rule string) []lint.Finding {
	t.Helper()
	n := network{t, vpctest.New(t)}
	build(n, bad)
	n.w.Run(600e9)
	found, err := lint.Run(n.w.World, lint.Config{})
	require.NoError(t, err)
	var of []lint.Finding
	for _, f := range found {
		if f.Rule == rule {
			of = append(of, f)
		}
	}
	return of
}

// cases are a network for each rule, that has the mistake where bad is set, and is else
// the same without it.
type ruleCase struct {
	rule  string
	build func(n network, bad bool)
}

// arrives are the rules whose mistake is that a packet gets through, or through by a way
// that it should not take; of all others the packet dies.
var arrives = []string{"RT08", "IG06", "IG08", "AC05", "SG08", "SG09", "TG05", "TG07", "LB02"}

func TestEachRuleFindsItsMistakeAndNoOther(t *testing.T) {
	covered := map[string]bool{}
	texts := map[string]string{}
	for _, c := range slices.Concat(routeCases, gatewayCases, filterCases, joinedCases, serviceCases, firewallCases, sizeCases) {
		require.False(t, covered[c.rule], "%s has two cases", c.rule)
		covered[c.rule] = true
		t.Run(c.rule, func(t *testing.T) {
			r, ok := lint.RuleOf(c.rule)
			require.True(t, ok)
			found := find(t, c.build, true, c.rule)
			require.NotEmpty(t, found, "the mistake is not found")
			for i := range found {
				require.NotEmpty(t, found[i].Message)
				require.NotEmpty(t, found[i].Fix)
				require.NotContains(t, found[i].Fix, "\n")
				if found[i].Proof == nil {
					require.NotEmpty(t, found[i].Unproven)
				}
			}
			if !r.Static {
				proves(t, &found[0])
			}
			var b strings.Builder
			require.NoError(t, lint.WriteText(&b, found[:1], false, picture.Colourless))
			texts[c.rule] = b.String()
			require.Empty(t, find(t, c.build, false, c.rule), "found where it is not")
		})
	}
	var all strings.Builder
	for _, r := range lint.Rules() {
		if !covered[r.ID] {
			t.Errorf("rule %s has no case", r.ID)
		}
		text := texts[r.ID]
		all.WriteString(text[:strings.LastIndexByte(strings.TrimSpace(text), '\n')+1] + "\n")
	}
	vpctest.Golden(t, "rules.txt", all.String())
}

// proves demands a packet that shows the mistake: one that dies for the reason whose code
// the finding has, or one that arrives where that is the mistake.
func proves(t *testing.T, f *lint.Finding) {
	t.Helper()
	require.NotNil(t, f.Proof, f.Message)
	require.NotEmpty(t, f.Proof.Hops)
	r := &f.Proof.Result
	if slices.Contains(arrives, f.Rule) {
		require.True(t, r.Delivered)
		return
	}
	if f.Rule == "SG08" && f.Severity == lint.Note {
		return
	}
	require.NotNil(t, r.RoundTrip, "the proof is not certain")
	require.False(t, *r.RoundTrip, "the packet arrives")
	require.True(t, r.End().IsDrop())
	require.Equal(t, r.End().Code(), f.Code)
}
