package awscli

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"
)

// JSON prints v as --output json does: indented by four, members in their
// order, no character escaped that need not be. A structure without members
// prints nothing, nil prints null. Errors are w's, or that v can't be printed.
func JSON(w io.Writer, v any) error {
	tree, err := valueOf(v)
	if err != nil {
		return err
	}
	if o, ok := tree.(*object); ok && len(o.keys) == 0 {
		return nil
	}
	var b bytes.Buffer
	writeJSON(&b, tree, "\n")
	b.WriteByte('\n')
	_, err = w.Write(b.Bytes())
	return err
}

// writeJSON writes v, whose lines begin with newline: a line break and the indentation.
func writeJSON(b *bytes.Buffer, v any, newline string) {
	deeper := newline + "    "
	switch v := v.(type) {
	case nil:
		b.WriteString("null")
	case bool:
		b.WriteString(strconv.FormatBool(v))
	case string:
		writeString(b, v)
	case []any:
		for i, each := range v {
			b.WriteString(comma(i, "["))
			b.WriteString(deeper)
			writeJSON(b, each, deeper)
		}
		closeJSON(b, len(v), newline, "[]")
	case *object:
		for i, key := range v.keys {
			b.WriteString(comma(i, "{"))
			b.WriteString(deeper)
			writeString(b, key)
			b.WriteString(": ")
			writeJSON(b, v.values[key], deeper)
		}
		closeJSON(b, len(v.keys), newline, "{}")
	default:
		b.WriteString(repr(v))
	}
}

// comma is what stands before entry i.
func comma(i int, first string) string {
	if i == 0 {
		return first
	}
	return ","
}

// closeJSON ends a list or structure of n entries.
func closeJSON(b *bytes.Buffer, n int, newline, brackets string) {
	if n == 0 {
		b.WriteString(brackets)
		return
	}
	b.WriteString(newline)
	b.WriteString(brackets[1:])
}

// writeString writes s as Python's json does without ensure_ascii. encoding/json
// would escape U+2028, which the CLI prints as it is.
func writeString(b *bytes.Buffer, s string) {
	b.WriteByte('"')
	for _, r := range s {
		switch r {
		case '"', '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case '\n':
			b.WriteString(`\n`)
		case '\r':
			b.WriteString(`\r`)
		case '\t':
			b.WriteString(`\t`)
		case '\b':
			b.WriteString(`\b`)
		case '\f':
			b.WriteString(`\f`)
		default:
			if r < 0x20 {
				fmt.Fprintf(b, `\u%04x`, r)
			} else {
				b.Write(utf8.AppendRune(nil, r))
			}
		}
	}
	b.WriteByte('"')
}
