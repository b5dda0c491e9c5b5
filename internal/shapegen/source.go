package main

import (
	"bytes"
	"compress/gzip"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sort"
)

const (
	baseModule  = "github.com/aws/aws-sdk-go"
	baseVersion = "v1.55.8"
	baseFile    = "models/apis/ec2/2016-11-15/api-2.json"
)

// newerText is the part of botocore 1.43.11's model that differs from the
// base's, for the actions of families.go. It is written by -newer.
//
//go:embed newer.json
var newerText []byte

// readBase finds the base model through the go command, which downloads the
// module where its cache lacks it and verifies its checksum.
func readBase(ctx context.Context) (model, error) {
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", baseModule+"@"+baseVersion)
	cmd.Dir = os.TempDir() // outside any module: nobody's go.sum is touched
	out, err := cmd.Output()
	if err != nil {
		return model{}, fmt.Errorf("%s: %w: %s", cmd, err, out)
	}
	var found struct{ Dir string }
	if err := json.Unmarshal(out, &found); err != nil {
		return model{}, fmt.Errorf("%s: %w", cmd, err)
	}
	text, err := os.ReadFile(filepath.Join(found.Dir, filepath.FromSlash(baseFile)))
	if err != nil {
		return model{}, err
	}
	return readModel(text)
}

// differences compares the newer model in dir with base and returns newer.json:
// the operations and shapes that known actions use and that base lacks or has otherwise.
func differences(base model, dir string) ([]byte, error) {
	newer, err := readNewer(dir)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	different := model{map[string]operation{}, map[string]shape{}}
	for _, name := range actions() {
		op, ok := newer.Operations[name]
		if !ok {
			return nil, fmt.Errorf("the newer model has no action %q", name)
		}
		for _, ref := range []reference{op.Input, op.Output} {
			if err := newer.reach(ref.Shape, seen); err != nil {
				return nil, err
			}
		}
		if base.Operations[name] != op {
			different.Operations[name] = op
		}
	}
	for name := range seen {
		if s := newer.Shapes[name]; !s.equal(base.Shapes[name]) {
			different.Shapes[name] = s
		}
	}
	return different.text()
}

// readNewer reads botocore's model in dir. The result of a paginated action has
// its members in the order of the paginator's result keys, as the CLI puts the pages together.
func readNewer(dir string) (model, error) {
	text, err := os.ReadFile(filepath.Join(dir, "service-2.json.gz"))
	if err != nil {
		return model{}, err
	}
	unzip, err := gzip.NewReader(bytes.NewReader(text))
	if err != nil {
		return model{}, err
	}
	if text, err = io.ReadAll(unzip); err != nil {
		return model{}, err
	}
	m, err := readModel(text)
	if err != nil {
		return model{}, err
	}
	if text, err = os.ReadFile(filepath.Join(dir, "paginators-1.json")); err != nil {
		return model{}, err
	}
	var paginators struct {
		Pagination map[string]struct {
			Keys json.RawMessage `json:"result_key"`
		} `json:"pagination"`
	}
	if err := json.Unmarshal(text, &paginators); err != nil {
		return model{}, err
	}
	for action, p := range paginators.Pagination {
		var keys []string
		if json.Unmarshal(p.Keys, &keys) != nil {
			continue // one key alone, as text, or none
		}
		name := m.Operations[action].Output.Shape
		slices.SortStableFunc(m.Shapes[name].Members, func(a, b member) int { return rank(keys, a.Name) - rank(keys, b.Name) })
	}
	return m, nil
}

// rank is the place of name in keys, and behind all of them where it is not among them.
func rank(keys []string, name string) int {
	if i := slices.Index(keys, name); i >= 0 {
		return i
	}
	return len(keys)
}

// text writes m as JSON, one operation or shape a line, sorted by name.
func (m model) text() ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("{\"operations\": {\n")
	if err := lines(&b, m.Operations); err != nil {
		return nil, err
	}
	b.WriteString("},\n\"shapes\": {\n")
	if err := lines(&b, m.Shapes); err != nil {
		return nil, err
	}
	b.WriteString("}}\n")
	return b.Bytes(), nil
}

func lines[V any](b *bytes.Buffer, values map[string]V) error {
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	sort.Strings(names)
	for i, name := range names {
		text, err := json.Marshal(values[name])
		if err != nil {
			return err
		}
		comma := ","
		if i == len(names)-1 {
			comma = ""
		}
		fmt.Fprintf(b, "%q: %s%s\n", name, text, comma)
	}
	return nil
}
