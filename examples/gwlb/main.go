// Gwlb shows a fleet of appliances behind a Gateway Load Balancer: what enters and
// leaves a VPC by its internet gateway passes a Gateway Load Balancer endpoint, and one
// of three appliances in a VPC of their own. One of them dies. Its flows stay with it,
// and are lost; new ones go there too, until the health checks have found it out; with
// rebalancing its flows move then.
//
//	go run ./examples/gwlb
package main

import (
	"fmt"
	"io"
	"net/netip"
	"os"
	"time"

	"github.com/vpcsim/vpcsim/appliance"
	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/endpoint"
	"github.com/vpcsim/vpcsim/fault"
	"github.com/vpcsim/vpcsim/gwlb"
	"github.com/vpcsim/vpcsim/health"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

func main() { run(os.Stdout) }

// lab is the VPC of the web servers, and the fleet.
type lab struct {
	*vpctest.World
	out    io.Writer
	web    *vpctest.Host
	client *vpctest.Host
	group  *balancer.TargetGroup
	nodes  []*vpc.NetworkInterface
	fleet  []*box
}

// box is an appliance.
type box struct {
	*vpctest.Host
	*appliance.Appliance
}

func run(out io.Writer) {
	l := build(out)
	l.check()
	l.Run(30 * time.Second)
	fmt.Fprint(out, `internet -- internet gateway -- endpoint -- web server, in 10.0.0.0/16
                                    |
                           Gateway Load Balancer -- appliance1, appliance2, appliance3, in 10.9.0.0/16

The internet gateway's route table and the web server's both lead to the endpoint. It hands packets
over in GENEVE, and each flow keeps the appliance that its first packet met.

`)
	fmt.Fprintln(out, "A request's way in, and its answer's way out:")
	fmt.Fprintln(out, l.client.Ping(l.web.PublicAddr()).Walks)

	conns := l.open(12)
	fmt.Fprintf(out, "Twelve connections from the internet to the web server. Each is with one appliance:\n%s\n", l.shares())
	dead := l.fleet[0]
	_, err := fault.Begin(l.World.World, fault.InstanceDies{Instance: dead.Instance})
	check(err)
	fmt.Fprintf(out, "\n%s dies.\n", dead.Name())
	l.tell("at once", conns)
	l.Run(25 * time.Second)
	l.tell("25 s later, health checks have failed twice", conns)
	check(l.group.SetAttribute("target_failover.on_unhealthy", "rebalance"))
	l.Run(time.Minute) // TCP has backed off
	l.tell("with target_failover.on_unhealthy = rebalance", conns)
}

// tell prints how many of the connections carry data, and how many of ten new ones open.
func (l *lab) tell(when string, conns []*host.Conn) {
	alive := 0
	for _, c := range conns {
		if l.echo(c) {
			alive++
		}
	}
	fmt.Fprintf(l.out, "%-48s %2d of %d connections live, %2d of 10 new ones open\n", when+":", alive, len(conns), len(l.open(10)))
}

// echo sends a byte by the connection and reports whether it comes back.
func (l *lab) echo(c *host.Conn) bool {
	c.Next()
	if _, err := c.Write([]byte("x")); err != nil {
		return false
	}
	l.Run(100 * time.Millisecond)
	return len(c.Next()) > 0
}

// open opens n connections, and returns those that are open within a second.
func (l *lab) open(n int) []*host.Conn {
	var open []*host.Conn
	for range n {
		var conn *host.Conn
		c := l.client.StartDial(netip.AddrPortFrom(l.web.PublicAddr(), 80), func(c *host.Conn, err error) {
			if err == nil {
				conn = c
			}
		})
		l.Run(100 * time.Millisecond)
		if conn == nil {
			c.Abort()
			continue
		}
		open = append(open, conn)
	}
	return open
}

// shares says how many packets each appliance has passed.
func (l *lab) shares() string {
	text := ""
	for _, b := range l.fleet {
		passed, _ := b.Counts()
		text += fmt.Sprintf("  %s has passed %d packets\n", b.Name(), passed)
	}
	return text[:len(text)-1]
}

func build(out io.Writer) *lab {
	w := vpctest.New(vpctest.Program)
	l := &lab{World: w, out: out}
	security := w.VPC("10.9.0.0/16")
	fleet := security.Subnet("10.9.0.0/24")
	check(security.DefaultSecurityGroup().AuthorizeIngress(vpc.TCPPort(80, "10.9.0.0/24"), vpc.UDPPort(6081, "10.9.0.0/24")))
	balance, err := gwlb.Create(w.Region, "fleet", gwlb.Config{Name: "gwlb", Subnets: []*vpc.Subnet{fleet.Subnet}})
	check(err)
	l.nodes = balance.Interfaces()
	l.group, err = gwlb.CreateTargetGroup(security.VPC, "appliances", elbv2.TargetInstance, balancer.HealthCheck{})
	check(err)
	_, err = gwlb.Listen(balance, l.group)
	check(err)
	for i := range 3 {
		b := &box{Host: fleet.Host(fmt.Sprintf("appliance%d", i+1))}
		b.Appliance, err = appliance.Start(w.Engine, b.Host.Host, appliance.Config{})
		check(err)
		check(l.group.RegisterTargets(balancer.Target{ID: b.Instance.ID()}))
		l.fleet = append(l.fleet, b)
	}
	service, err := endpoint.CreateService(w.Region, endpoint.ServiceConfig{}, balance)
	check(err)

	v := w.VPC("10.0.0.0/16")
	edge, app := v.Subnet("10.0.0.0/24"), v.Subnet("10.0.1.0/24")
	e, err := endpoint.CreateGatewayLoadBalancer(service.ServiceName(), edge.Subnet, endpoint.Config{Name: "endpoint"})
	check(err)
	edge.Route("0.0.0.0/0", v.InternetGateway())
	app.Route("0.0.0.0/0", e)
	v.EdgeRoute("10.0.1.0/24", e)
	l.web, l.client = app.PublicHost("web"), w.OnInternet("198.51.100.7")
	l.web.Allow(vpc.AllTraffic("198.51.100.0/24"))
	_, err = l.web.ListenTCP(netip.AddrPortFrom(netip.Addr{}, 80), func(c *host.Conn) {
		c.OnReadable(func(c *host.Conn) { c.Write(c.Next()) })
	})
	check(err)
	return l
}

// check has the load balancer's node check the appliances' health as AWS does: TCP port
// 80 every ten seconds, from the node's address.
func (l *lab) check() {
	checker := host.New(l.Engine, host.Config{Name: "checker"})
	check(l.Plug(checker, l.nodes[0]))
	for _, b := range l.fleet {
		c, target := health.GWLB(), balancer.Target{ID: b.Instance.ID()}
		c.OnHealthy = func() { check(l.group.SetHealth(target, balancer.Healthy)) }
		c.OnUnhealthy = func(error) { check(l.group.SetHealth(target, balancer.Unhealthy)) }
		_, err := health.Start(l.Clock, health.TCP(checker, netip.AddrPortFrom(b.Addr, 80)), c)
		check(err)
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
