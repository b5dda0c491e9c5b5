// Routetargets shows which network interfaces AWS takes as the target of a route, and
// what a packet then does there: an interface of each of seven kinds is made, put into a
// subnet route table and into a gateway route table, and a packet pushed at it (S000).
//
//	go run ./examples/routetargets
package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
)

func main() {
	if err := run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(out io.Writer) error {
	l, err := newLab(false)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "1. An interface of each kind, as describe-network-interfaces has it, as the target of a route in the\n"+
		"   table of a subnet ("+outside+") and in the table of the internet gateway ("+appNet+").")
	fmt.Fprintf(out, "\n   %s  %-18s  %-6s  %-5s  %-24s  %s\n", "#", "interface of", "groups", "check", "in a subnet's table", "in a gateway's table")
	rows, err := l.table()
	if err != nil {
		return err
	}
	for i, r := range rows {
		fmt.Fprintf(out, "   %d  %-18s  %-6s  %-5t  %-24s  %s\n", i+1, r.kind, yes(r.groups), r.check, r.subnet, r.gateway)
	}
	again, err := l.checked()
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\n   The sixth with its source/dest check on: %s; %s.\n", again.subnet, again.gateway)
	fmt.Fprint(out, "\n2. Where it is accepted, a packet is pushed at it: from the app server to the internet by the subnet's\n"+
		"   table, from the internet to the app server by the gateway's. Beside it, a connection to\n   the interface's own address.\n\n")
	for i, r := range rows {
		fmt.Fprintf(out, "   %d  %-18s  %-18s  %s\n", i+1, r.kind, "subnet's table", r.subnetPush)
		if r.gateway.refusal == nil {
			fmt.Fprintf(out, "   %s  %-18s  %-18s  %s\n", " ", "", "gateway's table", r.gatewayPush)
		}
		if l.kinds[i].port != 0 {
			fmt.Fprintf(out, "   %s  %-18s  %-18s  %s\n", " ", "", fmt.Sprintf("its own port %d", l.kinds[i].port), r.own)
		}
	}
	fmt.Fprintln(out, "\n   Of use is the NAT gateway alone. An interface whose source/dest check is on takes only\n"+
		"   what is addressed to it; a Network Load Balancer, whose check is off, takes what comes for a listener and forwards\n"+
		"   nothing else. Two of them whole:")
	for _, i := range []int{1, 2} {
		fmt.Fprintf(out, "\n   %s\n\n%s", rows[i].kind, rows[i].subnetPush.story)
	}
	fmt.Fprintln(out, "\n3. What else is refused, in AWS's words:")
	refusals, err := l.refusals()
	if err != nil {
		return err
	}
	for _, r := range refusals {
		fmt.Fprintf(out, "\n   %s\n      %v\n", r.what, r.err)
	}
	old, err := newLab(true)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\n4. A route of a subnet's table to %s, which is narrower than the VPC:\n\n   today            %s\n   until 08/2021    %s\n",
		serviceNet, accepted(l.narrow()), accepted(old.narrow()))
	return nil
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "none"
}

// accepted says what AWS answered to a call.
func accepted(err error) string {
	if err == nil {
		return "accepted"
	}
	return "refused: " + err.Error()
}

// answer is what AWS made of a route.
type answer struct {
	refusal *vpc.Error
	target  vpc.Target // what the table stores
	state   vpc.RouteState
}

// String returns the answer in S000's words.
func (a answer) String() string {
	switch {
	case a.refusal != nil:
		return "refused: " + a.refusal.Message
	case a.state == vpc.Blackhole:
		return "accepted, blackhole"
	case !isInterface(a.target):
		return "accepted as " + a.target.ID()[:8] + "…"
	}
	return "accepted"
}

func isInterface(t vpc.Target) bool {
	_, ok := t.(*vpc.NetworkInterface)
	return ok
}

// push is what became of a packet.
type push struct {
	end   trace.Reason
	where string
	story trace.Story
}

// String returns where the packet ended and why.
func (p push) String() string {
	if !p.end.IsDrop() {
		return "passes: " + p.end.String()
	}
	return fmt.Sprintf("dropped at %s: %s (%s)", p.where, p.end, p.end.Code())
}

// refused returns AWS's refusal in an error, or what else went wrong.
func refused(err error) (*vpc.Error, error) {
	var refusal *vpc.Error
	if err == nil || errors.As(err, &refusal) {
		return refusal, nil
	}
	return nil, err
}
