package plan

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// node is a value in a resource: what it is, what of it is not known, and the
// expression that it comes of.
type node struct {
	r              *resource
	path           string
	value, unknown any
	expr           any
}

// root returns the node of all of a resource.
func (r *resource) root() node {
	return node{r: r, value: map[string]any(r.values), unknown: r.unknown, expr: map[string]any(r.config.Expressions)}
}

// get returns an attribute, or a block, of a resource or a block.
func (n node) get(name string) node {
	c := node{r: n.r, path: name}
	if n.path != "" {
		c.path = n.path + "." + name
	}
	if m, ok := n.value.(map[string]any); ok {
		c.value = m[name]
	}
	switch u := n.unknown.(type) {
	case bool:
		c.unknown = u
	case map[string]any:
		c.unknown = u[name]
	}
	switch e := n.expr.(type) {
	case map[string]any:
		if isExpression(e) { // an attribute that is written as blocks
			c.expr = e
		} else {
			c.expr = e[name]
		}
	case []any: // a set of blocks: which one it is nobody knows
		var refs []any
		for _, one := range e {
			if m, ok := one.(map[string]any); ok {
				for _, ref := range references(m[name]) {
					refs = append(refs, ref)
				}
			}
		}
		c.expr = map[string]any{"references": refs}
	}
	return c
}

// isExpression tells an expression from a block.
func isExpression(e map[string]any) bool {
	refs, isRefs := e["references"].([]any)
	_, isConstant := e["constant_value"]
	return isConstant || isRefs && (len(refs) == 0 || isText(refs[0]))
}

func isText(v any) bool { _, ok := v.(string); return ok }

// references returns what an expression refers to; of blocks, what all of theirs do.
func references(expr any) []string {
	switch e := expr.(type) {
	case map[string]any:
		list, _ := e["references"].([]any)
		var refs []string
		for _, x := range list {
			if s, ok := x.(string); ok {
				refs = append(refs, s)
			}
		}
		return refs
	case []any:
		var refs []string
		for _, x := range e {
			refs = append(refs, references(x)...)
		}
		return refs
	}
	return nil
}

// known reports whether the value is known before apply.
func (n node) known() bool { return n.unknown != true }

// null reports whether the value is known to be absent.
func (n node) null() bool { return n.known() && n.value == nil }

// text returns a string, a number as it is written; "" where it is neither, or not known.
func (n node) text() string {
	switch v := n.value.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}

func (n node) bool() bool {
	switch v := n.value.(type) {
	case bool:
		return v
	case string:
		return v == "true"
	}
	return false
}

// number returns a number, and whether it is one that an int32 holds.
func (n node) number() (int32, bool) {
	i, err := strconv.ParseInt(n.text(), 10, 32)
	return int32(i), err == nil
}

// list returns the elements of a list or a set, of a block that there is once too.
func (n node) list() []node {
	values, ok := n.value.([]any)
	if !ok {
		if _, one := n.value.(map[string]any); one {
			return []node{n}
		}
		return nil
	}
	blocks, _ := n.expr.([]any)
	unknown, _ := n.unknown.([]any)
	list := make([]node, len(values))
	for i, v := range values {
		list[i] = node{r: n.r, path: fmt.Sprintf("%s[%d]", n.path, i), value: v, expr: n.expr}
		if n.unknown == true {
			list[i].unknown = true
		} else if i < len(unknown) {
			list[i].unknown = unknown[i]
		}
		if len(values) == 1 && len(blocks) == 1 {
			list[i].expr = blocks[0]
		}
	}
	return list
}

// place is where the node is, for messages and as the id of what nobody knows.
func (n node) place() string { return n.r.address + "." + n.path }
