package reach_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/reach"
)

// asked is one row of a network's probes.json: a question and what is to be observed.
type asked struct {
	reach.Spec
	Observed reach.Observed `json:"observed"`
	TTL      *uint8         `json:"reply_ttl"` // absent where it is not asked for
	Why      string         `json:"why"`
}

// TestNetworksOfShapesThatCompaniesHave asks small networks of our own making, one of
// each shape, in testdata/nets. What is to be observed is by AWS's documents, and the
// TTLs by what was measured of each kind of hop (docs/reachability.md).
func TestNetworksOfShapesThatCompaniesHave(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "nets", "*", "probes.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		dir := filepath.Dir(file)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			var rows []asked
			readJSON(t, &rows, file)
			require.NotEmpty(t, rows)
			p := prober(t, network(t, dir).World, reach.Config{})
			for _, a := range rows {
				r := p.Ask(a.Spec)
				told := fmt.Sprintf("%s (%s): %s at %s %s", a.Spec, a.Why, r.Reason, r.Where, r.Unknown)
				require.Equal(t, a.Observed, r.Observed, told)
				require.Equal(t, a.Observed == reach.Unknown, r.Unknown != "", told)
				if a.TTL != nil {
					require.NotNil(t, r.ReplyTTL, told)
					require.Equal(t, *a.TTL, *r.ReplyTTL, told)
				}
			}
		})
	}
}

// TestAStoryOfATunnel tells a ping through a VPN connection whose customer gateway is an
// instance of another region, and its reply.
func TestAStoryOfATunnel(t *testing.T) {
	p := prober(t, network(t, filepath.Join("testdata", "nets", "vpn-vgw-static")).World, reach.Config{})
	r := p.Ask(reach.Spec{From: "10.0.1.10", To: "192.168.1.20"})
	golden(t, "tunnel.txt", r.Story.String()+"\n"+line(r)+"\n")
}
