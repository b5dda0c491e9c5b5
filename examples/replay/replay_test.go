package main

import (
	"bytes"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/capture"
)

func TestOurOwnCapturePassesButForWhatANATGatewayDrops(t *testing.T) {
	prefix := filepath.Join(t.TempDir(), "out")
	var out bytes.Buffer
	require.NoError(t, run(&out, "", mapping{}, prefix))

	require.Equal(t, `30 captured frames are sent through a private NAT gateway (eastwest), which drops fragments
of TCP and ICMP, and through a NAT instance, which puts them together. What dies is told, and why.

eastwest: frame 23: 10.0.0.4 > 10.0.1.4 icmp: fragment not supported here
eastwest: frame 24: 10.0.0.4 > 10.0.1.4 icmp: fragment not supported here
eastwest: frame 25: 10.0.0.4 > 10.0.1.4 icmp: fragment not supported here
eastwest: frame 26: 10.0.1.4 > 10.0.0.4 icmp answers what never arrived
eastwest: frame 27: 10.0.1.4 > 10.0.0.4 icmp answers what never arrived
eastwest: frame 28: 10.0.1.4 > 10.0.0.4 icmp answers what never arrived
eastwest: 22 frames passed, 6 died, 2 were not for this network
natinstance: 28 frames passed, 0 died, 2 were not for this network
`, out.String())

	t.Run("the server's answers reach the client under the server's address", func(t *testing.T) {
		frames, err := capture.ReadFile(prefix + "-natinstance.pcapng")
		require.NoError(t, err)
		http := 0
		for _, f := range frames {
			if f.Packet().ApplicationLayer() != nil && bytes.Contains(f.Packet().ApplicationLayer().Payload(), []byte("HTTP/1.0 200 OK")) {
				http++
			}
		}
		require.Equal(t, 2, http, "once as the server sent it, once as the client got it")
	})
	t.Run("tcpdump reads it without a warning", func(t *testing.T) {
		if _, err := exec.LookPath("tcpdump"); err != nil {
			t.Skip("tcpdump is not installed")
		}
		cmd := exec.Command("tcpdump", "-n", "-r", prefix+"-eastwest.pcapng")
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		stdout, err := cmd.Output()
		require.NoError(t, err)
		require.Contains(t, string(stdout), "ICMP echo reply")
		require.NotContains(t, stderr.String(), "warning")
	})
}

func TestAFrameThatDiesBehindTheNATInstanceIsTold(t *testing.T) {
	// The server's captured address is left as it is: a private one, which the internet
	// gateway behind the NAT instance refuses.
	maps := mapping{netip.MustParseAddr("192.168.7.2"): "client"}
	n, err := natinstance()
	require.NoError(t, err)
	frames, err := read("testdata/kernel.pcap", maps)
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, n.replay(&out, frames, maps, ""))
	require.Contains(t, out.String(), "natinstance: frame 3: 10.0.1.4 > 192.168.7.3 icmp: RFC 1918 destination at an internet gateway\n")
	require.NotContains(t, out.String(), " 0 died")
}

func TestACaptureOfOthersSaysWhichAddressesItHas(t *testing.T) {
	err := run(&bytes.Buffer{}, "testdata/kernel.pcap", mapping{}, "")
	require.ErrorContains(t, err, "the capture has 192.168.7.2, 192.168.7.3: name two of them with -map")
}

func TestWhatItCannotReadIsSaidOnce(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "broken.pcap")
	require.NoError(t, os.WriteFile(broken, []byte("not a capture"), 0o600))
	require.ErrorContains(t, run(&bytes.Buffer{}, broken, mapping{}, ""), "broken.pcap")
	require.Error(t, mapping{}.Set("10.0.0.1"))
	require.Error(t, mapping{}.Set("10.0.0.1=elsewhere"))
	m := mapping{}
	require.NoError(t, m.Set("10.0.0.1=server"))
	require.Equal(t, mapping{netip.MustParseAddr("10.0.0.1"): "server"}, m)
}
