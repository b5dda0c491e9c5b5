package vpc

import (
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// unmodelled stands where a resource is known and what it does to packets is not:
// what AWS would do with the packet is unknown, and so it is never delivery.
type unmodelled struct{ name, id, missing string }

// Unmodelled returns a node for a resource whose packets this version does not
// model. They end there as trace.Unmodelled, under the resource's name.
func (c *Compiler) Unmodelled(r Resource) dataplane.Node {
	return &unmodelled{labelOf(r), r.ID(), ""}
}

// Untold returns a node for a resource of which no description tells what becomes of
// packets there. They end there as trace.Unmodelled; missing says in words what nobody has
// told.
func (c *Compiler) Untold(r Resource, missing string) dataplane.Node {
	return &unmodelled{labelOf(r), r.ID(), missing}
}

// Name returns the resource's name.
func (u *unmodelled) Name() string { return u.name }

// Resource returns the resource's id.
func (u *unmodelled) Resource() string { return u.id }

// Forward ends the walk.
func (u *unmodelled) Forward(c *dataplane.Context, p *wire.Packet) dataplane.Next {
	if u.missing != "" {
		return gap{u.id, u.missing}.drop(c, p)
	}
	return dataplane.Drop(trace.Unmodelled)
}
