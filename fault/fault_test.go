package fault_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/eni"
	"github.com/vpcsim/vpcsim/fault"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

// pair is two hosts in one subnet.
func pair(t *testing.T) (w *vpctest.World, a, b *vpctest.Host) {
	w = vpctest.New(t)
	s := w.VPC("10.0.0.0/16").Subnet("10.0.0.0/24")
	return w, s.Host("a"), s.Host("b")
}

// begin makes a fault happen.
func begin(t *testing.T, w *vpctest.World, f fault.Fault) *fault.Ongoing {
	t.Helper()
	o, err := fault.Begin(w.World, f)
	require.NoError(t, err)
	require.True(t, o.InForce())
	require.Equal(t, f.String(), o.String())
	return o
}

// last returns the last step of the last walk.
func last(w *vpctest.World) string {
	walks := w.Trace().Walks()
	steps := walks[len(walks)-1].Steps
	return steps[len(steps)-1].Node + ": " + steps[len(steps)-1].String()
}

func TestADeadInstanceNeitherAnswersNorSaysGoodbye(t *testing.T) {
	w, a, b := pair(t)
	_, err := b.ListenTCP(netip.AddrPortFrom(b.Addr, 80), nil)
	require.NoError(t, err)
	c, err := a.Dial(netip.AddrPortFrom(b.Addr, 80))
	require.NoError(t, err)

	died := begin(t, w, fault.InstanceDies{Instance: b.Instance})
	o := a.Ping(b.Addr)
	o.Dropped(t, trace.Lost)
	require.Equal(t, "b in: lost by a fault: instance b ("+b.Instance.ID()+") is dead", last(w))
	require.Equal(t, vpc.Running, b.Instance.State(), "the API has not noticed")

	w.Trace().Clear()
	_, err = c.Write([]byte("anybody?"))
	require.NoError(t, err)
	w.Run(5 * time.Second)
	for _, walk := range w.Trace().Walks() {
		require.Equal(t, "a", walk.From, "nothing comes from a dead instance")
		require.Equal(t, trace.Lost, walk.End())
	}
	require.Equal(t, host.Established, c.State())

	require.NoError(t, died.Heal())
	require.False(t, died.InForce())
	a.Ping(b.Addr).OK(t)
	w.Run(10 * time.Second)
	require.NoError(t, c.Close())
	w.Run(time.Second)
	require.Equal(t, host.FinWait2, c.State(), "its memory is intact")
}

func TestPacketsUnderWayDieWithTheInstance(t *testing.T) {
	w, a, b := pair(t)
	a.Ping(b.Addr).OK(t) // who knows its neighbour sends at once
	w.Trace().Clear()
	a.StartPing(b.Addr, host.PingConfig{}, func(host.PingResult) {})
	begin(t, w, fault.InstanceDies{Instance: b.Instance})
	w.Run(time.Second)
	require.Equal(t, trace.Delivered, w.Trace().Walks()[0].Reason)
	require.Equal(t, trace.Lost, w.Trace().Walks()[0].End())
}

func TestADeadInstanceDiesNoSecondTime(t *testing.T) {
	w, _, b := pair(t)
	f := fault.InstanceDies{Instance: b.Instance}
	begin(t, w, f)
	_, err := fault.Begin(w.World, f)
	require.EqualError(t, err, "fault: instance b ("+b.Instance.ID()+") is dead: no living guest is behind its interfaces")
}

func TestHealingSparesAnInterfaceThatAnotherGuestGot(t *testing.T) {
	w, a, b := pair(t)
	died := begin(t, w, fault.InstanceDies{Instance: b.Instance})
	again, err := w.Boot(b.Instance, host.Config{Name: "again"}) // started anew
	require.NoError(t, err)
	a.Ping(b.Addr).OK(t)
	require.NoError(t, again.Sysctl("net.ipv4.ip_forward", "1"))
	second := begin(t, w, fault.InstanceDies{Instance: b.Instance})
	require.NoError(t, second.Heal())
	require.NoError(t, died.Heal())
	a.Ping(b.Addr).OK(t)
}

func TestADetachedInterfaceIsAWSsOwnDoing(t *testing.T) {
	w := vpctest.New(t)
	v := w.VPC("10.0.0.0/16")
	front, back := v.Subnet("10.0.0.0/24"), v.Subnet("10.0.1.0/24")
	a, b := front.Host("a"), back.Host("b")
	n, err := front.CreateNetworkInterface(vpc.NetworkInterfaceConfig{Name: "second"})
	require.NoError(t, err)
	_, err = b.Instance.AttachAt(n, 3)
	require.NoError(t, err)
	require.NoError(t, w.Plug(b.Host, n))
	front.Route("198.51.100.0/24", n)
	a.Ping(n.PrivateIP()).OK(t)

	out := begin(t, w, fault.InterfaceDetached{Interface: n})
	require.Equal(t, "interface second ("+n.ID()+") is detached", out.String())
	require.Nil(t, b.NIC("eth1"))
	a.Ping(netip.MustParseAddr("198.51.100.7")).Dropped(t, trace.Blackhole)
	a.Ping(n.PrivateIP()).Dropped(t, trace.NotAttached)

	require.NoError(t, out.Heal())
	require.Same(t, b.Instance, n.Instance())
	require.Equal(t, int32(3), *w.Region.DescribeNetworkInterfaces().NetworkInterfaces[2].Attachment.DeviceIndex)
	a.Ping(n.PrivateIP()).OK(t)

	_, err = fault.Begin(w.World, fault.InterfaceDetached{Interface: a.Interface})
	require.ErrorIs(t, err, &vpc.Error{Code: "OperationNotPermitted"}, "AWS detaches no primary interface")
	begin(t, w, fault.InterfaceDetached{Interface: n})
	_, err = fault.Begin(w.World, fault.InterfaceDetached{Interface: n})
	require.EqualError(t, err, "fault: interface second ("+n.ID()+") is detached: it is attached to no instance")
}

func TestAZoneCutOffTakesServicesInItToo(t *testing.T) {
	w := vpctest.New(t)
	v := w.VPC("10.0.0.0/16")
	public, private := v.Subnet("10.0.0.0/24"), v.Subnet("10.0.1.0/24") // zone a
	nat := public.NATGateway()
	public.Route("0.0.0.0/0", v.InternetGateway())
	far, err := v.CreateSubnet("10.0.2.0/24", vpc.SubnetConfig{Zone: "us-east-1b"})
	require.NoError(t, err)
	table, err := v.CreateRouteTable(vpc.RouteTableConfig{})
	require.NoError(t, err)
	require.NoError(t, table.Associate(far))
	require.NoError(t, table.CreateRoute("0.0.0.0/0", nat.NATGateway))
	i, err := far.RunInstance(vpc.InstanceConfig{Name: "c"})
	require.NoError(t, err)
	c, err := w.Boot(i, host.Config{})
	require.NoError(t, err)
	a, b := private.Host("a"), private.Host("b")
	server := w.OnInternet("198.51.100.7")
	require.Equal(t, 1, c.Ping(server.Addr, host.PingConfig{}).Received)

	cut := begin(t, w, fault.ZoneCutOff{Region: w.Region, Zone: "us-east-1a"})
	for name, ping := range map[string]func() host.PingResult{
		"within":             func() host.PingResult { return a.Host.Ping(b.Addr, host.PingConfig{}) },
		"out":                func() host.PingResult { return a.Host.Ping(i.Interface().PrivateIP(), host.PingConfig{}) },
		"in":                 func() host.PingResult { return c.Ping(a.Addr, host.PingConfig{}) },
		"by its NAT gateway": func() host.PingResult { return c.Ping(server.Addr, host.PingConfig{}) },
	} {
		w.Trace().Clear()
		require.Zero(t, ping().Received, name)
		require.Equal(t, trace.Lost, w.Trace().Walks()[0].End(), name)
		require.Contains(t, last(w), "lost by a fault: zone us-east-1a is cut off", name)
	}
	answer, err := a.HTTPGet("http://169.254.169.254/latest/meta-data/")
	require.NoError(t, err, "the metadata service is beside the guest")
	require.Equal(t, 200, answer.StatusCode)

	require.NoError(t, cut.Heal())
	a.Ping(b.Addr).OK(t)
	require.Equal(t, 1, c.Ping(server.Addr, host.PingConfig{}).Received)
	require.Nil(t, w.Live(w.Region).Port(a.Interface).Impairment(), "nothing is left behind")

	_, err = fault.Begin(w.World, fault.ZoneCutOff{Region: w.Region, Zone: "us-east-1x"})
	require.EqualError(t, err, "fault: zone us-east-1x is cut off: region us-east-1 has the zones [us-east-1a us-east-1b us-east-1c]")
}

func TestFaultsBeginAndEndAtInstants(t *testing.T) {
	w, a, b := pair(t)
	o, err := fault.BeginAt(w.World, 10*time.Second, fault.InstanceDies{Instance: b.Instance})
	require.NoError(t, err)
	require.NoError(t, o.HealAt(20*time.Second))
	require.False(t, o.InForce())
	r := a.Host.Ping(b.Addr, host.PingConfig{Count: 30})
	require.NoError(t, o.Err())
	require.Equal(t, 20, r.Received, "requests 11 to 20 are sent from second 10 to second 19")
	require.False(t, o.InForce())

	_, err = fault.BeginAt(w.World, time.Second, fault.InstanceDies{Instance: b.Instance})
	require.ErrorContains(t, err, "is dead: it can't begin at 1s, now is ")
	require.ErrorContains(t, o.HealAt(time.Second), "is dead: it can't be healed at 1s, now is ")
}

func TestAFaultToComeIsCalledOff(t *testing.T) {
	w, a, b := pair(t)
	o, err := fault.BeginAt(w.World, time.Second, fault.InstanceDies{Instance: b.Instance})
	require.NoError(t, err)
	require.NoError(t, o.Heal())
	w.Run(time.Minute)
	a.Ping(b.Addr).OK(t)
}

func TestWhatIsWrongWithAScheduledFaultShowsAtItsTime(t *testing.T) {
	w, a, _ := pair(t)
	o, err := fault.BeginAt(w.World, time.Second, fault.InterfaceDetached{Interface: a.Interface})
	require.NoError(t, err)
	require.NoError(t, o.Err())
	w.Run(time.Second)
	require.EqualError(t, o.Err(), "fault: interface a ("+a.Interface.ID()+") is detached: OperationNotPermitted: "+
		"The network interface at device index 0 and networkCard index 0 cannot be detached.")
	require.False(t, o.InForce())
}

func TestAFaultThatCannotBeHealedStaysInForce(t *testing.T) {
	w, a, _ := pair(t)
	n, err := a.Interface.Subnet().CreateNetworkInterface(vpc.NetworkInterfaceConfig{})
	require.NoError(t, err)
	require.NoError(t, a.Instance.Attach(n))
	o := begin(t, w, fault.InterfaceDetached{Interface: n})
	require.NoError(t, n.Delete())
	require.ErrorContains(t, o.Heal(), "is detached: it can't be healed: InvalidNetworkInterfaceID.NotFound")
	require.True(t, o.InForce())
	require.NoError(t, o.HealAt(w.Clock.Now()))
	w.Run(0)
	require.ErrorContains(t, o.Err(), "it can't be healed")
}

func TestFaultsOfNoSenseAreRefused(t *testing.T) {
	w, a, _ := pair(t)
	n := a.Interface
	link := "fault: link of a (" + n.ID() + ") "
	other := vpctest.New(t)
	for _, c := range []struct {
		fault fault.Fault
		want  string
	}{
		{fault.InstanceDies{}, "fault: instance none is dead: no instance is given"},
		{fault.InterfaceDetached{}, "fault: interface none is detached: no interface is given"},
		{fault.ZoneCutOff{Zone: "z"}, "fault: zone z is cut off: no region is given"},
		{fault.Link{Loses: 1}, "fault: link of none loses 100 % of packets, both ways: no interface is given"},
		{fault.Link{Interface: n}, link + ", both ways: it is to lose, delay or reorder nothing"},
		{fault.Link{Interface: n, Loses: 1.5}, link + "loses 150 % of packets, both ways: share 1.5 is not in 0-1"},
		{fault.Link{Interface: n, Loses: -1}, link + ", both ways: share -1 is not in 0-1"},
		{fault.Link{Interface: n, Loses: 0.75, Reorders: 0.5}, link + "loses 75 % of packets and reorders 50 % of packets, both ways: the shares are 1.25 together, more than 1"},
		{fault.Link{Interface: n, Delays: 1}, link + "delays 100 % of packets by 0s, both ways: it is to delay packets by nothing"},
		{fault.Link{Interface: n, Delays: 1, Delay: -1}, link + "delays 100 % of packets by -1ns, both ways: a delay is negative"},
		{fault.Link{Interface: n, Loses: 1, Direction: 7}, link + "loses 100 % of packets, Direction(7): Direction(7) is none"},
	} {
		_, err := fault.Begin(w.World, c.fault)
		require.EqualError(t, err, c.want)
	}
	_, err := fault.Begin(other.World, fault.Link{Interface: n, Loses: 1})
	require.EqualError(t, err, link+"loses 100 % of packets, both ways: interface "+n.ID()+" is not in this world")
	_, err = fault.Begin(other.World, fault.InstanceDies{Instance: a.Instance})
	require.ErrorContains(t, err, "is dead: interface "+n.ID()+" is not in this world")
	w.Live(w.Region).Port(n).Impair(foreign{})
	_, err = fault.Begin(w.World, fault.Link{Interface: n, Loses: 1})
	require.ErrorContains(t, err, "the interface has an impairment of another kind")
	_, err = fault.Begin(w.World, fault.ZoneCutOff{Region: w.Region, Zone: "us-east-1a"})
	require.ErrorContains(t, err, "the interface has an impairment of another kind")
}

type foreign struct{}

func (foreign) Impair(time.Duration, bool) eni.Fate { return eni.Fate{} }
