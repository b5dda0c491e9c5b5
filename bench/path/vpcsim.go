package main

import (
	"fmt"
	"time"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
	"github.com/vpcsim/vpcsim/world"
)

// simulated is vpcsim: security groups and network ACLs are on, as they always are.
type simulated struct {
	world     *world.World
	out, back dataplane.Node // where the host's packets enter, and the server's
	got       func(ip []byte)
	arrived   int
	batch     int // how many packets are sent by one call; 0 is each by its own
	ends      []trace.Reason
}

// natIdle is how long a NAT gateway keeps an idle session.
const natIdle = 350 * time.Second

func openSimulated(c *setting) (path, error) {
	// Simulated time moves with every delivery. Where flows are to last it hardly moves;
	// for churn each packet takes so long that as many as asked are live.
	latency := time.Duration(1)
	if c.churn {
		latency = natIdle / time.Duration(c.flows)
	}
	s := &simulated{world: world.New(world.Config{Seed: 1, InternetLatency: latency})}
	r := s.world.Region(vpc.RegionConfig{Latency: vpc.Latency{SameZone: 1, CrossZone: 1}})
	host, err := s.build(r)
	if err != nil {
		return nil, err
	}
	live := s.world.Live(r)
	live.Port(host).Plug(s)
	for i := range 250 {
		station, ok := s.world.Internet.Join(wire.AddrFrom(server(i * maxFlows)))
		if !ok {
			return nil, fmt.Errorf("no place on the internet for %v", server(i*maxFlows))
		}
		station.Plug(s)
	}
	s.out = live.Interface(host).Out()
	s.back = live.Snapshot().Public(wire.AddrFrom(publicAddr))
	return s, nil
}

// openBatched is openSimulated where 64 packets are sent by one call. They are sent at
// one instant: for churn time would stand still too often.
func openBatched(c *setting) (path, error) {
	if c.churn {
		return nil, errLeftOut
	}
	p, err := openSimulated(c)
	if err == nil {
		s := p.(*simulated)
		s.batch, s.ends = 64, make([]trace.Reason, 64)
	}
	return p, err
}

// build makes the region's resources and returns the host's interface.
func (s *simulated) build(r *vpc.Region) (*vpc.NetworkInterface, error) {
	v, err := r.CreateVPC("10.0.0.0/16", vpc.VPCConfig{})
	if err != nil {
		return nil, err
	}
	g, err := igw.Create(r, igw.Config{})
	if err != nil {
		return nil, err
	}
	if err := g.Attach(v); err != nil {
		return nil, err
	}
	public, publicTable, err := subnet(v, "10.0.0.0/24")
	if err != nil {
		return nil, err
	}
	private, privateTable, err := subnet(v, "10.0.1.0/24")
	if err != nil {
		return nil, err
	}
	address, err := r.AllocateAddress(vpc.AddressConfig{PublicIP: publicAddr})
	if err != nil {
		return nil, err
	}
	n, err := natgw.Create(public, natgw.Config{PrivateIP: natAddr, Address: address})
	if err != nil {
		return nil, err
	}
	if err := publicTable.CreateRoute("0.0.0.0/0", g); err != nil {
		return nil, err
	}
	if err := privateTable.CreateRoute("0.0.0.0/0", n); err != nil {
		return nil, err
	}
	i, err := private.RunInstance(vpc.InstanceConfig{Interface: vpc.NetworkInterfaceConfig{PrivateIP: hostAddr}})
	if err != nil {
		return nil, err
	}
	return i.Interface(), nil
}

func subnet(v *vpc.VPC, cidr string) (*vpc.Subnet, *vpc.RouteTable, error) {
	s, err := v.CreateSubnet(cidr, vpc.SubnetConfig{})
	if err != nil {
		return nil, nil, err
	}
	t, err := v.CreateRouteTable(vpc.RouteTableConfig{})
	if err != nil {
		return nil, nil, err
	}
	return s, t, t.Associate(s)
}

func (s *simulated) send(packets [][]byte, back bool, got func(ip []byte)) (int, time.Duration, error) {
	at := s.out
	if back {
		at = s.back
	}
	s.got, s.arrived = got, 0
	start := cpuTime()
	for ; s.batch > 0 && len(packets) > 0; packets = packets[min(s.batch, len(packets)):] {
		if err := s.sendBatch(at, packets[:min(s.batch, len(packets))]); err != nil {
			return s.arrived, 0, err
		}
	}
	for _, ip := range packets {
		if end := s.world.Engine.Send(at, ip); end != trace.Delivered {
			return s.arrived, 0, fmt.Errorf("a packet ended as %v", end)
		}
		s.world.Clock.Step()
	}
	return s.arrived, cpuTime() - start, nil
}

// sendBatch sends packets by one call and lets them arrive.
func (s *simulated) sendBatch(at dataplane.Node, packets [][]byte) error {
	ends := s.ends[:len(packets)]
	s.world.Engine.SendBatch(at, packets, ends)
	for _, end := range ends {
		if end != trace.Delivered {
			return fmt.Errorf("a packet ended as %v", end)
		}
		s.world.Clock.Step()
	}
	return nil
}

// Receive takes what reaches the server.
func (s *simulated) Receive(p *wire.Packet) trace.Reason {
	s.arrived++
	if s.got != nil {
		s.got(p.Bytes())
	}
	return trace.Delivered
}

// Frame takes what reaches the host.
func (s *simulated) Frame(frame []byte) trace.Reason {
	s.arrived++
	if s.got != nil {
		s.got(wire.Ethernet(frame).Payload())
	}
	return trace.Delivered
}

func (s *simulated) close() {}
