package awscli

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// expressions are over the values of random and of routes.
var expressions = []string{
	"Id", "Id.State", "[0]", "[-1].Id", "[].Id", "[*].Tags", "Tags[].Id[]", "[].[Id, State]", "[].{Z: Id, A: State}", "{b: Id, a: Tags[0].{Z: B, Y: a}}",
	"Tags | [0]", "[?Id=='-'].State", "[?CidrBlock=='10.0.0.0/16' || State].Id", "[?contains(Id || '', 'rtb')]", "length(@)", "type(@)", "not_null(Id, State, 'none')",
	"[::2]", "[1:].Tags", "Tags[?State!=`null`] | [0]", "[?!Id]", "@", "[]", "[][]", "\"Höhe\"", "[].{\"Höhe\": Id, Id: \"Höhe\"}", "`{\"b\": 1, \"a\": [2]}`.a", "'raw * keys('",
	"RouteTables[].Routes", "RouteTables[].Routes[]", "RouteTables[0]", "RouteTables[].{Id: RouteTableId, Vpc: VpcId, N: length(Routes)}",
	"RouteTables[].[RouteTableId, Routes[0].State]", "RouteTables[].Routes[?State=='active'].[DestinationCidrBlock]", "RouteTables[*].Associations[*].Main",
	"sort_by(RouteTables[].Routes[] || `[]`, &DestinationCidrBlock)[].DestinationCidrBlock", "join(', ', RouteTables[].RouteTableId)", "sort(RouteTables[].RouteTableId)",
	"max_by(RouteTables, &RouteTableId).VpcId", "reverse(RouteTables[].RouteTableId)", "to_string(length(RouteTables))", "RouteTables[?Associations[?Main]].RouteTableId | [0]",
	"starts_with(RouteTables[0].VpcId, 'vpc')", "map(&VpcId, RouteTables)", "RouteTables[].Associations[].AssociationState.State", "to_array(RouteTables[0].VpcId)",
}

func TestQueriesAreTheCLIsOverRandomValues(t *testing.T) {
	cli := startFormatters(t)
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 150 {
		v := withoutWholeFloats(random(r, 4))
		if i%3 == 0 {
			var err error
			v, err = valueOf(routeTables(r))
			require.NoError(t, err)
		}
		for _, expression := range expressions {
			want, wantOK := cli.print(t, "json", 80, expression, v)
			var got bytes.Buffer
			found, err := Query(v, expression)
			if err == nil {
				err = JSON(&got, found)
			}
			if !wantOK {
				require.Error(t, err, "the CLI fails with %s: %s of %s", want, expression, literal(v))
				continue
			}
			require.NoError(t, err, "%s of %s", expression, literal(v))
			require.Equal(t, want, got.String(), "%s of %s", expression, literal(v))
		}
	}
}

// withoutWholeFloats makes integers of them: a query does not tell them apart.
func withoutWholeFloats(v any) any {
	switch v := v.(type) {
	case float64:
		if v == math.Trunc(v) && v < 1<<53 {
			return int64(v)
		}
	case []any:
		for i := range v {
			v[i] = withoutWholeFloats(v[i])
		}
	case *object:
		for _, key := range v.keys {
			v.values[key] = withoutWholeFloats(v.values[key])
		}
	}
	return v
}

func TestQueriesWhoseOrderIsLostAreRefused(t *testing.T) {
	for expression, want := range map[string]string{
		"RouteTables[0].*":        `awscli: query "RouteTables[0].*": * of a structure is not supported, the order of members is not kept`,
		"*":                       `awscli: query "*": * of a structure is not supported, the order of members is not kept`,
		"keys(@)":                 `awscli: query "keys(@)": keys() is not supported, the order of members is not kept`,
		"values( RouteTables[0])": `awscli: query "values( RouteTables[0])": values() is not supported, the order of members is not kept`,
		"RouteTables[":            `awscli: query "RouteTables[": SyntaxError: Expected tStar, received: tEOF`,
		"nothing(@)":              `awscli: query "nothing(@)": unknown function: nothing`,
		"":                        `awscli: query "": SyntaxError: Incomplete expression`,
	} {
		_, err := Query(struct{}{}, expression)
		require.EqualError(t, err, want)
	}
}

func FuzzNoExpressionPanics(f *testing.F) {
	for _, expression := range expressions {
		f.Add(expression)
	}
	f.Fuzz(func(t *testing.T, expression string) {
		found, err := Query(routeTables(rand.New(rand.NewPCG(5, 6))), expression)
		if err != nil {
			return
		}
		again, err := Query(found, "@")
		require.NoError(t, err)
		var a, b bytes.Buffer
		require.NoError(t, JSON(&a, found))
		require.NoError(t, JSON(&b, again))
		require.Equal(t, a.String(), b.String())
	})
}
