package load_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/load"
	"github.com/vpcsim/vpcsim/vpn"
)

// labs calls f with the name and folder of every recorded network.
func labs(t *testing.T, f func(t *testing.T, name, dir string)) {
	t.Helper()
	root := os.Getenv("VPCSIM_LABS")
	if root == "" {
		root = "../../shared/labs"
	}
	dirs, err := filepath.Glob(filepath.Join(root, "*", "aws_configs"))
	require.NoError(t, err)
	if len(dirs) == 0 {
		t.Skipf("no recorded networks in %s (VPCSIM_LABS)", root)
	}
	for _, dir := range dirs {
		name := filepath.Base(filepath.Dir(dir))
		t.Run(name, func(t *testing.T) { f(t, name, dir) })
	}
}

func TestEveryLabLoads(t *testing.T) {
	labs(t, func(t *testing.T, _, dir string) {
		n, err := load.Dir(dir, load.Config{})
		require.NoError(t, err)
		for _, s := range n.Skipped {
			t.Log(s)
		}
		for _, r := range n.Regions {
			require.NotNil(t, n.World.Live(r).Snapshot(), r.Name())
		}
	})
}

// What a description without TunnelOptions tells of its tunnels stands in the XML for
// the customer's device. Of the rest, counts of routes and messages of the telemetry,
// and the words of the XML that no packet depends on, are not kept.
func TestTunnelsAreReadOfXML(t *testing.T) {
	labs(t, func(t *testing.T, name, dir string) {
		if name != "test-public-private-subnet" {
			return
		}
		n := got(load.Dir(dir, load.Config{})).or(t)
		v := vpn.Describe(n.Regions[0]).VpnConnections[0]
		require.Equal(t, "vpn-05044757278685fd3", *v.VpnConnectionId)
		require.Len(t, v.Options.TunnelOptions, 2)
		first := v.Options.TunnelOptions[0]
		require.Equal(t, []string{"3.13.210.90", "169.254.58.232/30"}, []string{*first.OutsideIpAddress, *first.TunnelInsideCidr})
		require.Contains(t, string(got(os.ReadFile(filepath.Join(dir, "VpnConnections.json"))).or(t)), *first.PreSharedKey)
		require.Equal(t, "18.221.157.90", *v.Options.TunnelOptions[1].OutsideIpAddress)
		for _, tunnel := range v.VgwTelemetry {
			require.Equal(t, ec2.TelemetryStatusDOWN, *tunnel.Status)
		}
		require.Equal(t, "19.168.0.0/16", *v.Routes[0].DestinationCidrBlock)
	})
}
