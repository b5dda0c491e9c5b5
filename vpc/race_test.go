package vpc_test

import (
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/clock"
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/vpc"
)

// Calls from many goroutines while snapshots are taken on the engine's: under the
// race detector this is what says that the control plane is any goroutine's.
func TestAnyGoroutineMayCallWhileSnapshotsAreTaken(t *testing.T) {
	l := newLabIn(t, vpc.RegionConfig{Unlimited: true})
	live := vpc.NewLive(l.region, &dataplane.Engine{Clock: &clock.Clock{}}, vpc.LiveConfig{})
	var callers sync.WaitGroup
	for seed := range uint64(8) {
		callers.Go(func() { l.callAround(rand.New(rand.NewPCG(seed, 1))) })
	}
	done := make(chan struct{})
	go func() {
		callers.Wait()
		close(done)
	}()
	snapshots := 0
	for running := true; running; snapshots++ {
		select {
		case <-done:
			running = false
		default:
			require.NotNil(t, live.Snapshot())
		}
	}
	for _, n := range l.region.DescribeNetworkInterfaces().NetworkInterfaces {
		require.NotNil(t, live.Snapshot().Interface(*n.NetworkInterfaceId))
	}
	require.Positive(t, snapshots)
}

// callAround makes calls without looking at their answers.
func (l *lab) callAround(rng *rand.Rand) {
	table, err := l.vpc.CreateRouteTable(vpc.RouteTableConfig{})
	if err != nil {
		return
	}
	group := l.vpc.DefaultSecurityGroup()
	for n := range 40 {
		i, err := l.a.RunInstance(vpc.InstanceConfig{AssociatePublicIP: n%2 == 0})
		if err != nil {
			return
		}
		nic, _ := l.b.CreateNetworkInterface(vpc.NetworkInterfaceConfig{})
		calls := []func(){
			func() { _ = i.Attach(nic) },
			func() { _ = i.Detach(nic) },
			func() { _ = table.CreateRoute("10.0.1.0/24", nic) },
			func() { _ = table.ReplaceRoute("10.0.0.0/16", i) },
			func() { _ = table.DeleteRoute("10.0.1.0/24") },
			func() { _ = table.Associate(l.b) },
			func() { _ = l.b.ReplaceRouteTable(nil) },
			func() { _ = group.AuthorizeIngress(vpc.TCPPort(1+rng.IntN(9), "0.0.0.0/0")) },
			func() { _ = group.RevokeIngress(vpc.TCPPort(1+rng.IntN(9), "0.0.0.0/0")) },
			func() { _ = nic.SetSourceDestCheck(rng.IntN(2) == 0) },
			func() { _ = nic.Tag("Name", "n") },
			func() { _ = i.Stop() },
			func() { _ = i.Start() },
			func() { _, _ = i.Interface(), nic.PublicIP() },
			func() { l.region.DescribeRouteTables(); l.region.DescribeInstances(); natgw.Describe(l.region) },
			func() { l.region.Advance(1) },
			func() { _, _ = table.Routes(), table.Associations() },
			func() { _ = i.Terminate() },
			func() { _ = nic.Delete() },
		}
		if g, err := natgw.Create(l.a, natgw.Config{Private: true}); err == nil {
			calls = append(calls, func() { _ = g.Delete() }, func() { _ = table.CreateRoute("0.0.0.0/0", g) }, func() { g.PrivateIP(); g.State() })
		}
		for range 12 {
			calls[rng.IntN(len(calls))]()
		}
	}
}

// A large account's interfaces are made in seconds: no call looks at all of them.
func TestAHundredThousandInterfacesAreMade(t *testing.T) {
	if testing.Short() {
		t.Skip("makes 100,000 interfaces")
	}
	r := vpc.NewRegion(vpc.RegionConfig{Unlimited: true})
	made := 0
	for _, block := range []string{"10.0.0.0/16", "10.1.0.0/16"} {
		v := got(r.CreateVPC(block, vpc.VPCConfig{})).or(t)
		s := got(v.CreateSubnet(block, vpc.SubnetConfig{})).or(t)
		for range 50_000 {
			n, err := s.CreateNetworkInterface(vpc.NetworkInterfaceConfig{})
			require.NoError(t, err)
			require.True(t, n.Exists())
			made++
		}
		require.Equal(t, 1<<16-5-50_000, s.AvailableAddresses())
	}
	require.Equal(t, 100_000, made)
}
