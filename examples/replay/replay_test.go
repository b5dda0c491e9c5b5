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

	require.Equal(t, `eastwest: frame 23: 10.0.0.4 > 10.0.1.4 icmp: fragment not supported here
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
