package vpc_test

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/vpc"
)

func TestRandomCallsGetTheModelsAnswers(t *testing.T) {
	seeds, calls := uint64(16), 500
	if testing.Short() {
		seeds = 3
	}
	answers := map[string]int{}
	for seed := range seeds {
		m := newModel(t, seed)
		all := m.calls()
		names := make([]string, 0, len(all))
		for name := range all {
			names = append(names, name)
		}
		slices.Sort(names)
		before := everything(t, m.region)
		for n := range calls {
			name := names[m.rng.IntN(len(names))]
			want, err := all[name]()
			at := fmt.Sprintf("seed %d, call %d, %s", seed, n, name)
			code := codeOf(t, err)
			require.True(t, code == want || code != "" && slices.Contains(strings.Fields(want), code), "%s: the model says %q, the region %v", at, want, err)
			answers[code]++
			after := everything(t, m.region)
			if code != "" {
				require.Equal(t, before, after, "%s: a refused call has changed something", at)
			}
			before = after
			if n%10 == 0 {
				m.lawful(at)
			}
		}
	}
	if testing.Short() {
		return // too few calls to see every answer
	}
	for _, code := range []string{
		"", "DependencyViolation", "RouteAlreadyExists", "RouteNotSupported", "RouteConflict", "InvalidParameterValue", "InvalidSubnet.Conflict", "InvalidVpc.Range",
		"Resource.AlreadyAssociated", "Gateway.NotAttached", "InvalidNetworkInterface.InUse", "InvalidIPAddress.InUse", "OperationNotPermitted", "InvalidRoute.NotFound",
	} {
		require.NotZero(t, answers[code], "no call was answered %q: the test tests too little", code)
	}
}

func codeOf(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var refusal *vpc.Error
	require.True(t, errors.As(err, &refusal), "%v is no refusal", err)
	require.NotEmpty(t, refusal.Message)
	return refusal.Code
}

// lawful holds the region to what is true after every call.
func (m *model) lawful(at string) {
	t, r := m.t, m.region
	require.Equal(t, everything(t, r), everything(t, r), "%s: describe is not stable", at)
	known := map[string]bool{"local": true}
	subnets := r.DescribeSubnets().Subnets
	for i, s := range subnets {
		known[*s.SubnetId] = true
		for _, o := range subnets[:i] {
			require.False(t, *s.VpcId == *o.VpcId && spanOf(*s.CidrBlock).overlaps(spanOf(*o.CidrBlock)), "%s: %s and %s overlap", at, *s.SubnetId, *o.SubnetId)
		}
	}
	for _, v := range r.DescribeVpcs().Vpcs {
		known[*v.VpcId] = true
		for i, c := range v.CidrBlockAssociationSet {
			for _, o := range v.CidrBlockAssociationSet[:i] {
				require.False(t, spanOf(*c.CidrBlock).overlaps(spanOf(*o.CidrBlock)), at)
			}
		}
	}
	for _, g := range igw.Describe(r).InternetGateways {
		known[*g.InternetGatewayId] = true
		require.True(t, len(g.Attachments) == 0 || known[*g.Attachments[0].VpcId], at)
	}
	for _, g := range natgw.Describe(r).NatGateways {
		known[*g.NatGatewayId] = *g.State == ec2.NatGatewayStateAvailable
	}
	m.lawfulInterfaces(at, known)
	for _, rt := range r.DescribeRouteTables().RouteTables {
		lawfulTable(t, at, rt, known)
	}
	m.compiles(at)
}

func (m *model) lawfulInterfaces(at string, known map[string]bool) {
	t, r := m.t, m.region
	have := map[string]bool{}
	used := map[string]int{}
	for _, n := range r.DescribeNetworkInterfaces().NetworkInterfaces {
		known[*n.NetworkInterfaceId] = *n.Status == ec2.NetworkInterfaceStatusInUse
		require.True(t, known[*n.VpcId] && known[*n.SubnetId], "%s: %s hangs", at, *n.NetworkInterfaceId)
		key := *n.VpcId + " " + *n.PrivateIpAddress
		require.False(t, have[key], "%s: %s twice", at, key)
		have[key] = true
		used[*n.SubnetId]++
	}
	for _, s := range r.DescribeSubnets().Subnets {
		require.EqualValues(t, int(spanOf(*s.CidrBlock).size())-5-used[*s.SubnetId], *s.AvailableIpAddressCount, at)
	}
	for _, e := range r.DescribeAddresses().Addresses {
		_, there := known[value(e.NetworkInterfaceId)]
		require.True(t, e.NetworkInterfaceId == nil || there, "%s: %s hangs", at, *e.AllocationId)
	}
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func lawfulTable(t *testing.T, at string, rt ec2.RouteTable, known map[string]bool) {
	require.True(t, known[*rt.VpcId], at)
	for _, a := range rt.Associations {
		require.True(t, *a.Main || known[value(a.SubnetId)] || known[value(a.GatewayId)], "%s: %s hangs", at, *a.RouteTableAssociationId)
	}
	seen := map[string]bool{}
	for _, r := range rt.Routes {
		require.False(t, seen[*r.DestinationCidrBlock], "%s: %s twice", at, *r.DestinationCidrBlock)
		seen[*r.DestinationCidrBlock] = true
		id := value(r.GatewayId) + value(r.NatGatewayId) + value(r.NetworkInterfaceId)
		if *r.State == ec2.RouteStateActive {
			require.True(t, known[id], "%s: the active route %s leads to %s", at, *r.DestinationCidrBlock, id)
		} else if strings.HasPrefix(id, "nat") || strings.HasPrefix(id, "eni") {
			require.False(t, known[id], "%s: the black hole %s leads to %s, which is there", at, *r.DestinationCidrBlock, id)
		}
	}
}

// compiles says that the region's snapshot has every interface.
func (m *model) compiles(at string) {
	snapshot := m.live.Snapshot()
	for _, n := range m.region.DescribeNetworkInterfaces().NetworkInterfaces {
		i := snapshot.Interface(*n.NetworkInterfaceId)
		require.NotNil(m.t, i, at)
		require.Equal(m.t, netip.MustParseAddr(*n.PrivateIpAddress), i.Addrs[0].Netip(), at)
	}
}
