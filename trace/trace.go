// Package trace is what a walk leaves behind: the [Reason] why it ended and, when
// asked, a [Step] for every decision on its way. Steps are data; words are made
// only when somebody prints them. Nothing here is AWS's or the packet path's own:
// nodes write steps, people, tests and JSON read them.
//
// A [Log] keeps walks. One packet causes others: a router forwards it, a host
// answers it. A [Story] is a walk with all that it caused, and reads from top to
// bottom as one text.
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
	// Object says which: "source" or "destination".
	Checked
	// CheckOff: source/dest check is off, so a foreign address passed.
	CheckOff
	// NotOwn: source/dest check is on, and the address is not the interface's.
	// Object as for Checked.
	NotOwn
	// Allowed: a rule allowed it. Object is the group or ACL, Rule and Number the rule.
	Allowed
	// Tracked: a flow let through before, or its answer; no rule was asked.
	Tracked
	// Denied: a rule denied it, Object, Rule and Number as for Allowed; or, where
	// Number is 0, in the words of Rule.
	Denied
	// NoRule: no rule of Object allows it. Rule is the direction, ingress or egress.
	NoRule
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
	// Ended: the walk ended here for Reason, which Match explains where it is not empty.
	Ended
	actCount
)

// Step is one decision on a packet's way. Which fields have a meaning depends on
// Act; strings are those of the compiled network, so that noting a step formats
// nothing and does not allocate.
type Step struct {
	At     time.Duration // simulated time at which the packet was sent
	Act    Act
	TTL    uint8 // after the node
	Reason Reason
	Number int32     // a rule's number, 0 where it has none
	Node   string    // the node's name
	Object string    // the table, group or ACL
	Rule   string    // a rule's id, or what its number counts
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
	// From says whose packet it is: the label of the interface that it was sent
	// from, or the name of the node where it began.
	From string
	// Start is when the packet was sent.
	Start time.Duration
	// First and Last are the packet's flow as sent and as it was at the end. Both
	// are zero for what was no packet.
	First, Last wire.Flow
	// Size is the packet's length with its IP header, in bytes; of what was no
	// packet, that of the frame or the bytes given.
	Size int
	// TTL is the packet's as sent.
	TTL uint8
	// Type and Code are those of an ICMP message, 0 for other packets.
	Type, Code uint8
	// Error says whether the packet is an ICMP error.
	Error bool
	// Reason is why the walk ended; where the packet reached a guest, Guest says
	// what became of it there, None until it has arrived.
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

// Add makes room for a step and returns it, with whatever is in it.
func (w *Walk) Add() *Step {
	n := len(w.Steps)
	if n == cap(w.Steps) {
		w.Steps = append(w.Steps, Step{})
	} else {
		w.Steps = w.Steps[:n+1]
	}
	return &w.Steps[n]
}
