package trace

import (
	"fmt"
	"io"
	"strings"
)

// Story is a walk and what it caused, in the order in which the packets were sent:
// a request, its way through a router in the guest, the answer. [Log.Story] makes it.
type Story []*Walk

// WriteTo writes the story as people read it: for each packet whose it is and when
// it was sent, then a line a node, numbered through the whole story and aligned,
// then how it ended. It satisfies io.WriterTo.
func (s Story) WriteTo(out io.Writer) (int64, error) {
	var b strings.Builder
	width, number := 0, 0
	for _, w := range s {
		width = max(width, w.nodeWidth())
	}
	for _, w := range s {
		fmt.Fprintf(&b, "%s by %s at %v: %s\n", s.Role(w), w.From, w.Start, w.packet())
		number = w.writeLines(&b, w.lines(), width, number)
	}
	n, err := io.WriteString(out, b.String())
	return int64(n), err
}

// String returns what WriteTo writes.
func (s Story) String() string {
	var b strings.Builder
	s.WriteTo(&b)
	return b.String()
}

// End returns why the story ended: the first drop, else what became of its last
// packet; None of an empty story. A fragment kept for reassembly is no drop.
func (s Story) End() Reason {
	end := None
	for _, w := range s {
		if end = w.End(); end.IsDrop() {
			break
		}
	}
	return end
}

// Role is what a packet is in a story.
type Role string

// The roles of a packet.
const (
	RoleRequest   Role = "request"   // what the story began with, or what no kept packet caused
	RoleReply     Role = "reply"     // of the reverse of the flow that caused it
	RoleError     Role = "error"     // an ICMP error
	RoleForwarded Role = "forwarded" // the packet of before, sent on by a guest
	RoleSent      Role = "sent"      // what a guest sent because of another packet, such as a proxy's own
)

// Role returns what w, a walk of the story, is in it.
func (s Story) Role(w *Walk) Role {
	cause := s.find(w.Cause)
	switch {
	case w.Error:
		return RoleError
	case cause == nil:
		return RoleRequest
	case w.answers(cause):
		return RoleReply
	case cause.Guest == Forwarded:
		return RoleForwarded
	}
	return RoleSent
}

func (s Story) find(id int) *Walk {
	for _, w := range s {
		if w.ID == id {
			return w
		}
	}
	return nil
}
