package plan

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func read(t testing.TB, file string) *Plan {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", file))
	require.NoError(t, err)
	p, err := Read(text)
	require.NoError(t, err)
	return p
}

// ids are the addresses of resources by all that others may name them by.
func ids(b *builder) map[string]string {
	m := map[string]string{}
	for _, r := range b.all {
		if strings.HasPrefix(r.kind, "aws_default_") { // the VPC names what these take over
			continue
		}
		for _, attr := range []string{"id", "arn", "default_route_table_id", "default_network_acl_id", "default_security_group_id", "private_ip"} {
			for _, v := range b.value(r, attr) {
				if m[v] == "" {
					m[v] = r.address + "." + attr
				}
			}
		}
		if r.kind == "aws_db_subnet_group" {
			m[b.identify(r)] = r.address + ".id"
		}
	}
	return m
}

// links are the references of all resources, as address and attribute to those of what
// they name.
func links(b *builder) map[string][]string {
	named := ids(b)
	all := map[string][]string{}
	var visit func(n node)
	visit = func(n node) {
		switch v := n.value.(type) {
		case map[string]any:
			var names []string
			for name := range v {
				names = append(names, name)
			}
			if u, ok := n.unknown.(map[string]any); ok {
				for name := range u {
					names = append(names, name)
				}
			}
			slices.Sort(names)
			for _, name := range slices.Compact(names) {
				c := n.get(name)
				if wanted[name] != nil && (c.expr != nil || c.value != nil) {
					var values []string
					if _, many := c.value.([]any); many || !c.known() && strings.HasSuffix(name, "s") {
						values, _ = b.ids(c)
					} else if id, ok := b.id(c); ok && id != "" {
						values = []string{id}
					}
					var to []string
					for _, x := range values {
						if named[x] != "" {
							to = append(to, named[x])
						}
					}
					slices.Sort(to)
					if len(to) > 0 {
						all[n.r.address+"."+c.path] = to
					}
					continue
				}
				visit(c)
			}
		case []any:
			for _, e := range n.list() {
				visit(e)
			}
		}
	}
	for _, r := range b.all {
		if !r.data {
			visit(r.root())
		}
	}
	return all
}

// lost are places of which plans do not tell enough: behind a module that is chosen by
// each.key Terraform does not say which output is meant, and which element of it.
var lost = map[string]bool{`aws_route.peer["blue"].route_table_id`: true, `aws_route.peer["green"].route_table_id`: true}

// TestReferencesLeadWhereApplyTakesThem compares what is found by the configuration's
// references, before ids are known, with what Terraform itself makes of the expressions:
// the state after the plan was applied.
func TestReferencesLeadWhereApplyTakesThem(t *testing.T) {
	for name, least := range map[string]int{"modules": 60, "shop": 20, "wide": 60} {
		p, s := read(t, name+"/plan.json"), read(t, name+"/state.json")
		before := newBuilder(&p.doc, p.doc.PlannedValues, true)
		before.given = map[*resource]map[string]string{}
		for i, r := range before.of("aws_instance") { // what space.pick would have picked
			before.give(r, "private_ip", fmt.Sprint("address ", i))
		}
		got := links(before)
		want := links(newBuilder(&s.doc, s.doc.Values, false))
		checked := 0
		for place, to := range got {
			if want[place] == nil { // a set whose elements the state has in another order
				continue
			}
			checked++
			require.Equal(t, want[place], to, "%s: %s", name, place)
		}
		for place := range want {
			attr := attributeOfPlace(place)
			if r := before.byAddr[strings.TrimSuffix(place, "."+attr)]; !strings.Contains(attr, "[") && r.root().get(attr).expr != nil {
				_, found := got[place]
				require.True(t, found || lost[place], "%s: %s", name, place)
			}
		}
		require.GreaterOrEqual(t, checked, least, name)
		for _, n := range before.notes {
			require.True(t, n.Assumed || lost[n.Address+"."+n.Path], "%s: %s.%s: %s", name, n.Address, n.Path, n.Reason)
		}
	}
}

// attributeOfPlace is a place without the resource's address, which may have keys.
func attributeOfPlace(place string) string {
	for l, rest := (located{}), place; ; {
		i := strings.LastIndexByte(rest, '.')
		if i < 0 {
			return place
		}
		var ok bool
		if l, ok = locate(rest[:i]); ok && l.name != "" {
			return place[i+1:]
		}
		rest = rest[:i]
	}
}
