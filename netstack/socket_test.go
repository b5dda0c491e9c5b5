package netstack_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/netstack"
)

// pair is a connection between client and server, through the NAT gateway.
func (l *lab) pair() (client, server *netstack.TCPConn) {
	ln, err := l.server.Listen("tcp", ":80")
	require.NoError(l.t, err)
	defer ln.Close()
	c, err := l.client.Dial("tcp", serverAddr+":80")
	require.NoError(l.t, err)
	s, err := ln.(*netstack.TCPListener).AcceptTCP()
	require.NoError(l.t, err)
	return c.(*netstack.TCPConn), s
}

// C116: an idle connection is forgotten after 350 s, and what
// comes after that is answered with RST.
func TestAnIdleConnectionThroughANATGatewayIsReset(t *testing.T) {
	both(t, func(t *testing.T) {
		l := newLab(t)
		c, _ := l.pair()

		l.pump.Sleep(349 * time.Second)
		_, err := c.Write([]byte("in time"))
		require.NoError(t, err)
		l.pump.Sleep(351 * time.Second)
		_, err = c.Write([]byte("too late"))
		require.NoError(t, err, "nobody has told the client yet")
		_, err = c.Read(make([]byte, 1))
		require.ErrorIs(t, err, syscall.ECONNRESET)
		require.Regexp(t, `^read tcp 10\.0\.1\.4:\d+->198\.51\.100\.7:80: read: connection reset by peer$`, err.Error())
	})
}

func TestKeepAlivesHoldAConnectionThroughANATGateway(t *testing.T) {
	both(t, func(t *testing.T) {
		l := newLab(t)
		c, s := l.pair()
		require.NoError(t, c.SetKeepAlive(true))
		require.NoError(t, c.SetKeepAlivePeriod(60*time.Second))

		l.pump.Sleep(time.Hour)
		_, err := c.Write([]byte("still here"))
		require.NoError(t, err)
		b := make([]byte, 20)
		n, err := s.Read(b)
		require.NoError(t, err)
		require.Equal(t, "still here", string(b[:n]))
	})
}

func TestKeepAlivesFindADeadPeer(t *testing.T) {
	both(t, func(t *testing.T) {
		l := newLab(t)
		_, s := l.pair()
		require.NoError(t, s.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: 10 * time.Second, Interval: time.Second, Count: 3}))
		before := l.pump.Now()
		l.pump.Do(func() { require.NoError(t, l.nat.Delete()) })
		_, err := s.Read(make([]byte, 1))
		require.ErrorIs(t, err, syscall.ETIMEDOUT)
		require.InDelta(t, 13, (l.pump.Now() - before).Seconds(), 0.5)
	})
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	both(t, func(t *testing.T) {
		l := newLab(t)
		c, s := l.pair()
		sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<16) // 1 MiB
		go func() {
			c.Write(sent)
			c.CloseWrite()
		}()
		got, err := io.ReadAll(s)
		require.NoError(t, err)
		require.True(t, bytes.Equal(sent, got))

		_, err = s.Write([]byte("thanks"))
		require.NoError(t, err, "the other half is open")
		require.NoError(t, s.Close())
		got, err = io.ReadAll(c)
		require.NoError(t, err)
		require.Equal(t, "thanks", string(got))
	})
}

func TestDialErrorsAreTheSystems(t *testing.T) {
	both(t, func(t *testing.T) {
		l := newLab(t)
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		cancelled, cancel2 := context.WithCancel(t.Context())
		cancel2()
		for _, c := range []struct {
			ctx           context.Context
			network, addr string
			is            error
			text          string
		}{
			{t.Context(), "tcp", serverAddr + ":81", syscall.ECONNREFUSED, "dial tcp 198.51.100.7:81: connect: connection refused"},
			{short, "tcp", "198.51.100.8:80", context.DeadlineExceeded, "dial tcp 198.51.100.8:80: context deadline exceeded"},
			{t.Context(), "tcp", "198.51.100.8:80", syscall.ETIMEDOUT, "dial tcp 198.51.100.8:80: connect: connection timed out"},
			{t.Context(), "tcp", "10.0.1.77:80", syscall.EHOSTUNREACH, "dial tcp 10.0.1.77:80: connect: no route to host"},
			{t.Context(), "tcp", "[2001:db8::1]:80", syscall.ENETUNREACH, "dial tcp [2001:db8::1]:80: connect: network is unreachable"},
			{cancelled, "tcp", serverAddr + ":80", context.Canceled, "dial tcp 198.51.100.7:80: context canceled"},
			{t.Context(), "sctp", serverAddr + ":80", net.UnknownNetworkError("sctp"), "dial sctp: unknown network sctp"},
			{t.Context(), "tcp", serverAddr, nil, "dial tcp: address 198.51.100.7: missing port in address"},
			{t.Context(), "tcp", serverAddr + ":http", nil, `dial tcp: address 198.51.100.7:http: expected a port in 0-65535`},
			{t.Context(), "tcp6", serverAddr + ":80", nil, "dial tcp6: address 198.51.100.7: no suitable address found"},
			{t.Context(), "tcp", "example.com:80", nil, "dial tcp: lookup example.com: no such host"},
		} {
			_, err := l.client.DialContext(c.ctx, c.network, c.addr)
			require.EqualError(t, err, c.text)
			if c.is != nil {
				require.ErrorIs(t, err, c.is)
			}
			var op *net.OpError
			require.ErrorAs(t, err, &op)
		}
	})
}

func TestListenErrorsAreTheSystems(t *testing.T) {
	l := newLab(t)
	_, err := l.client.Listen("tcp", ":80")
	require.NoError(t, err)
	_, err = l.client.Listen("tcp", ":80")
	require.EqualError(t, err, "listen tcp :80: bind: address already in use")
	require.ErrorIs(t, err, syscall.EADDRINUSE)
	_, err = l.client.Listen("tcp", "10.0.1.99:80")
	require.EqualError(t, err, "listen tcp 10.0.1.99:80: bind: cannot assign requested address")
	_, err = l.client.Listen("udp", ":80")
	require.EqualError(t, err, "listen udp: unknown network udp")
	_, err = l.client.ListenPacket("tcp", ":80")
	require.EqualError(t, err, "listen tcp: unknown network tcp")
}

func TestNamesAreLookedUp(t *testing.T) {
	l := newLab(t)
	serve(t, l.server)
	asked := ""
	g := netstack.New(l.pump, netstack.Config{Name: "g", Lookup: func(_ context.Context, network, host string) ([]netip.Addr, error) {
		asked += network + " " + host + "\n"
		if host == "self" {
			return []netip.Addr{netip.MustParseAddr("127.0.0.2"), netip.MustParseAddr("127.0.0.1")}, nil
		}
		return nil, errors.New("no such name")
	}})
	ln, err := g.Listen("tcp4", "127.0.0.1:80")
	require.NoError(t, err)
	c, err := g.Dial("tcp4", "self:80")
	require.NoError(t, err, "the first address refuses, the second connects")
	require.Equal(t, "127.0.0.1:80", c.RemoteAddr().String())
	_, err = ln.Accept()
	require.NoError(t, err)
	_, err = g.Dial("tcp", "other:80")
	require.EqualError(t, err, "dial tcp: no such name")
	require.Equal(t, "ip4 self\nip other\n", asked)
}

func TestWaitingCallsEndWithTheirSocketAndGuest(t *testing.T) {
	both(t, func(t *testing.T) {
		for name, end := range map[string]func(l *lab, c *netstack.TCPConn, ln net.Listener, u net.PacketConn){
			"sockets closed": func(_ *lab, c *netstack.TCPConn, ln net.Listener, u net.PacketConn) {
				c.Close()
				ln.Close()
				u.Close()
			},
			"guest closed": func(l *lab, _ *netstack.TCPConn, _ net.Listener, _ net.PacketConn) { l.client.Close() },
			"pump closed":  func(l *lab, _ *netstack.TCPConn, _ net.Listener, _ net.PacketConn) { l.pump.Close() },
		} {
			l := newLab(t)
			c, _ := l.pair()
			ln, err := l.client.Listen("tcp", ":8080")
			require.NoError(t, err)
			u, err := l.client.ListenPacket("udp", ":53")
			require.NoError(t, err)
			ended := make(chan error)
			go func() { _, err := c.Read(make([]byte, 1)); ended <- err }()
			go func() {
				_, err := c.Write(make([]byte, 64<<20))
				ended <- err
			}()
			go func() { _, err := ln.Accept(); ended <- err }()
			go func() { _, _, err := u.ReadFrom(make([]byte, 1)); ended <- err }()
			l.pump.Sleep(time.Millisecond)
			end(l, c, ln, u)
			for range 4 {
				require.ErrorIs(t, <-ended, net.ErrClosed, name)
			}
			_, err = c.Read(make([]byte, 1))
			require.ErrorIs(t, err, net.ErrClosed, name)
			require.ErrorIs(t, c.SetDeadline(time.Time{}), net.ErrClosed, name)
			require.ErrorIs(t, c.SetNoDelay(true), net.ErrClosed, name)
			l.pump.Close()
		}
	})
}

func TestDatagrams(t *testing.T) {
	both(t, func(t *testing.T) {
		l := newLab(t)
		s, err := l.server.ListenPacket("udp", ":53")
		require.NoError(t, err)
		c, err := l.client.Dial("udp", serverAddr+":53")
		require.NoError(t, err)
		_, err = c.Write([]byte("question"))
		require.NoError(t, err)
		b := bytes.Repeat([]byte{0xa5}, 20)
		n, from, err := s.ReadFrom(b)
		require.NoError(t, err)
		require.Equal(t, "question", string(b[:n]))
		require.Equal(t, l.nat.PublicIP(), from.(*net.UDPAddr).AddrPort().Addr())
		_, err = s.WriteTo([]byte("a longer answer"), from)
		require.NoError(t, err)
		n, err = c.Read(b[:8])
		require.NoError(t, err)
		require.Equal(t, "a longer", string(b[:n]), "the rest is lost")

		require.NoError(t, c.SetReadDeadline(time.Now().Add(time.Second)))
		_, err = c.Read(b)
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		_, err = s.WriteTo(b, &net.TCPAddr{})
		require.ErrorContains(t, err, "expected a *net.UDPAddr")

		require.NoError(t, s.Close())
		require.NoError(t, c.SetReadDeadline(time.Time{}))
		_, err = c.Write([]byte("anybody?"))
		require.NoError(t, err)
		_, err = c.Read(b)
		require.ErrorIs(t, err, syscall.ECONNREFUSED, "ICMP port unreachable found its way back")
	})
}

func TestDeadlinesAreSimulatedTime(t *testing.T) {
	both(t, func(t *testing.T) {
		l := newLab(t)
		c, _ := l.pair()
		before := l.pump.Now()
		require.NoError(t, c.SetReadDeadline(time.Now().Add(time.Hour)))
		_, err := c.Read(make([]byte, 1))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		var timeout net.Error
		require.ErrorAs(t, err, &timeout)
		require.True(t, timeout.Timeout())
		require.InDelta(t, time.Hour.Seconds(), (l.pump.Now() - before).Seconds(), 0.1)
	})
}

func TestInABubbleAllClocksAgree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		c, s := l.pair()
		wall, now := time.Now(), l.pump.Now()
		go func() {
			time.Sleep(5 * time.Minute)
			s.Write([]byte("x"))
		}()
		_, err := c.Read(make([]byte, 1))
		require.NoError(t, err)
		require.Equal(t, time.Since(wall), l.pump.Now()-now)
		require.Equal(t, 5*time.Minute+10*time.Millisecond, time.Since(wall).Truncate(time.Millisecond))
	})
}

func TestAGuestTalksToItself(t *testing.T) {
	both(t, func(t *testing.T) {
		l := newLab(t)
		for _, addr := range []string{"127.0.0.1:80", "[::1]:80", "10.0.1.4:80"} {
			network := "tcp"
			ln, err := l.client.Listen(network, ":80")
			require.NoError(t, err)
			c, err := l.client.Dial(network, addr)
			require.NoError(t, err, addr)
			s, err := ln.Accept()
			require.NoError(t, err)
			go func() {
				c.Write([]byte(strings.Repeat("x", 1<<20)))
				c.Close()
			}()
			got, err := io.ReadAll(s)
			require.NoError(t, err)
			require.Len(t, got, 1<<20)
			require.NoError(t, s.Close())
			require.NoError(t, ln.Close())
		}
	})
}

// Names are asked of the VPC's resolver, by packets; nothing of the machine that the test
// runs on has a say.
func TestGuestsResolveByTheVPCsResolver(t *testing.T) {
	both(t, func(t *testing.T) {
		l := newLab(t)
		l.pump.Do(func() { l.world.Resolver.SetPublic("www.example.com", netip.MustParseAddr(serverAddr)) })
		n, err := l.server.Listen("tcp", ":80")
		require.NoError(t, err)
		defer n.Close()
		c, err := l.client.Dial("tcp", "www.example.com:80")
		require.NoError(t, err)
		require.Equal(t, serverAddr+":80", c.RemoteAddr().String())
		require.NoError(t, c.Close())
		_, err = l.client.Dial("tcp6", "www.example.com:80")
		require.EqualError(t, err, "dial tcp6: lookup www.example.com: no such host")
		_, err = l.server.Dial("tcp", "www.example.com:80")
		require.EqualError(t, err, `dial tcp: lookup www.example.com: guest "server" has no Lookup and no name servers`)
	})
}
