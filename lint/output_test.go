package lint_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
	"github.com/stretchr/testify/require"
	"github.com/xeipuuv/gojsonschema"

	"github.com/vpcsim/vpcsim/lint"
	"github.com/vpcsim/vpcsim/picture"
	"github.com/vpcsim/vpcsim/vpctest"
)

// findings are one with a proof, one without, and one that is suppressed.
func findings(t *testing.T) []lint.Finding {
	n := network{t, vpctest.New(t)}
	_, b, client, _ := twoSubnets(n)
	n.closed(client)
	n.ok(b.NetworkACL().Tag("Name", "a | <b>"))
	n.detached()
	n.acl(b, everything, everything[:0])
	n.ok(b.Around().Tag("vpcsim:ignore", "CO01 not a tag of a finding"))
	suppressions, err := lint.ParseSuppressions("x.tf", "resource {}\n# vpcsim:ignore IG03 kept for the migration\n")
	require.NoError(t, err)
	found, err := lint.Run(n.w.World, lint.Config{
		Suppressions: suppressions, Source: func(id string) (string, string) { return "us-east-1/all.json", "[0]" },
	})
	require.NoError(t, err)
	require.NotEmpty(t, found)
	return found
}

// sarifSchema is the schema of SARIF 2.1.0, which stands in the source of a library.
func sarifSchema(t *testing.T) string {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/owenrumney/go-sarif/v3").Output()
	require.NoError(t, err)
	path := filepath.Join(strings.TrimSpace(string(dir)), "pkg", "report", "v210", "sarif", "schema.go")
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	require.NoError(t, err)
	text := ""
	ast.Inspect(f, func(n ast.Node) bool {
		if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING && len(l.Value) > len(text) {
			text = l.Value
		}
		return true
	})
	text, err = strconv.Unquote(text)
	require.NoError(t, err)
	return text
}

func TestSARIFIsOfItsSchema(t *testing.T) {
	schema := gojsonschema.NewStringLoader(sarifSchema(t))
	for _, found := range [][]lint.Finding{findings(t), nil} {
		var b bytes.Buffer
		require.NoError(t, lint.WriteSARIF(&b, found))
		result, err := gojsonschema.Validate(schema, gojsonschema.NewBytesLoader(b.Bytes()))
		require.NoError(t, err)
		require.Empty(t, result.Errors())
		d := json.NewDecoder(bytes.NewReader(b.Bytes()))
		d.DisallowUnknownFields()
		var report sarif.Report
		require.NoError(t, d.Decode(&report))
		run := report.Runs[0]
		require.Len(t, run.Results, len(found))
		require.Len(t, run.Tool.Driver.Rules, len(lint.Rules()))
		for _, r := range run.Results {
			require.Equal(t, *r.RuleID, *run.Tool.Driver.Rules[r.RuleIndex].ID)
		}
	}
}

func TestOutputs(t *testing.T) {
	found := findings(t)
	var text, markdown, junit bytes.Buffer
	require.NoError(t, lint.WriteText(&text, found, true, picture.Colourless))
	require.NoError(t, lint.WriteMarkdown(&markdown, found))
	require.NoError(t, lint.WriteJUnit(&junit, found))
	vpctest.Golden(t, "findings.txt", text.String())
	vpctest.Golden(t, "findings.md", markdown.String())
	require.NoError(t, xml.Unmarshal(junit.Bytes(), &struct{ XMLName xml.Name }{}))
	require.Contains(t, junit.String(), `<skipped message="kept for the migration"></skipped>`)
	require.Contains(t, junit.String(), `<failure message=`)
}

func TestSuppressions(t *testing.T) {
	for text, want := range map[string]string{
		"vpcsim:ignore":                   "f:1: vpcsim:ignore: expected a rule, such as RT04, and a reason",
		"vpcsim:ignore XX99 reason":       `f:1: vpcsim:ignore "XX99": expected a rule of the catalogue, such as RT04`,
		"\n// vpcsim:ignore RT04":         "f:2: vpcsim:ignore RT04: expected a reason",
		"vpcsim:ignore RT04 rtb-01234567": "f:1: vpcsim:ignore RT04: expected a reason",
	} {
		_, err := lint.ParseSuppressions("f", text)
		require.EqualError(t, err, want)
	}
	all, err := lint.ParseSuppressions("f", "a\n# vpcsim:ignore RT04 rtb-01234567 on purpose\nvpcsim:ignore AC02 well-known thing\n")
	require.NoError(t, err)
	require.Equal(t, []lint.Suppression{{"RT04", "rtb-01234567", "on purpose"}, {"AC02", "", "well-known thing"}}, all)
}

func TestATagSuppresses(t *testing.T) {
	n := network{t, vpctest.New(t)}
	g := n.detached()
	n.ok(g.Tag("vpcsim:ignore", "IG03 spare part"))
	found, err := lint.Run(n.w.World, lint.Config{Rules: []string{"IG03"}})
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.Equal(t, "spare part", found[0].Suppressed)
}

func TestOnlyKnownRulesAreAsked(t *testing.T) {
	n := network{t, vpctest.New(t)}
	_, err := lint.Run(n.w.World, lint.Config{Rules: []string{"RT99"}})
	require.EqualError(t, err, `lint: rule "RT99": expected one of the catalogue, such as RT04`)
}

func TestANetworkWithoutMistakesHasNoFindings(t *testing.T) {
	n := network{t, vpctest.New(t)}
	twoByTransit(n, true, true)
	found, err := lint.Run(n.w.World, lint.Config{})
	require.NoError(t, err)
	require.Empty(t, found)
}

func TestTheSameNetworkHasTheSameFindings(t *testing.T) {
	write := func() string {
		var b strings.Builder
		require.NoError(t, lint.WriteText(&b, findings(t), true, picture.Colourless))
		return b.String()
	}
	require.Equal(t, write(), write())
}
