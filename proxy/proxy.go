// Package proxy runs the nodes of load balancers that end connections: each is a guest
// with a real TCP/IP stack behind the node's interface, on which Go's net/http takes the
// requests and sends them on by connections of its own, from the node's address.
//
//	p, err := proxy.Run(pump, w, alb, proxy.Config{})
//
// Whom a request goes to, and whether it may, is package balancer's; what the network
// does with the packets is everybody else's.
package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/netstack"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/world"
)

// Config says how a load balancer is run. The zero Config is as AWS does it, without
// health checks.
type Config struct {
	// HealthChecks has each node check the targets of its listeners, as their groups say.
	// A check is never at an end: while everybody waits, simulated time goes from one to
	// the next.
	HealthChecks bool
}

// Proxy is a load balancer that runs. Its methods may be called from any goroutine.
type Proxy struct {
	nodes []*node
}

// connectTimeout is how long a node waits for a target to take a connection (ALB guide,
// "Troubleshoot": HTTP 504).
const connectTimeout = 10 * time.Second

// node is one node.
type node struct {
	balancer  *balancer.LoadBalancer
	zone      string
	addr      netip.Addr
	guest     *netstack.Guest
	transport *http.Transport
	servers   []io.Closer
	working   sync.WaitGroup
	checks    []func()

	mu    sync.Mutex
	turns map[*balancer.TargetGroup]int // of round robin
	drawn int                           // of target groups
	busy  map[netip.AddrPort]int        // outstanding requests
}

// Run plugs a stack into each node of a load balancer and has it listen on the ports of
// its listeners as they are now; rules, target groups and health are asked at each
// request. The pump must be that of the world's engine. Close ends it.
func Run(p *netstack.Pump, w *world.World, l *balancer.LoadBalancer, c Config) (*Proxy, error) {
	x := &Proxy{}
	for _, nic := range l.Interfaces() {
		n, err := newNode(p, w, l, nic)
		if err != nil {
			x.Close()
			return nil, err
		}
		x.nodes = append(x.nodes, n)
		for _, listener := range l.Listeners() {
			if err := n.listen(listener); err != nil {
				x.Close()
				return nil, err
			}
		}
		if c.HealthChecks {
			if err := n.checkTargets(p, w); err != nil {
				x.Close()
				return nil, err
			}
		}
	}
	return x, nil
}

func newNode(p *netstack.Pump, w *world.World, l *balancer.LoadBalancer, nic *vpc.NetworkInterface) (*node, error) {
	zone := nic.Subnet().Zone()
	g, err := netstack.Behind(p, w, nic, netstack.Config{Name: l.LoadBalancerName() + " in " + zone})
	if err != nil {
		return nil, fmt.Errorf("proxy: %w", err)
	}
	n := &node{balancer: l, zone: zone, addr: nic.PrivateIP(), guest: g, turns: map[*balancer.TargetGroup]int{}, busy: map[netip.AddrPort]int{}}
	n.transport = &http.Transport{
		DisableCompression: true,
		DialContext:        n.dial,
	}
	return n, nil
}

// dial opens a connection to a target, which ends where nothing comes for as long as
// the load balancer's idle timeout. Both times are simulated.
func (n *node) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	c, err := n.guest.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &timed{c, n.idle()}, nil
}

// idle returns the load balancer's idle timeout.
func (n *node) idle() time.Duration {
	for _, key := range []string{"idle_timeout.timeout_seconds"} {
		if s, err := strconv.Atoi(n.balancer.Attribute(key)); err == nil {
			return time.Duration(s) * time.Second
		}
	}
	return 60 * time.Second
}

// timed is a connection whose reads end at the idle timeout.
type timed struct {
	net.Conn
	idle time.Duration
}

// Read reads, for the idle timeout at most.
func (t *timed) Read(b []byte) (int, error) {
	if err := t.SetReadDeadline(time.Now().Add(t.idle)); err != nil {
		return 0, err
	}
	return t.Conn.Read(b)
}

// listen takes connections to a listener's port.
func (n *node) listen(x *balancer.Listener) error {
	var protocol elbv2.Protocol
	var port uint16
	n.balancer.Region().View(func(*vpc.Tx) { protocol, port = x.Takes() })
	l, err := n.guest.Listen("tcp", netip.AddrPortFrom(n.addr, port).String())
	if err != nil {
		return fmt.Errorf("proxy: %w", err)
	}
	if protocol == elbv2.TCP || protocol == elbv2.TLS || protocol == balancer.SSL {
		n.servers = append(n.servers, l)
		n.working.Go(func() { n.relay(l, x) })
		return nil
	}
	s := &http.Server{Handler: &frontend{n, x, protocol, port}}
	n.servers = append(n.servers, s)
	n.working.Go(func() { s.Serve(l) }) // returns when the server is closed
	return nil
}

// pick returns the target of a new connection or request among those that may get one,
// round robin or, where the group's attributes say so and for HTTP of a Classic Load
// Balancer, by the least outstanding requests; false where there is none. A wanted one
// that is among them goes before. The target is busy until done.
func (n *node) pick(g *balancer.TargetGroup, wanted string) (at netip.AddrPort, ok bool) {
	var s balancer.Selection
	var least bool
	n.balancer.Region().View(func(tx *vpc.Tx) {
		s = g.Eligible(tx, n.balancer, n.zone)
		least = g.AttributeOf("load_balancing.algorithm.type") == "least_outstanding_requests" || n.balancer.Classic(tx) != nil && g.Protocol() == elbv2.HTTP
	})
	if len(s.Targets) == 0 {
		return netip.AddrPort{}, false
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	turn := n.turns[g]
	n.turns[g]++
	for i := range s.Targets {
		e := s.Targets[(turn+i)%len(s.Targets)]
		x := netip.AddrPortFrom(e.Addr, e.Port)
		switch {
		case x.String() == wanted:
			n.busy[x]++
			return x, true
		case i == 0, least && n.busy[x] < n.busy[at]:
			at = x
		}
	}
	n.busy[at]++
	return at, true
}

// done ends what pick began.
func (n *node) done(at netip.AddrPort) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.busy[at]--; n.busy[at] == 0 {
		delete(n.busy, at)
	}
}

// group returns the target group of a request, each as often as its weight says.
func (n *node) group(a balancer.Action) *balancer.TargetGroup {
	total := 0
	for _, w := range a.Groups {
		total += w.Weight
	}
	if total == 0 {
		return nil
	}
	n.mu.Lock()
	at := n.drawn % total
	n.drawn++
	n.mu.Unlock()
	for _, w := range a.Groups {
		if at < w.Weight {
			return w.Group
		}
		at -= w.Weight
	}
	return nil
}

// relay carries the bytes of TCP connections to targets and back.
func (n *node) relay(l net.Listener, x *balancer.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		n.working.Go(func() { n.carry(c, x) })
	}
}

func (n *node) carry(client net.Conn, x *balancer.Listener) {
	defer client.Close()
	var a balancer.Action
	n.balancer.Region().View(func(*vpc.Tx) { a = x.Default() })
	g := n.group(a)
	if g == nil {
		return
	}
	to, ok := n.pick(g, "")
	if !ok {
		return
	}
	defer n.done(to)
	target, err := n.dial(context.Background(), "tcp", to.String())
	if err != nil {
		return
	}
	defer target.Close()
	var both sync.WaitGroup
	both.Go(func() { pour(target, client) })
	pour(client, target)
	both.Wait()
}

// pour copies until the end, and says so to the other side.
func pour(to, from net.Conn) {
	io.Copy(to, from)
	if t, ok := to.(*timed); ok {
		to = t.Conn
	}
	if c, ok := to.(interface{ CloseWrite() error }); ok {
		c.CloseWrite()
	}
}

// Close ends the checks, the servers and their connections, and shuts the stacks down.
func (x *Proxy) Close() error {
	var errs []error
	for _, n := range x.nodes {
		for _, stop := range n.checks {
			stop()
		}
		for _, s := range n.servers {
			if err := s.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
				errs = append(errs, err)
			}
		}
		n.transport.CloseIdleConnections()
		errs = append(errs, n.guest.Close())
		n.working.Wait()
	}
	x.nodes = nil
	return errors.Join(errs...)
}
