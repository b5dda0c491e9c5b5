package vpc

import (
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/eni"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// returning is the way from one interface straight to another, past the route table of
// its subnet: that of answers to the load balancer that sent the request on. The ACLs
// at the borders of both subnets are asked (NLB guide, "Network ACLs").
type returning struct {
	*subnet
	to     dataplane.Node
	beyond string // the subnet that it leads to
}

// Return returns the node that takes packets of one interface straight to another, of
// the region, as if the route table of its subnet led there.
func (c *Compiler) Return(from, to *NetworkInterface) dataplane.Node {
	r := &returning{c.subnets[from.subnet], c.Toward(to), to.subnet.id}
	if w := c.interfaces[from].Witness; w != nil {
		return &watchedReturning{r, w, eni.Way{Target: Local.ID(), Hop: c.interfaces[to]}}
	}
	return r
}

// Name returns the subnet's name and "router".
func (r *returning) Name() string { return r.router }

// Resource returns the subnet's id.
func (r *returning) Resource() string { return r.origin.Subnet }

// Forward asks the network ACL outbound where the way leaves the subnet.
func (r *returning) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	c.From, c.Entered, c.Link = &r.origin, dataplane.ByInterface, nil
	if r.beyond != r.origin.Subnet {
		number, allow := r.egress.Decide(p, p.Flow.Dst)
		if c.Tracing() {
			r.noteACL(c, p, number, allow, &outboundRule)
		}
		if !allow {
			if end := r.deny(c, p, number, &outboundRule, trace.ACLEgress); end != trace.None {
				return dataplane.Drop(end)
			}
		}
	}
	if c.Tracing() {
		c.Note(p, trace.Step{Act: trace.Did, Match: "returns by the load balancer that sent the request on"})
	}
	return dataplane.To(r.to)
}
