package awscli

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Text prints v as --output text does: a structure's scalars on one line, by
// name and with tabs between, what lies deeper on lines of its own that begin
// with the member's name in capitals.
//
// Errors are w's, that v can't be printed, or what makes the CLI fail as well:
// a list of structures with something else in it.
func Text(w io.Writer, v any) error {
	tree, err := valueOf(v)
	if err != nil {
		return err
	}
	var p textPrinter
	if err := p.value(tree, "", nil); err != nil {
		return fmt.Errorf("awscli: text: %w", err)
	}
	_, err = w.Write(p.Bytes())
	return err
}

type textPrinter struct{ bytes.Buffer }

// value prints v, the member called name ("" at the top and in lists of lists).
// columns are the scalars of the list that v is an entry of, nil outside of one.
func (p *textPrinter) value(v any, name string, columns []string) error {
	switch v := v.(type) {
	case *object:
		return p.object(v, name, columns)
	case []any:
		return p.list(v, name)
	}
	p.line(str(v))
	return nil
}

func (p *textPrinter) line(words ...string) {
	p.WriteString(strings.Join(words, "\t"))
	p.WriteByte('\n')
}

func (p *textPrinter) list(list []any, name string) error {
	if slices.ContainsFunc(list, isObject) {
		columns, _, err := splitAll(list)
		for i := 0; err == nil && i < len(list); i++ {
			err = p.value(list[i], name, columns)
		}
		return err
	}
	p.scalars(slices.DeleteFunc(slices.Clone(list), isList), name)
	for _, each := range list {
		if isList(each) {
			if err := p.value(each, name, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// scalars prints a list of scalars: one line, or a line each under the member's name.
func (p *textPrinter) scalars(list []any, name string) {
	if len(list) == 0 {
		return
	}
	words := make([]string, len(list))
	for i := range list {
		words[i] = str(list[i])
	}
	if name == "" {
		p.line(words...)
		return
	}
	for _, word := range words {
		p.line(strings.ToUpper(name), word)
	}
}

func (p *textPrinter) object(o *object, name string, columns []string) error {
	var words, deeper []string
	if columns == nil { // in no list
		columns, deeper = split(o)
	} else {
		for _, key := range o.keys {
			if !slices.Contains(columns, key) {
				deeper = append(deeper, key)
			}
		}
		slices.Sort(deeper)
	}
	for _, key := range columns {
		word := ""
		if value, ok := o.values[key]; ok {
			word = str(value)
		}
		words = append(words, word)
	}
	if len(words) > 0 {
		if name != "" {
			words = slices.Insert(words, 0, strings.ToUpper(name))
		}
		p.line(words...)
	}
	for _, key := range deeper {
		if err := p.value(o.values[key], key, nil); err != nil {
			return err
		}
	}
	return nil
}
