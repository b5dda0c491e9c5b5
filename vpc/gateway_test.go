package vpc_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/clock"
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
	"github.com/vpcsim/vpcsim/wire"
)

// This file is a gateway from end to end, to be read beside "A new gateway in one
// folder" in docs/architecture.md: a traffic meter, which AWS does not have. It is a
// guest of its own interface, as a NAT gateway is, counts what routes send to it and
// sends it on by its subnet's route table.

// meterGateway is the resource.
type meterGateway struct {
	vpc.Base
	subnet *vpc.Subnet
	nic    *vpc.NetworkInterface
}

// meterReading is the live state: it outlives snapshots and dies with the gateway.
type meterReading struct{ packets, octets uint64 }

const meterReadings vpc.StateKey[meterReading] = "readings"

// createMeter checks first and changes after, as everything in a change does. Where
// it makes several things, what may be refused comes first.
func createMeter(s *vpc.Subnet, name string) (*meterGateway, error) {
	var g *meterGateway
	err := s.Change(func(tx *vpc.Tx) error {
		b, err := tx.NewBase("meter", "", name)
		if err != nil {
			return err
		}
		g = &meterGateway{Base: b, subnet: s}
		g.nic, err = tx.NewManagedInterface(s, g, vpc.ManagedInterface{Type: "traffic_meter", Description: "Interface for meter " + g.ID()})
		if err != nil {
			return err
		}
		tx.Add(g)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return g, nil
}

// delete leaves routes that name the gateway: black holes.
func (g *meterGateway) delete() error {
	return g.Change(func(tx *vpc.Tx) error {
		tx.DeleteManagedInterface(g.nic)
		tx.Remove(g)
		return nil
	})
}

// CheckRoute is asked when a route is made; the region is locked.
func (g *meterGateway) CheckRoute(tx *vpc.Tx, t *vpc.RouteTable, _ netip.Prefix) error {
	if !g.Available(tx, t.VPC()) {
		return vpc.Refuse("InvalidMeterID.NotFound", "The meter ID '%s' does not exist", g.ID())
	}
	return nil
}

// Available is asked when a route is compiled or listed; the region is locked.
func (g *meterGateway) Available(_ *vpc.Tx, v *vpc.VPC) bool { return g.subnet.VPC() == v }

// RoutesInside lets routes to subnets of the VPC name it.
func (g *meterGateway) RoutesInside() bool { return true }

// ListRoute lists it in a field of its own.
func (g *meterGateway) ListRoute(s *ec2.Route) { s.VpcPeeringConnectionId = new(g.ID()) }

// Compile makes the node, which is immutable but for the live state that it points to.
func (g *meterGateway) Compile(c *vpc.Compiler) {
	i := c.Interface(g.nic)
	i.Owner = &meter{
		name: c.LabelOf(g), id: g.ID(), out: i.Out(),
		reading: vpc.State(c, g.ID(), meterReadings, func() *meterReading { return &meterReading{} }),
	}
	c.Enter(g, g.subnet.VPC(), vpc.Entry{Node: c.Toward(g.nic), Subnet: g.subnet.ID()})
}

// meter is the node.
type meter struct {
	name, id string
	out      dataplane.Node
	reading  *meterReading
}

// Name returns the gateway's name, which was made when it was compiled.
func (m *meter) Name() string { return m.name }

// Resource returns the gateway's id.
func (m *meter) Resource() string { return m.id }

// Forward takes IPv4 alone; what has no hop left dies here.
func (m *meter) Forward(_ *dataplane.Context, p *wire.Packet) dataplane.Next {
	switch {
	case !p.Is4():
		return dataplane.Drop(trace.NoFamily)
	case !p.DecTTL():
		return dataplane.Drop(trace.TTLExpired)
	}
	m.reading.packets++
	m.reading.octets += uint64(p.Len())
	return dataplane.To(m.out)
}

func TestANewGatewayNeedsNothingFromThisPackage(t *testing.T) {
	w := vpctest.New(t)
	v := w.VPC("10.0.0.0/16")
	inspected, border := v.Subnet("10.0.0.0/24"), v.Subnet("10.0.1.0/24")
	border.Route("0.0.0.0/0", v.InternetGateway())
	g := got(createMeter(border.Subnet, "meter")).or(t)
	inspected.Route("0.0.0.0/0", g)
	app, server := inspected.PublicHost("app"), w.OnInternet("198.51.100.7")
	live := w.Live(w.Region)

	t.Run("packets go through it", func(t *testing.T) {
		out := app.Ping(server.Addr)
		out.OK(t)
		require.Contains(t, out.Walks.String(), "meter")
		require.Equal(t, uint64(1), vpc.StateOf(live, g.ID(), meterReadings).packets)
	})
	t.Run("routes name it, those to subnets too", func(t *testing.T) {
		inspected.Route("10.0.1.0/24", g)
		routes := inspected.RouteTable().Describe().RouteTables[0].Routes
		require.Equal(t, g.ID(), *routes[0].VpcPeeringConnectionId)
		require.Equal(t, ec2.RouteStateActive, *routes[0].State)
	})
	t.Run("a table of another VPC is refused, and so is its interface's user", func(t *testing.T) {
		other := w.VPC("10.1.0.0/16").MainRouteTable()
		require.EqualError(t, other.CreateRoute("0.0.0.0/0", g), "InvalidMeterID.NotFound: The meter ID '"+g.ID()+"' does not exist")
		require.Len(t, other.Routes(), 1)
		nic := w.Region.Find(*w.Region.DescribeNetworkInterfaces().NetworkInterfaces[0].NetworkInterfaceId).(*vpc.NetworkInterface)
		require.Equal(t, vpc.Resource(g), nic.Owner())
		require.EqualError(t, nic.SetSourceDestCheck(true), "AuthFailure: You do not have permission to access the specified resource.")
		require.EqualError(t, w.Region.DetachNetworkInterface(nic.AttachmentID()), "OperationNotPermitted: You are not allowed to manage 'ela-attach' attachments.")
	})
	t.Run("its state survives a change", func(t *testing.T) {
		require.NoError(t, g.Tag("Name", "renamed meter"))
		out := app.Ping(server.Addr)
		out.OK(t)
		require.Contains(t, out.Walks.String(), "renamed meter")
		require.Equal(t, uint64(2), vpc.StateOf(live, g.ID(), meterReadings).packets)
	})
	t.Run("deleted it is a black hole, and its state is gone", func(t *testing.T) {
		require.NoError(t, g.delete())
		app.Ping(server.Addr).Dropped(t, trace.Blackhole)
		require.Nil(t, vpc.StateOf(live, g.ID(), meterReadings))
		require.Equal(t, vpc.Blackhole, inspected.RouteTable().Routes()[0].State)
		require.Error(t, g.delete())
	})
}

// forgetful asks for its state by one name as two types.
type forgetful struct{ *fakeGateway }

func (f forgetful) Compile(c *vpc.Compiler) {
	first := vpc.State(c, f.ID(), meterReadings, func() *meterReading { return &meterReading{} })
	if first != vpc.State(c, f.ID(), meterReadings, func() *meterReading { return &meterReading{} }) {
		panic("two states of one name")
	}
	vpc.State(c, f.ID(), vpc.StateKey[int](meterReadings), func() *int { return new(int) })
}

func TestStateIsOneAResourceAndNameAndOfOneType(t *testing.T) {
	l := newLab(t)
	g := newFake(t, l.region, "tgw", fake{})
	require.NoError(t, l.region.Change(func(tx *vpc.Tx) error {
		tx.Remove(g)
		tx.Add(forgetful{g})
		return nil
	}))
	live := vpc.NewLive(l.region, &dataplane.Engine{Clock: &clock.Clock{}}, vpc.LiveConfig{})
	require.PanicsWithValue(t, `vpc: the state "readings" of `+g.ID()+` is a *vpc_test.meterReading, not a *int`, func() { live.Snapshot() })
}
