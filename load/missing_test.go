package load_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/load"
	"github.com/vpcsim/vpcsim/reach"
)

// What a folder lacks makes nothing definite: of every probe a yes stays a yes and a no a
// no, or the answer is unknown and says of what, whatever answer or object is taken out of
// the folder.

// snapshot is a folder in memory: its documents, by the files' names.
type snapshot map[string]map[string]any

func snapshotOf(t *testing.T, files fs.FS) snapshot {
	t.Helper()
	s := snapshot{}
	require.NoError(t, fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".json") {
			return err
		}
		b := got(fs.ReadFile(files, name)).or(t)
		var v map[string]any
		require.NoError(t, json.Unmarshal(b, &v))
		for key := range v { // of the kinds that say nothing of packets
			if key == "ServiceDetails" || key == "ServiceNames" {
				delete(v, key)
			}
		}
		s[name] = v
		return nil
	}))
	return s
}

// without returns the snapshot with a key's list in one file as take has it; nil takes
// the key away.
func (s snapshot) without(file, key string, list []any) snapshot {
	less := maps.Clone(s)
	less[file] = maps.Clone(s[file])
	delete(less[file], key)
	if list != nil {
		less[file][key] = list
	}
	return less
}

// text returns all that the snapshot says.
func (s snapshot) text(t *testing.T) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(s)) {
		b.Write(got(json.Marshal(s[name])).or(t))
	}
	return b.String()
}

func (s snapshot) load(t *testing.T) *load.Network {
	t.Helper()
	files := fstest.MapFS{}
	for name, v := range s {
		files[name] = &fstest.MapFile{Data: got(json.Marshal(v)).or(t)}
	}
	n, err := load.FS(files, load.Config{})
	if err != nil { // nothing is left that would make a region
		return nil
	}
	return n
}

// ask returns the answers to the questions: yes, no or unknown.
func (s snapshot) ask(t *testing.T, questions []reach.Spec) []reach.Result {
	t.Helper()
	n := s.load(t)
	if n == nil {
		return nil
	}
	p := got(reach.New(n.World, reach.Config{})).or(t)
	list := make([]reach.Result, len(questions))
	for i, q := range questions {
		list[i] = p.Ask(q)
	}
	return list
}

func word(r reach.Result) string {
	switch {
	case r.RoundTrip == nil || r.Unknown != "":
		return "unknown"
	case *r.RoundTrip:
		return "yes"
	}
	return "no"
}

// lost is a variant of a snapshot that lacks something.
type lost struct {
	name string
	less snapshot
}

// losses are the variants that lack one answer, and those that lack one object that
// others name. Nobody can tell that an object is missing that no other names.
func (s snapshot) losses(t *testing.T) []lost {
	var list []lost
	for _, file := range slices.Sorted(maps.Keys(s)) {
		for _, key := range slices.Sorted(maps.Keys(s[file])) {
			objects, ok := s[file][key].([]any)
			if !ok {
				continue
			}
			if len(objects) > 0 {
				list = append(list, lost{"no " + file, s.without(file, key, nil)})
			}
			for i, o := range objects {
				less := s.without(file, key, append(slices.Clone(objects[:i]), objects[i+1:]...))
				if id := sortKey(o); named(t, less, o) {
					list = append(list, lost{fmt.Sprintf("no %s of %s", id, file), less})
				}
			}
		}
	}
	return list
}

// named reports whether the rest of a snapshot names the object.
func named(t *testing.T, less snapshot, object any) bool {
	m := object.(map[string]any)
	text := less.text(t)
	for key, v := range m {
		id, ok := v.(string)
		if ok && (strings.HasSuffix(key, "Id") || strings.HasSuffix(key, "Arn")) && key != "VpcId" && key != "OwnerId" && key != "AvailabilityZoneId" &&
			key != "SubnetId" && key != "DhcpOptionsId" && key != "ReservationId" && strings.Contains(text, `"`+id+`"`) {
			return true
		}
	}
	if list, ok := m["Instances"].([]any); ok {
		return slices.ContainsFunc(list, func(o any) bool { return named(t, less, o) })
	}
	return false
}

// requireNothingFlips takes out of a snapshot whatever can be taken, and asks anew.
func requireNothingFlips(t *testing.T, s snapshot, questions []reach.Spec) {
	t.Helper()
	whole := s.ask(t, questions)
	unknown := 0
	losses := s.losses(t)
	for _, l := range losses {
		text := l.less.text(t)
		for i, r := range l.less.ask(t, questions) {
			q := questions[i]
			was, is := word(whole[i]), word(r)
			if is == "unknown" {
				unknown++
				if was != "unknown" {
					require.NotEmpty(t, r.Unknown, "%s: %s", l.name, q)
				}
				continue
			}
			if was != is && was != "unknown" && strings.Contains(text, q.To) {
				t.Errorf("%s: %s: %s (%s at %s) becomes %s (%s at %s)", l.name, q, was, whole[i].Reason, whole[i].Where, is, r.Reason, r.Where)
				break
			}
		}
	}
	require.Less(t, unknown, len(questions)*len(losses)/2, "most answers do not hang on what is taken out")
	t.Logf("%d questions to each of %d variants, %d of the answers unknown", len(questions), len(losses), unknown)
}

// pairs are questions among all interfaces of a network and the internet.
func pairs(n *load.Network) []reach.Spec {
	ends := []string{"internet"}
	for _, r := range n.Regions {
		for _, i := range r.DescribeNetworkInterfaces().NetworkInterfaces {
			if i.PrivateIpAddress != nil {
				ends = append(ends, *i.PrivateIpAddress)
			}
			if i.Association != nil && i.Association.PublicIp != nil {
				ends = append(ends, *i.Association.PublicIp)
			}
			for _, six := range i.Ipv6Addresses {
				ends = append(ends, *six.Ipv6Address)
			}
		}
	}
	var list []reach.Spec
	for _, from := range ends {
		for _, to := range ends {
			for _, s := range []reach.Spec{{Proto: "icmp"}, {Proto: "tcp", Port: 443}, {Proto: "tcp", Port: 22}} {
				s.From, s.To = from, to
				list = append(list, s)
			}
		}
	}
	return list
}

func TestWhatAFolderLacksMakesNothingDefinite(t *testing.T) {
	r := newShop(t).region
	s := snapshotOf(t, folder(r, "us-east-1"))
	requireNothingFlips(t, s, pairs(s.load(t)))
}

func TestWhatALabLacksMakesNothingDefinite(t *testing.T) {
	if testing.Short() {
		t.Skip("short")
	}
	labs(t, func(t *testing.T, _, dir string) {
		var rows []struct {
			reach.Spec
			From string `json:"from"`
		}
		b, err := os.ReadFile(filepath.Join(filepath.Dir(dir), "probes.json"))
		if err != nil {
			t.Skip("no probes.json")
		}
		require.NoError(t, json.Unmarshal(b, &rows))
		var questions []reach.Spec
		for i := 0; i < len(rows); i += 1 + len(rows)/60 {
			questions = append(questions, rows[i].Spec)
		}
		requireNothingFlips(t, snapshotOf(t, os.DirFS(dir)), questions)
	})
}
