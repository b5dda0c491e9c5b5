package plan

import (
	"fmt"
	"slices"
	"strings"
)

// attributeOf is an attribute of a resource whose value is being found.
type attributeOf struct {
	r    *resource
	attr string
}

// find returns the id, ARN or name of a resource that an attribute holds, "" of one that is
// null. Where it is not known it says why, and returns the place of the attribute.
func (b *builder) find(n node) (id, why string) {
	if n.known() {
		return n.text(), ""
	}
	values, why := b.resolve(n, 1)
	if len(values) != 1 {
		return n.place(), "known after apply, and " + why
	}
	return values[0], ""
}

// id is find that tells what is not known.
func (b *builder) id(n node) (id string, ok bool) {
	id, why := b.find(n)
	if why != "" {
		b.note(n.r, n.path, why)
	}
	return id, why == ""
}

// ids returns the ids that a list holds. ok is false where not all are known.
func (b *builder) ids(n node) (ids []string, ok bool) {
	want := 0
	for _, e := range n.list() {
		if !e.known() {
			want++
		} else if e.text() != "" {
			ids = append(ids, e.text())
		}
	}
	switch {
	case n.known() && want == 0:
		return ids, true
	case !n.known():
		want = -1
	}
	values, why := b.resolve(n, want)
	if values == nil {
		b.note(n.r, n.path, "known after apply, and "+why)
		return ids, false
	}
	for _, v := range values {
		if !slices.Contains(ids, v) {
			ids = append(ids, v)
		}
	}
	return ids, true
}

// resolve finds the values of an expression by what it refers to: want of them, -1 is any
// number. Where the references leave a choice it returns nil, and why.
func (b *builder) resolve(n node, want int) (values []string, why string) {
	key := attributeOf{n.r, n.path}
	if b.visiting[key] {
		return nil, "its expression refers to itself"
	}
	b.visiting[key] = true
	defer delete(b.visiting, key)
	name := attribute(n.path)
	kinds := wanted[name]
	f := b.follow(scope{n.r.in, n.r.key, n.r.config.ForEachExpression}, n.expr, kinds)
	selected := b.valuesOf(f.selected, name, kinds)
	if len(selected) == want || want < 0 && len(selected) > 0 {
		if len(f.selected) < len(f.all) {
			b.take(Note{Address: n.r.block(), Path: n.path, Reason: "chosen among several by the key that its expression refers to, as far as plans show expressions", Assumed: true})
		}
		return b.told(n, f.selected, selected), ""
	}
	all := b.valuesOf(f.all, name, kinds)
	if len(all) == want {
		return b.told(n, f.all, all), ""
	}
	if len(all) == 0 {
		return nil, b.nowhere(n, &f)
	}
	return nil, fmt.Sprintf("its expression may be of %s", several(slices.DeleteFunc(f.all, func(t target) bool { return len(b.valuesOf([]target{t}, name, kinds)) == 0 })))
}

// candidates returns what a value that is not known before apply may be.
func (b *builder) candidates(n node) []string {
	name := attribute(n.path)
	f := b.follow(scope{n.r.in, n.r.key, n.r.config.ForEachExpression}, n.expr, wanted[name])
	return b.valuesOf(f.all, name, wanted[name])
}

// told notes what a local value was taken to be.
func (b *builder) told(n node, targets []target, values []string) []string {
	for _, t := range targets {
		if t.ref != "" {
			b.take(Note{Address: strings.TrimPrefix(t.r.in.address+"."+t.ref, "."), Reason: "plans do not show local values: taken for " + t.r.address + ", which its module makes", Assumed: true})
		}
	}
	return values
}

// nowhere says why references lead to nothing.
func (b *builder) nowhere(n node, f *found) string {
	switch {
	case len(f.opaque) > 0:
		return "what it refers to does not tell: " + strings.Join(f.opaque, ", ")
	case len(references(n.expr)) > 0:
		return "what it refers to does not tell: " + strings.Join(maximal(references(n.expr)), ", ")
	}
	return "the plan's configuration does not say what it refers to"
}

// several names resources that there is a choice of.
func several(list []target) string {
	var names []string
	for _, t := range list {
		if name := t.r.address; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) > 4 {
		names = append(names[:3], fmt.Sprintf("%d others", len(names)-3))
	}
	return strings.Join(names, ", ")
}

// attribute returns the last name of a path: security_groups of ingress[0].security_groups.
func attribute(path string) string {
	if i := strings.LastIndexByte(path, '.'); i >= 0 {
		path = path[i+1:]
	}
	if i := strings.IndexByte(path, '['); i >= 0 {
		path = path[:i]
	}
	return path
}

// valuesOf returns the values that targets have for an attribute of the name, each once.
// Of a resource of the kinds that is its identity, of another its attribute of that name.
func (b *builder) valuesOf(targets []target, name string, kinds []string) []string {
	var values []string
	for _, t := range targets {
		attr := t.attr
		switch {
		case attr == "" && slices.Contains(kinds, t.r.kind):
			attr = identityOf(t.r)
		case attr == "":
			attr = name
		case kinds != nil && attr != name && !idLike(t.r, attr, kinds): // of a route's many references, one that is for another member
			continue
		}
		for _, v := range b.value(t.r, attr) {
			if !slices.Contains(values, v) {
				values = append(values, v)
			}
		}
	}
	return values
}

// idLike reports whether an attribute of a resource may name one of the kinds: its own
// identity where it is one, or an attribute that names one.
func idLike(r *resource, attr string, kinds []string) bool {
	if other := alias[[2]string{r.kind, attr}]; other != "" {
		attr = other
	}
	if attr == identityOf(r) {
		return slices.Contains(kinds, r.kind)
	}
	for _, k := range wanted[attr] {
		if slices.Contains(kinds, k) {
			return true
		}
	}
	return false
}

func identityOf(r *resource) string {
	if attr := identity[r.kind]; attr != "" {
		return attr
	}
	return "id"
}

// value returns what an attribute of a resource holds: one value, those of a list, none
// where it is null or not known.
func (b *builder) value(r *resource, attr string) []string {
	n := r.root().get(attr)
	if n.known() && n.value != nil {
		if list := n.list(); list != nil {
			ids, _ := b.ids(n)
			return ids
		}
		if s := n.text(); s != "" {
			return []string{s}
		}
		return nil
	}
	key := [2]string{r.kind, attr}
	if other := alias[key]; other != "" {
		return b.value(r, other)
	}
	if prefix := made[key]; prefix != "" {
		return []string{newID(prefix, r.address, attr)}
	}
	if attr == identityOf(r) {
		if id := b.newIdentity(r); id != "" {
			return []string{id}
		}
	}
	if v := b.picked(r, attr); v != "" {
		return []string{v}
	}
	if n.known() {
		return nil
	}
	want := 1
	if strings.HasSuffix(attr, "s") {
		want = -1
	}
	values, _ := b.resolve(n, want)
	return values
}

// one returns the value of an attribute that has one, or one that stands for it.
func (b *builder) one(r *resource, attr string) string {
	if v := b.value(r, attr); len(v) == 1 {
		return v[0]
	}
	return newID(attr, r.address, attr)
}

// identify returns the id, ARN or name of a resource.
func (b *builder) identify(r *resource) string {
	if values := b.value(r, identityOf(r)); len(values) == 1 {
		return values[0]
	}
	return newID(strings.TrimPrefix(r.kind, "aws_"), r.address, "")
}

// newIdentity is the id or ARN of a resource that apply makes.
func (b *builder) newIdentity(r *resource) string {
	if prefix := prefixes[r.kind]; prefix != "" {
		return newID(prefix, r.address, "")
	}
	switch identity[r.kind] {
	case "arn":
		return b.newARN(r)
	case "name":
		return newID(strings.TrimPrefix(r.kind, "aws_"), r.address, "")
	}
	return ""
}
