package awscli

import (
	"bytes"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhatTheCLICouldNotHoldIsRefused(t *testing.T) {
	for _, v := range []any{func() {}, map[string]any{}, []any{make(chan int)}, struct{ N uint }{1}} {
		for _, format := range formats {
			require.ErrorContains(t, output[format](new(bytes.Buffer), 80, v), "awscli: can't print a ")
		}
		_, err := Query(v, "@")
		require.ErrorContains(t, err, "awscli: can't print a ")
	}
}

func TestATableThatTheCLICanNotDrawIsRefused(t *testing.T) {
	type route struct{ To, Gateway, NAT *string }
	a, b := route{To: new("a"), Gateway: new("g")}, route{To: new("b"), Gateway: new("g"), NAT: new("n")}
	for _, c := range []struct {
		v    any
		want string
	}{
		{[][]route{{b}, {a}}, "awscli: table of DescribeThings: a row of 2 columns in a section of 3"},
		{[][]route{{a}, {b}}, "awscli: table of DescribeThings: a header of 3 columns in a section of 2"},
		{[]any{a, 7}, "awscli: table of DescribeThings: a list of structures holds 7"},
	} {
		var out bytes.Buffer
		require.EqualError(t, Table(&out, "DescribeThings", c.v), c.want)
		require.Empty(t, out.String())
	}
	require.EqualError(t, Text(new(bytes.Buffer), []any{a, "x"}), "awscli: text: a list of structures holds 'x'")
}

type broken struct{}

var errBroken = errors.New("broken pipe")

func (broken) Write([]byte) (int, error) { return 0, errBroken }

func TestTheWritersErrorIsReturned(t *testing.T) {
	for _, format := range formats {
		require.ErrorIs(t, output[format](broken{}, 80, []string{"x"}), errBroken, format)
	}
}
