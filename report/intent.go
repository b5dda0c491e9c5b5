package report

import (
	"fmt"
	"strconv"

	"github.com/vpcsim/vpcsim/intent"
	"github.com/vpcsim/vpcsim/picture"
	"github.com/vpcsim/vpcsim/reach"
	"github.com/vpcsim/vpcsim/wire"
)

// Intent returns the block of an intent's outcome. p asks once more for all that stands
// in the way; file is the intents', which the first line names, "" for none.
func Intent(file string, o *intent.Outcome, p *reach.Prober, where func(id string) (picture.Place, bool)) *picture.Block {
	b := &picture.Block{}
	if o.Asked {
		v := p.Verdict(o.Question)
		b = Block("", &v, where)
	}
	b.Word = map[intent.Verdict]string{intent.Holds: "PASS", intent.Fails: "FAIL", intent.Unknown: "UNKNOWN"}[o.Verdict]
	b.Title = o.Line.Intent.String()
	if file != "" {
		b.Title = fmt.Sprintf("%s:%d: %s", file, o.Line.Number, b.Title)
	}
	if o.Why != "" {
		b.Title += ": " + o.Why
	}
	b.Detail = ""
	if o.Asked && o.Pairs > 1 {
		b.Detail = fmt.Sprintf("%s -> %s %s", o.From, o.To, o.Traffic)
		b.Note = fmt.Sprintf("%d of %d probes fail", o.Bad, o.Pairs)
	}
	return b
}

// Spec returns a question in words that lead to the same ends again.
func Spec(q reach.Question) reach.Spec {
	s := reach.Spec{From: name(q.From), To: name(q.To), Port: int(q.Port), Size: q.Size, Fragment: q.Fragment}
	switch q.Proto {
	case wire.ProtoTCP, wire.ProtoUDP:
		s.Proto = q.Proto.String()
	case wire.ProtoICMP, wire.ProtoICMPv6:
		s.Proto = "icmp"
	default:
		s.Proto = strconv.Itoa(int(q.Proto))
	}
	return s
}

// name is what finds a place again: the interface for its first address; another that
// several VPCs have needs the VPC.
func name(a reach.Place) string {
	n := a.Interface()
	if n == nil {
		return a.Addr.String()
	}
	if a.Addr == n.PrivateIP() {
		return n.ID()
	}
	for _, p := range n.PrivateAddresses() {
		if p.IP == a.Addr {
			return n.Subnet().VPC().ID() + "/" + a.Addr.String()
		}
	}
	return a.Addr.String()
}
