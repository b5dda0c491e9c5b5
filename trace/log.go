package trace

import (
	"fmt"
	"io"
	"time"

	"github.com/vpcsim/vpcsim/wire"
)

// Log keeps walks. The zero Log is empty and keeps all; a nil *Log keeps none and
// finds none. A Log belongs to the goroutine of the engine that writes it.
type Log struct {
	// Limit is how many walks are kept, the latest; 0 is all of them. With a Limit
	// a walk that is no longer kept is used again for a new one, steps and all, so
	// that in the long run keeping walks does not allocate: copy a walk to have it
	// longer than that.
	Limit int
	// Packets keeps the bytes of each packet as each node left it; see [Walk.Packet].
	// It allocates at each node.
	Packets bool

	walks   []*Walk // the kept are those from first on, their ids without a gap
	first   int
	count   int
	settled int // so many of walks have no marks, and will have none
}

// unsettled is how many walks may have marks: they keep the network that the packet met.
const unsettled = 64

// Begin starts the walk of a packet sent from the node or interface named from, and
// returns it. p is nil for what is no packet.
func (l *Log) Begin(now time.Duration, cause int, from string, p *wire.Packet) *Walk {
	w := l.blank()
	steps, marks, notes := w.Steps[:0], w.marks[:0], w.notes[:0]
	*w = Walk{}
	l.count++
	w.ID, w.Cause, w.From, w.Start = l.count, cause, from, now
	w.Steps, w.marks, w.notes, w.again = steps, marks, notes, l.Limit > 0
	if p != nil {
		w.describe(p)
	}
	l.walks = append(l.walks, w)
	if l.settled < len(l.walks)-unsettled {
		l.settle(len(l.walks) - unsettled)
	}
	return w
}

// blank returns a walk to write on: one that falls out of the log, or a new one.
func (l *Log) blank() *Walk {
	if l.Limit <= 0 || len(l.walks)-l.first < l.Limit {
		return &Walk{}
	}
	w := l.walks[l.first]
	l.first = len(l.walks) - l.Limit + 1
	if l.first >= l.Limit { // half of the slice is behind: move, once in Limit walks
		n := copy(l.walks, l.walks[l.first:])
		clear(l.walks[n:])
		l.walks, l.settled, l.first = l.walks[:n], max(l.settled-l.first, 0), 0
	}
	return w
}

// settle settles the walks up to n.
func (l *Log) settle(n int) {
	for i := max(l.settled, l.first); i < n; i++ {
		l.walks[i].settle()
	}
	l.settled = n
}

// Walks returns the walks kept, in the order in which their packets were sent. The
// slice is the log's own until the next packet.
func (l *Log) Walks() []*Walk {
	if l == nil || len(l.walks) == 0 {
		return nil
	}
	last := len(l.walks) - 1
	l.settle(last)
	l.walks[last].settle() // it may be under way
	return l.walks[l.first:]
}

// Find returns the kept walk with the given id, or nil.
func (l *Log) Find(id int) *Walk {
	if l == nil || len(l.walks) == 0 || id < l.walks[l.first].ID || id > l.count {
		return nil
	}
	w := l.walks[l.first+id-l.walks[l.first].ID]
	w.settle()
	return w
}

// Clear forgets all walks; numbering goes on.
func (l *Log) Clear() {
	if l != nil {
		l.walks, l.first, l.settled = nil, 0, 0
	}
}

// Story returns the walk with the given id and every walk it caused, and they
// caused, in the order in which they were sent; nil where the walk is not kept.
func (l *Log) Story(id int) Story {
	if l.Find(id) == nil {
		return nil
	}
	kept := l.Walks()
	in := map[int]bool{id: true}
	var story Story
	for _, w := range kept[id-kept[0].ID:] { // a cause is older than what it caused
		if w.ID == id || in[w.Cause] {
			in[w.ID] = true
			story = append(story, w)
		}
	}
	return story
}

// WriteStory writes the story of a walk. See [Story.WriteTo] for its form. It
// reports an error where the walk is not kept, or where out does.
func (l *Log) WriteStory(out io.Writer, id int) error {
	s := l.Story(id)
	if s == nil {
		return fmt.Errorf("trace: walk %d is not in the log, which keeps %s", id, l.kept())
	}
	_, err := s.WriteTo(out)
	return err
}

func (l *Log) kept() string {
	kept := l.Walks()
	if len(kept) == 0 {
		return "none"
	}
	return fmt.Sprintf("%d to %d", kept[0].ID, kept[len(kept)-1].ID)
}
