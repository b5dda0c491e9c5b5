package reach

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// Question is what is to be sent, and from where.
type Question struct {
	From, To Place
	// Proto is TCP, UDP or ICMP (of the addresses' family), or any other protocol, to
	// which nobody answers.
	Proto wire.Proto
	// Port is the destination port of TCP and UDP.
	Port uint16
	// Size is the payload of each packet in bytes, not to be fragmented: ping -M do -s. Of
	// TCP it is the data which the client sends once the connection is open, and what comes
	// back, as curl's request and the page, in the largest segment up to it that both ends
	// have agreed upon (MSS) and that ICMP errors on the way have left of it: a way that
	// carries the handshake may be too narrow for them. 0 is ping's 56 bytes, and no more
	// than the handshake.
	Size int
	// Fragment has packets of UDP and ICMP be fragmented where they do not fit, the answers
	// too: ping -M dont -s.
	Fragment bool
}

// Spec is a question in words. Its JSON is that of a batch.
type Spec struct {
	// From and To are what [Prober.Place] takes.
	From string `json:"src_ip"`
	To   string `json:"dst_ip"`
	// Proto is icmp, tcp, udp, or the number of a protocol; "" is icmp.
	Proto string `json:"proto"`
	// Port is the destination port of TCP and UDP.
	Port int `json:"dport"`
	// Size is as in [Question].
	Size int `json:"size,omitempty"`
	// Fragment is as in [Question].
	Fragment bool `json:"fragment,omitempty"`
}

// String returns "10.0.0.1 -> 10.0.0.2 tcp/22", and " of 8900 bytes" where a size is given.
func (s Spec) String() string {
	text := s.From + " -> " + s.To + " " + s.traffic()
	if s.Size > 0 {
		text += " of " + strconv.Itoa(s.Size) + " bytes"
	}
	if s.Fragment {
		text += ", in fragments"
	}
	return text
}

// traffic returns "tcp/22", or the protocol alone.
func (s Spec) traffic() string {
	switch s.Proto {
	case "":
		return "icmp"
	case "tcp", "udp":
		return s.Proto + "/" + strconv.Itoa(s.Port)
	}
	return s.Proto
}

// Question finds the ends of a question in words.
func (p *Prober) Question(s Spec) (q Question, err error) {
	if q.From, err = p.Place(s.From); err != nil {
		return q, err
	}
	a, literal := netip.ParseAddr(s.To)
	var gone *leftOut
	switch q.To, err = p.Place(s.To); {
	case errors.As(err, &gone):
		return q, err
	case err != nil && literal == nil: // of several: where it leads, the walk will tell
		q.To = Place{Addr: a.Unmap()}
	case err != nil:
		return q, err
	case literal != nil && q.From.outside():
		q.To = q.To.published()
	}
	if q.Proto, err = protocol(s.Proto, q.To.Addr.Is4()); err != nil {
		return q, err
	}
	ported := q.Proto == wire.ProtoTCP || q.Proto == wire.ProtoUDP
	if s.Port < 0 || s.Port > 65535 || ported && s.Port == 0 {
		return q, fmt.Errorf("reach: %s: port %d: expected 1 to 65535", s, s.Port)
	}
	if ported {
		q.Port = uint16(s.Port)
	}
	if s.Size < 0 || s.Size > maxSize {
		return q, fmt.Errorf("reach: %s: size %d: expected 0 to %d", s, s.Size, maxSize)
	}
	q.Size, q.Fragment = s.Size, s.Fragment && q.Proto != wire.ProtoTCP
	return q, nil
}

// maxSize is the largest payload, in bytes: what an IP packet has room for.
const maxSize = 65_000

// protocol returns the number of a protocol by its name.
func protocol(name string, four bool) (wire.Proto, error) {
	switch strings.ToLower(name) {
	case "", "icmp", "ping", "icmpv6":
		if four {
			return wire.ProtoICMP, nil
		}
		return wire.ProtoICMPv6, nil
	case "tcp":
		return wire.ProtoTCP, nil
	case "udp":
		return wire.ProtoUDP, nil
	}
	if n, err := strconv.ParseUint(name, 10, 8); err == nil {
		return wire.Proto(n), nil
	}
	return 0, fmt.Errorf("reach: protocol %q: expected icmp, tcp, udp or a number from 0 to 255", name)
}

// Ask is Probe for a question in words. One that can't be asked, since an end is not in
// the network or not one, is answered by Unknown.
func (p *Prober) Ask(s Spec) Result {
	all, err := p.questions(s)
	if err != nil {
		return unasked(strings.TrimPrefix(err.Error(), "reach: "), "")
	}
	return p.probeAll(all)
}

// questions finds the ends of a question in words. There are several where instances of
// several VPCs have the sender's address.
func (p *Prober) questions(s Spec) ([]Question, error) {
	q, err := p.Question(s)
	if err == nil {
		return []Question{q}, nil
	}
	var all []Question
	from := s.From
	for _, n := range p.senders(from) {
		s.From = n.Subnet().VPC().ID() + "/" + from
		if q, e := p.Question(s); e == nil {
			all = append(all, q)
		}
	}
	if len(all) == 0 {
		return nil, err
	}
	return all, nil
}

// probeAll asks the same of several senders: what they do not agree upon is unknown,
// since nobody has said which is meant.
func (p *Prober) probeAll(all []Question) Result {
	if len(all) == 1 {
		return p.Probe(all[0])
	}
	outcomes := make([]Outcome, len(all))
	for i, q := range all {
		made := []choice{{what: "sender", name: p.called(q.From.nic.ID()) + " of " + q.From.nic.Subnet().VPC().ID()}}
		outcomes[i] = Outcome{Share: 1 / float64(len(all)), Choices: []string{words(made)}, Result: p.Probe(q), made: made}
	}
	return merge(outcomes, 0)
}

// unasked is the answer to a question that nobody can ask.
func unasked(why, where string) Result {
	return Result{Observed: Unknown, Reason: why, Unknown: why, Where: where}
}

// patience is how long a probe waits for its answer, in simulated time: longer than any
// way through a network takes, shorter than anything forgets a flow.
const patience = 5 * time.Second

// Probe sends what ping, nmap (-Pn, one port) or curl's connection would send and says
// what the sender would see. Where the network chooses at random it tries the outcomes
// one after another.
func (p *Prober) Probe(q Question) Result {
	if why := p.unaskable(q); why != "" {
		return unasked(why, idOf(q.From))
	}
	if r, ok := p.loopback(q); ok {
		return r
	}
	return p.enumerate(q)
}

// unaskable says why nobody can send the question.
func (p *Prober) unaskable(q Question) string {
	src := q.From.from(q.To.Addr)
	switch {
	case p.refresh() != nil:
		return p.refresh().Error()
	case !q.To.Addr.IsValid():
		return "no destination"
	case !src.IsValid() || src.Is4() != q.To.Addr.Is4():
		return q.From.String() + " has no address of the family of " + q.To.Addr.String()
	case q.From.nic != nil && p.owned(q.From.nic) && q.From.nic.Type() != vpc.InterfaceTransitGateway:
		return fmt.Sprintf("%s: what %s, a %s, sends of its own is not modelled", q.From.nic.ID(), q.From.Addr, q.From.nic.Type())
	case q.From.nic != nil && !p.owned(q.From.nic) && platformOwn[q.From.nic.Type()]:
		return fmt.Sprintf("%s: what the %s behind it sends is not in the snapshot", q.From.nic.ID(), q.From.nic.Type())
	case q.From.nic == nil && q.From.gateway == "" && p.absent(src) != "":
		return p.absent(src)
	case q.From.nic == nil && q.From.gateway == "" && isPrivate(src):
		return src.String() + ": no interface of the network has the address, and nobody on the internet"
	case q.From.nic == nil && q.From.gateway == "" && !p.holds(q.To.Addr):
		return fmt.Sprintf("from %s to %s: both are outside of the network", src, q.To.Addr)
	}
	return ""
}

// owned reports whether a service that is modelled has the interface: no guest is behind it.
func (p *Prober) owned(n *vpc.NetworkInterface) bool {
	i := p.live(n).Interface(n)
	return i != nil && i.Owner != nil
}

// holds reports whether packets from the internet for a lead into the network, or a is
// one that the internet has not.
func (p *Prober) holds(a netip.Addr) bool {
	for _, l := range p.lives {
		if l.Snapshot().Public(wire.AddrFrom(a)) != nil {
			return true
		}
	}
	return isPrivate(a)
}

// isPrivate reports whether a is of RFC 1918, RFC 6598, RFC 4193 or of one link.
func isPrivate(a netip.Addr) bool {
	shared := netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64}), 10)
	return a.IsPrivate() || a.IsLinkLocalUnicast() || a.IsLoopback() || shared.Contains(a)
}

func idOf(a Place) string {
	if a.nic != nil {
		return a.nic.ID()
	}
	return a.gateway
}

// loopback answers a question whose destination is the sender's own address: that does
// not leave the guest. A port that nothing tells of is taken for open where the
// interface's groups let it in from somewhere, since that is what people write such
// rules for; else nothing listens (measured: labs, a host without such a rule answered
// its own probe with RST).
func (p *Prober) loopback(q Question) (Result, bool) {
	n := q.From.nic
	if n == nil || !p.sameHost(n, q.To) {
		return Result{}, false
	}
	switch i := p.live(n).Interface(n); {
	case i != nil && i.Down == trace.Unmodelled:
		return unasked(i.Doubt.Instance+": "+i.Doubt.Missing, n.ID()), true
	case i == nil || i.Down != trace.None: // the guest does not run
		return Result{}, false
	}
	r := Result{Where: n.ID(), Reason: "delivered inside the guest: a packet for its own address does not leave it", Delivered: true}
	ttl := p.config.TTL
	switch q.Proto {
	case wire.ProtoICMP, wire.ProtoICMPv6:
		r.Observed, r.ReplyTTL = Reply, &ttl
	case wire.ProtoTCP, wire.ProtoUDP:
		open, told := p.open(n, q.Proto.String(), q.Port)
		r.Observed, r.ReplyTTL = Open, &ttl
		if !open || !told && !letsIn(n, int(q.Proto), int(q.Port)) {
			r.Observed = Closed
		}
	default:
		r.Observed = Unknown
		return r, true
	}
	yes := true
	r.RoundTrip = &yes
	return r, true
}

// sameHost reports whether a private address of the interface's instance is asked for.
func (p *Prober) sameHost(n *vpc.NetworkInterface, to Place) bool {
	if to.public || to.foreign || to.gateway != "" {
		return false
	}
	if to.Addr.IsLoopback() {
		return true
	}
	for _, m := range p.find().byAddr[to.Addr] {
		if (m == n || n.Instance() != nil && m.Instance() == n.Instance()) && (to.nic == nil || to.nic == m) {
			return true
		}
	}
	return false
}

// letsIn reports whether a rule of the interface's groups lets a port in from anywhere.
func letsIn(n *vpc.NetworkInterface, proto, port int) bool {
	for _, g := range n.Groups() {
		for _, r := range g.Ingress() {
			if r.Protocol == -1 || r.Protocol == proto && r.FromPort <= port && port <= r.ToPort {
				return true
			}
		}
	}
	return false
}

// run is one probe under way, of one outcome.
type run struct {
	prober *Prober
	from   Place
	sent   wire.Flow // as the sender sent it
	port   uint16
	size   int
	buf    []byte

	answered  kind
	ttl       uint8 // of the answer, as it came
	typ, code uint8 // of an ICMP error
	answer    int   // the walk that brought it

	connected int // the walk that brought the answer to the SYN, where data follows
	talk      talk

	served   []int // the walks that brought requests to who answers
	servedAt *vpc.NetworkInterface
	said     trace.Reason // what became of the request there
	seenAs   netip.Addr   // the sender's address as who answers saw it

	object, why string // unknown

	doubts []doubt // what it passed of which nobody can tell whether it lets it pass
}

// kind is what came back.
type kind uint8

const (
	nothing kind = iota
	echoed
	accepted
	refused
	erred
)

// unknown notes what the network can't tell; the first stays.
func (r *run) unknown(object, why string) {
	if r.why == "" {
		r.object, r.why = object, why
	}
}

// asks reports whether a packet is a request, and no answer to somebody else's.
func (r *run) asks(p *wire.Packet) bool {
	switch p.Flow.Proto {
	case wire.ProtoTCP:
		return p.Flags.Has(wire.SYN) && !p.Flags.Has(wire.ACK)
	case wire.ProtoUDP:
		return p.Flow.DstPort == r.port
	}
	return isPing(p)
}

// take reports whether a packet answers the probe, and keeps what it says.
func (r *run) take(p *wire.Packet) bool {
	if p.Flow.Src == r.sent.Dst && p.Flow.Dst == r.sent.Src {
		if p = r.whole(p, 0); p == nil {
			return true
		}
	}
	k := nothing
	switch in, quotes := p.Inner(); {
	case p.IsError():
		if !quotes || in.Flow != r.sent {
			break
		}
		if k = erred; r.narrower(p, &r.talk.told) {
			r.tell()
			return true
		}
	case p.Flow != r.sent.Reverse():
	case p.Flow.Proto == wire.ProtoTCP && p.Flags.Has(wire.RST):
		k = refused
	case p.Flow.Proto == wire.ProtoTCP && p.Flags.Has(wire.SYN|wire.ACK):
		if k = accepted; r.size > 0 {
			r.converse(p)
			return true
		}
	case p.Flow.Proto == wire.ProtoTCP && r.connected != 0:
		k = accepted
	case p.Flow.Proto == wire.ProtoUDP, p.IsReply():
		k = echoed
	}
	if k != nothing && r.answered == nothing {
		r.answered, r.ttl, r.answer = k, p.TTL(), r.prober.world.Engine.Cause()
		r.typ, r.code = p.Type, p.Code
	}
	return k != nothing
}

// portUnreachable reports whether the error says that nobody listens.
func (r *run) portUnreachable() bool {
	if r.sent.Src.Is4() {
		return r.typ == wire.ICMPUnreachable && r.code == wire.PortUnreachable
	}
	return r.typ == wire.ICMPv6Unreachable && r.code == wire.V6PortUnreachable
}

// once sends one probe and waits for what comes of it. The log has the walks. at is the
// node at which the request begins, nil where its sender is.
func (p *Prober) once(q Question, at dataplane.Node) *run {
	e := p.world.Engine
	e.Log = &trace.Log{Packets: p.config.Packets}
	src, dst := wire.AddrFrom(q.From.from(q.To.Addr)), wire.AddrFrom(q.To.Addr)
	r := &run{prober: p, from: q.From, port: q.Port, size: q.Size, buf: make([]byte, 0, 256+q.Size)}
	r.talk.cut = q.Fragment
	ip := request(nil, wire.Header{Src: src, Dst: dst, TTL: p.config.TTL, DF: !q.Fragment}, &q)
	var sent wire.Packet
	if err := sent.Read(ip); err != nil {
		r.unknown("", err.Error())
		return r
	}
	r.sent, p.run = sent.Flow, r
	if e.Lift == nil {
		e.Lift = r.doubtful
		defer func() { e.Lift = nil }()
	}
	start := p.world.Clock.Now()
	for _, ip := range r.parts(ip, linkMTU(q.From.nic)) {
		if at != nil {
			e.Send(at, ip)
		} else {
			p.send(q.From, ip)
		}
	}
	for {
		at, ok := p.world.Clock.Next()
		if !ok || at > start+patience {
			break
		}
		p.world.Clock.Step()
	}
	p.run = nil
	for _, w := range e.Log.Walks() {
		w.Start -= start
		for i := range w.Steps {
			w.Steps[i].At -= start
		}
	}
	return r
}

// send sends the first packet from where the question begins.
func (p *Prober) send(from Place, ip []byte) {
	switch {
	case from.nic != nil && p.owned(from.nic):
		p.world.Engine.Send(p.live(from.nic).Interface(from.nic).Out(), ip)
	case from.nic != nil:
		l := p.live(from.nic)
		g := &guest{prober: p, live: l, nic: from.nic, port: l.Port(from.nic)}
		if g.port != nil {
			g.send(ip)
		}
	case from.gateway != "":
		p.world.Engine.Send(p.outside(from.gateway), ip)
	default:
		p.world.Internet.Send(ip)
	}
}
