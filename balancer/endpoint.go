package balancer

import (
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/vpc"
)

// EndpointKind is the kind of VPC endpoint that leads to an endpoint service on the
// load balancer, Interface or GatewayLoadBalancer; "" where there is none.
func (l *LoadBalancer) EndpointKind() string { return l.kind.Endpoint }

// EndpointZones returns the zones of its nodes, in their order.
func (l *LoadBalancer) EndpointZones(*vpc.Tx) []string {
	var zones []string
	for _, n := range l.nics {
		zones = append(zones, n.Subnet().Zone())
	}
	return zones
}

// EndpointIPv6 reports whether its nodes have IPv6 addresses.
func (l *LoadBalancer) EndpointIPv6(*vpc.Tx) bool { return l.dualstack() }

// LinkEndpoint returns the node that takes what comes by one interface of a VPC
// endpoint, in a zone of a node. It is called while a snapshot is compiled, of kinds
// that have an EndpointKind.
func (l *LoadBalancer) LinkEndpoint(c *vpc.Compiler, e vpc.EndpointLink) dataplane.Node {
	return l.kind.Link(c, l, e)
}
