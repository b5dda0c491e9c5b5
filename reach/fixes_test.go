package reach_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/load"
	"github.com/vpcsim/vpcsim/reach"
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/vpc"
)

// mend applies the fixes of a verdict, and those of the next, until it is reachable or names
// nothing that a call of the CLI would change, and returns the last. A fix that is refused
// fails the test, and so does a verdict that names what was fixed before.
func mend(t *testing.T, n *load.Network, q reach.Spec) (last reach.Verdict, done []string) {
	t.Helper()
	fixed := map[string]bool{}
	for {
		v := prober(t, n.World, reach.Config{}).Explain(q)
		var calls []string
		for _, b := range v.Blockers {
			require.NotEmpty(t, b.Fix, "%s: %s", q, v)
			key := fmt.Sprint(b.Direction, b.Code, b.At, b.Object, b.Rule, b.Packet)
			require.False(t, fixed[key], "%s: %s\nis named again after\n%s", q, v, strings.Join(done, "\n"))
			if _, err := reach.ParseOverlay(b.Fix); err == nil && !slices.Contains(calls, b.Fix) {
				calls = append(calls, b.Fix)
				fixed[key] = true
			} else if strings.HasPrefix(b.Fix, "aws ") && !strings.Contains(b.Fix, "<") && err != nil {
				require.Contains(t, b.Fix, "block-public-access", "a whole call that can't be tried: %v", err)
			}
		}
		if len(calls) == 0 {
			return v, done
		}
		m, err := n.With(overlay(t, calls...))
		require.NoError(t, err, "%s: %s\nafter\n%s", q, v, strings.Join(done, "\n"))
		n, done = m, append(done, calls...)
	}
}

// damage returns random changes that break something.
func damage(n *load.Network, r *rand.Rand) []string {
	var all []string
	for _, region := range n.Regions {
		region.View(func(tx *vpc.Tx) {
			for _, x := range vpc.Resources[vpc.Resource](tx) {
				id := x.ID()
				switch x.(type) {
				case *vpc.NetworkACL:
					all = append(all, id+"/ingress/3=deny tcp/1-9999 0.0.0.0/0", id+"/egress/2=deny all 0.0.0.0/0", id+"/egress/7=deny icmp 10.0.0.0/8", id+"/ingress/100=none")
				case *vpc.SecurityGroup:
					all = append(all, id+"/egress/all/0.0.0.0/0=none", id+"/ingress/all/0.0.0.0/0=none")
				case *vpc.RouteTable:
					all = append(all, id+"/0.0.0.0/0=none", id+"/10.0.0.0/8=none", id+"/172.31.0.0/16=none")
				case *vpc.Instance:
					all = append(all, id+"/state=stopped")
				case *vpc.Address:
					all = append(all, id+"/association=none")
				case *tgw.Attachment:
					all = append(all, id+"/route-table=none")
				case *tgw.RouteTable:
					all = append(all, id+"/10.0.0.0/8=blackhole")
				}
			}
		})
	}
	r.Shuffle(len(all), func(i, k int) { all[i], all[k] = all[k], all[i] })
	var made []string
	for _, c := range all[:min(len(all), 40)] {
		if len(made) > len(all)/4 {
			break
		}
		m, err := n.With()
		if err != nil {
			continue
		}
		if o, err := reach.ParseOverlay(append(slices.Clone(made), c)...); err == nil && o.Apply(m.World) == nil { // what is refused breaks nothing
			made = append(made, c)
		}
	}
	return made
}

// TestFixesFix: of random pairs that nothing gets through between, in networks of many
// kinds and in the same with random damage, what the verdicts propose makes them reach each
// other, or what is left is something that no call changes, and says so.
func TestFixesFix(t *testing.T) {
	nets := map[string]*load.Network{"shop": shop(t)}
	for _, lab := range labsWith(t, "aws_configs") {
		nets[filepath.Base(lab)] = network(t, lab)
	}
	ports := []reach.Port{{Proto: "icmp"}, {Proto: "tcp", Number: 22}, {Proto: "tcp", Number: 5432}, {Proto: "udp", Number: 53}}
	for name, whole := range nets {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			mended, blocked, unknown := 0, 0, 0
			rounds := 4
			if testing.Short() {
				rounds = 2
			}
			for round := range rounds {
				n := whole
				if round > 0 {
					var err error
					n, err = whole.With(overlay(t, damage(whole, r)...))
					require.NoError(t, err)
				}
				all := append(reach.AllPairs(n.World, ports...), reach.AcrossTheBorder(n.World, ports...)...)
				for range min(80, len(all)) {
					v, done := mend(t, n, all[r.IntN(len(all))])
					switch {
					case v.Unknown != "":
						unknown++
					case v.Reachable && done == nil:
					case v.Reachable:
						mended++
					default:
						blocked++
						require.NotEmpty(t, v.Blockers, v.String())
					}
				}
			}
			require.NotZero(t, mended)
			t.Logf("%d mended, %d can't be, %d unknown", mended, blocked, unknown)
		})
	}
}
