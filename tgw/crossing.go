package tgw

import (
	"time"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// crossing is where packets leave by a peering attachment: the present snapshot of the
// region that the other gateway is in is asked for it.
type crossing struct {
	id, name string
	key      string // of the other gateway's end
	abroad   func(id string) dataplane.Node
	latency  time.Duration // to the other region
}

// key is by what two gateways know where packets for one of them enter.
func key(attachment, gateway string) string { return attachment + " " + gateway }

func (a *Attachment) crossing(c *vpc.Compiler) *crossing {
	far := a.peer.far()
	x := &crossing{
		id: a.ID(), name: c.LabelOf(a.gateway) + " peering toward " + far.id, key: key(far.attachment, far.id), abroad: c.Abroad(),
	}
	if far.region != a.Region().Name() {
		x.latency = c.Latency().CrossRegion
	}
	return x
}

// Name returns the gateway's name and where the crossing leads.
func (x *crossing) Name() string { return x.name }

// Resource returns the attachment's id.
func (x *crossing) Resource() string { return x.id }

// Forward hands a packet to the other gateway. One that the engine knows no region of
// is not modelled.
func (x *crossing) Forward(c *dataplane.Context, _ *wire.Packet) dataplane.Next {
	c.From = nil
	to := x.abroad(x.key)
	if to == nil {
		return dataplane.Drop(trace.Unmodelled)
	}
	c.Latency += x.latency
	return dataplane.To(to)
}
