package vpc

import (
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/wire"
)

// Prefetch follows the route, as if there were no neighbor with the destination: see
// dataplane.Prefetcher.
func (d *departure) Prefetch(f *wire.Flow, _ *dataplane.Ahead) dataplane.Node {
	if h, ok := d.routes.lookup(f.Dst); ok {
		return h.node
	}
	return nil
}

// Prefetch looks ahead into the interface.
func (a *arrival) Prefetch(*wire.Flow, *dataplane.Ahead) dataplane.Node { return a.to.In() }

// Prefetch finds the destination's interface.
func (n *inside) Prefetch(f *wire.Flow, _ *dataplane.Ahead) dataplane.Node {
	if s, ok := n.subnets.LookupPacked(f.Dst.Words()); ok {
		if to := s.segment.Lookup(f.Dst); to != nil {
			return to.Arrival
		}
	}
	return nil
}
