package awscli

import (
	"fmt"
	"io"
	"slices"
)

// columnsWithoutTerminal is the width that the CLI assumes where it can't ask a terminal.
const columnsWithoutTerminal = 80

// Table prints v as --output table does without a terminal: within 80 columns
// where that can be done. See [TableWithin].
func Table(w io.Writer, operation string, v any) error {
	return TableWithin(w, columnsWithoutTerminal, operation, v)
}

// TableWithin prints v as --output table does on a terminal of that many
// columns, under the operation's name (DescribeRouteTables). Where the table is
// wider, every section of a single row is turned: a line for each member, name
// and value; it may still be wider then. An empty value prints nothing.
//
// Errors are w's, that v can't be printed, or what makes the CLI fail as well:
// lists of a list whose entries differ in their number of members, and a list
// of structures with something else in it.
func TableWithin(w io.Writer, columns int, operation string, v any) error {
	tree, err := valueOf(v)
	if err != nil {
		return err
	}
	var t table
	if err := t.build(&operation, tree, 0); err != nil {
		return fmt.Errorf("awscli: table of %s: %w", operation, err)
	}
	if len(t.sections) == 0 {
		return nil
	}
	_, err = w.Write(t.render(columns))
	return err
}

// table collects the sections of a table. Each section has a title of its own
// and, apart from the table's common width, columns of its own.
type table struct {
	sections []*section
}

// open begins a section. A nil title leaves the section without one.
func (t *table) open(title *string, indent int) {
	t.sections = append(t.sections, &section{title: title, indent: indent, columns: -1})
}

func (t *table) last() *section {
	return t.sections[len(t.sections)-1]
}

// build adds v. Without a title it goes on in the section that is open.
func (t *table) build(title *string, v any, indent int) error {
	if empty(v) {
		return nil
	}
	if title != nil {
		t.open(title, indent)
	}
	switch v := v.(type) {
	case *object:
		return t.object(v, indent)
	case []any:
		if isObject(v[0]) {
			return t.objects(v, indent, title)
		}
		return t.list(v)
	}
	return nil
}

// list adds a list that begins with no structure: a row for each entry.
func (t *table) list(list []any) error {
	for _, each := range list {
		var err error
		switch row, ok := cells(each); {
		case ok:
			err = t.last().add(row)
		default:
			err = t.build(nil, each, 0)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// cells is v as one row, if it can be one: a scalar, a list of scalars, and, as
// the CLI has it, the names in a structure.
func cells(v any) (row []string, ok bool) {
	switch v := v.(type) {
	case *object:
		return v.keys, true
	case []any:
		if slices.ContainsFunc(v, func(each any) bool { return !scalar(each) }) {
			return nil, false
		}
		for _, each := range v {
			row = append(row, str(each))
		}
		return row, true
	}
	return []string{str(v)}, true
}

// object adds a structure: a header and a row, and sections for what lies deeper.
func (t *table) object(o *object, indent int) error {
	keys, deeper := split(o)
	s := t.last()
	row := make([]string, len(keys))
	for i, key := range keys {
		row[i] = str(o.values[key])
	}
	switch len(keys) {
	case 0:
	case 1:
		if err := s.add([]string{keys[0], row[0]}); err != nil {
			return err
		}
	default:
		if err := s.head(keys); err != nil {
			return err
		}
		if err := s.add(row); err != nil {
			return err
		}
	}
	for _, key := range deeper {
		if err := t.build(&key, o.values[key], indent+1); err != nil {
			return err
		}
	}
	return nil
}

// objects adds a list of structures: a row each under one header, or a section
// each where any of them has something deeper.
func (t *table) objects(list []any, indent int, title *string) error {
	keys, deeper, err := splitAll(list)
	if err != nil {
		return err
	}
	if err := t.last().head(keys); err != nil {
		return err
	}
	for i, each := range list {
		if i > 0 && len(deeper) > 0 {
			t.open(title, indent)
			if err := t.last().head(keys); err != nil {
				return err
			}
		}
		if err := t.entry(each.(*object), keys, deeper, indent); err != nil {
			return err
		}
	}
	return nil
}

// entry adds one structure of a list.
func (t *table) entry(o *object, keys, deeper []string, indent int) error {
	row := make([]string, len(keys))
	for i, key := range keys {
		if value, ok := o.values[key]; ok {
			row[i] = str(value)
		}
	}
	if err := t.last().add(row); err != nil {
		return err
	}
	for _, key := range deeper {
		if value, ok := o.values[key]; ok {
			if err := t.build(&key, value, indent+1); err != nil {
				return err
			}
		}
	}
	return nil
}
