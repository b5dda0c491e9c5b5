package eni

import (
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/filter"
	"github.com/vpcsim/vpcsim/wire"
)

// Prefetch looks ahead to the flow that the groups know: see dataplane.Prefetcher.
func (o *out) Prefetch(f *wire.Flow, a *dataplane.Ahead) dataplane.Node {
	if o.Groups != nil {
		a.Need(o.Flows, o.Flows.HashOf(filter.Egress, f))
	}
	return o.Router
}

// Prefetch looks ahead to the flow that the groups know, and to the owner.
func (n *in) Prefetch(f *wire.Flow, a *dataplane.Ahead) dataplane.Node {
	if n.Groups != nil {
		a.Need(n.Flows, n.Flows.HashOf(filter.Ingress, f))
	}
	return n.Owner
}
