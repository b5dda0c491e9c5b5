package load_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/load"
)

// TestNoAttributeOfAPlanPanics puts what means nothing into each attribute of the plans in
// turn, known and after apply.
func TestNoAttributeOfAPlanPanics(t *testing.T) {
	every := 10
	if testing.Short() {
		every = 100
	}
	tried := 0
	for _, name := range []string{"wide", "unknown", "rules", "shop", "modules"} {
		text, err := os.ReadFile("../plan/testdata/" + name + "/plan.json")
		require.NoError(t, err)
		var doc object
		require.NoError(t, json.Unmarshal(text, &doc))
		attributes(doc["planned_values"], func(at string, values object, attr string) {
			was, there := values[attr]
			for i, odd := range []any{nil, "", 0, []any{}, object{}, []any{nil}, "x"} {
				if tried++; tried%every > 0 {
					continue
				}
				values[attr] = odd
				loaded(t, fmt.Sprintf("%s: %s.%s: odd value %d", name, at, attr, i), doc)
			}
			if values[attr] = was; !there {
				delete(values, attr)
			}
		})
	}
	require.Greater(t, tried, 1000)
}

// loaded loads a plan and compiles its network.
func loaded(t *testing.T, what string, doc object) {
	t.Helper()
	text, err := json.Marshal(doc)
	require.NoError(t, err)
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("%s: %v", what, p)
		}
	}()
	n, err := load.PlanText("plan.json", text, load.Config{})
	require.NoError(t, err, what)
	for _, r := range n.Regions {
		require.NotNil(t, n.World.Live(r).Snapshot(), what)
	}
}

// attributes calls f for every attribute of the resources below, and of their blocks.
func attributes(v any, f func(at string, values object, attr string)) {
	switch x := v.(type) {
	case object:
		if values, ok := x["values"].(object); ok {
			at, _ := x["address"].(string)
			membersOf(at, values, f)
			return
		}
		for _, k := range slices.Sorted(maps.Keys(x)) {
			attributes(x[k], f)
		}
	case []any:
		for _, e := range x {
			attributes(e, f)
		}
	}
}

func membersOf(at string, values object, f func(at string, values object, attr string)) {
	for _, k := range slices.Sorted(maps.Keys(values)) {
		f(at, values, k)
		list, _ := values[k].([]any)
		for i, e := range list {
			if block, ok := e.(object); ok {
				membersOf(fmt.Sprintf("%s.%s[%d]", at, k, i), block, f)
			}
		}
	}
}
