package awscli

import (
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/jmespath/go-jmespath"
)

// Query returns what the JMESPath expression, as given to --query, picks from
// v, for the printers of this package and for further queries: nil where it
// picks nothing. Structures keep the order of their members, those that the
// expression makes ({Id: VpcId}) have theirs in the order in which it names them.
//
// An expression that asks for all of a structure's members without naming them
// (values.*, keys(), values()) is refused: their order is not kept on the way.
// So is one that does not parse, or that a function refuses; sort_by of nil is
// nil here, where the CLI refuses it. Numbers are without kind: a whole number
// is printed as an integer even where the shape has a fraction (2.0).
//
// https://jmespath.org/specification.html
func Query(v any, expression string) (any, error) {
	tree, err := valueOf(v)
	if err != nil {
		return nil, err
	}
	names, err := namesIn(expression)
	if err != nil {
		return nil, fmt.Errorf("awscli: query %q: %w", expression, err)
	}
	q := query{names: names, known: map[uintptr]original{}}
	found, err := search(expression, q.plain(tree))
	if err != nil {
		return nil, fmt.Errorf("awscli: query %q: %w", expression, err)
	}
	return q.restore(found), nil
}

// search is the library's Search, which panics on some of the expressions that
// do not parse, such as an identifier followed by a letter beyond ASCII (v0.4.0).
func search(expression string, plain any) (found any, err error) {
	defer func() {
		if broken := recover(); broken != nil {
			err = fmt.Errorf("SyntaxError: %v", broken)
		}
	}()
	return jmespath.Search(expression, plain)
}

// query remembers what the maps that JMESPath works on were made of.
type query struct {
	names []string // of the structures that the expression makes
	known map[uintptr]original
}

// original is a structure and the map that stands for it, which is held here
// so that its address stays its own.
type original struct {
	object *object
	plain  map[string]any
}

// plain returns v in the types that the library knows.
func (q *query) plain(v any) any {
	switch v := v.(type) {
	case int64:
		return float64(v)
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = q.plain(v[i])
		}
		return list
	case *object:
		m := make(map[string]any, len(v.keys))
		for _, key := range v.keys {
			m[key] = q.plain(v.values[key])
		}
		q.known[reflect.ValueOf(m).Pointer()] = original{v, m}
		return m
	}
	return v
}

// restore returns a result in the types of this package.
func (q *query) restore(v any) any {
	switch v := v.(type) {
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return int64(v)
		}
		return v
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = q.restore(v[i])
		}
		return list
	case []string: // join's and sort's
		list := make([]any, len(v))
		for i := range v {
			list[i] = v[i]
		}
		return list
	case map[string]any:
		if known, ok := q.known[reflect.ValueOf(v).Pointer()]; ok {
			return known.object
		}
		return q.made(v)
	}
	return v
}

// made orders a structure that the expression made: its members as they are
// named there, others behind them by name.
func (q *query) made(m map[string]any) *object {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	slices.SortStableFunc(names, func(a, b string) int { return q.rank(a) - q.rank(b) })
	o := newObject()
	for _, name := range names {
		o.put(name, q.restore(m[name]))
	}
	return o
}

func (q *query) rank(name string) int {
	if i := slices.Index(q.names, name); i >= 0 {
		return i
	}
	return len(q.names)
}

// token finds, outside of literals, what bears on the order of members: a name
// that is given to one, a call, and the star of a value projection.
var token = regexp.MustCompile(
	"`(?:[^`\\\\]|\\\\.)*`" + `|'(?:[^'\\]|\\.)*'` + // literals
		`|\[\s*\*\s*\]` + // a list's projection
		`|(?P<quoted>"(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"` +
		`|(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*:` +
		`|(?P<call>keys|values)\s*\(|[A-Za-z_][A-Za-z0-9_]*` +
		`|(?P<star>\*)`)

// namesIn lists the names that an expression gives to members, each where it
// stands first. It refuses what would show members in no order.
func namesIn(expression string) ([]string, error) {
	var names []string
	for _, m := range token.FindAllStringSubmatch(expression, -1) {
		quoted, name, call, star := m[1], m[2], m[3], m[4]
		switch {
		case call != "":
			return nil, fmt.Errorf("%s() is not supported, the order of members is not kept", call)
		case star != "":
			return nil, fmt.Errorf("* of a structure is not supported, the order of members is not kept")
		case quoted != "":
			names = append(names, strings.Trim(quoted, `"`))
		case name != "":
			names = append(names, name)
		}
	}
	return names, nil
}
