package health_test

import (
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/health"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

// result asks a probe once and returns what came of it.
func result(w *vpctest.World, p health.Probe) (failure error, answered bool) {
	p(time.Second, func(err error) { failure, answered = err, true })
	w.Run(time.Second)
	return failure, answered
}

func pair(t *testing.T) (*vpctest.World, *vpctest.Host, *vpctest.Host) {
	w := vpctest.New(t)
	s := w.VPC("10.0.0.0/16").Subnet("10.0.0.0/24")
	monitor, target := s.Host("monitor"), s.Host("target")
	return w, monitor, target
}

func TestPing(t *testing.T) {
	w, monitor, target := pair(t)
	failure, ok := result(w, health.Ping(monitor.Host, target.Addr))
	require.True(t, ok)
	require.NoError(t, failure)

	failure, ok = result(w, health.Ping(monitor.Host, netip.MustParseAddr("198.51.100.7"))) // no route
	require.True(t, ok)
	require.ErrorIs(t, failure, health.ErrTimeout)

	require.NoError(t, target.Instance.Stop())
	failure, ok = result(w, health.Ping(monitor.Host, target.Addr))
	require.True(t, ok)
	require.ErrorIs(t, failure, health.ErrTimeout)
}

func TestTCP(t *testing.T) {
	w, monitor, target := pair(t)
	at := netip.AddrPortFrom(target.Addr, 80)
	failure, ok := result(w, health.TCP(monitor.Host, at))
	require.True(t, ok)
	require.ErrorIs(t, failure, host.ErrRefused)

	taken := 0
	_, err := target.ListenTCP(at, func(c *host.Conn) {
		taken++
		c.OnReadable(func(c *host.Conn) { c.Close() })
	})
	require.NoError(t, err)
	failure, ok = result(w, health.TCP(monitor.Host, at))
	require.True(t, ok)
	require.NoError(t, failure)
	require.Equal(t, 1, taken)
}

func TestAnAttemptThatIsGivenUpSendsNoMore(t *testing.T) {
	w, monitor, target := pair(t)
	require.NoError(t, target.Instance.Stop())
	get, err := health.HTTP(monitor.Host, netip.AddrPortFrom(target.Addr, 80), health.HTTPConfig{})
	require.NoError(t, err)
	for name, p := range map[string]health.Probe{"tcp": health.TCP(monitor.Host, netip.AddrPortFrom(target.Addr, 80)), "http": get} {
		c, err := health.Start(w.Clock, p, health.Config{Interval: time.Minute})
		require.NoError(t, err)
		w.Run(5 * time.Second)
		require.ErrorIs(t, c.Last(), health.ErrTimeout)
		w.Trace().Clear()
		w.Run(50 * time.Second)
		require.Empty(t, w.Trace().Walks(), "%s: the SYN is not repeated behind the timeout", name)
		c.Stop()
	}
}

func TestHTTP(t *testing.T) {
	w, monitor, target := pair(t)
	at := netip.AddrPortFrom(target.Addr, 80)
	status, asked := http.StatusOK, ""
	_, err := target.ServeHTTP(at, func(_ *host.Conn, r *http.Request) *http.Response {
		asked = r.Method + " " + r.Host + r.URL.Path
		return host.NewResponse(status, "text/plain", "fine")
	})
	require.NoError(t, err)
	try := func(c health.HTTPConfig) error {
		p, err := health.HTTP(monitor.Host, at, c)
		require.NoError(t, err)
		failure, ok := result(w, p)
		require.True(t, ok)
		return failure
	}
	require.NoError(t, try(health.HTTPConfig{Path: "/healthz"}))
	require.Equal(t, "GET "+at.String()+"/healthz", asked)
	status = http.StatusServiceUnavailable
	require.EqualError(t, try(health.HTTPConfig{}), "the answer is 503 Service Unavailable")
	status = http.StatusFound
	require.EqualError(t, try(health.HTTPConfig{First: 200, Last: 299}), "the answer is 302 Found")
	require.NoError(t, try(health.HTTPConfig{First: 200, Last: 399}))
	require.Equal(t, "GET "+at.String()+"/", asked)

	_, err = health.HTTP(monitor.Host, at, health.HTTPConfig{Path: "/\x7f"})
	require.ErrorContains(t, err, `health: path "/\x7f": `)
}

func TestHTTPToWhatIsNoHTTPServer(t *testing.T) {
	w, monitor, target := pair(t)
	at := netip.AddrPortFrom(target.Addr, 80)
	p, err := health.HTTP(monitor.Host, at, health.HTTPConfig{})
	require.NoError(t, err)
	failure, _ := result(w, p)
	require.ErrorIs(t, failure, host.ErrRefused)
	_, err = target.ListenTCP(at, func(c *host.Conn) {
		c.Write([]byte("220 mail\r\n\r\n"))
		c.CloseWrite()
	})
	require.NoError(t, err)
	failure, ok := result(w, p)
	require.True(t, ok)
	require.ErrorContains(t, failure, "the answer is no HTTP: ")
}

func TestAChecksPacketsMeetTheSecurityGroups(t *testing.T) {
	w, monitor, target := pair(t)
	c, err := health.Start(w.Clock, health.Ping(monitor.Host, target.Addr), health.Config{Interval: 10 * time.Second, HealthyThreshold: 2})
	require.NoError(t, err)
	w.Run(time.Second)
	require.Equal(t, health.Healthy, c.State())
	closed, err := target.Instance.Interface().Subnet().VPC().CreateSecurityGroup("closed", vpc.SecurityGroupConfig{})
	require.NoError(t, err)
	require.NoError(t, target.Interface.SetGroups(closed))
	w.Trace().Clear()
	w.Run(25 * time.Second)
	require.Equal(t, health.Unhealthy, c.State())
	require.Equal(t, trace.GroupIngress, w.Trace().Walks()[0].End())
}
