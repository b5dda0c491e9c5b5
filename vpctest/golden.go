package vpctest

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vpcsim/vpcsim/intent"
	"github.com/vpcsim/vpcsim/reach"
	"github.com/vpcsim/vpcsim/vpc"
)

// update is -update of test binaries that use this package.
var update *bool

func init() {
	if testing.Testing() {
		update = flag.Bool("update", false, "write golden files anew instead of comparing with them")
	}
}

// Golden compares a text with the file testdata/NAME of the test's package, and with
// -update writes it. The failure tells the first line that differs.
func Golden(t TB, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", filepath.FromSlash(name))
	if update != nil && *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatalf("golden: %v", err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatalf("golden: %v", err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("golden: %v; go test -update writes it", err)
		return
	}
	if line, a, b := firstDifference(string(want), got); line > 0 {
		t.Errorf("%s:%d differs (go test -update writes it anew)\n want %s\n got  %s", path, line, a, b)
	}
}

// firstDifference returns the number of the first line that differs, 0 for none, and
// both lines, quoted.
func firstDifference(want, got string) (line int, a, b string) {
	if want == got {
		return 0, "", ""
	}
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(w), len(g)) {
		a, b = "end of file", "end of file"
		if i < len(w) {
			a = fmt.Sprintf("%q", w[i])
		}
		if i < len(g) {
			b = fmt.Sprintf("%q", g[i])
		}
		if a != b {
			return i + 1, a, b
		}
	}
	return len(w), "", ""
}

// Reachability returns who reaches whom as a text for [Golden]: a line for each pair of
// running instances, and for each of them and the internet, with what of the traffic
// (each as in [Network.Ask]) an answer comes back to. Lines are sorted, ids replaced by
// names, so that a review shows a change of connectivity as a change of lines.
func (n *Network) Reachability(t TB, traffic ...string) string {
	t.Helper()
	ends := n.ends()
	var lines []string
	for _, from := range ends {
		for _, to := range ends {
			if from == to {
				continue
			}
			dst := to.id
			if from.id == intent.Internet && to.public != "" {
				dst = to.public
			}
			var open []string
			for _, what := range traffic {
				v := n.Ask(t, from.id, dst, what)
				switch {
				case v.RoundTrip == nil:
					open = append(open, what+"?")
				case *v.RoundTrip && v.Observed == reach.Closed:
					open = append(open, what+" (closed)")
				case *v.RoundTrip:
					open = append(open, what)
				}
			}
			if open == nil {
				open = []string{"-"}
			}
			lines = append(lines, fmt.Sprintf("%s -> %s: %s\n", from.name, to.name, strings.Join(open, " ")))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// reached is one end of the matrix: its name, its interface, the address that the
// internet knows it by.
type reached struct{ name, id, public string }

func (n *Network) ends() []reached {
	ends := []reached{{name: intent.Internet, id: intent.Internet}}
	for _, r := range n.regions {
		var all []*vpc.Instance
		r.View(func(tx *vpc.Tx) { all = vpc.Resources[*vpc.Instance](tx) })
		for _, i := range all {
			nic := i.Interface()
			if nic == nil || i.State() != vpc.Running {
				continue
			}
			end := reached{name: i.Label(), id: nic.ID()}
			if a := nic.PublicIP(); a.IsValid() {
				end.public = a.String()
			}
			ends = append(ends, end)
		}
	}
	return ends
}
