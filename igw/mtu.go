package igw

import (
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// MTU is the largest packet that passes an internet gateway, in bytes (EC2 guide,
// "Network MTU").
const MTU = 1500

// oversize deals with a packet over the MTU that has come to node at: it is cut into
// fragments, which come to at again; or where it must not be, its sender is told by
// its subnet's router, since the gateway has no address (RFC 1191; RFC 8201; that the
// error comes from the router is an inference).
func oversize(c *dataplane.Context, p *wire.Packet, at dataplane.Node, edge *vpc.Edge) dataplane.Next {
	if p.Is4() && !p.DontFragment() {
		for _, part := range p.Split(MTU, 0) {
			c.Emit(at, part)
		}
		return dataplane.Drop(trace.Fragmented)
	}
	return c.TooBig(p, edge.Inside(), edge.Router(p.Flow.Src), MTU)
}
