package picture

import (
	"fmt"
	"html"
	"io"
	"strings"

	"github.com/vpcsim/vpcsim/trace"
)

// Colours of Okabe and Ito ("Color Universal Design", 2008).
const (
	blue       = "#0072B2" // the request
	green      = "#009E73" // the reply
	vermillion = "#D55E00" // where a packet died
	ink        = "#222222"
	faint      = "#888888"
	paper      = "#FFFFFF"
	band       = "#F2F4F7" // a lane
)

// Measures of the drawing, in pixels.
const (
	boxWidth   = 190
	lineHeight = 15
	boxPad     = 8
	plainGap   = 46  // between stations
	labelGap   = 132 // where the edge has a label
	margin     = 16
	letters    = 26 // of a line of a box
	labelWidth = 20 // letters of a line of an edge's label

	titleLetter = 10 // width of a letter of the title
	titleLine   = 20
)

// WriteSVG draws the path as SVG. Each station is a group whose id is "request-" or
// "reply-" and the resource's id; a hover shows the decisions in all words.
func (p *Path) WriteSVG(out io.Writer) error {
	c := &canvas{cols: p.layout(), path: p}
	c.place()
	c.draw()
	_, err := io.WriteString(out, c.b.String())
	return err
}

// SVG returns what WriteSVG writes.
func (p *Path) SVG() string {
	var b strings.Builder
	p.WriteSVG(&b)
	return b.String()
}

type canvas struct {
	b    strings.Builder
	path *Path
	cols []column
	x    []int // left side of each column's box

	title               []string // its lines
	width, height       int
	laneTop, top, below int // of lanes, of the request's row, of the reply's
	topHigh, belowHigh  int
	seen                map[string]int
}

// place measures: columns from left to right, the two rows one below the other.
func (c *canvas) place() {
	x := margin + 12
	for i := range c.cols {
		c.x = append(c.x, x)
		gap := plainGap
		if i+1 < len(c.cols) && (c.labelled(i, i+1) || c.lonely(i)) {
			gap = labelGap
		}
		x += boxWidth + gap
		if s := c.cols[i].request; s != nil {
			c.topHigh = max(c.topHigh, s.height())
		}
		if s := c.cols[i].reply; s != nil {
			c.belowHigh = max(c.belowHigh, s.height())
		}
	}
	c.width = x - plainGap + margin + 12
	c.title = wrap(c.path.Title, max(20, (c.width-2*margin)/titleLetter))
	c.laneTop = 44 + titleLine*max(0, len(c.title)-1)
	c.top = c.laneTop + 50 + c.laneLines()*lineHeight
	c.height = c.top + c.topHigh + margin + 6
	if len(c.path.Reply) > 0 {
		c.below = c.top + c.topHigh + 60
		c.height = c.below + c.belowHigh + margin + 6
	}
	c.seen = map[string]int{}
}

// labelled reports whether the edge between two columns has a label.
func (c *canvas) labelled(i, j int) bool {
	a, b := c.cols[i].request, c.cols[j].reply
	return a != nil && a.Change != "" || b != nil && b.Change != ""
}

// lonely reports whether the column's lane has but it, and a name that needs room.
func (c *canvas) lonely(i int) bool {
	for _, l := range lanes(c.cols) {
		if l.from == i && l.end == i+1 {
			return len(l.name) > 56
		}
	}
	return false
}

func (c *canvas) laneLines() int {
	n := 1
	for _, l := range lanes(c.cols) {
		n = max(n, len(wrap(l.name, (c.x[l.end-1]+boxWidth-c.x[l.from]+12)/7)))
	}
	return n - 1
}

func (s *Station) boxLines() []string {
	var lines []string
	for _, m := range s.Marks {
		lines = append(lines, indent(m.sign()+" ", wrap(m.Text, letters-2))...)
	}
	if s.TTL != s.TTLBefore && s.TTL != 0 && s.TTLBefore != 0 {
		lines = append(lines, fmt.Sprintf("TTL %d → %d", s.TTLBefore, s.TTL))
	}
	if s.Dead != trace.None {
		lines = append(lines, wrap(s.Dead.Code(), letters-4)...)
	}
	return lines
}

func (s *Station) height() int {
	return 2*boxPad + lineHeight*(2+len(s.boxLines()))
}

func (c *canvas) printf(format string, args ...any) { fmt.Fprintf(&c.b, format, args...) }

func (c *canvas) draw() {
	c.printf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="DejaVu Sans, Verdana, sans-serif" font-size="11" role="img">`+"\n",
		c.width, c.height, c.width, c.height)
	c.printf("<title>%s</title>\n", html.EscapeString(c.path.Title))
	c.printf("<defs>%s%s</defs>\n", marker("request", blue), marker("reply", green))
	c.printf(`<rect width="100%%" height="100%%" fill="%s"/>`+"\n", paper)
	for i, line := range c.title {
		c.text(margin, 26+i*titleLine, ink, `font-size="15" font-weight="bold"`, line)
	}
	for _, l := range lanes(c.cols) {
		x, width := c.x[l.from]-12, c.x[l.end-1]+boxWidth-c.x[l.from]+24
		c.printf(`<rect x="%d" y="%d" width="%d" height="%d" rx="6" fill="%s" stroke="#D5DAE1"/>`+"\n",
			x, c.laneTop, width, c.height-c.laneTop-8, band)
		for i, line := range wrap(l.name, (width-12)/7) {
			c.text(x+8, c.laneTop+17+i*lineHeight, faint, `font-weight="bold"`, line)
		}
	}
	c.row(c.top, "request", blue, func(i int) *Station { return c.cols[i].request })
	if c.below > 0 {
		c.row(c.below, "reply", green, func(i int) *Station { return c.cols[i].reply })
	}
	c.printf("</svg>\n")
}

func marker(id, colour string) string {
	return fmt.Sprintf(`<marker id="%s" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto-start-reverse"><path d="M0 0L10 5L0 10z" fill="%s"/></marker>`, id, colour)
}

func (c *canvas) text(x, y int, colour, more, text string) {
	c.printf(`<text x="%d" y="%d" fill="%s" %s>%s</text>`+"\n", x, y, colour, more, html.EscapeString(text))
}

// row draws the stations of one direction and the edges between them.
func (c *canvas) row(y int, direction, colour string, at func(i int) *Station) {
	c.text(margin+12, y-8, colour, `font-weight="bold"`, map[string]string{"request": "request →", "reply": "← reply"}[direction])
	before := -1
	for i := range c.cols {
		s := at(i)
		if s == nil {
			continue
		}
		if before >= 0 {
			c.edge(y, before, i, direction, colour, at)
		}
		before = i
		c.box(c.x[i], y, direction, colour, s)
	}
}

// edge draws the arrow between two columns; the label is what the station that it leaves
// rewrote.
func (c *canvas) edge(y, i, j int, direction, colour string, at func(i int) *Station) {
	from, to, leaves := c.x[i]+boxWidth, c.x[j], at(i)
	dash := ""
	if direction == "reply" {
		from, to, leaves = c.x[j], c.x[i]+boxWidth, at(j)
		dash = ` stroke-dasharray="6 3"`
	}
	line := y + boxPad + lineHeight
	c.printf(`<line x1="%d" y1="%d" x2="%d" y2="%d" stroke="%s" stroke-width="2"%s marker-end="url(#%s)"/>`+"\n",
		from, line, to, line, colour, dash, direction)
	if leaves.Change == "" {
		return
	}
	for k, l := range edgeLabel(leaves.Change) {
		c.text((from+to)/2, line+14+k*12, colour, `font-size="9.5" text-anchor="middle"`, l)
	}
}

// edgeLabel breaks a rewriting in front of its arrows.
func edgeLabel(change string) []string {
	var lines []string
	for part := range strings.SplitSeq(change, ", ") {
		was, is, _ := strings.Cut(part, " → ")
		lines = append(lines, wrap(was, labelWidth)...)
		lines = append(lines, wrap("→ "+is, labelWidth+2)...)
	}
	return lines
}

func (c *canvas) box(x, y int, direction, colour string, s *Station) {
	id := direction + "-" + s.ID
	if c.seen[id]++; c.seen[id] > 1 { // an id stands but once in a document
		id = fmt.Sprintf("%s-%d", id, c.seen[id])
	}
	height, width, stroke := s.height(), 1, colour
	if s.Dead != trace.None {
		stroke, width = vermillion, 3
	}
	c.printf(`<g id="%s">`, html.EscapeString(id))
	c.printf("<title>%s</title>\n", html.EscapeString(s.full()))
	c.printf(`<rect x="%d" y="%d" width="%d" height="%d" rx="5" fill="%s" stroke="%s" stroke-width="%d"/>`+"\n",
		x, y, boxWidth, height, paper, stroke, width)
	at := y + boxPad + 10
	c.text(x+boxPad, at, ink, `font-weight="bold"`, clip(s.title(), letters-3))
	c.text(x+boxPad, at+lineHeight, faint, `font-size="9.5"`, clip(s.subtitle(), letters+4))
	bad := false
	for i, l := range s.boxLines() {
		fill, weight := ink, ""
		if strings.HasPrefix(l, "✗") {
			bad = true
		} else if !strings.HasPrefix(l, "  ") {
			bad = false
		}
		if bad || s.Dead != trace.None && strings.Contains(s.Dead.Code(), l) {
			fill, weight = vermillion, `font-weight="bold"`
		}
		c.text(x+boxPad, at+(i+2)*lineHeight, fill, weight+` xml:space="preserve"`, l)
	}
	if s.Dead != trace.None {
		c.cross(x+boxWidth-4, y+4)
	}
	c.printf("</g>\n")
}

// cross draws the X where a packet died.
func (c *canvas) cross(x, y int) {
	c.printf(`<circle cx="%d" cy="%d" r="11" fill="%s" stroke="%s" stroke-width="2"/>`, x, y, paper, vermillion)
	c.printf(`<path d="M%d %dl10 10m0 -10l-10 10" stroke="%s" stroke-width="3.5" stroke-linecap="round"/>`+"\n", x-5, y-5, vermillion)
}

func (s *Station) title() string {
	if s.Kind == "outside" {
		return s.ID
	}
	return short(s.Name)
}

func (s *Station) subtitle() string {
	switch {
	case s.Kind == "outside" || s.Kind == "folded":
		return ""
	case strings.HasPrefix(s.ID, "arn:"):
		return "load balancer"
	case s.Name != s.ID:
		return s.ID
	}
	return kindWords[s.Kind]
}

// full is what the box tells at a hover.
func (s *Station) full() string {
	lines := []string{s.title() + " " + s.subtitle()}
	for _, m := range s.Marks {
		lines = append(lines, m.Full)
	}
	if s.Dead != trace.None {
		lines = append(lines, "dropped: "+s.Dead.String())
	}
	return strings.Join(lines, "\n")
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
