package plan

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// target is a resource that an expression refers to, and which attribute of it; "" where
// the configuration does not tell it.
type target struct {
	r     *resource
	attr  string
	keyed bool   // the reference has a key of its own
	ref   string // the local value that it may be of, "" for none
}

// found is what an expression may refer to.
type found struct {
	all      []target
	selected []target // those of the same key as the block, where the expression has its key in it
	opaque   []string // references that lead nowhere
}

// scope is where an expression stands: in a module, in a block that has a key and a
// for_each.
type scope struct {
	in   *instance
	key  string
	each any
}

// maxDepth bounds the way of a reference by modules, variables and attributes: configurations
// are a few modules deep.
const maxDepth = 64

// follow returns what an expression refers to. kinds are the resources that its value may
// be of: a local value, which plans do not show, is taken to be one of its module's.
func (b *builder) follow(s scope, expr any, kinds []string) (f found) {
	if b.depth >= maxDepth {
		return f
	}
	b.depth++
	defer func() { b.depth-- }()
	var keys []string // that one of several may be chosen by
	refs := slices.DeleteFunc(maximal(references(expr)), func(ref string) bool {
		key, ok := b.keyOf(s, split(ref))
		if ok {
			keys = append(keys, key)
		}
		return ok
	})
	for _, ref := range refs {
		steps := split(ref)
		var to found
		switch steps[0].name {
		case "each":
			to = b.each(s, steps, kinds)
			keys = append(keys, s.key)
		case "path", "terraform", "self", "count":
		case "local":
			to = found{all: b.locals(s.in, joined(steps), kinds), opaque: []string{ref}}
			to.selected = to.all
		case "var":
			to = b.variable(s, steps, kinds)
		case "module":
			to = b.output(s, steps, kinds, keys)
		case "data":
			to.all = b.blocks(s.in, "data.", steps[1:])
			to.selected = to.all
		default:
			to.all = b.blocks(s.in, "", steps)
			to.selected = to.all
		}
		if last := steps[len(steps)-1]; last.key != "" && indexed(steps) {
			to.selected = choose(to.selected, last.key)
			to.all = to.selected
		}
		f.all, f.selected, f.opaque = append(f.all, to.all...), append(f.selected, to.selected...), append(f.opaque, to.opaque...)
	}
	if len(keys) > 0 {
		f.selected = choose(f.selected, keys...)
	}
	return f
}

// indexed reports whether the key of a reference's last step chooses among what it leads
// to: module.net.subnets["a"], var.subnets[0], local.subnets[0].
func indexed(steps []step) bool {
	switch steps[0].name {
	case "module":
		return len(steps) == 3
	case "var", "local":
		return len(steps) == 2
	}
	return false
}

// keyOf returns what a reference is as a key, where it is one: the key of the block that
// it stands in, or a constant.
func (b *builder) keyOf(s scope, steps []step) (key string, ok bool) {
	if len(steps) < 2 {
		return "", false
	}
	switch {
	case steps[0].name == "count", steps[0].name == "each" && steps[1].name == "key":
		return s.key, true
	case steps[0].name == "var", steps[0].name == "each":
		switch v := b.constantOf(s, steps).(type) {
		case string:
			return strconv.Quote(v), true
		case json.Number:
			return v.String(), true
		case bool:
			return strconv.FormatBool(v), true
		}
	}
	return "", false
}

// constantOf returns what a variable or each.value is, where it is a constant: nil where it
// is not.
func (b *builder) constantOf(s scope, steps []step) any {
	var v any
	switch {
	case steps[0].name == "each" && steps[1].name == "value":
		of, _ := b.valueOf(scope{in: s.in}, s.each).(map[string]any)
		v = of[unquoted(s.key)]
	case steps[0].name != "var":
		return nil
	case s.in.parent == nil:
		v = b.doc.Variables[steps[1].name].Value
	case s.in.call != nil:
		v = b.valueOf(scope{s.in.parent, s.in.key, s.in.call.ForEachExpression}, s.in.call.Expressions[steps[1].name])
	}
	if steps[1].key != "" {
		v = element(v, steps[1].key)
	}
	for _, step := range steps[2:] {
		of, _ := v.(map[string]any)
		if v = of[step.name]; step.key != "" {
			v = element(v, step.key)
		}
	}
	return v
}

// valueOf returns what an expression is that is a constant, or refers to one and no more.
func (b *builder) valueOf(s scope, expr any) any {
	e, _ := expr.(map[string]any)
	if v, ok := e["constant_value"]; ok {
		return v
	}
	refs := maximal(references(expr))
	if len(refs) != 1 || b.depth >= maxDepth {
		return nil
	}
	if steps := split(refs[0]); len(steps) > 1 {
		b.depth++
		defer func() { b.depth-- }()
		return b.constantOf(s, steps)
	}
	return nil
}

// element returns the element of a list or a map with a key.
func element(v any, key string) any {
	switch v := v.(type) {
	case []any:
		if i, ok := index(key); ok && i < len(v) {
			return v[i]
		}
	case map[string]any:
		return v[unquoted(key)]
	}
	return nil
}

// each follows each.value to what its block is made for each of.
func (b *builder) each(s scope, steps []step, kinds []string) (f found) {
	if len(steps) < 2 || steps[1].name != "value" || s.each == nil {
		return f
	}
	f = b.follow(scope{in: s.in}, s.each, kinds)
	if len(steps) > 2 {
		for _, list := range [][]target{f.all, f.selected} {
			for i := range list {
				list[i].attr = steps[2].name
			}
		}
	}
	return f
}

// blocks returns the resources that a reference to a block names.
func (b *builder) blocks(in *instance, prefix string, steps []step) (list []target) {
	if len(steps) < 2 {
		return nil
	}
	attr := ""
	if len(steps) > 2 {
		attr = steps[2].name
	}
	for _, r := range b.byName[place{in.address, prefix + steps[0].name + "." + steps[1].name}] {
		if steps[1].key == "" || steps[1].key == r.key {
			list = append(list, target{r: r, attr: attr, keyed: steps[1].key != ""})
		}
	}
	return list
}

// locals returns the resources of the kinds that are made in a module: what a local value
// that is not known before apply may be.
func (b *builder) locals(in *instance, ref string, kinds []string) (list []target) {
	for _, r := range b.all {
		if r.in == in && !r.data && slices.Contains(kinds, r.kind) && !r.root().get("id").known() {
			list = append(list, target{r: r, ref: ref})
		}
	}
	return list
}

// variable follows an input of a module to the call of it.
func (b *builder) variable(s scope, steps []step, kinds []string) found {
	if len(steps) < 2 || s.in.parent == nil || s.in.call == nil {
		return found{opaque: []string{joined(steps)}}
	}
	return b.follow(scope{s.in.parent, s.in.key, s.in.call.ForEachExpression}, s.in.call.Expressions[steps[1].name], kinds)
}

// output follows an output of a module, all of them where a reference names none. Of a
// module that there is several times, those with one of the keys are selected.
func (b *builder) output(s scope, steps []step, kinds, keys []string) (f found) {
	if len(steps) < 2 {
		return f
	}
	children := s.in.children[steps[1].name]
	if call, ok := s.in.config.ModuleCalls[steps[1].name]; ok && len(children) == 0 && call.ForEachExpression == nil && call.CountExpression == nil {
		children = []*instance{b.module(append(pathOf(s.in), step{name: steps[1].name}))}
	}
	if len(steps) == 2 { // which output it is is lost: local values may be of others
		if f = b.outputsOf(steps, children, nil, keys); slices.ContainsFunc(f.all, func(t target) bool { return slices.Contains(kinds, t.r.kind) }) {
			return f
		}
	}
	return b.outputsOf(steps, children, kinds, keys)
}

// outputsOf follows the outputs that a reference means in instances of a module.
func (b *builder) outputsOf(steps []step, children []*instance, kinds, keys []string) (f found) {
	for _, child := range children {
		if steps[1].key != "" && steps[1].key != child.key {
			continue
		}
		for _, name := range outputs(child.config, steps) {
			down := b.follow(scope{in: child}, child.config.Outputs[name].Expression, kinds)
			f.all, f.opaque = append(f.all, down.all...), append(f.opaque, down.opaque...)
			if steps[1].key != "" || len(children) == 1 || slices.Contains(keys, child.key) {
				f.selected = append(f.selected, down.selected...)
			}
		}
	}
	return f
}

// outputs returns the names of the outputs that a reference means.
func outputs(m *configModule, steps []step) []string {
	if len(steps) > 2 {
		return []string{steps[2].name}
	}
	var names []string
	for name := range m.Outputs {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// pathOf returns the steps of a module's address.
func pathOf(in *instance) []step {
	var path []step
	for ; in.parent != nil; in = in.parent {
		steps := split(in.address)
		path = append(path, steps[len(steps)-1])
	}
	slices.Reverse(path)
	return path
}

func joined(steps []step) string {
	names := make([]string, len(steps))
	for i, s := range steps {
		names[i] = s.name
	}
	return strings.Join(names, ".")
}

// choose keeps, of several resources of one block, those with one of the keys; where none
// has one and a key is a number, the one at that place in their order, as element and values
// do.
func choose(list []target, keys ...string) (kept []target) {
	groups, seen := map[place][]*resource{}, map[*resource]bool{}
	for _, t := range list {
		if at := (place{t.r.in.address, t.r.configured()}); !seen[t.r] {
			seen[t.r], groups[at] = true, append(groups[at], t.r)
		}
	}
	chosen := map[*resource]bool{}
	for _, group := range groups {
		exact := slices.DeleteFunc(slices.Clone(group), func(r *resource) bool { return !slices.Contains(keys, r.key) })
		switch i := slices.IndexFunc(keys, func(key string) bool { _, ok := index(key); return ok }); {
		case len(exact) > 0:
			group = exact
		case len(group) > 1 && i >= 0:
			n, _ := index(keys[i])
			group = group[n%len(group) : n%len(group)+1]
		}
		for _, r := range group {
			chosen[r] = true
		}
	}
	for _, t := range list {
		if t.keyed || chosen[t.r] {
			kept = append(kept, t)
		}
	}
	return kept
}

// index reads a key of count.
func index(key string) (int, bool) {
	n := 0
	for _, c := range key {
		if c < '0' || c > '9' || n > 1<<20 {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, key != ""
}
