package trace

import (
	"time"

	"github.com/vpcsim/vpcsim/wire"
)

// A packet's steps are noted as marks, which point to names instead of having them, and
// become Steps when somebody reads the walk: when the [Log] hands it out.

// Label is what a table, group or network ACL is called, and its id.
type Label struct{ Name, ID string }

// Entry is what a Step says of a route or rule; see there.
type Entry struct{ Rule, Match, MatchID string }

// Mark is a [Step] as the packet path notes it: for the nodes that every packet passes.
// What it points to must not change any more.
type Mark struct {
	Act    Act
	TTL    uint8
	Reason Reason
	Number int32     // as the Step's
	Object *Label    // the Step's Object and ObjectID; nil for none
	Entry  *Entry    // the Step's Rule, Match and MatchID; nil for none
	Flow   wire.Flow // as the Step's
	Before wire.Flow // the Step's where Act is Translated, else whatever it was

	place any // the node: see nameOf
	note  int // of Walk.notes, plus one: the Step that has the rest
}

// Add makes room for a step and returns it, with whatever is in it. It is for what no
// node decided; nodes Mark.
func (w *Walk) Add() *Step {
	w.settle()
	n := len(w.Steps)
	if n == cap(w.Steps) {
		w.Steps = append(w.Steps, Step{})
	} else {
		w.Steps = w.Steps[:n+1]
	}
	return &w.Steps[n]
}

// firstMarks is room for the steps of a way through one subnet's router.
const firstMarks = 12

// Mark notes a step at place, a node with a method Name, which returns the Step's Node,
// and perhaps one Resource, which returns its NodeID. Object, Entry, Number and Reason
// are none; Act, TTL and Flow are to be set at once. It does not allocate where the walk is
// one of a log with a limit that has been used before.
func (w *Walk) Mark(place any) *Mark {
	n := len(w.marks)
	switch {
	case n < cap(w.marks):
		w.marks = w.marks[:n+1]
	case n == 0:
		w.marks = make([]Mark, 1, firstMarks)
	default:
		w.marks = append(w.marks, Mark{})
	}
	m := &w.marks[n]
	m.Reason, m.Number, m.Object, m.Entry, m.place, m.note = None, 0, nil, nil, place, 0
	return m
}

// Note is Mark for a step of any kind: all of s is kept but time, node, flow and TTL,
// which are the mark's.
func (w *Walk) Note(place any, s *Step) *Mark {
	m := w.Mark(place)
	w.notes = append(w.notes, *s)
	m.note = len(w.notes)
	return m
}

// Len returns how many steps there are, noted or settled.
func (w *Walk) Len() int { return len(w.Steps) + len(w.marks) }

// Left sets the TTL of the last step, which its node left the packet with.
func (w *Walk) Left(ttl uint8) {
	if n := len(w.marks); n > 0 {
		w.marks[n-1].TTL = ttl
	} else {
		w.Steps[len(w.Steps)-1].TTL = ttl
	}
}

// Sent says at which node the packet was sent: who its sender is and which resource that
// is a part of. A node with a method Sender tells the sender's name by it.
func (w *Walk) Sent(place any) { w.sender = place }

// Stopped says why the walk ended, at which node, and what the flow was then.
func (w *Walk) Stopped(end Reason, place any, last wire.Flow) {
	w.Reason, w.end, w.Last = end, place, last
}

// settle turns marks into Steps. The walk then holds nothing of the compiled network.
func (w *Walk) settle() {
	if s, ok := w.sender.(interface{ Sender() string }); ok {
		w.From, w.FromID, w.sender = s.Sender(), idOf(s), nil
	} else if w.sender != nil {
		w.From, w.FromID, w.sender = nameOf(w.sender), idOf(w.sender), nil
	}
	if w.end != nil {
		w.Where, w.WhereID, w.end = nameOf(w.end), idOf(w.end), nil
	}
	if len(w.marks) == 0 {
		return
	}
	if w.Steps == nil {
		w.Steps = make([]Step, 0, len(w.marks)+2)
	}
	for i := range w.marks {
		w.Steps = append(w.Steps, w.step(&w.marks[i], w.Start))
	}
	clear(w.marks)
	clear(w.notes)
	w.marks, w.notes = w.marks[:0], w.notes[:0]
	if !w.again {
		w.marks, w.notes = nil, nil
	}
}

// step returns what m notes.
func (w *Walk) step(m *Mark, at time.Duration) Step {
	s := Step{Act: m.Act, Reason: m.Reason, Number: m.Number}
	if m.note != 0 {
		s = w.notes[m.note-1]
	}
	if m.Object != nil {
		s.Object, s.ObjectID = m.Object.Name, m.Object.ID
	}
	if m.Entry != nil {
		s.Rule, s.Match, s.MatchID = m.Entry.Rule, m.Entry.Match, m.Entry.MatchID
	}
	if m.note == 0 && m.Act == Translated {
		s.Before = m.Before
	}
	s.At, s.TTL, s.Flow, s.Node, s.NodeID = at, m.TTL, m.Flow, nameOf(m.place), idOf(m.place)
	return s
}

func nameOf(place any) string { return place.(interface{ Name() string }).Name() }

// idOf returns the id of the resource that a node is a part of, or "".
func idOf(place any) string {
	if p, ok := place.(interface{ Resource() string }); ok {
		return p.Resource()
	}
	return ""
}
