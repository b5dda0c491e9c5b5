package picture

import (
	"fmt"
	"io"
	"strings"

	"github.com/vpcsim/vpcsim/trace"
)

// WriteMermaid draws the path as a Mermaid flowchart, which code forges show in
// comments: a subgraph a lane, solid edges the request, dotted ones the reply.
func (p *Path) WriteMermaid(out io.Writer) error {
	cols := p.layout()
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	for k, l := range lanes(cols) {
		fmt.Fprintf(&b, "  subgraph lane%d[%s]\n", k, quote(escape(l.name)))
		for i := l.from; i < l.end; i++ {
			fmt.Fprintf(&b, "    %s[%s]\n", node(i), quote(cols[i].label()))
		}
		b.WriteString("  end\n")
	}
	edges := 0
	var requests, replies []string
	mermaidEdges(&b, cols, "-->", func(i int) *Station { return cols[i].request }, false, &edges, &requests)
	mermaidEdges(&b, cols, "-.->", func(i int) *Station { return cols[i].reply }, true, &edges, &replies)
	for i := range cols {
		if cols[i].dead() != nil {
			fmt.Fprintf(&b, "  class %s dead\n", node(i))
		}
	}
	fmt.Fprintf(&b, "  classDef dead stroke:%s,stroke-width:3px,color:%s\n", vermillion, vermillion)
	style(&b, requests, blue)
	style(&b, replies, green)
	_, err := io.WriteString(out, b.String())
	return err
}

// Mermaid returns what WriteMermaid writes.
func (p *Path) Mermaid() string {
	var b strings.Builder
	p.WriteMermaid(&b)
	return b.String()
}

func node(i int) string { return fmt.Sprintf("n%d", i) }

func style(b *strings.Builder, edges []string, colour string) {
	if len(edges) > 0 {
		fmt.Fprintf(b, "  linkStyle %s stroke:%s\n", strings.Join(edges, ","), colour)
	}
}

func mermaidEdges(b *strings.Builder, cols []column, line string, at func(int) *Station, back bool, edges *int, own *[]string) {
	before := -1
	for k := range cols {
		i := k
		if back {
			i = len(cols) - 1 - k
		}
		if at(i) == nil {
			continue
		}
		if before >= 0 {
			label := ""
			if c := at(before).Change; c != "" {
				label = "|" + quote(escape(c)) + "|"
			}
			fmt.Fprintf(b, "  %s %s%s %s\n", node(before), line, label, node(i))
			*own = append(*own, fmt.Sprint(*edges))
			*edges++
		}
		before = i
	}
}

// dead returns the station of the column at which a packet died, or nil.
func (c *column) dead() *Station {
	for _, s := range []*Station{c.request, c.reply} {
		if s != nil && s.Dead != trace.None {
			return s
		}
	}
	return nil
}

// label is the text of a node: name, id and the decisions of both directions.
func (c *column) label() string {
	s := c.station()
	lines := []string{escape(s.title())}
	if sub := s.subtitle(); sub != "" {
		lines = append(lines, escape(sub))
	}
	for _, s := range []*Station{c.request, c.reply} {
		if s == nil {
			continue
		}
		for _, m := range s.Marks {
			lines = append(lines, m.sign()+" "+escape(m.Text))
		}
		if s.Dead != trace.None {
			lines = append(lines, "✗ "+s.Dead.Code())
		}
	}
	return strings.Join(lines, "<br/>")
}

// escape takes from text what Mermaid would read as its own: entities begin with "#".
func escape(s string) string {
	return strings.NewReplacer("&", "#amp;", "<", "#lt;", ">", "#gt;", `"`, "#quot;", "#", "#35;").Replace(s)
}

func quote(s string) string { return `"` + strings.ReplaceAll(s, `"`, "#quot;") + `"` }
