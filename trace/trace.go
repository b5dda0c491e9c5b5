// Package trace is what a walk leaves behind: the [Reason] why it ended and, when
// asked, a [Step] for every decision on its way. Steps are data; words are made
// only when somebody prints them. Nothing here is AWS's or the packet path's own:
// nodes write steps, people, tests and JSON read them.
package trace

import (
	"time"

	"github.com/vpcsim/vpcsim/wire"
)

// Act says what a step was.
type Act uint8

// The kinds of step. The zero Act is none.
const (
	NoAct Act = iota
	// Checked: the address that source/dest check looked at is the interface's own.
	Checked
	// CheckOff: source/dest check is off, so a foreign address passed.
	CheckOff
	// Allowed: a rule allowed it. Object is the group or ACL, Rule its number or id.
	Allowed
	// Tracked: a flow let through before, or its answer; no rule was asked.
	Tracked
	// Denied: no rule, or a rule that denies. Object and Rule as for Allowed.
	Denied
	// Routed: a route matched. Object is the table, Match the route.
	Routed
	// Resolved: a delivery inside a subnet, past tables and ACLs.
	Resolved
	// Translated: addresses or ports were rewritten, from Before to Flow.
	Translated
	// Passed: the node passed the packet on as it was, but for its TTL.
	Passed
	// Did: the node did what Match says, in words.
	Did
	// Ended: the walk ended here.
	Ended
)

// Step is one decision on a packet's way. Which fields have a meaning depends on
// Act; strings are those of the compiled network, so that noting a step formats
// nothing and does not allocate.
type Step struct {
	At     time.Duration // simulated time
	Act    Act
	TTL    uint8 // after the step
	Reason Reason
	Node   string    // the node's name
	Object string    // the table, group or ACL
	Rule   string    // a rule's number or id
	Match  string    // a route, or words
	Before wire.Flow // before a translation
	Flow   wire.Flow // after the step
}

// Walk is one packet's way from a guest to the end.
type Walk struct {
	// ID numbers the walks of a log from 1.
	ID int
	// Cause is the walk during whose delivery this packet was sent: the packet
	// that a router forwarded, the request that is answered. 0 is none.
	Cause int
	// Start is when the packet was sent, End when the walk was decided.
	Start time.Duration
	// First and Last are the packet's flow as sent and as it was at the end.
	First, Last wire.Flow
	// Size is the packet's length with its IP header, in bytes.
	Size int
	// Reason is why the walk ended; where the packet reached a guest, Guest says
	// what became of it there.
	Reason, Guest Reason
	// Where is the name of the node at which the walk ended.
	Where string
	// Steps are the decisions, in order.
	Steps []Step
}

// End returns why the packet ended, the guest's word before the network's.
func (w *Walk) End() Reason {
	if w.Guest != None {
		return w.Guest
	}
	return w.Reason
}

// Log keeps walks. The zero Log is empty and keeps all; a nil *Log keeps none.
type Log struct {
	// Limit is how many walks are kept, the latest; 0 is all of them.
	Limit int
	walks []*Walk
	count int
}

// Begin starts the walk of a packet and returns it.
func (l *Log) Begin(now time.Duration, cause int, f wire.Flow, size int) *Walk {
	l.count++
	w := &Walk{ID: l.count, Cause: cause, Start: now, First: f, Last: f, Size: size}
	if l.Limit > 0 && len(l.walks) >= l.Limit {
		l.walks = append(l.walks[:0], l.walks[1:]...)
	}
	l.walks = append(l.walks, w)
	return w
}

// Walks returns the walks kept, in the order in which their packets were sent.
func (l *Log) Walks() []*Walk {
	if l == nil {
		return nil
	}
	return l.walks
}

// Find returns the kept walk with the given id, or nil.
func (l *Log) Find(id int) *Walk {
	first := l.count - len(l.walks) + 1
	if id < first || id > l.count {
		return nil
	}
	return l.walks[id-first]
}

// Clear forgets all walks; numbering goes on.
func (l *Log) Clear() { l.walks = nil }

// Story returns the walk with the given id and every walk it caused, and they
// caused, in the order in which they were sent.
func (l *Log) Story(id int) []*Walk {
	in := map[int]bool{id: true}
	var story []*Walk
	for _, w := range l.Walks() {
		if in[w.ID] || in[w.Cause] && w.Cause != 0 {
			in[w.ID] = true
			story = append(story, w)
		}
	}
	return story
}
