package awscli

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"

	"golang.org/x/text/width"
)

// padding is what a column has beside its text.
const padding = 4

// section is one titled part of a table: a header perhaps, and rows.
type section struct {
	title   *string
	indent  int // depth: the number of bars at each side
	headers []string
	rows    [][]string
	widths  []int // of each column's widest text
	columns int   // of the first row or header, -1 before there is one
}

// head puts the names of the columns above the rows. A later header takes the
// place of an earlier one.
func (s *section) head(names []string) error {
	if len(names) > len(s.widths) && len(s.widths) > 0 {
		return fmt.Errorf("a header of %d columns in a section of %d", len(names), len(s.widths))
	}
	s.widen(names)
	if s.columns < 0 {
		s.columns = len(names)
	}
	s.headers = names
	return nil
}

func (s *section) add(row []string) error {
	if s.columns < 0 {
		s.columns = len(row)
	}
	if len(row) != s.columns {
		return fmt.Errorf("a row of %d columns in a section of %d", len(row), s.columns)
	}
	s.rows = append(s.rows, row)
	s.widen(row)
	return nil
}

func (s *section) widen(row []string) {
	if len(s.widths) == 0 {
		s.widths = make([]int, len(row))
	}
	for i, text := range row {
		s.widths[i] = max(s.widths[i], cellsWide(text))
	}
}

// turn makes a section of one row a list of names and values.
func (s *section) turn() *section {
	if len(s.rows) != 1 || len(s.headers) == 0 {
		return s
	}
	turned := &section{title: s.title, indent: s.indent, columns: 2}
	for i, name := range s.headers[:min(len(s.headers), len(s.rows[0]))] {
		row := []string{name, s.rows[0][i]}
		turned.rows = append(turned.rows, row)
		turned.widen(row)
	}
	return turned
}

// wide is the section's width with its frame.
func (s *section) wide() int {
	const frame = 2
	total := frame + 2*s.indent
	for _, w := range s.widths {
		total += w + padding
	}
	title := len("None") // what the CLI measures where there is none
	if s.title != nil {
		title = cellsWide(*s.title)
	}
	return max(title+frame+2*s.indent, total)
}

// scaled are the widths of the columns, frame included, stretched to fill a
// width of total. What rounding leaves over goes to the last columns, what it
// takes too much comes off the first.
func (s *section) scaled(total int) []int {
	sum := 0
	for _, w := range s.widths {
		sum += w + padding
	}
	scaled := make([]int, len(s.widths))
	over := -total
	for i, w := range s.widths {
		scaled[i] = int(math.RoundToEven(float64(total) / float64(sum) * float64(w+padding)))
		over += scaled[i]
	}
	if len(scaled) == 0 {
		return nil
	}
	for i := 0; over > 0; i = (i + 1) % len(scaled) {
		scaled[i]--
		over--
	}
	for i := len(scaled) - 1; over < 0; i = (i + len(scaled) - 1) % len(scaled) {
		scaled[i]++
		over++
	}
	return scaled
}

// render draws the table.
func (t *table) render(columns int) []byte {
	total := t.wide()
	if total > columns {
		for i, s := range t.sections {
			t.sections[i] = s.turn()
		}
		total = t.wide()
	}
	var b bytes.Buffer
	b.WriteString(strings.Repeat("-", total) + "\n")
	for _, s := range t.sections {
		bars := strings.Repeat("|", s.indent)
		for _, line := range s.lines(total - 2*s.indent) {
			b.WriteString(bars + line + bars + "\n")
		}
	}
	return b.Bytes()
}

func (t *table) wide() int {
	widest := slices.MaxFunc(t.sections, func(a, b *section) int { return a.wide() - b.wide() })
	return widest.wide()
}

// lines draws the section within a width of total.
func (s *section) lines(total int) []string {
	var lines []string
	if s.title != nil && *s.title != "" {
		lines = append(lines, centre(*s.title, "|", total))
		if len(s.headers) == 0 && len(s.rows) == 0 {
			lines = append(lines, rule(total))
		}
	}
	widths := s.scaled(total)
	if len(s.headers) > 0 {
		lines = append(lines, rule(widths...), heads(s.headers, widths))
	}
	if len(s.rows) == 0 || len(widths) == 0 {
		return lines
	}
	lines = append(lines, rule(widths...))
	for _, row := range s.rows {
		lines = append(lines, cellsOf(row, widths))
	}
	return append(lines, rule(widths...))
}

// rule is a horizontal line with a cross at each edge of the columns.
func rule(widths ...int) string {
	line := "+"
	for i, w := range widths {
		if i == 0 {
			w-- // the first column has an edge at its left too
		}
		line += strings.Repeat("-", max(w-1, 0)) + "+"
	}
	return line
}

// heads draws the names of the columns.
func heads(names []string, widths []int) string {
	line := ""
	for i, name := range names[:min(len(names), len(widths))] {
		line += centre(name, edge(i), widths[i])
	}
	return line
}

// cellsOf draws a row.
func cellsOf(row []string, widths []int) string {
	const margin = 2
	line := ""
	for i, text := range row[:min(len(row), len(widths))] {
		left := edge(i)
		room := widths[i] - len(left) - cellsWide(text) - len("|")
		if room >= margin {
			left += strings.Repeat(" ", margin)
			room -= margin
		}
		line += left + text + strings.Repeat(" ", max(room, 0)) + "|"
	}
	return line
}

// edge is what stands at the left of column i; the others have their left neighbour's.
func edge(i int) string {
	if i == 0 {
		return "|"
	}
	return ""
}

// centre draws text in the middle of a cell of that length, edges included. An
// odd place goes to the right, and to the left the space that has no edge to fill it.
func centre(text, left string, length int) string {
	before := length/2 - cellsWide(text)/2 - 1
	after := length - len("|") - len(left) - before - cellsWide(text)
	return left + strings.Repeat(" ", max(before, 0)) + text + strings.Repeat(" ", max(after, 0)) + "|"
}

// cellsWide is the number of a terminal's cells that text takes: two for East
// Asian wide, full-width and, as the CLI counts, ambiguous characters, and one
// for any other (Unicode Standard Annex 11).
func cellsWide(text string) int {
	n := 0
	for _, r := range text {
		switch width.LookupRune(r).Kind() {
		case width.EastAsianWide, width.EastAsianFullwidth, width.EastAsianAmbiguous:
			n += 2
		default:
			n++
		}
	}
	return n
}
