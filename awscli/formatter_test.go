package awscli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/ec2"
)

// output names what prints a format.
var output = map[string]func(w io.Writer, columns int, v any) error{
	"json":  func(w io.Writer, _ int, v any) error { return JSON(w, v) },
	"table": func(w io.Writer, columns int, v any) error { return TableWithin(w, columns, "DescribeThings", v) },
	"text":  func(w io.Writer, _ int, v any) error { return Text(w, v) },
}

var formats = []string{"json", "table", "text"}

// formatters is a process in which the CLI's own formatters print.
type formatters struct {
	in  io.Writer
	out *bufio.Reader
}

// startFormatters starts the process, or skips where the CLI is not installed.
func startFormatters(t *testing.T) *formatters {
	t.Helper()
	if out, err := exec.Command("python3", "-c", "import awscli; print(awscli.__version__, end='')").Output(); string(out) != "1.45.11" {
		t.Skipf("the aws CLI 1.45.11 is not installed here: %q, %v", out, err)
	}
	cmd := exec.CommandContext(t.Context(), "python3", "testdata/format.py")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _, _ = in.Close(), cmd.Wait() })
	return &formatters{in, bufio.NewReader(out)}
}

// print returns what the CLI prints of v, and whether it prints at all rather than fail.
func (f *formatters) print(t *testing.T, format string, columns int, query string, v any) (text string, ok bool) {
	_, err := fmt.Fprintf(f.in, `{"format":%q,"operation":"DescribeThings","columns":%d,"query":%s,"value":%s}`+"\n", format, columns, literal(query), literal(v))
	require.NoError(t, err)
	line, err := f.out.ReadBytes('\n')
	require.NoError(t, err)
	var answer struct{ Out, Error *string }
	require.NoError(t, json.Unmarshal(line, &answer), string(line))
	if answer.Error != nil {
		return *answer.Error, false
	}
	return *answer.Out, true
}

// literal writes v as JSON for the CLI to read: a slow and obvious twin of JSON,
// which leaves all escaping to encoding/json.
func literal(v any) string {
	switch v := v.(type) {
	case *object:
		var parts []string
		for _, key := range v.keys {
			parts = append(parts, literal(key)+":"+literal(v.values[key]))
		}
		return "{" + strings.Join(parts, ",") + "}"
	case []any:
		var parts []string
		for _, each := range v {
			parts = append(parts, literal(each))
		}
		return "[" + strings.Join(parts, ",") + "]"
	case float64:
		return strconv.FormatFloat(v, 'e', -1, 64) // Python reads an exponent as a float
	}
	text, _ := json.Marshal(v)
	return string(text)
}

// random makes a value of at most that depth, of the shapes that answers and
// queries have: lists of one kind mostly, members missing here and there.
func random(r *rand.Rand, depth int) any {
	switch k := r.IntN(10); {
	case depth > 0 && k < 4:
		o := newObject()
		for range r.IntN(6) {
			o.put(pick(r, "Id", "CidrBlock", "State", "Tags", "VeryLongNameOfAMember", "B", "a", "Höhe"), random(r, depth-1))
		}
		return o
	case depth > 0 && k < 8:
		list := []any{}
		kind := r.IntN(8)
		for range r.IntN(4) {
			each := random(r, depth-1)
			for i := 0; i < 20 && kind > 0 && (kind > 3) != isObject(each); i++ {
				each = random(r, depth-1)
			}
			list = append(list, each)
		}
		if slices.ContainsFunc(list, isObject) {
			// beside structures without members the CLI overlooks empty text and lists; elsewhere it fails
			list = slices.DeleteFunc(list, func(v any) bool { return !isObject(v) && v != nil && empty(v) })
		}
		return list
	}
	return pick[any](r, nil, true, false, int64(0), int64(-7), int64(4789), 0.5, 2.0, 1e16, 1e-5, "", "10.0.0.0/16", "rtb-0123456789abcdef0",
		"a\tb\nc", `it's "x"`, "\u2028\x01\x7f", "東京リージョン", "→ naïve", strings.Repeat("long ", 20), "-", "<&>", "o'clock", "\U0001f600")
}

func pick[T any](r *rand.Rand, from ...T) T {
	return from[r.IntN(len(from))]
}

func TestEveryFormatIsTheCLIsOverRandomValues(t *testing.T) {
	cli := startFormatters(t)
	r := rand.New(rand.NewPCG(1, 2))
	refused := 0
	for i := range 3000 {
		v := random(r, 4)
		columns := pick(r, 0, 40, 80, 200)
		for _, format := range formats {
			want, ok := cli.print(t, format, columns, "", v)
			var got bytes.Buffer
			err := output[format](&got, columns, v)
			if !ok {
				refused++
				require.Error(t, err, "%d: the CLI fails with %s\n%s", i, want, literal(v))
				continue
			}
			require.NoError(t, err, "%d: %s\n%s", i, literal(v), want)
			require.Equal(t, want, got.String(), "%d: %s of %s", i, format, literal(v))
		}
	}
	require.NotZero(t, refused, "no value that the CLI can't print was among them")
}

// recorded makes the shapes that recorded files hold, by their top-level key.
var recorded = map[string]func() any{
	"Addresses":             func() any { return new(ec2.DescribeAddressesResult) },
	"NatGateways":           func() any { return new(ec2.DescribeNatGatewaysResult) },
	"NetworkAcls":           func() any { return new(ec2.DescribeNetworkAclsResult) },
	"NetworkInterfaces":     func() any { return new(ec2.DescribeNetworkInterfacesResult) },
	"Reservations":          func() any { return new(ec2.DescribeInstancesResult) },
	"RouteTables":           func() any { return new(ec2.DescribeRouteTablesResult) },
	"SecurityGroups":        func() any { return new(ec2.DescribeSecurityGroupsResult) },
	"Subnets":               func() any { return new(ec2.DescribeSubnetsResult) },
	"TransitGateways":       func() any { return new(ec2.DescribeTransitGatewaysResult) },
	"VpcPeeringConnections": func() any { return new(ec2.DescribeVpcPeeringConnectionsResult) },
	"Vpcs":                  func() any { return new(ec2.DescribeVpcsResult) },
}

func TestEveryFormatIsTheCLIsOverRealNetworks(t *testing.T) {
	dir := os.Getenv("VPCSIM_LABS")
	if dir == "" {
		dir = "../../shared/labs"
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no recorded networks here (VPCSIM_LABS): %v", err)
	}
	cli := startFormatters(t)
	printed := 0
	require.NoError(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		shape, ok := recorded[strings.TrimSuffix(filepath.Base(path), ".json")]
		if err != nil || !ok {
			return err
		}
		printed++
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		v := shape()
		require.NoError(t, json.Unmarshal(text, v), path)
		tree, err := valueOf(v)
		require.NoError(t, err)
		for _, format := range formats {
			want, ok := cli.print(t, format, 80, "", tree)
			require.True(t, ok, want)
			var got bytes.Buffer
			require.NoError(t, output[format](&got, 80, v))
			require.Equal(t, want, got.String(), "%s of %s", format, path)
		}
		return nil
	}))
	require.Positive(t, printed, "%s holds no recorded networks", dir)
}
