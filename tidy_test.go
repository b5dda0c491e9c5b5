package vpcsim

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// This test reads the source and holds the house rules. Offenders stand in lists
// that may only shrink.

const module = "github.com/vpcsim/vpcsim"

// floors says which packages of the module a package may import. A package that is
// not listed may import any: it is a door.
var floors = map[string][]string{
	"wire":                {},
	"clock":               {},
	"route":               {},
	"internal/addrtable":  {"wire"},
	"internal/hosts":      {},
	"flowtable":           {"wire"},
	"nat":                 {"wire", "flowtable", "internal/addrtable"},
	"nat64":               {"wire"},
	"filter":              {"wire", "flowtable"},
	"trace":               {"wire"},
	"reasm":               {"wire"},
	"netfilter":           {"wire", "nat", "flowtable", "trace", "reasm"},
	"dataplane":           {"wire", "clock", "flowtable", "trace"},
	"eni":                 {"wire", "flowtable", "filter", "trace", "dataplane", "internal/addrtable"},
	"ec2":                 {},
	"awscli":              {},
	"vpc":                 {"wire", "filter", "route", "trace", "dataplane", "eni", "ec2", "internal/addrtable", "internal/hosts"},
	"igw":                 gateway,
	"natgw":               gateway,
	"remote":              gateway,
	"vpn":                 append(gateway, "remote"),
	"cagw":                gateway,
	"lgw":                 gateway,
	"directconnect":       append(gateway, "remote", "directconnect/shape"),
	"directconnect/shape": {},
	"vgw":                 append(gateway, "remote"),
	"peering":             gateway,
	"endpoint":            gateway,
	"firewall":            append([]string{"endpoint"}, gateway...),
	"tgw":                 append(gateway, "remote"),
	"plan":                {"ec2", "elbv2", "rds"},
	"elbv2":               {"ec2"},
	"elb":                 {"ec2"},
	"balancer":            append([]string{"elbv2"}, gateway...),
	"alb":                 append([]string{"balancer", "elbv2"}, gateway...),
	"clb":                 append([]string{"balancer", "elb", "elbv2"}, gateway...),
	"checker":             {"balancer", "clock", "elbv2", "health", "host", "vpc", "world"},
	"nlb":                 append([]string{"balancer", "elbv2"}, gateway...),
	"gwlb":                append([]string{"balancer", "elbv2"}, gateway...),
	"appliance":           {"wire", "trace", "dataplane", "host"},
	"rds":                 {"vpc", "ec2"},
	"flowlog":             {"wire", "trace", "eni", "vpc", "ec2"},
	"dns":                 {},
	"host":                {"wire", "dns", "clock", "route", "nat", "netfilter", "trace", "dataplane", "reasm"},
	"resolver":            {"wire", "dns", "trace", "dataplane", "eni", "vpc", "host"},
	"metadata":            {"wire", "clock", "trace", "dataplane", "host"},
	"health":              {"clock", "host"},
	"internet":            {"wire", "clock", "trace", "dataplane", "internal/addrtable"},
	"capture":             {"wire", "trace"},
	"world":               {"wire", "clock", "trace", "dataplane", "eni", "host", "internet", "metadata", "resolver", "dns", "remote", "vgw", "peering", "tgw", "endpoint", "vpc"},
	"fault":               {"clock", "eni", "vpc", "world"},
	"picture":             {"wire", "trace", "vpc"},
	"intent":              {"wire", "vpc", "balancer", "firewall", "world", "reach"},
	"report":              {"wire", "picture", "reach", "intent"},
	"lint":                {"trace", "vpc", "igw", "natgw", "peering", "tgw", "endpoint", "balancer", "world", "picture", "reach"},
	"netstack":            {"wire", "dns", "clock", "trace", "dataplane", "host", "internet", "vpc", "world"},
}

// gateway is what a gateway may import: never another gateway, never a door.
var gateway = []string{"wire", "flowtable", "nat", "nat64", "filter", "route", "trace", "dataplane", "eni", "vpc", "ec2"}

// outside says which packages may import what of other modules, tests apart.
var outside = map[string][]string{
	"github.com/google/gopacket":      {"capture", "vpctest", "examples"},
	"github.com/stretchr/testify":     {"internal/kernel"},
	"github.com/jmespath/go-jmespath": {"awscli"},
	"golang.org/x/text":               {"awscli"},
	"gvisor.dev/gvisor":               {"netstack", "internal/gvisorread"},
	"golang.org/x/sys":                {"internal/kernel"},
	"github.com/spf13/cobra":          {"cmd"},
	"github.com/spf13/pflag":          {"cmd"},
	"golang.org/x/net":                {"dns"},
}

type goPackage struct {
	ImportPath string
	Imports    []string
}

func packages(t *testing.T) []goPackage {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	require.NoError(t, err)
	var all []goPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); dec.More(); {
		var p goPackage
		require.NoError(t, dec.Decode(&p))
		all = append(all, p)
	}
	return all
}

func TestPackagesImportOnlyLowerFloors(t *testing.T) {
	for _, p := range packages(t) {
		name := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		allowed, held := floors[name]
		for _, imp := range p.Imports {
			if own, ok := strings.CutPrefix(imp, module+"/"); ok && held {
				require.Contains(t, allowed, own, "%s must not import %s", name, own)
			}
			for prefix, by := range outside {
				if imp == prefix || strings.HasPrefix(imp, prefix+"/") {
					ok := slices.ContainsFunc(by, func(b string) bool { return name == b || strings.HasPrefix(name, b+"/") })
					require.True(t, ok, "%s must not import %s", name, imp)
				}
			}
		}
	}
}

// source is a parsed file that is no test, generated, nor of a nested module.
type source struct {
	path string
	file *ast.File
	text string
}

var generated = regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)

func sources(t *testing.T, set *token.FileSet) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || path == "bench" || strings.HasPrefix(d.Name(), ".") && path != "."):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil || generated.Match(b) {
			return err
		}
		f, err := parser.ParseFile(set, path, b, parser.ParseComments)
		all = append(all, source{path, f, string(b)})
		return err
	})
	require.NoError(t, err)
	require.NotEmpty(t, all)
	return all
}

func TestFilesAndFunctionsStaySmall(t *testing.T) {
	set := token.NewFileSet()
	for _, s := range sources(t, set) {
		if n := strings.Count(s.text, "\n"); n >= 500 {
			t.Errorf("%s has %d lines, 500 is too many", s.path, n)
		}
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				if n := set.Position(f.End()).Line - set.Position(f.Pos()).Line + 1; n > 70 {
					t.Errorf("%s: %s has %d lines, 70 is the most", set.Position(f.Pos()), f.Name.Name, n)
				}
			}
		}
	}
}

func TestExportedNamesAreDocumented(t *testing.T) {
	set := token.NewFileSet()
	documented := map[string]bool{}
	for _, s := range sources(t, set) {
		dir := filepath.Dir(s.path)
		documented[dir] = documented[dir] || s.file.Doc != nil
		for _, d := range s.file.Decls {
			for _, missing := range undocumented(d) {
				t.Errorf("%s: exported %s has no doc comment that begins with its name", set.Position(d.Pos()), missing)
			}
		}
	}
	for dir, ok := range documented {
		require.True(t, ok, "package in %s has no doc comment", dir)
	}
}

// undocumented returns the exported names of a declaration that lack a comment. In
// a group of constants or variables the group's comment serves all.
func undocumented(d ast.Decl) []string {
	var missing []string
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && exportedReceiver(d) && !begins(d.Doc, d.Name.Name) {
			missing = append(missing, d.Name.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() && !begins(d.Doc, s.Name.Name) && !begins(s.Doc, s.Name.Name) {
					missing = append(missing, s.Name.Name)
				}
			case *ast.ValueSpec:
				if s.Names[0].IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
					missing = append(missing, s.Names[0].Name)
				}
			}
		}
	}
	return missing
}

func exportedReceiver(f *ast.FuncDecl) bool {
	if f.Recv == nil {
		return true
	}
	e := f.Recv.List[0].Type
	for {
		switch x := e.(type) {
		case *ast.StarExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.IndexListExpr:
			e = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return true
		}
	}
}

func begins(doc *ast.CommentGroup, name string) bool {
	if doc == nil {
		return false
	}
	text := doc.Text()
	for _, article := range []string{"", "A ", "An ", "The "} {
		if strings.HasPrefix(text, article+name) {
			return true
		}
	}
	return false
}

// doors may read the real time, start goroutines and lock.
var doors = []string{"netstack", "proxy", "world", "vpctest", "examples", "internal", "ec2", "awscli", "capture", "cmd", "load", "reach", "intent"}

func isDoor(path string) bool {
	return slices.ContainsFunc(doors, func(d string) bool { return strings.HasPrefix(path, d+string(filepath.Separator)) })
}

func TestBelowTheDoorsNothingReadsRealTimeOrChance(t *testing.T) {
	set := token.NewFileSet()
	for _, s := range sources(t, set) {
		if isDoor(s.path) {
			continue
		}
		for _, imp := range s.file.Imports {
			path := strings.Trim(imp.Path.Value, `"`)
			if path == "math/rand" || path == "crypto/rand" || path == "log" || path == "net" ||
				path == "sync" && !strings.HasPrefix(s.path, "vpc"+string(filepath.Separator)) {
				t.Errorf("%s imports %s", s.path, path)
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch x := n.(type) {
			case *ast.GoStmt:
				t.Errorf("%s: a goroutine below the doors", set.Position(x.Pos()))
			case *ast.SelectorExpr:
				if bad := forbidden(x); bad != "" {
					t.Errorf("%s: %s", set.Position(x.Pos()), bad)
				}
			}
			return true
		})
	}
}

// globalRand are the functions of math/rand/v2 that draw from the global source.
var globalRand = []string{"Int", "IntN", "Int32", "Int32N", "Int64", "Int64N", "Uint32", "Uint32N", "Uint64", "Uint64N", "UintN", "Float32", "Float64", "N", "Perm", "Shuffle"}

func forbidden(x *ast.SelectorExpr) string {
	id, ok := x.X.(*ast.Ident)
	switch {
	case !ok || id.Obj != nil:
		return ""
	case id.Name == "time" && slices.Contains([]string{"Now", "Since", "Sleep", "After", "NewTimer", "NewTicker"}, x.Sel.Name):
		return "real time: time." + x.Sel.Name
	case id.Name == "os" && x.Sel.Name != "ErrDeadlineExceeded":
		return "the operating system: os." + x.Sel.Name
	case id.Name == "rand" && slices.Contains(globalRand, x.Sel.Name):
		return "the global random source: rand." + x.Sel.Name
	}
	return ""
}

// banned words, each with the reason.
var banned = map[*regexp.Regexp]string{
	regexp.MustCompile(`(?:func|type|package) (?:\([^)]*\) )?\w*(?:Manager|Helper|Util|Impl)\b[^(]`): "a name that says nothing",
	regexp.MustCompile(`(?i)\b(todo|fixme|xxx|hack)\b`):                                              "unfinished work",
	regexp.MustCompile(`(?i)\bnot implemented\b|\bplaceholder\b|\bfor now\b`):                        "unfinished work",
	regexp.MustCompile(`/work/|\.library|farm-`):                                                     "a path of one machine",
}

func TestBannedWordsStayAway(t *testing.T) {
	for _, s := range sources(t, token.NewFileSet()) {
		for i, line := range strings.Split(s.text, "\n") {
			for word, why := range banned {
				if word.MatchString(line) {
					t.Errorf("%s:%d: %s (%s)", s.path, i+1, fmt.Sprintf("%q", word.FindString(line)), why)
				}
			}
		}
	}
}

func TestEachTypeHasOneReceiverName(t *testing.T) {
	set := token.NewFileSet()
	names := map[string]string{}
	for _, s := range sources(t, set) {
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv == nil || len(f.Recv.List[0].Names) == 0 || f.Recv.List[0].Names[0].Name == "_" {
				continue
			}
			e := f.Recv.List[0].Type
			if star, ok := e.(*ast.StarExpr); ok {
				e = star.X
			}
			if ix, ok := e.(*ast.IndexExpr); ok {
				e = ix.X
			}
			id, ok := e.(*ast.Ident)
			if !ok {
				continue
			}
			key, name := filepath.Dir(s.path)+"."+id.Name, f.Recv.List[0].Names[0].Name
			if was, seen := names[key]; seen && was != name {
				t.Errorf("%s: %s has receivers %s and %s", set.Position(f.Pos()), key, was, name)
			}
			names[key] = name
		}
	}
}
