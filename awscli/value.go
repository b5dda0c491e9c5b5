package awscli

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// The printers work on the few types that a Python program such as the CLI has
// after reading an answer: nil, bool, int64, float64, string, []any, *object.

// object is a structure with its members in order.
type object struct {
	keys   []string
	values map[string]any
}

func (o *object) put(key string, value any) {
	if _, ok := o.values[key]; !ok {
		o.keys = append(o.keys, key)
	}
	o.values[key] = value
}

func newObject() *object {
	return &object{values: map[string]any{}}
}

// valueOf returns v in the types of this package. Absent members are left out.
// An error names a type that the CLI could not hold either.
func valueOf(v any) (any, error) {
	switch v := v.(type) {
	case *object, nil:
		return v, nil
	case []any:
		return sequence(reflect.ValueOf(v))
	}
	return reflected(reflect.ValueOf(v))
}

func reflected(v reflect.Value) (any, error) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil, nil
		}
		if o, ok := v.Interface().(*object); ok {
			return o, nil
		}
		return reflected(v.Elem())
	case reflect.Struct:
		return structure(v)
	case reflect.Slice, reflect.Array:
		return sequence(v)
	case reflect.String:
		return v.String(), nil
	case reflect.Bool:
		return v.Bool(), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return v.Int(), nil
	case reflect.Float32, reflect.Float64:
		return v.Float(), nil
	}
	return nil, fmt.Errorf("awscli: can't print a %s", v.Type())
}

// structure reads a struct's exported fields under their json names, without
// those that are nil.
func structure(v reflect.Value) (any, error) {
	o := newObject()
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "-" || absent(v.Field(i)) {
			continue
		}
		if name == "" {
			name = f.Name
		}
		value, err := reflected(v.Field(i))
		if err != nil {
			return nil, err
		}
		o.put(name, value)
	}
	return o, nil
}

func absent(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Slice:
		return v.IsNil()
	}
	return false
}

func sequence(v reflect.Value) (any, error) {
	list := make([]any, v.Len())
	for i := range list {
		value, err := reflected(v.Index(i))
		if err != nil {
			return nil, err
		}
		list[i] = value
	}
	return list, nil
}

// scalar reports whether v is neither a list nor a structure.
func scalar(v any) bool {
	switch v.(type) {
	case []any, *object:
		return false
	}
	return true
}

// empty reports whether v is one of the values that Python takes for false.
func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case []any:
		return len(v) == 0
	case *object:
		return len(v.keys) == 0
	}
	return v == false || v == int64(0) || v == 0.0 || v == ""
}

// str is Python's str(v).
func str(v any) string {
	if text, ok := v.(string); ok {
		return text
	}
	return repr(v)
}

// repr is Python's repr(v). Lists and structures come into a cell or column so
// when a member is a scalar in one structure of a list and not in another.
func repr(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		if v {
			return "True"
		}
		return "False"
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return float(v)
	case string:
		return quote(v)
	case []any:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = repr(v[i])
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case *object:
		parts := make([]string, len(v.keys))
		for i, key := range v.keys {
			parts[i] = quote(key) + ": " + repr(v.values[key])
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	panic(fmt.Sprintf("awscli: a value of type %T", v))
}

// float writes f as Python does: the shortest digits that give f again, with an
// exponent below 1e-4 and from 1e16, and never without a point otherwise.
func float(f float64) string {
	exponent := strconv.FormatFloat(f, 'e', -1, 64)
	_, power, _ := strings.Cut(exponent, "e")
	if n, _ := strconv.Atoi(power); n < -4 || n >= 16 {
		return exponent
	}
	text := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

// quote is Python's repr of a string.
func quote(s string) string {
	mark := '\''
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		mark = '"'
	}
	var b strings.Builder
	b.WriteRune(mark)
	for _, r := range s {
		switch {
		case r == mark || r == '\\':
			b.WriteRune('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	b.WriteRune(mark)
	return b.String()
}

// split sorts the keys of o into those of scalars and the others, each sorted by name.
func split(o *object) (scalars, others []string) {
	for _, key := range o.keys {
		if scalar(o.values[key]) {
			scalars = append(scalars, key)
		} else {
			others = append(others, key)
		}
	}
	slices.Sort(scalars)
	slices.Sort(others)
	return scalars, others
}

// splitAll does the same over the structures of a list: the keys that hold a
// scalar in any of them, and those that hold something else in any of them.
func splitAll(list []any) (scalars, others []string, err error) {
	scalars = []string{}
	for _, each := range list {
		o, ok := each.(*object)
		if !ok {
			return nil, nil, fmt.Errorf("a list of structures holds %s", repr(each))
		}
		s, d := split(o)
		scalars, others = append(scalars, s...), append(others, d...)
	}
	slices.Sort(scalars)
	slices.Sort(others)
	return slices.Compact(scalars), slices.Compact(others), nil
}

func isObject(v any) bool {
	_, ok := v.(*object)
	return ok
}

func isList(v any) bool {
	_, ok := v.([]any)
	return ok
}
