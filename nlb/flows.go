package nlb

import (
	"iter"
	"time"

	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/nat"
	"github.com/vpcsim/vpcsim/nat64"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// Flows is the live state of a listener at a node: the flows that it sends on.
type Flows struct {
	table     *nat.Table
	config    nat.TableConfig
	followers nat.Followers
	writer    nat64.Writer
	scratch   []byte // room for one packet
}

func newFlows(seed uint64, tcp time.Duration) *Flows {
	f := &Flows{config: nat.TableConfig{Seed: seed, Strict: true}}
	f.configure(tcp)
	f.Reset()
	return f
}

// configure sets the timeouts for packets to come. A TCP flow is kept beyond its
// timeout: node.idle tells.
func (f *Flows) configure(tcp time.Duration) {
	t := tcp + linger
	f.config.Timeouts = nat.Timeouts{
		UDP: IdleUDP, UDPStream: IdleUDP, SynSent: t, SynReceived: t, Established: t, FinWait: t, CloseWait: t, LastAck: t,
		TimeWait: t, Close: t, Unacknowledged: t,
	}
	if f.table != nil {
		f.table.Configure(f.config)
	}
}

// FlowsAt returns the flows of a listener at a node's interface in the given life of its
// region, nil where it has none.
func FlowsAt(l *vpc.Live, x *balancer.Listener, nic *vpc.NetworkInterface) *Flows {
	return vpc.StateOf(l, nic.ID(), flowsOf(x))
}

func flowsOf(x *balancer.Listener) vpc.StateKey[Flows] { return vpc.StateKey[Flows]("flows " + x.ID()) }

// All returns the flows living at an instant, in the order in which they began; of TCP
// also those that have idled out within the last hour. It allocates 16 bytes a flow.
func (f *Flows) All(now time.Duration) iter.Seq2[nat.ID, nat.Session] { return f.table.All(now) }

// Reset forgets all flows.
func (f *Flows) Reset() { f.table, f.followers = nat.NewTable(f.config), nat.Followers{} }

// crosses reports whether a flow goes on in the other family.
func crosses(from, to *wire.Flow) bool { return from.Dst.Is4() != to.Dst.Is4() }

// translate makes p, in a direction of the flow with the id, what the other side gets: of
// the other family where client and target have not the same, header by header as RFC
// 7915 has it (that AWS does so is inferred; it says which addresses come out). ICMP
// errors and fragments are not carried between families, nor is what the family has not.
func (f *Flows) translate(c *dataplane.Context, p *wire.Packet, id nat.ID, s *nat.Session, d nat.Direction) trace.Reason {
	if !crosses(&s.Original, &s.Translated) {
		f.table.Translate(p, id, d)
		return trace.None
	}
	to := s.Translated
	if d == nat.Reply {
		to = s.Original.Reverse()
	}
	switch {
	case p.Fragment != wire.Whole:
		return trace.FragmentNotSupported
	case p.IsError():
		return trace.ProtocolNotSupported
	}
	b, ok := f.writer.Write(f.scratch[:0], p, to.Src, to.Dst)
	if f.scratch = b; !ok {
		return trace.ProtocolNotSupported
	}
	if c.Replace(p, b) != nil {
		return trace.Malformed
	}
	p.SetSrc(to.Src, to.SrcPort)
	p.SetDst(to.Dst, to.DstPort)
	return trace.None
}
