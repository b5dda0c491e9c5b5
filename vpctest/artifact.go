package vpctest

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vpcsim/vpcsim/capture"
	"github.com/vpcsim/vpcsim/picture"
	"github.com/vpcsim/vpcsim/reach"
	"github.com/vpcsim/vpcsim/trace"
)

// artifacts writes the picture and the capture of a failure to the test's artifact
// directory and returns their names. Without -artifacts go test deletes it with the test,
// and the message says how to keep it.
func artifacts(t *testing.T, n *Network, b *picture.Block, s trace.Story) []string {
	t.Helper()
	if f := flag.Lookup("test.artifacts"); f == nil || f.Value.String() != "true" {
		return []string{"path.svg and path.pcapng with go test -artifacts"}
	}
	dir := t.ArtifactDir()
	var file bytes.Buffer
	if err := capture.WriteRaw(&file, time.Time{}, capture.Story(s, nil)); err != nil {
		t.Logf("capture: %v", err)
	}
	var names []string
	for _, x := range []struct {
		name string
		text []byte
	}{{"path.svg", []byte(b.Path.SVG())}, {"path.pcapng", file.Bytes()}} {
		name := filepath.Join(dir, x.name)
		if err := os.WriteFile(name, x.text, 0o644); err != nil {
			t.Logf("artifact: %v", err)
			continue
		}
		names = append(names, name)
	}
	return names
}

// flags are those of the command line that make what the network is asked with.
func (n *Network) flags() []string {
	var flags []string
	for _, c := range n.changes {
		flags = append(flags, "--set", c)
	}
	if n.config.TTL != 0 {
		flags = append(flags, "--ttl", fmt.Sprint(n.config.TTL))
	}
	for _, id := range slices.Sorted(maps.Keys(n.config.Appliances)) {
		does := "forward"
		if n.config.Appliances[id].Masquerade {
			does = "masquerade"
		}
		flags = append(flags, "--appliance", id+"="+does)
	}
	if n.config.Closed {
		flags = append(flags, "--assume-open="+open(n.config.Ports))
	}
	return append(flags, "--seed", fmt.Sprint(n.config.Seed))
}

// open lists open ports as the command line has them: none, or "web:tcp/443,db:tcp/5432".
func open(ports map[string][]reach.Port) string {
	var all []string
	for _, id := range slices.Sorted(maps.Keys(ports)) {
		for _, p := range ports[id] {
			all = append(all, fmt.Sprintf("%s:%s/%d", id, p.Proto, p.Number))
		}
	}
	return cmp.Or(strings.Join(all, ","), "none")
}
