package host

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/wire"
)

func at(a netip.Addr, port uint16) netip.AddrPort { return netip.AddrPortFrom(a, port) }

func isIPv4(_ int, frame []byte) bool { return wire.Ethernet(frame).Type() == wire.EtherTypeIPv4 }

var addrB6 = netip.MustParseAddr("fd00:1::55")

var addrA6 = netip.MustParseAddr("fd00::11")

// echoServer sends back what it gets, and closes when its peer does.
func echoServer(t testing.TB, h *Host, port uint16) {
	_, err := h.ListenTCP(at(netip.Addr{}, port), func(c *Conn) {
		c.OnReadable(func(c *Conn) {
			c.Write(c.Next())
			if c.Ended() {
				c.Close()
			}
		})
	})
	require.NoError(t, err)
}

func TestTCPCarriesDataBothWaysAndClosesHalves(t *testing.T) {
	for _, dst := range []netip.Addr{addrB, addrB6} {
		n := newLine(t)
		echoServer(t, n.b, 7)
		c, err := n.a.Dial(at(dst, 7))
		require.NoError(t, err)
		require.Equal(t, Established, c.State())

		c.Write([]byte("over the hills"))
		require.NoError(t, c.CloseWrite())
		got, err := io.ReadAll(c)
		require.NoError(t, err)
		require.Equal(t, "over the hills", string(got))
		require.NoError(t, c.Close())
		require.Equal(t, TimeWait, c.State())
		n.engine.Clock.Run(n.engine.Now() + time.Millisecond)
		require.Empty(t, n.b.conns)

		n.engine.Clock.Run(n.engine.Now() + timeWait)
		require.Equal(t, Closed, c.State())
		require.Empty(t, n.a.conns)
	}
}

func TestTCPToAClosedPortIsRefusedAtOnce(t *testing.T) {
	n := newLine(t)
	c, err := n.a.Dial(at(addrB, 81))
	require.Nil(t, c)
	require.EqualError(t, err, "host a: dial tcp 10.0.1.55:81: connect: connection refused")
	require.ErrorIs(t, err, ErrRefused)
	require.Less(t, n.engine.Now(), time.Millisecond)
}

func TestTCPWithoutAnswerTriesSevenSYNsIn127Seconds(t *testing.T) {
	n := newLine(t)
	n.a.Ping(addrB, PingConfig{})
	n.right.drop = isIPv4
	var sent []time.Duration
	start := n.engine.Now()
	n.left.drop = func(_ int, frame []byte) bool {
		if isIPv4(0, frame) {
			sent = append(sent, n.engine.Now()-start)
		}
		return false
	}
	_, err := n.a.Dial(at(addrB, 80))
	require.ErrorIs(t, err, ErrTimeout)
	s := time.Second
	require.Equal(t, []time.Duration{0, s, 3 * s, 7 * s, 15 * s, 31 * s, 63 * s}, sent)
	require.Equal(t, 127*s, n.engine.Now()-start)
}

func TestTCPToAnAbsentNeighbourHasNoRouteToHostAfterThreeSeconds(t *testing.T) {
	n := newLine(t)
	_, err := n.a.Dial(at(netip.MustParseAddr("10.0.1.77"), 80))
	require.ErrorIs(t, err, ErrHostUnreachable)
	require.Equal(t, 3*time.Second, n.engine.Now().Truncate(time.Second))
	_, err = n.a.Dial(at(netip.MustParseAddr("10.9.1.77"), 80))
	require.ErrorIs(t, err, ErrNetUnreachable)
}

func TestTCPDeliversEverythingInOrderWhateverIsLost(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		n := newLine(t)
		lose := func(n int, frame []byte) bool { return isIPv4(n, frame) && r.IntN(100) < 12 }
		n.a.Ping(addrB, PingConfig{})
		n.left.drop, n.right.drop = lose, lose
		echoServer(t, n.b, 7)
		c, err := n.a.Dial(at(addrB, 7))
		if err != nil {
			require.ErrorIs(t, err, ErrTimeout)
			continue
		}
		want := make([]byte, 1+r.IntN(300_000))
		for i := range want {
			want[i] = byte(r.Uint32())
		}
		for rest := want; len(rest) > 0; {
			k := min(len(rest), 1+r.IntN(50_000))
			c.Write(rest[:k])
			rest = rest[k:]
		}
		c.CloseWrite()
		got, err := io.ReadAll(c)
		require.NoError(t, err, "seed %d", seed)
		require.True(t, bytes.Equal(want, got), "seed %d: %d bytes of %d", seed, len(got), len(want))
	}
}

func TestTCPStopsAtAClosedWindowAndGoesOnWhenTheReaderReads(t *testing.T) {
	n := newLine(t)
	l, err := n.b.ListenTCP(at(addrB, 80), nil)
	require.NoError(t, err)
	c, err := n.a.Dial(at(addrB, 80))
	require.NoError(t, err)
	s, err := l.Accept(time.Second)
	require.NoError(t, err)
	c.Write(make([]byte, 200_000))
	n.engine.Clock.Run(n.engine.Now() + 10*time.Minute)
	require.Equal(t, s.capacity(), len(s.recvBuf))
	require.Equal(t, Established, c.State())

	c.CloseWrite()
	got, err := io.ReadAll(s)
	require.NoError(t, err)
	require.Len(t, got, 200_000)
}

func TestTCPIsResetWhereTheReaderLeavesDataBehind(t *testing.T) {
	n := newLine(t)
	l, err := n.b.ListenTCP(at(netip.Addr{}, 80), nil)
	require.NoError(t, err)
	c, err := n.a.Dial(at(addrB, 80))
	require.NoError(t, err)
	c.Write([]byte("unread"))
	s, err := l.Accept(time.Second)
	require.NoError(t, err)
	n.engine.Clock.Run(n.engine.Now() + time.Second)
	require.NoError(t, s.Close())
	_, err = c.Read(make([]byte, 9))
	require.ErrorIs(t, err, ErrReset)
	_, err = c.Write([]byte("more"))
	require.ErrorIs(t, err, ErrReset)
}

func TestTCPKeepAliveFindsADeadPeer(t *testing.T) {
	n := newLine(t)
	echoServer(t, n.b, 7)
	c, err := n.a.Dial(at(addrB, 7))
	require.NoError(t, err)
	start := n.engine.Now()
	c.KeepAlive(true)
	n.engine.Clock.Run(start + 3*2*time.Hour + time.Minute)
	require.Equal(t, Established, c.State())
	n.left.drop = func(int, []byte) bool { return true }
	c.Wait = 24 * time.Hour
	_, err = c.Read(make([]byte, 1))
	require.ErrorIs(t, err, ErrTimeout)
	require.Equal(t, 4*7200+9*75, int((n.engine.Now() - start).Seconds()))
}

func TestTCPReadGivesUpAfterItsWait(t *testing.T) {
	n := newLine(t)
	echoServer(t, n.b, 7)
	c, err := n.a.Dial(at(addrB, 7))
	require.NoError(t, err)
	c.Wait = time.Minute
	_, err = c.Read(make([]byte, 1))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
}

func TestTCPFindsThePathMTU(t *testing.T) {
	n := newLine(t)
	require.NoError(t, n.router.NIC("eth1").SetMTU(1500))
	echoServer(t, n.b, 7)
	c, err := n.a.Dial(at(addrB, 7))
	require.NoError(t, err)
	c.Write(make([]byte, 50_000))
	c.CloseWrite()
	got, err := io.ReadAll(c)
	require.NoError(t, err)
	require.Len(t, got, 50_000)
	big := n.right.packets(func(p *wire.Packet) bool { return p.Flow.SrcPort != 7 && p.Len() > 1500 })
	require.Empty(t, big)
}

func TestHTTPRequestsAreAnsweredOverTCP(t *testing.T) {
	n := newLine(t)
	_, err := n.b.ServeHTTP(at(netip.Addr{}, 80), func(c *Conn, r *http.Request) *http.Response {
		body, _ := io.ReadAll(r.Body)
		return NewResponse(200, "text/plain", r.Method+" "+r.URL.Path+" "+string(body)+" from "+c.Remote().Addr().String())
	})
	require.NoError(t, err)

	res, err := n.a.HTTPGet("http://10.0.1.55/where")
	require.NoError(t, err)
	body, _ := io.ReadAll(res.Body)
	require.Equal(t, "GET /where  from 10.0.0.11", string(body))

	long := strings.Repeat("long ", 40_000)
	r, err := http.NewRequest(http.MethodPut, "http://[fd00:1::55]:80/x", strings.NewReader(long))
	require.NoError(t, err)
	res, err = n.a.HTTP(r)
	require.NoError(t, err)
	body, _ = io.ReadAll(res.Body)
	require.Equal(t, "PUT /x "+long+" from fd00::11", string(body))

	_, err = n.a.HTTPGet("http://10.0.1.55:8080/")
	require.ErrorIs(t, err, ErrRefused)
	_, err = n.a.HTTPGet("http://example.com/")
	require.EqualError(t, err, `host a: GET http://example.com/: host a: lookup example.com: no name servers are configured`)

	n.engine.Clock.Run(n.engine.Now() + 2*time.Minute)
	require.Empty(t, n.a.conns)
	require.Empty(t, n.b.conns)
}

// FuzzRequest splits bytes at random: a request is found once it is whole, takes no
// more than its bytes, and is found again in what it took.
func FuzzRequest(f *testing.F) {
	f.Add([]byte("GET /latest/meta-data/ HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n"))
	f.Add([]byte("PUT /latest/api/token HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.0\r\n\r\n"))
	f.Add([]byte("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, n, err := wholeRequest(b)
		if err != nil || r == nil {
			require.Zero(t, n)
			return
		}
		require.LessOrEqual(t, n, len(b))
		again, k, err := wholeRequest(b[:n])
		require.NoError(t, err)
		require.Equal(t, n, k)
		require.Equal(t, r.RequestURI, again.RequestURI)
	})
}

func TestHTTPServerRefusesWhatIsNoRequest(t *testing.T) {
	n := newLine(t)
	_, err := n.b.ServeHTTP(at(netip.Addr{}, 80), nil)
	require.NoError(t, err)
	c, err := n.a.Dial(at(addrB, 80))
	require.NoError(t, err)
	c.Write([]byte("open sesame\r\n\r\n"))
	got, err := io.ReadAll(c)
	require.NoError(t, err)
	require.Equal(t, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n", string(got))
}
