package trace_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// place is a node that is a part of a resource, sent into by a guest.
type place struct{ name, id, sender string }

func (p *place) Name() string     { return p.name }
func (p *place) Resource() string { return p.id }
func (p *place) Sender() string   { return p.sender }

// plain is a node that is a part of nothing.
type plain string

func (p plain) Name() string { return string(p) }

// note writes steps of every kind to a walk, and returns what they are to be.
func note(w *trace.Walk, at *place) []trace.Step {
	a, b := wire.Flow{SrcPort: 1}, wire.Flow{SrcPort: 2}
	w.Sent(at)
	m := w.Mark(at)
	m.Act, m.TTL, m.Flow = trace.Routed, 64, a
	m.Object, m.Entry = &trace.Label{Name: "table", ID: "rtb-1"}, &trace.Entry{Rule: "::/0", Match: "::/0 -> x", MatchID: "igw-1"}
	m = w.Mark(plain("elsewhere"))
	m.Act, m.TTL, m.Flow, m.Before, m.Number = trace.Translated, 63, b, a, 7
	w.Left(62)
	s := trace.Step{Act: trace.Allowed, Object: "web", ObjectID: "sg-1", Rule: "in", MatchID: "sgr-1", Before: a}
	m = w.Note(at, &s)
	m.Act, m.TTL, m.Flow = s.Act, 61, b
	m = w.Mark(at)
	m.Act, m.TTL, m.Flow, m.Reason, m.Before = trace.Ended, 61, b, trace.NoRoute, a
	w.Stopped(trace.NoRoute, plain("elsewhere"), b)
	return []trace.Step{
		{Act: trace.Routed, TTL: 64, Node: at.name, NodeID: at.id, Flow: a, Object: "table", ObjectID: "rtb-1", Rule: "::/0", Match: "::/0 -> x", MatchID: "igw-1"},
		{Act: trace.Translated, TTL: 62, Node: "elsewhere", Flow: b, Before: a, Number: 7},
		{Act: trace.Allowed, TTL: 61, Node: at.name, NodeID: at.id, Flow: b, Object: "web", ObjectID: "sg-1", Rule: "in", MatchID: "sgr-1", Before: a},
		{Act: trace.Ended, TTL: 61, Node: at.name, NodeID: at.id, Flow: b, Reason: trace.NoRoute},
	}
}

func TestMarksAreReadAsSteps(t *testing.T) {
	at := &place{"eni out", "eni-1", "eni"}
	for _, limit := range []int{0, 1, 3, 100} {
		l := trace.Log{Limit: limit}
		var held []*trace.Walk
		for range 300 { // so that walks are settled unasked, and used again
			w := l.Begin(0, 0, "", nil)
			want := note(w, at)
			require.Equal(t, len(want), w.Len())
			held = append(held, w)
			if len(held)%7 == 0 {
				require.Equal(t, want, l.Find(w.ID).Steps)
				require.Equal(t, len(want), w.Len(), "once")
			}
			if len(held)%11 == 0 {
				w.Left(9) // also of what has been read
				m := w.Mark(at)
				m.Act, m.TTL, m.Flow = trace.Passed, 8, wire.Flow{}
				require.Equal(t, trace.Passed, l.Story(w.ID)[0].Steps[len(want)].Act, "and what comes after")
				require.EqualValues(t, 9, w.Steps[len(want)-1].TTL)
			}
		}
		for i, w := range l.Walks() {
			if w.ID%11 != 0 {
				require.Equal(t, note((&trace.Log{}).Begin(0, 0, "", nil), at), w.Steps, "walk %d", i)
			}
			require.Equal(t, []string{"eni", "eni-1", "elsewhere", ""}, []string{w.From, w.FromID, w.Where, w.WhereID})
		}
	}
}

func TestAStepOfNoNodeStandsBehindThoseBefore(t *testing.T) {
	var l trace.Log
	w := l.Begin(0, 0, "x", nil)
	w.Add().Act = trace.Did
	w.Mark(plain("a")).Act = trace.Passed
	w.Add().Act = trace.Ended
	require.Len(t, w.Steps, 3)
	require.Equal(t, trace.Ended, l.Walks()[0].Steps[2].Act)
	require.Equal(t, "a", w.Steps[1].Node)
}

func TestMarkingDoesNotAllocateInALogWithALimit(t *testing.T) {
	at := &place{"eni out", "eni-1", "eni"}
	l := trace.Log{Limit: 2}
	label, entry, s := &trace.Label{Name: "table"}, &trace.Entry{Match: "x"}, trace.Step{Act: trace.Did}
	one := func() {
		w := l.Begin(0, 0, "", nil)
		w.Sent(at)
		for range 20 {
			m := w.Mark(at)
			m.Act, m.Object, m.Entry = trace.Routed, label, entry
			w.Note(at, &s).Act = trace.Did
		}
	}
	for range 10 {
		one()
	}
	require.Zero(t, testing.AllocsPerRun(100, one))
	require.Len(t, l.Walks()[1].Steps, 40)
}

// BenchmarkMark is a step of a walk, with all that a node tells of itself.
func BenchmarkMark(b *testing.B) {
	at := &place{"eni out", "eni-1", "eni"}
	l := trace.Log{Limit: 2}
	w, n := l.Begin(0, 0, "", nil), 0
	f := wire.Flow{SrcPort: 1}
	b.ReportAllocs()
	for b.Loop() {
		if n++; n%12 == 0 {
			w = l.Begin(0, 0, "", nil)
		}
		m := w.Mark(at)
		m.Act, m.TTL = trace.Passed, 64
		m.Flow = f
	}
}
