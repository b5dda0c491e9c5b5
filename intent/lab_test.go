package intent_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/intent"
	"github.com/vpcsim/vpcsim/load"
	"github.com/vpcsim/vpcsim/reach"
)

// TestWhatWasMeasuredHolds reads what was measured on AWS as intents: what answered is
// reachable, what did not is blocked.
func TestWhatWasMeasuredHolds(t *testing.T) {
	labs := cmp.Or(os.Getenv("VPCSIM_LABS"), filepath.Join("..", "..", "shared", "labs"))
	files, err := filepath.Glob(filepath.Join(labs, "*", "probes.json"))
	require.NoError(t, err)
	if len(files) == 0 {
		t.Skipf("no labs in %s; VPCSIM_LABS names their folder", labs)
	}
	for _, file := range files {
		t.Run(filepath.Base(filepath.Dir(file)), func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			var probes []struct {
				From, To, Proto, Scope string
				Src                    string `json:"src_ip"`
				Dst                    string `json:"dst_ip"`
				Port                   int    `json:"dport"`
				RoundTrip              bool   `json:"round_trip"`
			}
			require.NoError(t, json.Unmarshal(text, &probes))
			var lines []intent.Line
			for _, p := range probes {
				what, want := p.Proto, "blocked"
				if p.Proto != "icmp" {
					what = fmt.Sprintf("%s/%d", p.Proto, p.Port)
				}
				if p.RoundTrip {
					want = "reachable"
				}
				i, err := intent.ParseLine(fmt.Sprintf("%s -> %s %s %s", p.Src, p.Dst, what, want))
				require.NoError(t, err)
				if p.Scope == "core" {
					lines = append(lines, intent.Line{Intent: &i})
				}
			}
			n, err := load.Dir(filepath.Dir(file), load.Config{})
			require.NoError(t, err)
			out, err := intent.CheckAll(n.World, lines, reach.Config{})
			require.NoError(t, err)
			for _, o := range out {
				// A ping that gets there and whose reply is lost is not blocked, though ping shows nothing.
				if o.Verdict != intent.Holds && o.Why != "no answer, but the packet arrives, want blocked" {
					t.Errorf("%s: %s: %s", o.Line.Intent, o.Verdict, o.Why)
				}
			}
		})
	}
}
