package lint_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/lint"
	"github.com/vpcsim/vpcsim/vpctest"
)

// classes are the classes of the catalogue and how many mistakes each has.
var classes = []struct {
	name string
	size int
}{
	{"RT", 11}, {"IG", 11}, {"EN", 7}, {"NG", 13}, {"AC", 7}, {"SG", 9}, {"PX", 5}, {"TG", 8}, {"GL", 4}, {"LB", 7},
	{"EP", 4}, {"DN", 2}, {"V6", 2}, {"MT", 1}, {"OV", 1}, {"CO", 1},
}

func TestEachMistakeOfTheCatalogueHasARuleOrAReason(t *testing.T) {
	told := map[string]bool{}
	for _, o := range lint.Omissions() {
		require.NotEmpty(t, o.Title)
		require.NotEmpty(t, o.Why)
		told[o.ID] = true
	}
	for _, r := range lint.Rules() {
		require.False(t, told[r.ID], "%s is a rule and omitted", r.ID)
		require.NotEmpty(t, r.Why, r.ID)
		require.NotEmpty(t, r.Source, r.ID)
		told[r.ID] = true
	}
	all := 0
	for _, c := range classes {
		for n := range c.size {
			id := fmt.Sprintf("%s%02d", c.name, n+1)
			require.True(t, told[id], "%s is neither a rule nor omitted", id)
			all++
		}
	}
	require.Equal(t, len(told), all)
	require.Equal(t, 93, all)
}

// The tables of docs/lint.md are those of the catalogue: go test ./lint -update writes them.
func TestDocumentationHasTheCatalogue(t *testing.T) {
	text, err := os.ReadFile("../docs/lint.md")
	require.NoError(t, err)
	var rules, omitted strings.Builder
	proven := 0
	for _, r := range lint.Rules() {
		proof, code := "packet", "none"
		if r.Static {
			proof = "configuration"
		} else {
			proven++
		}
		if r.Code != "" {
			code = "`" + r.Code + "`"
		}
		fmt.Fprintf(&rules, "| %s | %s | %s | %s | %s | %s | %s | %s |\n", r.ID, r.Severity, r.Title, r.Why, r.Fix, proof, code, r.Source)
	}
	for _, o := range lint.Omissions() {
		fmt.Fprintf(&omitted, "| %s | %s | %s |\n", o.ID, o.Title, o.Why)
	}
	got := string(text)
	for name, table := range map[string]string{
		"rules":   "| rule | severity | mistake | why | fix | proof | code | source |\n|---|---|---|---|---|---|---|---|\n" + rules.String(),
		"omitted": "| id | mistake | why it is not asked |\n|---|---|---|\n" + omitted.String(),
		"count":   fmt.Sprintf("%d mistakes: %d rules, %d of them with a packet as proof, and %d that are not asked for.\n", len(lint.Rules())+len(lint.Omissions()), len(lint.Rules()), proven, len(lint.Omissions())),
	} {
		between := regexp.MustCompile(`(?s)(<!-- ` + name + ` -->\n)(.*?)(<!-- end -->)`)
		require.Len(t, between.FindAllString(got, -1), 1, name)
		got = between.ReplaceAllStringFunc(got, func(string) string { return "<!-- " + name + " -->\n" + table + "<!-- end -->" })
	}
	vpctest.Golden(t, "../../docs/lint.md", got)
}
