package flowlog_test

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/flowlog"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
	"github.com/vpcsim/vpcsim/wire"
)

// sum is what a log says of a flow over all windows.
type sum struct {
	nic       string
	direction flowlog.Direction
	action    flowlog.Action
	src, dst  netip.Addr
	sport     uint16
	dport     uint16
}

type total struct{ packets, bytes uint64 }

// TestRecordsEqualTheWalks holds the records of random packets to a slow twin that
// reads them off the walks.
func TestRecordsEqualTheWalks(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	w := vpctest.New(t)
	v := w.VPC("10.0.0.0/16")
	var hosts []*vpctest.Host
	for k, cidr := range []string{"10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24"} {
		s := v.Subnet(cidr)
		for range 3 {
			hosts = append(hosts, s.Launch(vpc.InstanceConfig{Interface: vpc.NetworkInterfaceConfig{Groups: []*vpc.SecurityGroup{randomGroup(t, v, rng)}}}, host.Config{}))
		}
		acl, err := v.CreateNetworkACL(vpc.NetworkACLConfig{})
		require.NoError(t, err)
		deny := vpc.ACLEntry{Number: 10, Protocol: 17, FromPort: 100 * k, ToPort: 100*k + 80, CIDR: netip.MustParsePrefix("10.0.0.0/16")}
		all := vpc.ACLEntry{Number: 100, Allow: true, Protocol: -1, CIDR: netip.MustParsePrefix("0.0.0.0/0")}
		require.NoError(t, acl.CreateIngressEntry(deny))
		require.NoError(t, acl.CreateIngressEntry(all))
		deny.FromPort, deny.ToPort = deny.FromPort+50, deny.ToPort+50
		require.NoError(t, acl.CreateEgressEntry(deny))
		require.NoError(t, acl.CreateEgressEntry(all))
		require.NoError(t, s.SetNetworkACL(acl))
	}
	l, err := flowlog.Create(v.VPC, flowlog.Config{})
	require.NoError(t, err)
	for range 2000 {
		from, to := hosts[rng.IntN(len(hosts))], hosts[rng.IntN(len(hosts))]
		if from == to {
			continue
		}
		h := wire.Header{Src: wire.AddrFrom(from.Addr), Dst: wire.AddrFrom(to.Addr), TTL: 64}
		_, err := from.SendIP(wire.AppendUDP(nil, h, uint16(rng.IntN(3)), uint16(rng.IntN(400)), make([]byte, rng.IntN(100))))
		require.NoError(t, err)
		w.Run(time.Duration(rng.IntN(500)) * time.Millisecond)
	}
	w.Run(2 * time.Minute)
	got := map[sum]total{}
	for _, r := range l.Records(w.Live(w.Region)) {
		if r.Status == flowlog.OK {
			k := sum{r.Interface, r.Direction, r.Action, r.PktSrc, r.PktDst, r.SrcPort, r.DstPort}
			got[k] = total{got[k].packets + r.Packets, got[k].bytes + r.Bytes}
		}
	}
	want := twin(w.Trace().Walks(), hosts)
	require.Greater(t, len(want), 1000)
	require.Equal(t, want, got)
}

func randomGroup(t *testing.T, v *vpctest.VPC, rng *rand.Rand) *vpc.SecurityGroup {
	g, err := v.CreateSecurityGroup(string(rune('a'+rng.IntN(26)))+time.Duration(rng.Int64()).String(), vpc.SecurityGroupConfig{})
	require.NoError(t, err)
	from := rng.IntN(300)
	require.NoError(t, g.RevokeEgress(g.Egress()...))
	require.NoError(t, g.AuthorizeEgress(vpc.Permission{Protocol: 17, FromPort: from, ToPort: from + 200, CIDR: netip.MustParsePrefix("0.0.0.0/0")}))
	from = rng.IntN(300)
	require.NoError(t, g.AuthorizeIngress(vpc.Permission{Protocol: 17, FromPort: from, ToPort: from + 200, CIDR: netip.MustParsePrefix("0.0.0.0/0")}))
	return g
}

// twin reads the sums off the walks.
func twin(walks []*trace.Walk, hosts []*vpctest.Host) map[sum]total {
	nics := map[netip.Addr]string{}
	for _, h := range hosts {
		nics[h.Addr] = h.Interface.ID()
	}
	all := map[sum]total{}
	for _, w := range walks {
		f := w.Last
		k := sum{nics[f.Src.Netip()], flowlog.Egress, flowlog.Accepted, f.Src.Netip(), f.Dst.Netip(), f.SrcPort, f.DstPort}
		if f.Proto == wire.ProtoICMP {
			k.sport, k.dport = 0, 0
		}
		add := func() { all[k] = total{all[k].packets + 1, all[k].bytes + uint64(w.Size)} }
		if w.Reason == trace.GroupEgress || w.Reason == trace.ACLEgress {
			k.action = flowlog.Rejected
			add()
			continue
		}
		add()
		k.nic, k.direction = nics[f.Dst.Netip()], flowlog.Ingress
		if w.Reason == trace.GroupIngress || w.Reason == trace.ACLIngress {
			k.action = flowlog.Rejected
		}
		add()
	}
	return all
}
