package load_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/load"
)

// unreadable are the messages of files that are no JSON, or hold another type of value.
var unreadable = regexp.MustCompile(`^expected (.*, found |JSON: |more JSON|a list$|files )`)

// sound loads a folder and holds it to what is promised of any: no panic, and an error
// that names file and place, for nothing but text that is no JSON or of the wrong type. What loads can be compiled and described.
func sound(t testing.TB, files fstest.MapFS, changed string) {
	n, err := load.FS(files, load.Config{})
	if err != nil {
		var e *load.Error
		if !errors.As(err, &e) {
			t.Fatalf("%v: expected a *load.Error", err)
		}
		if !unreadable.MatchString(e.Msg) {
			t.Fatalf("%v: a value that means nothing is no error", err)
		}
		if e.File != changed && e.File != "." && files[e.File] == nil || e.Msg == "" {
			t.Fatalf("%v: expected file and message", err)
		}
		return
	}
	for _, r := range n.Regions {
		if n.World.Live(r).Snapshot() == nil {
			t.Fatal("no snapshot")
		}
		load.Answers(r)
	}
	for _, s := range n.Skipped {
		if s.File == "" || s.Reason == "" {
			t.Fatalf("%+v: expected file and reason", s)
		}
	}
}

// nodes calls f for every value of a JSON document, with a way to put another in its
// place; nil deletes a member.
func nodes(v any, f func(put func(x any))) {
	switch x := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(x)) {
			was := x[k]
			f(func(n any) {
				if x[k] = n; n == nil {
					delete(x, k)
				}
			})
			x[k] = was
			nodes(was, f)
		}
	case []any:
		for i := range x {
			was := x[i]
			f(func(n any) { x[i] = n })
			x[i] = was
			nodes(was, f)
		}
	}
}

// Every member of every kind, in turn absent or of another type, or with a value that
// means nothing there or names something else.
func TestNoMutationOfAnyKindPanics(t *testing.T) {
	t.Run("shop", func(t *testing.T) { mutate(t, folder(newShop(t).region, "us-east-1")) })
	t.Run("Direct Connect", func(t *testing.T) { mutate(t, newLines(t).files()) })
	t.Run("Connect", func(t *testing.T) { mutate(t, folder(newMesh(t), "us-east-1")) })
}

func mutate(t *testing.T, whole fstest.MapFS) {
	odd := []any{
		nil, "", "x", "deleted", "-1", "10.0.0.0/16", "10.0.0.5", "2001:db8::1", "::/0", "local", true, -1.0, 0.5, 1e12, []any{}, []any{nil}, map[string]any{},
		map[string]any{"State": "x"}, "eni-0", "vpc-0", "2026-01-01",
	}
	random := rand.New(rand.NewPCG(1, 2))
	every := 40
	if testing.Short() {
		every = 150
	}
	tried := 0
	for _, name := range slices.Sorted(maps.Keys(whole)) {
		doc := document(t, whole[name].Data)
		files := maps.Clone(whole)
		nodes(doc, func(put func(x any)) {
			if random.IntN(every) > 0 {
				return
			}
			put(odd[random.IntN(len(odd))])
			text, err := json.Marshal(doc)
			require.NoError(t, err)
			files[name] = &fstest.MapFile{Data: text}
			sound(t, files, name)
			tried++
		})
	}
	require.Greater(t, tried, 5)
}

// Ids that stand in the place of others: a resource may be named as what it is not.
func TestNoExchangeOfIdsPanics(t *testing.T) {
	t.Run("shop", func(t *testing.T) { exchange(t, folder(newShop(t).region, "us-east-1")) })
	t.Run("Direct Connect", func(t *testing.T) { exchange(t, newLines(t).files()) })
	t.Run("Connect", func(t *testing.T) { exchange(t, folder(newMesh(t), "us-east-1")) })
}

func exchange(t *testing.T, whole fstest.MapFS) {
	var ids []string
	for _, name := range slices.Sorted(maps.Keys(whole)) {
		walkText(document(t, whole[name].Data), func(s string) { ids = append(ids, s) })
	}
	random := rand.New(rand.NewPCG(3, 4))
	rounds := 300
	if testing.Short() {
		rounds = 30
	}
	for range rounds {
		files := maps.Clone(whole)
		name := slices.Sorted(maps.Keys(whole))[random.IntN(len(whole))]
		doc := document(t, whole[name].Data)
		nodes(doc, func(put func(x any)) {
			if random.IntN(60) == 0 {
				put(ids[random.IntN(len(ids))])
				text, err := json.Marshal(doc)
				require.NoError(t, err)
				files[name] = &fstest.MapFile{Data: text}
			}
		})
		sound(t, files, name)
	}
}

// Files, entries and members that are not there, and entries that are there twice, are
// told, and never keep the rest from being loaded: real accounts and their collectors
// leave things out.
func TestWhatIsGoneOrThereTwiceIsNoError(t *testing.T) {
	t.Run("shop", func(t *testing.T) { lossy(t, folder(newShop(t).region, "us-east-1")) })
	t.Run("Direct Connect", func(t *testing.T) { lossy(t, newLines(t).files()) })
	t.Run("Connect", func(t *testing.T) { lossy(t, folder(newMesh(t), "us-east-1")) })
}

func TestNoLabFailsForWhatIsGoneOrThereTwice(t *testing.T) {
	labs(t, func(t *testing.T, _, dir string) {
		files := fstest.MapFS{}
		require.NoError(t, fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
			if err == nil && path.Ext(name) == ".json" {
				files[name] = &fstest.MapFile{Data: got(os.ReadFile(filepath.Join(dir, name))).or(t)}
			}
			return err
		}))
		lossy(t, files)
	})
}

// lossy loads the files without each of them in turn, and with some of the entries and
// members gone or there twice.
func lossy(t *testing.T, whole fstest.MapFS) {
	every := 20
	if testing.Short() {
		every = 200
	}
	random := rand.New(rand.NewPCG(5, 6))
	try := func(files fstest.MapFS, what string) {
		n, err := load.FS(files, load.Config{})
		if err != nil {
			require.ErrorContains(t, err, "expected files", what)
			return
		}
		for _, r := range n.Regions {
			require.NotNil(t, n.World.Live(r).Snapshot(), what)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(whole)) {
		files := maps.Clone(whole)
		delete(files, name)
		try(files, name)
		var doc any
		if json.Unmarshal(whole[name].Data, &doc) != nil {
			continue // several documents in a row
		}
		write := func(what string) {
			files[name] = &fstest.MapFile{Data: got(json.Marshal(doc)).or(t)}
			try(files, name+": "+what)
		}
		nodes(doc, func(put func(x any)) {
			if random.IntN(every) == 0 {
				put(nil)
				write("a member or an entry is gone")
			}
		})
		for key, list := range members(doc) {
			doc.(map[string]any)[key] = append(slices.Clone(list), list...)
			write(key + " twice")
			doc.(map[string]any)[key] = list
		}
	}
}

// members are the lists that a document holds.
func members(doc any) map[string][]any {
	lists := map[string][]any{}
	m, _ := doc.(map[string]any)
	for key, v := range m {
		if list, ok := v.([]any); ok {
			lists[key] = list
		}
	}
	return lists
}

func walkText(v any, f func(s string)) {
	switch x := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(x)) {
			walkText(x[k], f)
		}
	case []any:
		for _, e := range x {
			walkText(e, f)
		}
	case string:
		f(x)
	}
}

func FuzzFS(f *testing.F) {
	whole := folder(newShop(f).region, "us-east-1")
	maps.Copy(whole, newLines(f).files())
	names := slices.Sorted(maps.Keys(whole))
	for i, name := range names {
		f.Add(uint8(i), whole[name].Data)
	}
	f.Add(uint8(0), []byte(`{"Vpcs": [{"VpcId": 7}]}`))
	f.Add(uint8(0), []byte(`[]`))
	f.Fuzz(func(t *testing.T, which uint8, text []byte) {
		files := maps.Clone(whole)
		name := names[int(which)%len(names)]
		files[name] = &fstest.MapFile{Data: text}
		sound(t, files, name)
	})
}
