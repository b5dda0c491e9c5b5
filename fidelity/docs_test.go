package fidelity_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// page returns docs/fidelity.md in two parts: what is modelled and what is not.
func page(t *testing.T) (modelled, not string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "docs", "fidelity.md"))
	require.NoError(t, err)
	modelled, not, ok := strings.Cut(string(b), "\n## What is not modelled\n")
	require.True(t, ok)
	return modelled, not
}

// tests returns the text of all test files of the module.
func tests(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	require.NoError(t, filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		b, err := os.ReadFile(path)
		all.Write(b)
		return err
	}))
	return all.String()
}

var (
	caseNumbers = regexp.MustCompile(`\bC(\d{3})\b(?:–C(\d{3})\b)?`)
	testNames   = regexp.MustCompile(`\bTest[A-Z]\w+`)
	testFuncs   = regexp.MustCompile(`(?m)^func (Test[A-Z]\w+)\(t \*testing\.T\)`)
)

// cases returns the numbers that a text names, ranges written out.
func cases(t *testing.T, text string) map[int]bool {
	t.Helper()
	named := map[int]bool{}
	for _, m := range caseNumbers.FindAllStringSubmatch(text, -1) {
		first, err := strconv.Atoi(m[1])
		require.NoError(t, err)
		last := first
		if m[2] != "" {
			last, err = strconv.Atoi(m[2])
			require.NoError(t, err)
		}
		for n := first; n <= last; n++ {
			named[n] = true
		}
	}
	return named
}

func TestThePageNamesTestsThatAreThere(t *testing.T) {
	modelled, _ := page(t)
	source := tests(t)
	for _, name := range testNames.FindAllString(modelled, -1) {
		require.True(t, strings.Contains(source, "func "+name+"(t *testing.T)"), "docs/fidelity.md names %s, which is no test", name)
	}
	_, tables, _ := strings.Cut(modelled, "\n## Interfaces\n")
	for n := range cases(t, tables) {
		require.True(t, strings.Contains(source, fmt.Sprintf("\"C%03d ", n)), "docs/fidelity.md names C%03d, of which there is no test", n)
	}
}

// A row's tests are in the package that stands before them, or in the one that the page
// has for names without.
func TestRowsNameTestsOfTheirPackages(t *testing.T) {
	of := testsOf(t)
	named := packages(of)
	for page, without := range map[string]string{"fidelity.md": "fidelity", "fidelity-controlplane.md": "vpc"} {
		b, err := os.ReadFile(filepath.Join("..", "docs", page))
		require.NoError(t, err)
		for n, line := range strings.Split(string(b), "\n") {
			cells := strings.Split(strings.TrimSuffix(line, " |"), "|")
			if !strings.HasPrefix(line, "| ") {
				continue
			}
			pkg := without
			for word := range strings.FieldsFuncSeq(cells[len(cells)-1], func(r rune) bool { return strings.ContainsRune(" ,;`", r) }) {
				switch {
				case testNames.MatchString(word):
					require.Contains(t, of[word], pkg, "docs/%s:%d names %s", page, n+1, word)
				case named[word]:
					pkg = word
				}
			}
		}
	}
}

// testsOf returns the packages that have a test of a name, by their folders.
func testsOf(t *testing.T) map[string][]string {
	t.Helper()
	of := map[string][]string{}
	require.NoError(t, filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		b, err := os.ReadFile(path)
		for _, m := range testFuncs.FindAllStringSubmatch(string(b), -1) {
			of[m[1]] = append(of[m[1]], strings.TrimPrefix(filepath.ToSlash(filepath.Dir(path)), "../"))
		}
		return err
	}))
	return of
}

func packages(of map[string][]string) map[string]bool {
	all := map[string]bool{}
	for _, in := range of {
		for _, pkg := range in {
			all[pkg] = true
		}
	}
	return all
}

func TestThePageLeavesNoCaseOut(t *testing.T) {
	modelled, not := page(t)
	_, tables, _ := strings.Cut(modelled, "\n## Interfaces\n")
	held, waiting := cases(t, tables), cases(t, not)
	for n := 1; n <= 166; n++ {
		require.True(t, held[n] || waiting[n], "C%03d is neither held nor waiting", n)
	}
}

func TestThePageListsEveryReasonAndFault(t *testing.T) {
	modelled, _ := page(t)
	for _, r := range trace.Reasons() {
		code := ""
		if r.Code() != "" {
			code = "`" + r.Code() + "` "
		}
		require.True(t, strings.Contains(modelled, "| "+r.String()+" | "+code+"|\n"), "docs/fidelity.md lacks the reason %q", r)
	}
	for f := wire.NoFault + 1; f.Error() != "unknown fault"; f++ {
		require.True(t, strings.Contains(modelled, "| "+f.Error()+" |\n"), "docs/fidelity.md lacks the fault %q", f.Error())
	}
}
