package vpc

import (
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/wire"
)

// EndpointLink is one interface of a VPC endpoint, as what stands behind its service
// sees it: a load balancer, a firewall. Packages endpoint, nlb and gwlb meet here,
// since no gateway imports another.
type EndpointLink struct {
	// Endpoint is the endpoint's id, vpce-…; Label is how traces call it.
	Endpoint, Label string
	// Zone is the interface's availability zone.
	Zone string
	// Addrs are the interface's own addresses.
	Addrs []wire.Addr
	// Out is the way into the consumer's VPC: what is sent there leaves the endpoint's
	// interface, past its security groups, its subnet's ACL and by its route table.
	Out dataplane.Node
}

// stateKey names a piece of what one compilation makes: a resource's id and what it is.
type stateKey struct{ id, what string }

// Once returns what this compilation has made of the kind for the resource, or what
// make makes: what several resources compile together, such as a load balancer and the
// endpoints of its service, in whatever order their turns come. It lives until the
// compilation ends; nodes may keep it, and must not change it afterwards.
func Once[T any](c *Compiler, id string, what StateKey[T], make func() *T) *T {
	k := stateKey{id, string(what)}
	if m, ok := c.once[k].(*T); ok {
		return m
	}
	m := make()
	c.once[k] = m
	return m
}
