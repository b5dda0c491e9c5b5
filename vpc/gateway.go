package vpc

import (
	"net/netip"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/ec2"
)

// Target is what a route may name: a [NetworkInterface], an [Instance], a
// [Gateway], or [Local].
type Target interface {
	// ID returns the target's id.
	ID() string
}

// Local is the target of a VPC's own routes: delivery inside the VPC.
var Local Target = local{}

type local struct{}

// ID returns "local", which is what describe-route-tables prints.
func (local) ID() string { return "local" }

// Gateway is a resource of a package of its own that routes may name: an internet
// gateway, a NAT gateway, a virtual private gateway.
type Gateway interface {
	Resource
	// CheckRoute returns AWS's refusal of a route to dst in t with this target, or
	// nil. What holds for every gateway vpc has checked before. dst is invalid where
	// the destination is a prefix list.
	CheckRoute(tx *Tx, t *RouteTable, dst netip.Prefix) error
	// Available reports whether a route to the gateway from v is active; if not it
	// is a black hole.
	Available(tx *Tx, v *VPC) bool
	// Compile makes the gateway's nodes and gives them to c. It is called for every
	// gateway that the region knows, one that failed or is attached to nothing too,
	// which gives no entry. It must not call what locks the region.
	Compile(c *Compiler)
}

// EdgeGateway is a gateway that a route table may be associated with: an internet
// gateway or a virtual private gateway (VPC guide, "Gateway route tables").
type EdgeGateway interface {
	Gateway
	// AttachedTo returns the VPC that the gateway is attached to, or nil.
	AttachedTo(tx *Tx) *VPC
}

// RouteLister is a gateway that describe-route-tables lists in a field of its own,
// such as NatGatewayId. Others stand in GatewayId.
type RouteLister interface{ ListRoute(s *ec2.Route) }

// Attachment is what a gateway embeds that is attached to one VPC at a time, and
// attached and detached by its user. [Tx.Attach] and [Tx.Detach] change it. The zero
// Attachment is none.
type Attachment struct{ vpc *VPC }

// AttachedTo returns the VPC that the gateway is attached to, or nil.
func (a *Attachment) AttachedTo(*Tx) *VPC { return a.vpc }

// Available reports whether the gateway is attached to v.
func (a *Attachment) Available(_ *Tx, v *VPC) bool { return a.vpc == v }

func (a *Attachment) attach(v *VPC) { a.vpc = v }

// attach records a gateway's VPC in its Attachment, if it embeds one.
func attach(g Gateway, v *VPC) {
	if a, ok := g.(interface{ attach(v *VPC) }); ok {
		a.attach(v)
	}
}

// Insider is a gateway that a route to a destination inside the VPC may name: a
// NAT gateway, a Gateway Load Balancer endpoint (VPC guide, "Subnet route tables").
type Insider interface{ RoutesInside() bool }

// EdgeTarget is a gateway that a gateway route table may name: a Gateway Load
// Balancer endpoint (VPC guide, "Gateway route tables").
type EdgeTarget interface{ RoutesAtEdge() bool }

// Entry is where packets enter a gateway, made by its Compile: those that the VPC's
// routers send by a route that names it.
type Entry struct {
	Node dataplane.Node
	// Subnet is the id of the subnet that the node lies in; "" where it is none.
	// Within a subnet no network ACL is asked.
	Subnet string
}
