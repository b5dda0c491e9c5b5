package host

import (
	"bytes"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/clock"
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/internal/kernel"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// bridged is a guest on a wire with a real kernel: peer is 10.50.0.1, the guest
// 10.50.0.2, and the clock follows the real one.
type bridged struct {
	t     *testing.T
	peer  *kernel.Namespace
	tap   *kernel.Tap
	guest *Host
	nic   *NIC
	start time.Time
	lose  func() bool
}

func newBridged(t *testing.T, program string) *bridged {
	needs(t, program)
	b := &bridged{t: t, peer: kernel.NewNamespace(t, "peer"), start: time.Now()}
	world := kernel.NewNamespace(t, "world")
	world.Sysctl("net.ipv6.conf.default.disable_ipv6", "1")
	b.peer.Connect("p0", world, "w0")
	b.peer.Run("ip addr add 10.50.0.1/24 dev p0")
	b.tap = world.Tap("w0")
	b.guest = New(&dataplane.Engine{Clock: &clock.Clock{}}, Config{Name: "guest"})
	n, err := b.guest.AddNIC(NICConfig{
		MAC: wire.MAC{2, 0, 0, 0, 0, 2}, MTU: 1500, Addrs: []netip.Prefix{netip.MustParsePrefix("10.50.0.2/24")},
		Link: LinkFunc(func(frame []byte) trace.Reason {
			if b.lose == nil || !b.lose() {
				b.tap.Send(frame)
			}
			return trace.Delivered
		}),
	})
	require.NoError(t, err)
	b.nic = n
	return b
}

// until lets frames and time pass until done, or fails the test after 20 s.
func (b *bridged) until(done func() bool) {
	for deadline := time.Now().Add(20 * time.Second); !done(); {
		require.True(b.t, time.Now().Before(deadline), "not done after 20 s")
		b.tap.Wait(time.Millisecond)
		for _, frame := range b.tap.Receive() {
			b.guest.clock.Run(max(time.Since(b.start), b.guest.clock.Now()))
			b.nic.Frame(frame)
		}
		b.guest.clock.Run(max(time.Since(b.start), b.guest.clock.Now()))
	}
}

// drops loses one frame in n.
func drops(n int) func() bool {
	count := 0
	return func() bool { count++; return count%n == 0 }
}

func TestTheRealKernelReadsFromOurTCP(t *testing.T) {
	for _, lossy := range []bool{false, true} {
		t.Run(fmt.Sprintf("lossy=%v", lossy), func(t *testing.T) {
			b := newBridged(t, "curl")
			want := bytes.Repeat([]byte("0123456789"), 40_000)
			_, err := b.guest.ServeHTTP(netip.AddrPortFrom(netip.Addr{}, 80), func(*Conn, *http.Request) *http.Response {
				return NewResponse(200, "text/plain", string(want))
			})
			require.NoError(t, err)
			if lossy {
				b.lose = drops(37)
			}
			type result struct {
				out string
				err error
			}
			got := make(chan result, 1)
			go func() {
				out, err := b.peer.Exec("curl", "-s", "-S", "--max-time", "15", "http://10.50.0.2/x")
				got <- result{out, err}
			}()
			b.until(func() bool { return len(got) > 0 })
			r := <-got
			require.NoError(t, r.err, "%.200s", r.out)
			require.True(t, string(want) == r.out, "%d bytes", len(r.out))
		})
	}
}

func TestOurTCPReadsFromTheRealKernel(t *testing.T) {
	for _, lossy := range []bool{false, true} {
		t.Run(fmt.Sprintf("lossy=%v", lossy), func(t *testing.T) {
			b := newBridged(t, "python3")
			want := bytes.Repeat([]byte("abcdefghij"), 60_000)
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(dir, "f"), want, 0o644))
			server := exec.Command("ip", "netns", "exec", b.peer.Name, "python3", "-m", "http.server", "-d", dir, "80")
			require.NoError(t, server.Start())
			defer func() { server.Process.Kill(); server.Wait() }()
			if lossy {
				b.lose = drops(11)
			}
			var got []byte
			done := false
			var dial func()
			dial = func() {
				b.guest.StartDial(netip.MustParseAddrPort("10.50.0.1:80"), func(c *Conn, err error) {
					if err != nil { // the server is not up yet
						b.guest.clock.Schedule(50*time.Millisecond, clock.Func(dial))
						return
					}
					c.OnReadable(func(c *Conn) {
						got = append(got, c.Next()...)
						if c.Ended() {
							done = true
							c.Close()
						}
					})
					c.Write([]byte("GET /f HTTP/1.0\r\n\r\n"))
				})
			}
			dial()
			b.until(func() bool { return done })
			_, body, ok := bytes.Cut(got, []byte("\r\n\r\n"))
			require.True(t, ok, "%.200s", got)
			require.True(t, bytes.Equal(want, body), "%d bytes", len(body))
		})
	}
}
