package picture

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/vpcsim/vpcsim/trace"
)

// cellWidth is the most characters of a column of plain text.
const cellWidth = 30

// WriteLanes draws the path as plain text: the lanes above, the request's row, and the
// reply's below, both with what was decided under each station.
func (p *Path) WriteLanes(out io.Writer) error {
	cols := p.layout()
	t := textPlan{cols: cols, widths: make([]int, len(cols))}
	request, reply := t.cells(true), t.cells(false)
	t.widen(request)
	t.widen(reply)
	var b strings.Builder
	b.WriteString(p.Title + "\n")
	t.header(&b)
	t.row(&b, request, true)
	if len(p.Reply) > 0 {
		t.rule(&b)
		t.row(&b, reply, false)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// Lanes returns what WriteLanes writes.
func (p *Path) Lanes() string {
	var b strings.Builder
	p.WriteLanes(&b)
	return b.String()
}

type textPlan struct {
	cols   []column
	widths []int
}

// cells returns, for each column, the lines under its station, the name first.
func (t *textPlan) cells(request bool) [][]string {
	cells := make([][]string, len(t.cols))
	for i := range t.cols {
		s := t.cols[i].request
		if !request {
			s = t.cols[i].reply
		}
		if s != nil {
			cells[i] = s.lines()
		}
	}
	return cells
}

// lines are the station's name and, under it, its decisions.
func (s *Station) lines() []string {
	name := s.title()
	if s.Dead != trace.None {
		name = "✗ " + name
	}
	lines := wrap(name, cellWidth)[:1]
	for _, m := range s.Marks {
		lines = append(lines, indent(m.sign()+" ", wrap(m.Text, cellWidth-2))...)
	}
	if s.Change != "" {
		lines = append(lines, indent("» ", wrap(s.Change, cellWidth-2))...)
	}
	if s.TTL != s.TTLBefore && s.TTL != 0 && s.TTLBefore != 0 {
		lines = append(lines, fmt.Sprintf("  TTL %d", s.TTL))
	}
	if s.Dead != trace.None {
		lines = append(lines, indent("✗ ", wrap(s.Dead.Code(), cellWidth-2))...)
	}
	return lines
}

func (m Mark) sign() string {
	if m.Bad {
		return "✗"
	}
	return "✓"
}

func indent(first string, lines []string) []string {
	for i := range lines {
		lines[i] = first + lines[i]
		first = strings.Repeat(" ", utf8.RuneCountInString(first))
	}
	return lines
}

// wrap breaks text at spaces into lines of at most width characters; a longer word is cut.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		for utf8.RuneCountInString(word) > width {
			if line != "" {
				lines, line = append(lines, line), ""
			}
			r := []rune(word)
			at := width
			for i := width; i > width/2; i-- { // codes break behind an underscore
				if r[i-1] == '_' {
					at = i
					break
				}
			}
			lines, word = append(lines, string(r[:at])), string(r[at:])
		}
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= width:
			line += " " + word
		default:
			lines, line = append(lines, line), word
		}
	}
	if line != "" || len(lines) == 0 {
		lines = append(lines, line)
	}
	return lines
}

func (t *textPlan) widen(cells [][]string) {
	for i, c := range cells {
		for _, l := range c {
			t.widths[i] = max(t.widths[i], utf8.RuneCountInString(l))
		}
	}
}

// gap is the room between columns, in which the arrows run.
const gap = 6

// header writes the lanes; one that is longer than its columns widens the last of them.
func (t *textPlan) header(b *strings.Builder) {
	var line strings.Builder
	for _, l := range lanes(t.cols) {
		width := 0
		for i := l.from; i < l.end; i++ {
			width += t.widths[i]
		}
		width += (l.end - l.from - 1) * gap
		name := "[" + l.name + "]"
		if n := utf8.RuneCountInString(name); n > width {
			t.widths[l.end-1] += n - width
			width = n
		}
		line.WriteString(pad(name, width) + strings.Repeat(" ", gap))
	}
	b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
}

func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(s)))
}

func (t *textPlan) rule(b *strings.Builder) {
	width := -gap
	for _, w := range t.widths {
		width += w + gap
	}
	b.WriteString(strings.Repeat("┄", max(width, 1)) + "\n")
}

// row writes one direction: the stations with arrows between them, then their lines.
func (t *textPlan) row(b *strings.Builder, cells [][]string, request bool) {
	first, last := -1, -1
	height := 0
	for i, c := range cells {
		if c != nil {
			if first < 0 {
				first = i
			}
			last = i
			height = max(height, len(c))
		}
	}
	for k := range height {
		var line strings.Builder
		for i, c := range cells {
			text := ""
			if k < len(c) {
				text = c[k]
			}
			inside := k == 0 && i >= first && i < last
			if k == 0 && c == nil && i > first && i < last {
				line.WriteString(strings.Repeat("─", t.widths[i]))
			} else if inside {
				line.WriteString(text + shaft(t.widths[i]-utf8.RuneCountInString(text), request))
			} else {
				line.WriteString(pad(text, t.widths[i]))
			}
			line.WriteString(arrow(inside, request, i+1 < len(cells) && cells[i+1] != nil, c != nil))
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
}

// shaft is the arrow's part beside the text of a station; that of a reply has the head.
func shaft(width int, request bool) string {
	head := " "
	if !request {
		head = " ◀"
	}
	r := []rune(head + strings.Repeat("─", max(0, width)))
	return string(r[:max(0, width)])
}

// arrow is the room behind a column: of the row of stations a piece of the line, which
// in a request has its head where a station stands at its end.
func arrow(inside, request, next, here bool) string {
	switch {
	case !inside:
		return strings.Repeat(" ", gap)
	case request && next:
		return strings.Repeat("─", gap-2) + "▶ "
	case !request && here && next:
		return strings.Repeat("─", gap-1) + " "
	}
	return strings.Repeat("─", gap)
}
