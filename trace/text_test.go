package trace_test

import (
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/reasm"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

// golden compares text with a file of testdata. After go test -rewrite read the diff.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := "testdata/" + name
	if *rewrite {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

var (
	vm     = wire.MustParseAddr("10.0.1.10")
	nat    = wire.MustParseAddr("10.0.0.5")
	eip    = wire.MustParseAddr("203.0.113.5")
	server = wire.MustParseAddr("198.51.100.7")
)

func packet(t *testing.T, b []byte) *wire.Packet {
	t.Helper()
	p := new(wire.Packet)
	require.NoError(t, p.Read(b))
	return p
}

func udp(t *testing.T, src wire.Addr, srcPort uint16, dst wire.Addr, dstPort uint16, ttl uint8) *wire.Packet {
	return packet(t, wire.AppendUDP(nil, wire.Header{Src: src, Dst: dst, TTL: ttl}, srcPort, dstPort, []byte("q")))
}

// walker writes a walk as nodes do.
type walker struct {
	w *trace.Walk
	p *wire.Packet
}

// resources are the ids of what the nodes are parts of.
var resources = map[string]string{
	"vm out": "eni-1", "private router": "subnet-1", "private arrival": "subnet-1", "nat in": "eni-2", "nat out": "eni-2",
	"igw outbound": "igw-1",
}

func (k walker) note(node string, s trace.Step) walker {
	s.At, s.Node, s.NodeID, s.Flow, s.TTL = k.w.Start, node, resources[node], k.p.Flow, k.p.TTL()
	*k.w.Add() = s
	return k
}

func (k walker) becomes(node string, src wire.Addr, port uint16) walker {
	before := k.p.Flow
	k.p.SetSrc(src, port)
	return k.note(node, trace.Step{Act: trace.Translated, Before: before})
}

func (k walker) end(where string, network, guest trace.Reason) {
	k.w.Where, k.w.WhereID, k.w.Reason, k.w.Guest, k.w.Last = where, resources[where], network, guest, k.p.Flow
}

func send(l *trace.Log, at time.Duration, cause int, from string, p *wire.Packet) walker {
	w := l.Begin(at, cause, from, p)
	w.FromID = resources[from+" out"]
	return walker{w, p}
}

// natInstance is a question through a NAT instance: out, and back until the
// private subnet's ACL denies it.
func natInstance(t *testing.T) *trace.Log {
	l := &trace.Log{}
	k := send(l, time.Second, 0, "vm", udp(t, vm, 4000, server, 53, 255))
	k.note("vm out", trace.Step{Act: trace.Checked, Object: "source"})
	k.note("vm out", trace.Step{Act: trace.Allowed, Object: "default", ObjectID: "sg-1", Rule: "egress rule (all, 0.0.0.0/0)", MatchID: "sgr-1"})
	k.note("private router", trace.Step{Act: trace.Allowed, Object: "acl-1", ObjectID: "acl-1", Rule: "outbound rule", Number: 100})
	k.note("private router", trace.Step{
		Act: trace.Routed, Object: "private", ObjectID: "rtb-1", Rule: "0.0.0.0/0", Match: "0.0.0.0/0 -> nat", MatchID: "eni-2",
	})
	k.note("nat in", trace.Step{Act: trace.Tracked})
	k.note("nat in", trace.Step{Act: trace.CheckOff, Object: "destination"})
	k.end("nat in", trace.Delivered, trace.Forwarded)
	k.p.DecTTL()
	k.becomes("nat", nat, 1024).note("nat", trace.Step{Act: trace.Did, Match: "forwards by eth0"})

	out := send(l, time.Second, 1, "nat", udp(t, nat, 1024, server, 53, 254))
	out.note("nat out", trace.Step{Act: trace.Checked, Object: "source"})
	out.p.DecTTL()
	out.becomes("igw outbound", eip, 1024).note("internet", trace.Step{Act: trace.Ended, Reason: trace.Delivered})
	out.end("internet", trace.Delivered, trace.Delivered)

	// Another packet of the same time, which is no part of the story.
	send(l, time.Second, 0, "other", udp(t, vm, 1, server, 2, 64)).end("other", trace.NotAttached, trace.None)

	back := send(l, 1010*time.Millisecond, 2, "internet", udp(t, server, 53, eip, 1024, 64))
	back.note("internet", trace.Step{Act: trace.Passed})
	back.end("nat in", trace.Delivered, trace.Forwarded)

	last := send(l, 1020*time.Millisecond, 4, "nat", udp(t, server, 53, vm, 4000, 62))
	last.note("private arrival", trace.Step{Act: trace.Denied, Object: "acl-1", Rule: "inbound rule", Number: 90})
	last.end("private arrival", trace.ACLIngress, trace.None)

	h := wire.Header{Src: nat, Dst: server, TTL: 64}
	sorry := packet(t, wire.AppendICMP(nil, h, wire.ICMPUnreachable, 13, 0, last.p.Bytes()))
	send(l, 1020*time.Millisecond, 4, "nat", sorry).note("nat out", trace.Step{Act: trace.NotOwn, Object: "source"}).
		end("nat out", trace.SourceCheck, trace.None)
	return l
}

func TestAStoryOfManyPacketsIsOneText(t *testing.T) {
	l := natInstance(t)
	var b strings.Builder
	require.NoError(t, l.WriteStory(&b, 1))
	golden(t, "nat_instance.txt", b.String())
	require.Equal(t, b.String(), l.Story(1).String())
	require.Equal(t, trace.ACLIngress, l.Story(1).End())
}

func TestAWalkIsALineANode(t *testing.T) {
	golden(t, "walk.txt", natInstance(t).Walks()[0].String())
}

func TestAWalksFieldsInJSONAreStable(t *testing.T) {
	l := natInstance(t)
	b, err := json.MarshalIndent(l.Walks()[:2], "", "  ")
	require.NoError(t, err)
	golden(t, "walks.json", string(b)+"\n")
	b, err = json.MarshalIndent(l.Walks()[5], "", "  ")
	require.NoError(t, err)
	golden(t, "error.json", string(b)+"\n")
}

// The kinds of packet that walks.json has not, and of step.
func TestAPacketsFieldsInJSONAreStable(t *testing.T) {
	l := &trace.Log{}
	echo := packet(t, wire.AppendICMP(nil, wire.Header{Src: vm, Dst: server, TTL: 64}, wire.ICMPEcho, 0, 0, make([]byte, 1480)))
	w := send(l, 0, 0, "vm", echo)
	w.note("vm out", trace.Step{Act: trace.NoRule, Object: "web, db", ObjectID: "sg-1, sg-2", Rule: "egress"})
	w.end("vm out", trace.GroupEgress, trace.None)
	for _, part := range fragments(echo) {
		w = send(l, 0, 0, "vm", packet(t, part))
		w.note("private router", trace.Step{Act: trace.Unrouted, Object: "private", ObjectID: "rtb-1"})
		w.end("private router", trace.NoRoute, trace.None)
	}
	w = send(l, 0, 0, "vm", packet(t, wire.AppendICMP(nil, wire.Header{Src: server, Dst: vm, TTL: 64}, wire.ICMPEchoReply, 0, 9<<16, nil)))
	w.note("private arrival", trace.Step{Act: trace.Denied, Object: "acl", ObjectID: "acl-1", Rule: "inbound rule", Number: 32767})
	w.note("vm", trace.Step{Act: trace.Routed, Rule: "0.0.0.0/0", Match: "0.0.0.0/0 via 10.0.1.1 dev eth0"})
	arp := l.Begin(0, 0, "vm", nil)
	arp.Frame, arp.Size, arp.Where, arp.Reason = "ARP request for 10.0.0.99", 42, "vm out", trace.NoNeighbor
	b, err := json.MarshalIndent(l.Walks(), "", "  ")
	require.NoError(t, err)
	golden(t, "packets.json", string(b)+"\n")
}

func fragments(p *wire.Packet) [][]byte { return reasm.Split(p, 1500, reasm.Cut{ID: 7}) }

func TestFragmentsAreNamedByTheirPlace(t *testing.T) {
	for _, c := range []struct {
		whole []byte
		want  []string
	}{
		{wire.AppendICMP(nil, wire.Header{Src: vm, Dst: server, TTL: 64}, wire.ICMPEcho, 0, 7<<16, make([]byte, 2992)), []string{
			"10.0.1.10 > 198.51.100.7 icmp echo request fragment at 0 (1500 bytes, ttl 64)\n     not ended\n",
			"10.0.1.10 > 198.51.100.7 icmp fragment at 1480 (1500 bytes, ttl 64)\n     not ended\n",
			"10.0.1.10 > 198.51.100.7 icmp fragment at 2960 (60 bytes, ttl 64)\n     not ended\n",
		}},
		{wire.AppendUDP(nil, wire.Header{Src: vm, Dst: server, TTL: 64}, 4000, 53, make([]byte, 2000)), []string{
			"10.0.1.10:4000 > 198.51.100.7:53 udp fragment at 0 (1500 bytes, ttl 64)\n     not ended\n",
			"10.0.1.10 > 198.51.100.7 udp fragment at 1480 (548 bytes, ttl 64)\n     not ended\n",
		}},
	} {
		var got []string
		for _, part := range fragments(packet(t, c.whole)) {
			l := &trace.Log{}
			got = append(got, l.Begin(0, 0, "x", packet(t, part)).String())
		}
		require.Equal(t, c.want, got)
	}
}

// The reply to a whole request comes in fragments, and the last of a request's
// fragments causes the whole reply.
func TestAStoryKnowsAReplyByItsFragmentsToo(t *testing.T) {
	request := packet(t, wire.AppendICMP(nil, wire.Header{Src: vm, Dst: server, TTL: 64}, wire.ICMPEcho, 0, 7<<16, make([]byte, 2992)))
	reply := packet(t, wire.AppendICMP(nil, wire.Header{Src: server, Dst: vm, TTL: 64}, wire.ICMPEchoReply, 0, 7<<16, make([]byte, 2992)))
	for _, way := range [][2]*wire.Packet{{request, reply}, {reply, request}} {
		for _, asks := range append(fragments(way[0]), way[0].Bytes()) {
			for _, answers := range append(fragments(way[1]), way[1].Bytes()) {
				l := &trace.Log{}
				l.Begin(0, 0, "vm", packet(t, asks))
				l.Begin(0, 1, "server", packet(t, answers))
				require.Contains(t, l.Story(1).String(), "\nreply by server")
			}
		}
	}
}

func TestEveryStepHasWords(t *testing.T) {
	f := wire.Flow{Src: vm, Dst: server, SrcPort: 4000, DstPort: 53, Proto: wire.ProtoUDP}
	f6 := wire.Flow{Src: wire.MustParseAddr("fd00::a"), Dst: wire.MustParseAddr("fd00::b"), SrcPort: 1, DstPort: 2, Proto: wire.ProtoTCP}
	moved6 := f6
	moved6.Dst, moved6.DstPort = wire.MustParseAddr("fd00::c"), 3
	ping := wire.Flow{Src: vm, Dst: server, SrcPort: 7, Proto: wire.ProtoICMP}
	moved, otherID, both := f, ping, f
	moved.Src = eip
	otherID.Src, otherID.SrcPort = nat, 9
	both.Src, both.Dst, both.SrcPort = nat, eip, 1024
	for want, s := range map[string]trace.Step{
		"":                                    {},
		"source 10.0.1.10 is its own":         {Act: trace.Checked, Object: "source"},
		"destination 198.51.100.7 is its own": {Act: trace.Checked, Object: "destination"},
		"source/dest check is off":            {Act: trace.CheckOff, Object: "source"},
		"source/dest check is on, and destination 198.51.100.7 is not its own": {Act: trace.NotOwn, Object: "destination"},
		"acl-1 outbound rule 100 allows":                                       {Act: trace.Allowed, Object: "acl-1", Rule: "outbound rule", Number: 100},
		"web egress rule (all, 0.0.0.0/0) allows":                              {Act: trace.Allowed, Object: "web", Rule: "egress rule (all, 0.0.0.0/0)"},
		"known flow":                                                                                {Act: trace.Tracked},
		"acl-1 inbound rule 90 denies":                                                              {Act: trace.Denied, Object: "acl-1", Rule: "inbound rule", Number: 90},
		"private has no route to 198.51.100.7":                                                      {Act: trace.Unrouted, Object: "private"},
		"acl-1 inbound rule * denies":                                                               {Act: trace.Denied, Object: "acl-1", Rule: "inbound rule", Number: 32768},
		"routes by 0.0.0.0/0 via 10.0.1.1 dev eth0":                                                 {Act: trace.Routed, Rule: "0.0.0.0/0", Match: "0.0.0.0/0 via 10.0.1.1 dev eth0"},
		"web, db has no ingress rule for udp 53 from 10.0.1.10":                                     {Act: trace.NoRule, Object: "web, db", Rule: "ingress"},
		"web has no egress rule for udp 53 to 198.51.100.7":                                         {Act: trace.NoRule, Object: "web", Rule: "egress"},
		"web has no ingress rule for icmp from 10.0.1.10":                                           {Act: trace.NoRule, Object: "web", Rule: "ingress", Flow: ping},
		"private: 198.51.100.7 matches 0.0.0.0/0 -> nat":                                            {Act: trace.Routed, Object: "private", Match: "0.0.0.0/0 -> nat"},
		"same subnet: no route table, no network ACL":                                               {Act: trace.Resolved},
		"source 10.0.1.10 becomes 203.0.113.5":                                                      {Act: trace.Translated, Before: f, Flow: moved},
		"source 10.0.1.10 id 7 becomes 10.0.0.5 id 9":                                               {Act: trace.Translated, Before: ping, Flow: otherID},
		"destination [fd00::b]:2 becomes [fd00::c]:3":                                               {Act: trace.Translated, Before: f6, Flow: moved6},
		"source 10.0.1.10:4000 becomes 10.0.0.5:1024, destination 198.51.100.7 becomes 203.0.113.5": {Act: trace.Translated, Before: f, Flow: both},
		"translated to itself":                                                                      {Act: trace.Translated, Before: f},
		"passes on":                                                                                 {Act: trace.Passed},
		"answers in words":                                                                          {Act: trace.Did, Match: "answers in words"},
		"instance not running":                                                                      {Act: trace.Ended, Reason: trace.InstanceStopped},
		"malformed packet: IP version is neither 4 nor 6":                                           {Act: trace.Ended, Reason: trace.Malformed, Match: "IP version is neither 4 nor 6"},
		"delivers": {Act: trace.Ended, Reason: trace.Delivered},
	} {
		if s.Flow == (wire.Flow{}) {
			s.Flow = f
		}
		require.Equal(t, want, s.String())
	}
}

func TestEveryActHasANameOfItsOwn(t *testing.T) {
	names := map[string]bool{}
	for a := trace.NoAct; a <= trace.Ended; a++ {
		require.False(t, names[a.String()], "%q twice", a)
		names[a.String()] = true
	}
	require.Equal(t, "Act(16)", (trace.Ended + 1).String())
}

func TestMessagesOfICMPAreNamed(t *testing.T) {
	v6 := wire.Header{Src: wire.MustParseAddr("fd00::a"), Dst: wire.MustParseAddr("fd00::b"), TTL: 64}
	v4 := wire.Header{Src: vm, Dst: server, TTL: 64}
	for _, c := range []struct {
		h         wire.Header
		typ, code uint8
		want      string
	}{
		{v4, 8, 0, "10.0.1.10 > 198.51.100.7 icmp echo request (28 bytes, ttl 64)\n     not ended\n"},
		{v4, 3, 4, "10.0.1.10 > 198.51.100.7 icmp unreachable code 4 (28 bytes, ttl 64)\n     not ended\n"},
		{v4, 3, 0, "10.0.1.10 > 198.51.100.7 icmp unreachable code 0 (28 bytes, ttl 64)\n     not ended\n"},
		{v4, 40, 2, "10.0.1.10 > 198.51.100.7 icmp type 40 code 2 (28 bytes, ttl 64)\n     not ended\n"},
		{v6, 129, 0, "fd00::a > fd00::b icmpv6 echo reply (48 bytes, ttl 64)\n     not ended\n"},
		{v6, 135, 0, "fd00::a > fd00::b icmpv6 neighbor solicitation (48 bytes, ttl 64)\n     not ended\n"},
		{v6, 2, 0, "fd00::a > fd00::b icmpv6 packet too big (48 bytes, ttl 64)\n     not ended\n"},
	} {
		l := &trace.Log{}
		w := l.Begin(0, 0, "x", packet(t, wire.AppendICMP(nil, c.h, c.typ, c.code, 7<<16, nil)))
		require.Equal(t, c.want, w.String())
	}
}
