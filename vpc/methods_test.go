package vpc_test

import (
	"net/netip"
	"reflect"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/alb"
	"github.com/vpcsim/vpcsim/cagw"
	"github.com/vpcsim/vpcsim/clock"
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/directconnect"
	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/endpoint"
	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/lgw"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/peering"
	"github.com/vpcsim/vpcsim/rds"
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/vgw"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpn"
)

// Whatever a gateway exports may be called from any goroutine beside whatever changes
// it: methods that need the lock need a Tx. Those that take a Live are the engine's
// goroutine's. Each of two goroutines makes one call, so that under the race detector
// nothing but the calls' own locks orders them. A snapshot of what comes of it is taken.
func TestEveryMethodOfAGatewayMayBeCalledFromAnyGoroutine(t *testing.T) {
	const service = "com.amazonaws.us-east-1."
	for name, create := range map[string]func(l *lab) (vpc.Resource, error){
		"internet gateway": func(l *lab) (vpc.Resource, error) { return igw.Create(l.region, igw.Config{}) },
		"egress-only internet gateway": func(l *lab) (vpc.Resource, error) {
			return igw.CreateEgressOnly(l.vpc, igw.EgressOnlyConfig{})
		},
		"NAT gateway":         func(l *lab) (vpc.Resource, error) { return natgw.Create(l.a, natgw.Config{}) },
		"private NAT gateway": func(l *lab) (vpc.Resource, error) { return natgw.Create(l.a, natgw.Config{Private: true}) },
		"virtual private gateway": func(l *lab) (vpc.Resource, error) {
			return vgw.Create(l.region, vgw.Config{})
		},
		"peering connection": func(l *lab) (vpc.Resource, error) {
			return peering.Create(l.vpc, l.newVPC("10.9.0.0/16"), peering.Config{})
		},
		"customer gateway": func(l *lab) (vpc.Resource, error) {
			return vpn.CreateCustomerGateway(l.region, ip("198.51.100.1"), vpn.CustomerGatewayConfig{})
		},
		"VPN connection": func(l *lab) (vpc.Resource, error) {
			customer, err := vpn.CreateCustomerGateway(l.region, ip("198.51.100.1"), vpn.CustomerGatewayConfig{})
			if err != nil {
				return nil, err
			}
			a, err := l.transit()
			if err != nil {
				return nil, err
			}
			return vpn.Create(customer, a.Gateway(), vpn.Config{Static: true})
		},
		"carrier gateway": func(l *lab) (vpc.Resource, error) { return cagw.Create(l.vpc, cagw.Config{}) },
		"local gateway":   func(l *lab) (vpc.Resource, error) { return lgw.Create(l.region, lgw.Config{}) },
		"local gateway route table": func(l *lab) (vpc.Resource, error) {
			g, err := lgw.Create(l.region, lgw.Config{})
			if err != nil {
				return nil, err
			}
			return g.CreateRouteTable(lgw.RouteTableConfig{})
		},
		"Direct Connect gateway":    func(l *lab) (vpc.Resource, error) { return l.direct().Gateway(), nil },
		"Direct Connect connection": func(l *lab) (vpc.Resource, error) { return l.line() },
		"virtual interface":         func(l *lab) (vpc.Resource, error) { return l.direct(), nil },
		"Direct Connect association": func(l *lab) (vpc.Resource, error) {
			g, err := vgw.Create(l.region, vgw.Config{})
			if err != nil {
				return nil, err
			}
			return l.direct().Gateway().Associate(g)
		},
		"Connect attachment": func(l *lab) (vpc.Resource, error) { return l.connect() },
		"Connect peer": func(l *lab) (vpc.Resource, error) {
			x, err := l.connect()
			if err != nil {
				return nil, err
			}
			return x.CreatePeer(tgw.ConnectPeerConfig{Address: ip("10.0.0.77")})
		},
		"transit gateway": func(l *lab) (vpc.Resource, error) {
			a, err := l.transit()
			return a.Gateway(), err
		},
		"transit gateway attachment": func(l *lab) (vpc.Resource, error) { return l.transit() },
		"transit gateway route table": func(l *lab) (vpc.Resource, error) {
			a, err := l.transit()
			return a.Gateway().DefaultRouteTable(), err
		},
		"gateway endpoint": func(l *lab) (vpc.Resource, error) {
			return endpoint.CreateGateway(l.vpc, service+"s3", nil, endpoint.Config{})
		},
		"interface endpoint": func(l *lab) (vpc.Resource, error) {
			return endpoint.CreateInterface(service+"sqs", []*vpc.Subnet{l.a}, endpoint.Config{})
		},
		"load balancer": func(l *lab) (vpc.Resource, error) {
			return alb.Create(l.region, "web", alb.Config{Subnets: []*vpc.Subnet{l.a}})
		},
		"database": func(l *lab) (vpc.Resource, error) { return rds.Create(l.a, "db", rds.Config{}) },
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			all := l.calls(got(create(l)).or(t))
			require.Greater(t, len(all), 5)
			for a := range all {
				if !all[a].changes {
					continue
				}
				for b := range all {
					l := newLab(t)
					calls := l.calls(got(create(l)).or(t))
					var callers sync.WaitGroup
					callers.Go(calls[a].call)
					callers.Go(calls[b].call)
					callers.Wait()
					require.NotNil(t, vpc.NewLive(l.region, &dataplane.Engine{Clock: &clock.Clock{}}, vpc.LiveConfig{}).Snapshot())
				}
			}
		})
	}
}

// line is a Direct Connect connection, and direct a virtual interface on one.
func (l *lab) line() (*directconnect.Connection, error) {
	return directconnect.CreateConnection(l.region, directconnect.ConnectionConfig{})
}

func (l *lab) direct() *directconnect.VirtualInterface {
	x, err := l.line()
	if err != nil {
		panic(err)
	}
	v, err := directconnect.New(directconnect.Config{ID: "dx"}).CreateInterface(x, directconnect.InterfaceConfig{})
	if err != nil {
		panic(err)
	}
	return v
}

// connect is a Connect attachment over that of the VPC.
func (l *lab) connect() (*tgw.Connect, error) {
	g, err := tgw.Create(l.region, tgw.Config{CIDRs: []netip.Prefix{cidr("192.0.2.0/24")}})
	if err != nil {
		return nil, err
	}
	a, err := g.Attach(tgw.AttachmentConfig{}, l.a)
	if err != nil {
		return nil, err
	}
	return g.AttachConnect(a, tgw.ConnectConfig{})
}

// transit attaches the VPC to a transit gateway.
func (l *lab) transit() (*tgw.Attachment, error) {
	g, err := tgw.Create(l.region, tgw.Config{})
	if err != nil {
		return nil, err
	}
	return g.Attach(tgw.AttachmentConfig{}, l.a)
}

// method is a call of one, and whether it may change something.
type method struct {
	changes bool
	call    func()
}

// calls are all exported methods of a resource with arguments that suit their types.
func (l *lab) calls(g vpc.Resource) []method {
	subject, eip, nic := reflect.ValueOf(g), l.eip(), l.nic()
	known := map[reflect.Type]any{}
	for _, v := range []any{
		l.region, l.vpc, l.table, l.a, eip, nic, cidr("10.0.1.0/24"), ip("10.0.0.77"), "Name",
		func(*vpc.Tx) error { return nil }, []netip.Prefix{cidr("192.168.0.0/16")}, []*vpc.RouteTable{l.table},
	} {
		known[reflect.TypeOf(v)] = v
	}
	var calls []method
	for i := range subject.NumMethod() {
		m := subject.Method(i)
		if takes[*vpc.Compiler](m) || takes[*vpc.Live](m) {
			continue
		}
		call := func(tx *vpc.Tx) {
			args := make([]reflect.Value, m.Type().NumIn())
			for k := range args {
				in := m.Type().In(k)
				switch v, ok := known[in]; {
				case in == reflect.TypeFor[*vpc.Tx]():
					args[k] = reflect.ValueOf(tx)
				case in == reflect.TypeFor[*ec2.Route]():
					args[k] = reflect.ValueOf(&ec2.Route{})
				case ok:
					args[k] = reflect.ValueOf(v)
				default:
					args[k] = reflect.Zero(in)
				}
			}
			if m.Type().IsVariadic() {
				m.CallSlice(args)
			} else {
				m.Call(args)
			}
		}
		if takes[*vpc.Tx](m) {
			calls = append(calls, method{call: func() { l.region.View(call) }})
			continue
		}
		outs := m.Type().NumOut()
		fails := outs > 0 && m.Type().Out(outs-1) == reflect.TypeFor[error]()
		calls = append(calls, method{fails, func() { call(nil) }})
	}
	return calls
}

// takes reports whether a parameter of the method is a T.
func takes[T any](m reflect.Value) bool {
	for i := range m.Type().NumIn() {
		if m.Type().In(i) == reflect.TypeFor[T]() {
			return true
		}
	}
	return false
}
