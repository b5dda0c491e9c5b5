package netstack

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
	"gvisor.dev/gvisor/pkg/waiter"

	"github.com/vpcsim/vpcsim/clock"
)

// backlog is how many connections may wait for Accept: Linux's somaxconn, which
// package net takes too.
const backlog = 4096

// Dial is DialContext without a context.
func (g *Guest) Dial(network, addr string) (net.Conn, error) {
	return g.DialContext(context.Background(), network, addr)
}

// DialContext connects to an address such as "10.0.0.5:80" or "[2001:db8::5]:80" as
// net.Dialer does; network is "tcp" or "udp", with "4" or "6" behind it for one
// family only. Of a name's addresses it takes the first that connects. A context's
// deadline counts on the simulated clock too.
func (g *Guest) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	k, err := g.kindOf(network)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	to, err := g.resolve(ctx, k, addr)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	var first error
	for _, a := range to {
		c, err := g.dial(ctx, k, a)
		if err == nil {
			return c, nil
		}
		if first == nil {
			first = &net.OpError{Op: "dial", Net: network, Addr: netAddr(k.transport, a), Err: err}
		}
	}
	return nil, first
}

// Listen listens on a TCP port: ":80" on all of the guest's addresses, "10.0.0.5:80"
// on one; port 0 takes a free one.
func (g *Guest) Listen(network, addr string) (net.Listener, error) {
	s, err := g.bound(network, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return &TCPListener{s}, nil
}

// ListenPacket binds a UDP port, as Listen does.
func (g *Guest) ListenPacket(network, addr string) (net.PacketConn, error) {
	s, err := g.bound(network, "udp", addr)
	if err != nil {
		return nil, err
	}
	return &UDPConn{s}, nil
}

// kind is what the name of a network says.
type kind struct {
	transport string // "tcp" or "udp"
	family    string // "4", "6", or "" for both
}

func (g *Guest) kindOf(network string) (kind, error) {
	switch network {
	case "tcp", "tcp4", "tcp6", "udp", "udp4", "udp6":
		return kind{network[:3], network[3:]}, nil
	}
	return kind{}, net.UnknownNetworkError(network)
}

func (k kind) takes(a netip.Addr) bool {
	return k.family == "" || k.family == "4" && a.Is4() || k.family == "6" && a.Is6()
}

// resolve returns what an address names, at least one. No host is no address: the
// guest itself for Dial, all of its addresses for Listen.
func (g *Guest) resolve(ctx context.Context, k kind, addr string) ([]netip.AddrPort, error) {
	name, service, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		return nil, &net.AddrError{Err: "expected a port in 0-65535", Addr: addr}
	}
	if name == "" {
		return []netip.AddrPort{netip.AddrPortFrom(netip.Addr{}, uint16(port))}, nil
	}
	found, err := g.lookUp(ctx, k, name)
	if err != nil {
		return nil, err
	}
	var to []netip.AddrPort
	for _, a := range found {
		if a = a.Unmap().WithZone(""); k.takes(a) {
			to = append(to, netip.AddrPortFrom(a, uint16(port)))
		}
	}
	if len(to) == 0 {
		return nil, &net.AddrError{Err: "no suitable address found", Addr: name}
	}
	return to, nil
}

func (g *Guest) lookUp(ctx context.Context, k kind, name string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(name); err == nil {
		return []netip.Addr{a}, nil
	}
	switch {
	case g.lookup != nil:
		return g.lookup(ctx, "ip"+k.family, name)
	case len(g.nameservers) > 0:
		return g.lookupByServers(ctx, "ip"+k.family, name)
	}
	return nil, &net.DNSError{Err: fmt.Sprintf("guest %q has no Lookup and no name servers", g.name), Name: name, IsNotFound: true}
}

// endpoint makes a socket for an address: for both families where it is none.
func (g *Guest) endpoint(k kind, a netip.Addr) (s *socket, err error) {
	err = net.ErrClosed
	g.call(func() {
		number, family := tcp.ProtocolNumber, ipv6.ProtocolNumber
		if k.transport == "udp" {
			number = udp.ProtocolNumber
		}
		if a.Is4() || k.family == "4" {
			family = ipv4.ProtocolNumber
		}
		queue := new(waiter.Queue)
		ep, terr := g.stack.NewEndpoint(number, family, queue)
		if terr != nil {
			err = failure("socket", terr)
			return
		}
		ep.SocketOptions().SetV6Only(a.Is6() || k.family == "6")
		ep.SocketOptions().SetDelayOption(false)
		s, err = g.newSocket(k.transport, ep, queue), nil
	})
	return s, err
}

// bound returns a socket with an address of the guest's.
func (g *Guest) bound(network, transport, addr string) (*socket, error) {
	k, err := g.kindOf(network)
	if err == nil && k.transport != transport {
		err = net.UnknownNetworkError(network)
	}
	var at []netip.AddrPort
	if err == nil {
		at, err = g.resolve(context.Background(), k, addr)
	}
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Err: err}
	}
	s, err := g.endpoint(k, at[0].Addr())
	if err == nil {
		err = s.bind(at[0])
	}
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Addr: netAddr(transport, at[0]), Err: err}
	}
	return s, nil
}

func (s *socket) bind(at netip.AddrPort) error {
	err := net.ErrClosed
	s.guest.call(func() {
		err = nil
		call, terr := "bind", s.ep.Bind(tcpip.FullAddress{Addr: bindable(at.Addr()), Port: at.Port()})
		if terr == nil && s.network == "tcp" {
			call, terr = "listen", s.ep.Listen(backlog)
		}
		if terr != nil {
			s.ep.Close()
			err = failure(call, terr)
			return
		}
		s.learnAddrs(netip.AddrPort{})
	})
	return err
}

// bindable is a as gVisor wants it: no address for all.
func bindable(a netip.Addr) tcpip.Address {
	if !a.IsValid() || a.IsUnspecified() {
		return tcpip.Address{}
	}
	return address(a)
}

func (g *Guest) dial(ctx context.Context, k kind, to netip.AddrPort) (net.Conn, error) {
	if !to.Addr().IsValid() || to.Addr().IsUnspecified() {
		loopback := netip.AddrFrom4([4]byte{127, 0, 0, 1})
		if k.family == "6" || to.Addr().Is6() {
			loopback = netip.IPv6Loopback()
		}
		to = netip.AddrPortFrom(loopback, to.Port())
	}
	s, err := g.endpoint(k, to.Addr())
	if err != nil {
		return nil, err
	}
	if err := s.connect(ctx, to); err != nil {
		s.Close()
		return nil, err
	}
	if k.transport == "udp" {
		return &UDPConn{s}, nil
	}
	return &TCPConn{s}, nil
}

// connect begins, and waits for the peer's answer, the context's end or its deadline.
func (s *socket) connect(ctx context.Context, to netip.AddrPort) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var terr tcpip.Error
	var timer *clock.Timer
	w := &wait{s.guest.pump, make(chan struct{}, 1)}
	var entry waiter.Entry
	entry.Init(w, waiter.WritableEvents|waiter.EventErr|waiter.EventHUp)
	late := make(chan struct{})
	s.guest.call(func() {
		terr = s.ep.Connect(tcpip.FullAddress{Addr: address(to.Addr()), Port: to.Port()})
		s.learnAddrs(to)
		if _, started := terr.(*tcpip.ErrConnectStarted); !started {
			return
		}
		s.queue.EventRegister(&entry)
		if t, ok := ctx.Deadline(); ok {
			timer = s.guest.pump.newTimer(func() {
				s.guest.pump.dirty.Store(true)
				close(late)
			})
			timer.Reset(max(time.Until(t), 0))
		}
	})
	if _, started := terr.(*tcpip.ErrConnectStarted); !started {
		if terr != nil {
			return failure("connect", terr)
		}
		return nil
	}
	var err error
	select {
	case <-w.ready:
	case <-late:
		err = context.DeadlineExceeded
	case <-ctx.Done():
		err = ctx.Err()
	case <-s.guest.down:
		err = net.ErrClosed
	}
	s.guest.call(func() {
		s.queue.EventUnregister(&entry)
		if timer != nil {
			timer.Stop()
		}
		if terr := s.ep.LastError(); terr != nil && err == nil {
			err = failure("connect", terr)
		}
	})
	return err
}
