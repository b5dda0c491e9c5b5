package fidelity_test

import (
	"testing"

	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/endpoint"
	"github.com/vpcsim/vpcsim/eni"
	"github.com/vpcsim/vpcsim/firewall"
	"github.com/vpcsim/vpcsim/gwlb"
	"github.com/vpcsim/vpcsim/nlb"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// newGatewayEndpointCrossing is a TCP flow to a service's own host.
func newGatewayEndpointCrossing(t *testing.T) *crossing {
	n := newNet(t, "")
	s := n.subnet("private", "10.0.0.0/24")
	g, err := endpoint.CreateGateway(n.vpc, "com.amazonaws.ap-northeast-3.dynamodb", []*vpc.RouteTable{s.table}, endpoint.Config{Name: "vpce"})
	n.must(err)
	service, err := n.Service(g, "service")
	n.must(err)
	b := &end{addr: g.PrefixList().Entries()[0].Addr().Next()}
	station, _ := service.Join(wire.AddrFrom(b.addr))
	station.Plug(b)
	b.send = station.Send
	return &crossing{
		net: n, a: n.inside(s, "a", machine{}), b: b, proto: wire.ProtoTCP, passes: []string{"vpce outbound"},
		delete: g.Delete, deleted: trace.NoRoute,
	}
}

// newInterfaceEndpointCrossing is a UDP flow by an endpoint to a service on a Network
// Load Balancer.
func newInterfaceEndpointCrossing(t *testing.T) *crossing {
	n := newNet(t, "")
	far, nodes := n.second("10.1.0.0/16", "10.1.0.0/24")
	b := far.inside(far.subnet("targets", "10.1.1.0/24"), "b", machine{})
	l, err := nlb.Create(n.region, "web", balancer.Config{Name: "nlb", Subnets: []*vpc.Subnet{nodes.Subnet}})
	n.must(err)
	g, err := balancer.CreateTargetGroup(n.region, "web", balancer.TargetGroupConfig{VPC: far.vpc, Type: elbv2.TargetIP, Protocol: elbv2.UDP, Port: 53})
	n.must(err, g.RegisterTargets(balancer.Target{ID: b.addr.String()}))
	_, err = l.CreateListener(balancer.ListenerConfig{Protocol: elbv2.UDP, Port: 53, Actions: []balancer.Action{balancer.Forward(g)}})
	n.must(err)
	service, err := endpoint.CreateService(n.region, endpoint.ServiceConfig{}, l)
	n.must(err)
	e, err := endpoint.CreateInterface(service.ServiceName(), []*vpc.Subnet{n.subnet("endpoints", "10.0.1.0/24").Subnet}, endpoint.Config{Name: "vpce", Groups: []*vpc.SecurityGroup{n.open}})
	n.must(err)
	return &crossing{
		net: n, a: n.inside(n.subnet("clients", "10.0.0.0/24"), "a", machine{}), b: b, to: e.Interfaces()[0].PrivateIP(),
		passes: []string{"vpce"}, delete: e.Delete, deleted: trace.NoSuchAddress,
	}
}

// between makes two subnets whose packets to each other go by an endpoint in a third.
func (n *net) between(make func(s *vpc.Subnet) *endpoint.Endpoint) (a, b *end, e *endpoint.Endpoint, forget func() error) {
	n.t.Helper()
	p, q := n.subnet("p", "10.0.0.0/24"), n.subnet("q", "10.0.1.0/24")
	e = make(n.subnet("endpoints", "10.0.2.0/24").Subnet)
	p.route("10.0.1.0/24", e)
	q.route("10.0.0.0/24", e)
	forget = func() error {
		n.must(p.table.DeleteRoute("10.0.1.0/24"), q.table.DeleteRoute("10.0.0.0/24"))
		n.must(p.table.CreateRoute("10.0.1.0/24", n.dead()))
		return nil
	}
	return n.inside(p, "a", machine{}), n.inside(q, "b", machine{}), e, forget
}

func newFirewallCrossing(t *testing.T) *crossing {
	n := newNet(t, "")
	var f *firewall.Firewall
	a, b, e, forget := n.between(func(s *vpc.Subnet) *endpoint.Endpoint {
		var err error
		f, err = firewall.Create(n.region, "wall", firewall.Config{Subnets: []*vpc.Subnet{s}, Policy: firewall.Policy{
			StatelessDefault: firewall.Forward, Order: firewall.StrictOrder, StatefulDefault: []string{"aws:drop_strict"},
			Stateful: []firewall.StatefulGroup{{Name: "group", Priority: 1, Rules: []firewall.StatefulRule{
				{Action: "DROP", Protocol: "TCP"}, {Action: "PASS", Protocol: "UDP", Source: "$HOME_NET"},
			}}},
		}})
		n.must(err)
		return f.Endpoints()[0]
	})
	live := n.Live(n.region)
	return &crossing{
		net: n, a: a, b: b, passes: []string{"wall"}, deleted: trace.Blackhole,
		delete: func() error { n.must(forget()); return f.Delete() },
		state: func() any {
			if firewall.Flows(live, e) == 0 {
				return nil
			}
			return firewall.Flows(live, e)
		},
	}
}

// reflector is an appliance that sends every packet back, and allocates nothing.
type reflector struct {
	port  *eni.Port
	frame []byte
}

// Frame swaps the outer addresses, which leaves both checksums right.
func (r *reflector) Frame(frame []byte) trace.Reason {
	r.frame = append(r.frame[:0], frame...)
	e := wire.Ethernet(r.frame)
	if e.Type() != wire.EtherTypeIPv4 {
		return trace.Delivered
	}
	wire.PutEthernet(r.frame, e.Src(), e.Dst(), e.Type())
	ip := wire.Ethernet(r.frame).Payload()
	for i := range 4 {
		ip[12+i], ip[16+i] = ip[16+i], ip[12+i]
	}
	r.port.Send(r.frame)
	return trace.Delivered
}

func newApplianceCrossing(t *testing.T) *crossing {
	n := newNet(t, "")
	far, fleet := n.second("10.1.0.0/16", "10.1.0.0/24")
	l, err := gwlb.Create(n.region, "wall", balancer.Config{Name: "gwlb", Subnets: []*vpc.Subnet{fleet.Subnet}})
	n.must(err)
	g, err := gwlb.CreateTargetGroup(far.vpc, "fleet", elbv2.TargetInstance, balancer.HealthCheck{})
	n.must(err)
	_, err = gwlb.Listen(l, g)
	n.must(err)
	i := fleet.instance("box", machine{addr: "10.1.0.100"})
	n.must(g.RegisterTargets(balancer.Target{ID: i.ID()}))
	live := n.Live(n.region)
	r := &reflector{port: live.Port(i.Interface())}
	r.port.Plug(r)
	service, err := endpoint.CreateService(n.region, endpoint.ServiceConfig{}, l)
	n.must(err)
	a, b, e, forget := n.between(func(s *vpc.Subnet) *endpoint.Endpoint {
		e, err := endpoint.CreateGatewayLoadBalancer(service.ServiceName(), s, endpoint.Config{Name: "vpce"})
		n.must(err)
		return e
	})
	nic := l.Interfaces()[0]
	return &crossing{
		net: n, a: a, b: b, passes: []string{"vpce"}, deleted: trace.Blackhole,
		delete: func() error { n.must(forget(), e.Delete(), service.Delete()); return l.Delete() },
		state: func() any {
			if f := gwlb.FlowsAt(live, nic); f != nil {
				return f
			}
			return nil
		},
	}
}
