// Package trace is what a walk leaves behind: the [Reason] why it ended and, when
// asked, a [Step] for every decision on its way. Steps are data; words are made
// only when somebody prints them. Nothing here is AWS's or the packet path's own:
// nodes write steps, people, tests and JSON read them.
//
// A [Log] keeps walks. One packet causes others: a router forwards it, a host
// answers it. A [Story] is a walk with all that it caused, and reads from top to
// bottom as one text.
//
// # JSON
//
// A [Walk] marshals to an object, whose fields and acts are stable; a [Log]'s walks, or
// a Story, to an array of them. Fields that have no meaning are left out. Labels and
// words (from, where, node, object, rule, match, frame, text) are for people and
// may change; ids, codes, acts, numbers and flows are for programs. Times are
// simulated, in nanoseconds.
//
//	id, cause     the walk's number, and that of the walk that caused it
//	from, from_id where the packet began: an interface's label and its id, eni-…
//	start_ns      when it was sent
//	first, last   its flow as sent and at the end; not of what was no packet
//	packet        the packet as sent
//	frame         what was sent that was no packet
//	reason, code  why it ended, and AWS's or our code for a drop
//	where         the name of the node where it ended; where_id the resource's id
//	steps         the decisions, in order
//
// A flow is src and dst (addresses), proto (a name or a number), and sport and dport of
// TCP and UDP, or icmp_id of an ICMP query; fragments after the first have neither.
//
// A packet is type and code (ICMP's; not of a fragment after the first), fragment
// (offset, in bytes of the datagram's payload, and more, whether others follow; not of
// a whole packet), ttl (not of what was refused unsent) and size, in bytes with the
// IP header.
//
// A step is at_ns, node, node_id (the resource that the node is a part of: eni-…,
// subnet-…, vpc-…, igw-…, nat-…), act ([Act.String]), flow and ttl after the node, text,
// and by its act:
//
//	checked, check-off, not-own  object: source or destination
//	allowed by a group           object, object_id: sg-…; rule, rule_id: sgr-…
//	allowed, denied by an ACL    object, object_id: acl-…; rule, number: AWS's, "*" is 32767 (IPv6: 32768)
//	no-rule                      object, object_ids: sg-…; rule: ingress or egress
//	routed                       object, object_id: rtb-…, none of a guest's own table;
//	                             match, destination: a prefix; target_id: nat-…, eni-…, local, …
//	unrouted                     object, object_id: rtb-…
//	translated                   before: the flow until then
//	ended                        reason; match: why
//	did                          match
//	untold                       object, object_id: what the network's description does not tell of; match: what is missing
package trace

import (
	"bytes"
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
	// Denied: a rule of a network ACL denied it, Object, Rule and Number as for
	// Allowed. The rule that AWS shows as "*" has AWS's number, 32767 (IPv6: 32768).
	Denied
	// NoRule: no rule of Object, the groups of an interface, allows it. Rule is the
	// direction, ingress or egress; ObjectID is their ids, separated as in Object.
	NoRule
	// Routed: a route matched. Object is the table, empty of a guest's own; Rule is
	// the route's destination, Match the route in words, MatchID its target.
	Routed
	// Unrouted: no route of the table Object leads to the destination.
	Unrouted
	// Resolved: a delivery inside a subnet, past tables and ACLs.
	Resolved
	// Translated: addresses or ports were rewritten, from Before to Flow.
	Translated
	// Passed: the node passed the packet on as it was, but for its TTL.
	Passed
	// Did: the node did what Match says, in words.
	Did
	// Untold: the network's description does not tell what Object does with it, and Match
	// says what is missing. The packet ends as Unmodelled, unless somebody wants to know
	// what lies behind.
	Untold
	// Ended: the walk ended here for Reason, which Match explains where it is not empty.
	Ended
	actCount
)

// Step is one decision on a packet's way. Which fields have a meaning depends on
// Act; strings are those of the compiled network, so that noting a step formats
// nothing. Labels are for people, and two resources may have
// one; beside each stands an id, empty where the thing has none. The packet path notes
// most steps as a [Mark].
type Step struct {
	At       time.Duration // simulated time at which the packet was sent
	Act      Act
	TTL      uint8 // after the node
	Reason   Reason
	Number   int32     // a rule's number, 0 where it has none
	Node     string    // the node's name
	NodeID   string    // the resource that the node is a part of: eni-…, subnet-…, igw-…
	Object   string    // the table, group or ACL
	ObjectID string    // and its id: rtb-…, sg-…, acl-…
	Rule     string    // a rule in words, what its number counts, or a route's destination
	Match    string    // a route, or words
	MatchID  string    // what matched: a group's rule, sgr-…, or a route's target
	Before   wire.Flow // before a translation
	Flow     wire.Flow // after the step
}

// Walk is one packet's way from a guest to the end.
type Walk struct {
	// ID numbers the walks of a log from 1.
	ID int
	// Cause is the walk during whose delivery this packet was sent: the packet
	// that a router forwarded, the request that is answered. 0 is none.
	Cause int
	// From says whose packet it is: the label of the interface that it was sent
	// from, or the name of the node where it began. FromID is the interface's id, or
	// that of the resource that the node is a part of; empty where there is none.
	From, FromID string
	// Start is when the packet was sent.
	Start time.Duration
	// First and Last are the packet's flow as sent and as it was at the end. Both
	// are zero for what was no packet.
	First, Last wire.Flow
	// Frame says in words what was sent that was no IP packet, such as "ARP request
	// for 10.0.0.99". It is empty of an IP packet, and where nothing is known.
	Frame string
	// Size is the packet's length with its IP header, in bytes; of what was no
	// packet, that of the frame or the bytes given.
	Size int
	// TTL is the packet's as sent; 0 where it was refused before it was sent.
	TTL uint8
	// Type and Code are those of an ICMP message, 0 for other packets and for
	// fragments after the first.
	Type, Code uint8
	// Error says whether the packet is an ICMP error.
	Error bool
	// MoreFragments says that parts of the datagram follow this one.
	MoreFragments bool
	// Fragment says which part of a datagram the packet is, FragmentOffset where in
	// the datagram's payload it begins, in bytes.
	Fragment       wire.Fragment
	FragmentOffset int
	// Reason is why the walk ended; where the packet reached a guest, Guest says
	// what became of it there, None until it has arrived.
	Reason, Guest Reason
	// Where is the name of the node at which the walk ended, WhereID the id of the
	// resource that it is a part of, empty where there is none.
	Where, WhereID string
	// Steps are the decisions, in order, as far as they were made when the [Log] handed
	// out the walk last.
	Steps []Step

	ported      bool // the flow has ports or an ICMP identifier
	kept        []keptPacket
	marks       []Mark // of the steps behind Steps
	notes       []Step // of marks
	sender, end any    // nodes whose names From and Where will be
	again       bool   // the room of marks will be used again
}

// keptPacket is a packet's bytes behind the node of a step.
type keptPacket struct {
	step  int
	bytes []byte
}

// Keep keeps a copy of the packet as the node of the last step left it.
func (w *Walk) Keep(p *wire.Packet) {
	w.kept = append(w.kept, keptPacket{w.Len() - 1, bytes.Clone(p.Bytes())})
}

// Packet returns the IP packet as the node of step i left it: nil where the log keeps no
// [Log.Packets], and of all steps of a node but the last.
func (w *Walk) Packet(i int) []byte {
	for _, k := range w.kept {
		if k.step == i {
			return k.bytes
		}
	}
	return nil
}

// describe sets what the walk keeps of the packet as it is sent.
func (w *Walk) describe(p *wire.Packet) {
	w.First, w.Last, w.Size, w.TTL = p.Flow, p.Flow, p.Len(), p.TTL()
	w.Type, w.Code, w.Error = p.Type, p.Code, p.IsError()
	w.ported = p.HasPorts()
	if p.Fragment != wire.Whole {
		w.Fragment, w.FragmentOffset, w.MoreFragments = p.Fragment, p.FragmentOffset(), p.MoreFragments()
	}
}

// isMessage reports whether Type and Code are an ICMP message's.
func (w *Walk) isMessage() bool {
	return isICMP(w.First) && w.First.Src.Is4() == (w.First.Proto == wire.ProtoICMP) && w.Fragment != wire.LaterFragment
}

// answers reports whether the packet is of the reverse of q's flow. A fragment after
// the first has no ports to tell by.
func (w *Walk) answers(q *Walk) bool {
	a, b := w.First, q.Last.Reverse()
	if w.Fragment == wire.LaterFragment || q.Fragment == wire.LaterFragment {
		a.SrcPort, a.DstPort, b.SrcPort, b.DstPort = 0, 0, 0, 0
	}
	return a == b
}

// End returns why the packet ended, the guest's word before the network's.
func (w *Walk) End() Reason {
	if w.Guest != None {
		return w.Guest
	}
	return w.Reason
}
