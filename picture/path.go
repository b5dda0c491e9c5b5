package picture

import (
	"fmt"
	"slices"

	"github.com/vpcsim/vpcsim/trace"
)

// Config says what a path's drawings are told. The zero value will do.
type Config struct {
	// Title is the line above a picture; "" is the request's flow.
	Title string
	// Where tells where the resource with an id lies; nil knows nothing, and the
	// picture has what the story tells. [Places] makes one of regions.
	Where func(id string) (Place, bool)
	// Columns is the most columns that a picture has; what exceeds it is folded in
	// the middle. 0 is 12.
	Columns int
}

// Path is a request and its reply, as stations.
type Path struct {
	// Title is the line above the picture.
	Title string
	// Request and Reply are the stations in the order in which the packet met them;
	// Reply is empty where none was sent.
	Request, Reply []Station
	// Answered says that the reply reached who asked.
	Answered bool

	request, reply []*trace.Walk
	where          func(id string) (Place, bool)
	columns        int
}

// New makes the path of a story: its first packet and what became of it is the
// request, the packets that answered it the reply; what came later, such as the third
// segment of a handshake, is left out.
func New(s trace.Story, c Config) *Path {
	there, back := directions(s)
	return Of(there, back, c)
}

// Of makes a path of the packets that went there and of those that came back.
func Of(request, reply trace.Story, c Config) *Path {
	p := &Path{Title: c.Title, columns: c.Columns, request: request, reply: reply}
	if p.columns == 0 {
		p.columns = 12
	}
	if c.Where == nil {
		c.Where = func(string) (Place, bool) { return Place{}, false }
	}
	p.where = c.Where
	p.Request, p.Reply = stations(p.request, c.Where), stations(p.reply, c.Where)
	if p.Title == "" && len(request) > 0 {
		p.Title = request[0].First.String()
	}
	if n := len(p.reply); n > 0 {
		p.Answered = p.reply[n-1].End() == trace.Delivered
	}
	p.nameOutside()
	return p
}

// directions tells the packets that went there from those that came back.
func directions(s trace.Story) (there, back []*trace.Walk) {
	turns := map[int]int{} // of each walk: how often the story turned until it
	for _, w := range s {
		turn := turns[w.Cause]
		if role := s.Role(w); role == trace.RoleReply || role == trace.RoleError {
			turn++
		}
		turns[w.ID] = turn
		switch turn {
		case 0:
			there = append(there, w)
		case 1:
			back = append(back, w)
		}
	}
	return there, back
}

// nameOutside calls what lies outside by the address that the packet had there, so that
// both directions mean the same host.
func (p *Path) nameOutside() {
	if n := len(p.Request); n > 0 && p.Request[n-1].Kind == "outside" {
		p.Request[n-1].ID = p.request[len(p.request)-1].Last.Dst.String()
	}
	if n := len(p.Reply); n > 0 && p.Reply[n-1].Kind == "outside" {
		p.Reply[n-1].ID = p.reply[len(p.reply)-1].Last.Dst.String()
	}
	if len(p.Request) > 0 && p.Request[0].Kind == "outside" {
		p.Request[0].ID = p.request[0].First.Src.String()
	}
	if len(p.Reply) > 0 && p.Reply[0].Kind == "outside" {
		p.Reply[0].ID = p.reply[0].First.Src.String()
	}
}

// column is one place from left to right: what the request met there, what the reply
// met there, or both.
type column struct {
	request, reply *Station
	folded         int // how many columns stand here folded, 0 none
}

func (c *column) station() *Station {
	if c.request != nil {
		return c.request
	}
	return c.reply
}

// layout puts request and reply into columns: the reply's stations go from right to
// left, each into the column of the request that is the same thing, or into one of its
// own beside the last.
func (p *Path) layout() []column {
	var cols []column
	for i := range p.Request {
		cols = append(cols, column{request: &p.Request[i]})
	}
	at := len(cols)
	for i := range p.Reply {
		s := &p.Reply[i]
		if j := find(cols[:at], s.ID); j >= 0 {
			cols[j].reply, at = s, j
			continue
		}
		cols = slices.Insert(cols, at, column{reply: s})
	}
	return p.fold(cols)
}

// find returns the rightmost free column of the thing with the id, or -1.
func find(cols []column, id string) int {
	for j := len(cols) - 1; j >= 0; j-- {
		if c := cols[j]; c.reply == nil && c.request != nil && c.request.ID == id {
			return j
		}
	}
	return -1
}

// fold takes columns out of the middle until no more than the limit are left, those
// first at which nothing happened.
func (p *Path) fold(cols []column) []column {
	for len(cols) > max(p.columns, 3) {
		best, score := 1, 1<<30
		for i := 1; i+2 < len(cols); i++ {
			if s := cols[i].weight() + cols[i+1].weight(); s < score {
				best, score = i, s
			}
		}
		n := max(cols[best].folded, 1) + max(cols[best+1].folded, 1)
		name := fmt.Sprintf("… %d hops", n)
		cols[best] = column{folded: n, request: &Station{Name: name, Kind: "folded", Place: cols[best].station().Place}}
		cols = slices.Delete(cols, best+1, best+2)
	}
	return cols
}

// weight is how much would be lost with a column.
func (c *column) weight() int {
	w := 0
	for _, s := range []*Station{c.request, c.reply} {
		switch {
		case s == nil || s.Kind == "folded":
		case s.Dead != trace.None:
			w += 1000
		case s.Change != "":
			w += 10
		default:
			w++
		}
	}
	return w
}

// lane is a run of columns that lie in one lane, the last of them excluded.
type lane struct {
	name      string
	from, end int
}

func lanes(cols []column) []lane {
	var out []lane
	for i := range cols {
		name := cols[i].station().Lane()
		if n := len(out); n > 0 && (out[n-1].name == name || cols[i].folded > 0) {
			out[n-1].end = i + 1
			continue
		}
		out = append(out, lane{name, i, i + 1})
	}
	return out
}
