package picture

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/vpcsim/vpcsim/trace"
)

// Reason is why a packet does not get through, and what would let it.
type Reason struct {
	// Code is AWS's explanation code, or one of ours, which begins with SIM_.
	Code string
	// Text says what stands in the way, with the object's name.
	Text string
	// Fix is the change that would let it through; empty where none is known.
	Fix string
}

// Block is the text that terminals and failing tests show of one path: its first line
// says all by itself, then come the hops, why, what would help, and where more is.
type Block struct {
	// Word stands first: PASS, FAIL, UNKNOWN; empty is none.
	Word string
	// Title says who asked for what and what became of it.
	Title string
	// Detail, in parentheses, says how far it came; Note stands last in the line.
	Detail, Note string
	// Path is the request and its reply; nil where no packet was sent.
	Path *Path
	// Why are the reasons, worst first.
	Why []Reason
	// See are the names of files that have more.
	See []string
	// Rerun is the command that shows it again.
	Rerun string
}

// Paint colours a word; the identity paints nothing.
type Paint func(colour Colour, text string) string

// Colour is a colour of a terminal, by its meaning.
type Colour int

// The colours of a block.
const (
	Plain Colour = iota
	Good
	Bad
	Faint
)

// Colourless paints nothing.
func Colourless(_ Colour, text string) string { return text }

// ANSI paints for terminals: bold blue what is good, bold yellow on no ground what is bad
// (both are told apart by all eyes), dim what is faint.
func ANSI(c Colour, text string) string {
	switch c {
	case Good:
		return "\x1b[1;34m" + text + "\x1b[0m"
	case Bad:
		return "\x1b[1;33m" + text + "\x1b[0m"
	case Faint:
		return "\x1b[2m" + text + "\x1b[0m"
	}
	return text
}

// String returns the block without colours.
func (b *Block) String() string {
	var s strings.Builder
	b.Write(&s, Colourless)
	return s.String()
}

// Write writes the block with the colours of paint.
func (b *Block) Write(out io.Writer, paint Paint) error {
	var s strings.Builder
	s.WriteString(b.first(paint) + "\n")
	if b.Path != nil {
		b.Path.writeHops(&s, paint)
	}
	for i, r := range b.Why {
		text := r.Text
		if r.Code != "" {
			text = r.Code + ": " + text
		}
		field(&s, first(i, "why"), text, paint)
	}
	for i, fix := range b.fixes() {
		field(&s, first(i, "fix"), fix, paint)
	}
	see := strings.Join(b.See, "  ")
	if b.Rerun != "" {
		if see != "" {
			see += "      "
		}
		see += "rerun: " + b.Rerun
	}
	field(&s, "see", see, paint)
	_, err := io.WriteString(out, s.String())
	return err
}

func first(i int, word string) string {
	if i > 0 {
		return ""
	}
	return word
}

func (b *Block) first(paint Paint) string {
	colour := Bad
	if b.Word == "PASS" {
		colour = Good
	}
	line := b.Title
	if b.Word != "" {
		line = paint(colour, b.Word) + " " + line
	}
	if b.Detail != "" {
		line += "  (" + b.Detail + ")"
	}
	if b.Note != "" {
		line += "  " + b.Note
	}
	return line
}

func (b *Block) fixes() []string {
	var out []string
	for _, r := range b.Why {
		if r.Fix != "" {
			out = append(out, r.Fix)
		}
	}
	return out
}

func field(s *strings.Builder, name, text string, paint Paint) {
	if text != "" {
		s.WriteString(" " + paint(Faint, pad(name, 5)) + " " + text + "\n")
	}
}

// writeHops writes the two directions, hops numbered through.
func (p *Path) writeHops(s *strings.Builder, paint Paint) {
	number := 0
	request, reply := p.rowsOf(p.request), p.rowsOf(p.reply)
	name, object := widths(append(append([]row{}, request...), reply...))
	for i, rows := range [][]row{request, reply} {
		walks := p.request
		word := "request"
		if i == 1 {
			walks, word = p.reply, "reply"
		}
		if len(walks) == 0 {
			continue
		}
		s.WriteString(" " + paint(Faint, pad(word, 8)) + " " + walks[0].First.String() + "\n")
		for _, r := range rows {
			number++
			r.write(s, number, name, object, paint)
		}
	}
}

// row is one line of a block: a hop, with the id of what decided and the decision.
type row struct {
	name, object, text string
	end                string
	dead               bool
}

func (r row) write(s *strings.Builder, number, name, object int, paint Paint) {
	text := r.text
	switch {
	case r.dead:
		text = paint(Bad, "X "+r.end) + prefixed("  ", text)
	case r.end != "":
		text = strings.TrimSpace(text + "  " + paint(Good, r.end))
	}
	line := fmt.Sprintf(" %2d %s %s %s", number, pad(r.name, name), pad(r.object, object), text)
	s.WriteString(strings.TrimRight(line, " ") + "\n")
}

func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}

func widths(rows []row) (name, object int) {
	for _, r := range rows {
		name, object = max(name, utf8.RuneCountInString(r.name)), max(object, utf8.RuneCountInString(r.object))
	}
	return name, object
}

// rowsOf are the lines of walks. What decided nothing, such as delivery inside a VPC, has
// none.
func (p *Path) rowsOf(walks []*trace.Walk) []row {
	var rows []row
	for _, w := range walks {
		hs := hops(w)
		for i, h := range hs {
			if place, ok := p.where(h.ID); ok && place.Name != "" {
				h.Name = place.Name
			}
			r := h.row()
			switch last := i+1 == len(hs); {
			case h.Dead != trace.None:
				r.dead, r.end = true, "DROPPED "+h.Dead.String()
			case last && w.End() == trace.Delivered:
				r.end = "DELIVERED"
			case last:
				r.end = strings.ToUpper(w.End().String())
			}
			if r.text != "" || r.end != "" {
				rows = append(rows, r)
			}
		}
	}
	return rows
}

func (h *Hop) row() row {
	r := row{name: h.Name, object: h.ID}
	var texts []string
	for _, m := range h.Marks {
		if strings.HasPrefix(m.ID, "rtb-") {
			r.object = m.ID
		}
		texts = append(texts, m.word())
	}
	if h.Change != "" {
		texts = append(texts, h.Change)
	}
	if h.TTL != h.TTLBefore && h.TTL != 0 && h.TTLBefore != 0 {
		texts = append(texts, fmt.Sprintf("TTL %d", h.TTL))
	}
	r.text = strings.Join(texts, "  ")
	if r.object == r.name || strings.HasPrefix(r.object, "arn:") {
		r.object = ""
	}
	r.name = cmp.Or(short(r.name), "?")
	return r
}

// word is the mark with what it did.
func (m Mark) word() string {
	switch {
	case strings.HasSuffix(m.Full, " allows"):
		return m.Text + " allow"
	case strings.HasSuffix(m.Full, " denies"):
		return m.Text + " deny"
	case strings.HasPrefix(m.Text, "no ") && strings.Contains(m.Full, " rule for "):
		return m.Full
	}
	return m.Text
}

// Hops returns the lines of both directions as [Block] shows them, without colours.
func (p *Path) Hops() []string {
	var b strings.Builder
	p.writeHops(&b, Colourless)
	if b.Len() == 0 {
		return nil
	}
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	for i := range lines {
		lines[i] = strings.TrimPrefix(lines[i], " ")
	}
	return lines
}
