package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// base reads the model, or skips where the module is neither cached nor to be downloaded.
func base(t *testing.T) model {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	m, err := readBase(ctx)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		t.Skipf("the model can't be had: %v", err)
	}
	require.NoError(t, err)
	return m
}

func TestTheCommittedPackageIsWhatTheModelGives(t *testing.T) {
	files, err := generate(base(t))
	require.NoError(t, err)
	const dir = "../../ec2"
	for name, text := range files {
		committed, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Equal(t, string(text), string(committed), "%s: run go generate ./ec2", name)
	}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, entry := range entries {
		text, _ := os.ReadFile(filepath.Join(dir, entry.Name()))
		if strings.HasPrefix(string(text), "// Code generated") {
			require.Contains(t, files, entry.Name(), "a generated file that nothing generates any more")
		}
	}
}

func TestTheCommittedDifferencesAreBotocores(t *testing.T) {
	out, err := exec.Command("python3", "-c", "import botocore; print(botocore.__version__); print(botocore.__path__[0])").Output()
	version, dir, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	if err != nil || version != "1.43.11" {
		t.Skipf("botocore 1.43.11 is not installed here: %q, %v", version, err)
	}
	text, err := differences(base(t), filepath.Join(dir, "data/ec2/2016-11-15"))
	require.NoError(t, err)
	require.Equal(t, string(newerText), string(text))
}

func TestMembersKeepTheirOrder(t *testing.T) {
	const text = `{"B":{"shape":"X","locationName":"b"},"A":{"shape":"Y","queryName":"Q"},"C":{"shape":"Z"}}`
	var m members
	require.NoError(t, json.Unmarshal([]byte(text), &m))
	require.Equal(t, members{
		{"B", reference{"X", "b", ""}},
		{"A", reference{"Y", "", "Q"}},
		{"C", reference{"Z", "", ""}},
	}, m)
	again, err := json.Marshal(m)
	require.NoError(t, err)
	require.Equal(t, text, string(again))
}

// https://smithy.io/2.0/aws/protocols/aws-ec2-query-protocol.html, "Query key resolution"
func TestQueryNamesFollowTheEC2Protocol(t *testing.T) {
	for _, c := range []struct {
		ref  reference
		want string
	}{
		{reference{LocationName: "dryRun"}, "DryRun"},
		{reference{LocationName: "Filter"}, "Filter"},
		{reference{QueryName: "Ipv4Prefix", LocationName: "ipv4PrefixSet"}, "Ipv4Prefix"},
		{reference{}, "Member"},
	} {
		require.Equal(t, c.want, c.ref.query("Member"), c.ref)
	}
}

func TestAModelWithHolesIsRefused(t *testing.T) {
	request := operation{Input: reference{Shape: "Request"}}
	whole := func() model {
		m := model{map[string]operation{}, map[string]shape{"Request": {Type: "structure"}}}
		for _, name := range actions() {
			m.Operations[name] = request
		}
		return m
	}
	for _, c := range []struct {
		name  string
		spoil func(model)
		want  string
	}{
		{"no action", func(m model) { delete(m.Operations, "DeleteRoute") }, `the model has no action "DeleteRoute"`},
		{"no shape", func(m model) { delete(m.Shapes, "Request") }, `the model has no shape "Request"`},
		{"unknown type", func(m model) {
			m.Shapes["Request"] = shape{Type: "structure", Members: members{{"M", reference{Shape: "Odd"}}}}
			m.Shapes["Odd"] = shape{Type: "map"}
		}, `unknown type "map"`},
		{"two constants of one name", func(m model) {
			m.Shapes["Request"] = shape{Type: "structure", Members: members{{"M", reference{Shape: "E"}}}}
			m.Shapes["E"] = shape{Type: "string", Enum: []string{"a.b", "a-b"}}
		}, "shape E: the name EAB is taken by shape E"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := whole()
			c.spoil(m)
			g, err := survey(m)
			for i := 0; err == nil && i < len(families); i++ {
				err = g.family(families[i], map[string][]byte{})
			}
			require.ErrorContains(t, err, c.want)
		})
	}
}
