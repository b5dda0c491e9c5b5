package reach_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/load"
	"github.com/vpcsim/vpcsim/reach"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/world"
)

// The labs are snapshots of real networks with what was observed on them. They are not
// part of the project: VPCSIM_LABS names their folder.

// labs returns the folders of the labs that have a file, or skips.
func labs(t testing.TB, file string) []string {
	t.Helper()
	found := labsWith(t, file)
	if len(found) == 0 {
		t.Skipf("no %s in the labs: set VPCSIM_LABS to their folder", file)
	}
	return found
}

// labsWith is labs for tests that have more than labs to ask.
func labsWith(t testing.TB, file string) []string {
	t.Helper()
	root := os.Getenv("VPCSIM_LABS")
	if root == "" {
		root = filepath.Join("..", "..", "shared", "labs")
	}
	found, err := filepath.Glob(filepath.Join(root, "*", file))
	require.NoError(t, err)
	for i := range found {
		found[i] = filepath.Dir(found[i])
	}
	return found
}

func network(t testing.TB, lab string) *load.Network {
	t.Helper()
	n, err := load.Dir(filepath.Join(lab, "aws_configs"), load.Config{})
	require.NoError(t, err)
	return n
}

func readJSON(t testing.TB, v any, path ...string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, v))
}

// measured is one row of probes.json.
type measured struct {
	reach.Spec
	ID        string `json:"id"`
	Observed  string `json:"observed"`
	RoundTrip bool   `json:"round_trip"`
	TTL       *uint8 `json:"ttl"`
	Scope     string `json:"scope"`
	Random    bool   `json:"nondeterministic"`
}

// agrees says in what a result differs from what was measured; "" where in nothing.
func (m *measured) agrees(r reach.Result) string {
	switch {
	case string(r.Observed) != m.Observed:
		return "observed"
	case r.RoundTrip == nil || *r.RoundTrip != m.RoundTrip:
		return "round trip"
	case m.TTL == nil:
		return ""
	case r.ReplyTTL == nil && r.ReplyTTLAtMost == nil:
		return "no TTL"
	case r.ReplyTTL != nil && *r.ReplyTTL != *m.TTL, r.ReplyTTL == nil && *r.ReplyTTLAtMost < *m.TTL:
		return "TTL"
	}
	return ""
}

// agreesRandom is agrees where AWS chose at random: one of the outcomes is what was measured.
func (m *measured) agreesRandom(r reach.Result) string {
	if len(r.Outcomes) == 0 {
		return m.agrees(r)
	}
	words := ""
	for _, o := range r.Outcomes {
		if words = m.agrees(o.Result); words == "" {
			return ""
		}
	}
	return "no outcome: " + words
}

// score counts the rows of one kind.
type score struct{ right, unknown, wrong int }

func TestProbesMeasuredOnAWS(t *testing.T) {
	total := map[string]*score{}
	for _, lab := range labs(t, "probes.json") {
		t.Run(filepath.Base(lab), func(t *testing.T) {
			var rows []measured
			readJSON(t, &rows, lab, "probes.json")
			begin := time.Now()
			p := prober(t, network(t, lab).World, reach.Config{})
			results := make([]reach.Result, len(rows))
			for i := range rows {
				results[i] = p.Ask(rows[i].Spec)
			}
			t.Logf("%d probes, cold, with loading: %v", len(rows), time.Since(begin).Round(time.Millisecond))
			objects := map[string]int{}
			for i, m := range rows {
				s := total[m.Scope]
				if s == nil {
					s = &score{}
					total[m.Scope] = s
				}
				why := m.agreesRandom(results[i])
				switch {
				case why == "":
					s.right++
					continue
				case results[i].Unknown != "" && len(results[i].Outcomes) == 0:
					s.unknown++
					objects[results[i].Unknown]++
					continue
				default:
					s.wrong++
				}
				ttl := "-"
				if m.TTL != nil {
					ttl = fmt.Sprint(*m.TTL)
				}
				t.Errorf("%s %s: %s: measured %s ttl %s; got %s %s %s", m.ID, m.Spec, why, m.Observed, ttl, line(results[i]), results[i].Where, results[i].Unknown)
			}
			for _, o := range slices.Sorted(maps.Keys(objects)) {
				t.Errorf("unknown: %d times %s", objects[o], o)
			}
		})
	}
	for _, scope := range slices.Sorted(maps.Keys(total)) {
		s := total[scope]
		t.Logf("%-22s right %4d  unknown %3d  wrong %3d", scope, s.right, s.unknown, s.wrong)
	}
}

// Every probe alone, with a Prober of its own, says what it says among the others.
func TestTheOrderOfProbesDoesNotMatter(t *testing.T) {
	for _, lab := range labs(t, "probes.json") {
		t.Run(filepath.Base(lab), func(t *testing.T) {
			var rows []measured
			readJSON(t, &rows, lab, "probes.json")
			w := network(t, lab).World
			p := prober(t, w, reach.Config{})
			told := func(r reach.Result) string {
				b, err := json.Marshal(r)
				require.NoError(t, err)
				return string(b) + r.Story.String()
			}
			forth := make([]string, len(rows))
			for i := range rows {
				forth[i] = told(p.Ask(rows[i].Spec))
			}
			for i := len(rows) - 1; i >= 0; i-- {
				require.Equal(t, forth[i], told(p.Ask(rows[i].Spec)), "%s", rows[i].Spec)
			}
			for i := 0; i < len(rows); i += 37 {
				require.Equal(t, forth[i], told(prober(t, w, reach.Config{}).Ask(rows[i].Spec)), "%s", rows[i].Spec)
			}
		})
	}
}

// flow is one row of flows.json: what another analyser's test suite says of a packet.
type flow struct {
	ID       string   `json:"id"`
	From     string   `json:"from"`
	Kind     string   `json:"from_kind"`
	Src      string   `json:"src_ip"`
	Dst      string   `json:"dst_ip"`
	Protocol int      `json:"ip_protocol"`
	Port     *int     `json:"dport"`
	Expected string   `json:"expected_disposition"`
	Outcome  string   `json:"outcome"`
	Plain    string   `json:"plain"`
	Hops     []string `json:"expected_hops"`
}

func (f *flow) spec() reach.Spec {
	s := reach.Spec{From: f.Src, To: f.Dst, Proto: fmt.Sprint(f.Protocol)}
	switch f.Protocol {
	case 6:
		s.Proto = "tcp"
	case 17:
		s.Proto = "udp"
	}
	if f.Port != nil {
		s.Port = *f.Port
	}
	if f.Kind == "vgw" {
		s.From = f.From + "/" + f.Src
	}
	return s
}

// dispositions are what the other analyser calls our ends.
var dispositions = map[string][]trace.Reason{
	"DENIED_IN":            {trace.GroupIngress},
	"NO_ROUTE":             {trace.NoRoute, trace.UnknownPrefix, trace.ForeignDestination},
	"NULL_ROUTED":          {trace.NotInSubnet, trace.NoSuchHost},
	"NEIGHBOR_UNREACHABLE": {trace.NoSuchAddress},
}

// elsewhere are the flows that begin where AWS has nobody who could send them, in the
// middle of a router. An interface that may send what is not its own sends them.
var elsewhere = map[string]struct{ set, from string }{
	"public-subnet-06": {"i-06669a407b2ef3ae5/source-dest-check=off", "eni-00064850627e198ee/10.0.0.92"},
	"subnet-03":        {"i-08ef86e76fceabd8d/source-dest-check=off", "eni-010f649a7fc5c1e34/0.0.0.0"},
}

// argument is what we say otherwise, and why.
type argument struct {
	why string
	is  func(t *testing.T, r reach.Result)
}

// tunnelsDown is of the flows to the prefix of a VPN connection's static route.
var tunnelsDown = argument{
	"the virtual private gateway knows the static route, and the connection's VgwTelemetry says DOWN of both tunnels: nothing goes by " +
		"a tunnel that is down (Reachability Analyzer, BAD_STATE_VPN; API, VgwTelemetry). The other analyser does not look at it",
	func(t *testing.T, r reach.Result) {
		require.Equal(t, "BAD_STATE_VPN", r.Code)
		require.Equal(t, "vpn-05044757278685fd3", r.Where)
	},
}

// argued are the flows about which we say something else, and why.
var argued = map[string]argument{
	"public-subnet-02": {
		"an address of Amazon's that nothing in the snapshot has: from the internet to the internet, it never comes by the network. " +
			"Whose it is, is in ip-ranges.json, which is no part of a snapshot",
		func(t *testing.T, r reach.Result) {
			require.Equal(t, "from 8.8.8.8 to 54.191.107.23: both are outside of the network", r.Unknown)
		},
	},
	"public-subnet-04": {
		"from the internet to the internet: it never comes by the network",
		func(t *testing.T, r reach.Result) {
			require.Equal(t, "from 240.254.254.1 to 192.18.0.8: both are outside of the network", r.Unknown)
		},
	},
	"public-private-subnet-09": tunnelsDown,
	"public-private-subnet-10": tunnelsDown,
	"public-subnet-06": {
		"dropped where the other analyser says, by the internet gateway, of a cause that AWS has a code of its own for: no " +
			"interface has the source (Reachability Analyzer, GATEWAY_REJECTS_SPOOFED_TRAFFIC), so it can't have a public address either",
		func(t *testing.T, r reach.Result) {
			require.Equal(t, trace.SpoofedSource, r.End())
			require.Equal(t, "igw-0a409e562d251f766", r.Where)
		},
	},
}

func TestFlowsOfAnotherAnalyser(t *testing.T) {
	for _, lab := range labs(t, "flows.json") {
		t.Run(filepath.Base(lab), func(t *testing.T) {
			var rows []flow
			readJSON(t, &rows, lab, "flows.json")
			for _, f := range rows {
				t.Run(f.ID, func(t *testing.T) { f.check(t, network(t, lab).World) })
			}
		})
	}
}

func (f *flow) check(t *testing.T, w *world.World) {
	spec := f.spec()
	if e, ok := elsewhere[f.ID]; ok {
		o, err := reach.ParseOverlay(e.set)
		require.NoError(t, err)
		require.NoError(t, o.Apply(w))
		spec.From = e.from
	}
	r := prober(t, w, reach.Config{}).Ask(spec)
	t.Logf("%s: %s: expected %s; %s %s %s", f.ID, spec, f.Plain, line(r), r.Where, r.Unknown)
	if a, ok := argued[f.ID]; ok {
		t.Log(a.why)
		a.is(t, r)
		return
	}
	if f.Outcome == "delivered" {
		require.True(t, r.Delivered, "%s", f.Plain)
		require.Equal(t, "internet", r.Where)
		return
	}
	require.False(t, r.Delivered, "%s", f.Plain)
	require.Contains(t, dispositions[f.Expected], r.End(), "%s: %s", f.Plain, line(r))
	if r.End() == trace.GroupIngress || r.End() == trace.UnknownPrefix || r.End() == trace.NotInSubnet {
		require.Contains(t, f.Plain, r.Where)
	}
}

func TestLabsAllPairs(t *testing.T) {
	if testing.Short() {
		t.Skip("short")
	}
	for _, lab := range labs(t, "probes.json") {
		w := network(t, lab).World
		var ports []reach.Port
		for n := range uint16(10) {
			ports = append(ports, reach.Port{Proto: "tcp", Number: 20 + n})
		}
		pairs := reach.AllPairs(w, ports...)
		begin := time.Now()
		_, err := reach.Sweep(w, pairs, reach.Config{})
		require.NoError(t, err)
		d := time.Since(begin)
		t.Logf("%s: %d pairs in %v: %.0f a second", filepath.Base(lab), len(pairs), d, float64(len(pairs))/d.Seconds())
	}
}

// Of every probe that AWS did not answer a verdict names a blocker, and of no other.
func TestVerdictsOfWhatWasMeasured(t *testing.T) {
	for _, lab := range labs(t, "probes.json") {
		t.Run(filepath.Base(lab), func(t *testing.T) {
			var rows []measured
			readJSON(t, &rows, lab, "probes.json")
			p := prober(t, network(t, lab).World, reach.Config{})
			begin, blockers, fixes := time.Now(), map[string]int{}, 0
			for _, m := range rows {
				v := p.Explain(m.Spec)
				if m.Random && len(v.Outcomes) > 0 {
					require.False(t, v.Reachable, "%s: left to chance", m.ID)
				} else {
					require.Equal(t, m.Observed == "open" || m.Observed == "reply", v.Reachable, "%s %s: %s", m.ID, m.Spec, v)
				}
				require.Equal(t, v.Reachable, len(v.Blockers) == 0, "%s %s: %s", m.ID, m.Spec, v)
				for _, b := range v.Blockers {
					require.NotEmpty(t, b.Code+b.Text, "%s: %s", m.ID, v)
					require.NotEmpty(t, b.Packet, "%s: %s", m.ID, v)
					blockers[b.Code]++
					if b.Fix != "" {
						fixes++
					}
				}
			}
			t.Logf("%d verdicts in %v: %v, %d with a fix", len(rows), time.Since(begin).Round(time.Millisecond), blockers, fixes)
		})
	}
}
