package endpoint

import (
	"slices"
	"strings"
	"time"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/vpc"
)

// Provider is what a service of a user's own stands on: a Network Load Balancer or a
// Gateway Load Balancer, of another package, which need not know this one.
type Provider interface {
	vpc.Resource
	// EndpointKind is the kind of endpoint that leads to it, in AWS's words: Interface
	// or GatewayLoadBalancer.
	EndpointKind() string
	// EndpointZones returns the zones in which it takes what endpoints send.
	EndpointZones(tx *vpc.Tx) []string
	// EndpointIPv6 reports whether it has IPv6 addresses, as a dualstack load balancer.
	EndpointIPv6(tx *vpc.Tx) bool
	// LinkEndpoint returns the node that takes the packets of one interface of an
	// endpoint. Answers, and what an appliance has inspected, it sends to l.Out.
	LinkEndpoint(c *vpc.Compiler, l vpc.EndpointLink) dataplane.Node
}

// Service is an endpoint service (VpcEndpointServiceConfiguration): what interface
// endpoints and Gateway Load Balancer endpoints of others lead to, by its name.
type Service struct {
	vpc.Base
	kind       Kind
	acceptance bool
	private    string // private DNS name
	principals []string
	providers  []Provider
	types      []ec2.ServiceConnectivityType
	partial    bool // some of them are not known
	created    time.Time
}

// ServiceConfig says how an endpoint service is made.
type ServiceConfig struct {
	// ID is the id to use; "" makes one.
	ID string
	// Name is the Name tag.
	Name string
	// AcceptanceRequired has connections wait for [Service.Accept].
	AcceptanceRequired bool
	// PrivateDNSName is the name by which consumers may know the service; "" is none.
	// That its domain is the provider's own is taken for verified.
	PrivateDNSName string
	// IPAddressTypes are the families that consumers may use; none is ipv4 alone. ipv6
	// needs dualstack load balancers (PrivateLink guide, "Share your services").
	IPAddressTypes []ec2.ServiceConnectivityType
}

// CreateService makes an endpoint service that stands on load balancers of one kind
// (CreateVpcEndpointServiceConfiguration). Its name is com.amazonaws.vpce, the region
// and its id. None, and a mixture, are refused (codes and sentences are inferred).
func CreateService(r *vpc.Region, c ServiceConfig, on ...Provider) (*Service, error) {
	if len(c.IPAddressTypes) == 0 {
		c.IPAddressTypes = []ec2.ServiceConnectivityType{ec2.ServiceConnectivityTypeIpv4}
	}
	var s *Service
	err := r.Change(func(tx *vpc.Tx) error {
		kind, err := checkProviders(tx, on)
		if err != nil {
			return err
		}
		if err := checkTypes(tx, c.IPAddressTypes, on); err != nil {
			return err
		}
		b, err := tx.NewBase("vpce-svc", c.ID, c.Name)
		if err != nil {
			return err
		}
		s = &Service{
			Base: b, kind: kind, acceptance: c.AcceptanceRequired, private: c.PrivateDNSName,
			providers: slices.Clone(on), created: r.Now(), types: slices.Clone(c.IPAddressTypes),
		}
		tx.Add(s)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// ServiceName returns the name that consumers give for the service, such as
// com.amazonaws.vpce.us-east-1.vpce-svc-0123456789abcdef0.
func (s *Service) ServiceName() string { return userServices + s.Region().Name() + "." + s.ID() }

// userServices begins the names of services that are not AWS's own.
const userServices = "com.amazonaws.vpce."

// SetPrincipals sets who may make endpoints of the service: ARNs, such as
// arn:aws:iam::123456789012:root, or "*" for everybody
// (ModifyVpcEndpointServicePermissions). The service's own account always may.
// Endpoints that are stay.
func (s *Service) SetPrincipals(arns ...string) error {
	return s.Change(func(*vpc.Tx) error {
		s.principals = slices.Clone(arns)
		return nil
	})
}

// allows reports whether an account may make endpoints of the service.
func (s *Service) allows(account string) bool {
	return account == s.OwnerID() || slices.ContainsFunc(s.principals, func(p string) bool {
		return p == "*" || strings.HasPrefix(p, "arn:aws:iam::"+account+":")
	})
}

// Accept accepts endpoints' connections that wait, or were rejected
// (AcceptVpcEndpointConnections): all or none.
func (s *Service) Accept(endpoints ...*Endpoint) error { return s.answer(available, endpoints) }

// Reject rejects endpoints' connections (RejectVpcEndpointConnections), accepted ones
// too: their packets are dropped.
func (s *Service) Reject(endpoints ...*Endpoint) error { return s.answer(rejected, endpoints) }

func (s *Service) answer(st state, endpoints []*Endpoint) error {
	return s.Change(func(tx *vpc.Tx) error {
		for _, e := range endpoints {
			if err := tx.Needs("vpcEndpointId", e); err != nil {
				return err
			}
			if e.service != s.ServiceName() {
				return refuseEndpoint(e.ID())
			}
		}
		for _, e := range endpoints {
			e.state = st
		}
		return nil
	})
}

// connections returns the endpoints that lead to the service.
func (s *Service) connections(tx *vpc.Tx) []*Endpoint {
	return slices.DeleteFunc(vpc.Gateways[*Endpoint](tx), func(e *Endpoint) bool { return e.service != s.ServiceName() })
}

// Delete deletes the service (DeleteVpcEndpointServiceConfigurations). One that has
// connections that are not rejected is refused with ExistingVpcEndpointConnections.
func (s *Service) Delete() error {
	return s.Change(func(tx *vpc.Tx) error {
		if slices.ContainsFunc(s.connections(tx), func(e *Endpoint) bool { return e.state != rejected }) {
			return vpc.Refuse("ExistingVpcEndpointConnections", "Service has existing active VPC Endpoint connections!")
		}
		tx.Remove(s)
		return nil
	})
}

// provider returns what the service stands on in a zone, or nil.
func (s *Service) provider(tx *vpc.Tx, zone string) Provider {
	for _, p := range s.providers {
		if slices.Contains(p.EndpointZones(tx), zone) {
			return p
		}
	}
	return nil
}

// incomplete reports whether something that the service stands on may be in more zones
// than are known.
func (s *Service) incomplete(tx *vpc.Tx) bool {
	return slices.ContainsFunc(s.providers, func(p Provider) bool {
		x, ok := p.(interface{ EndpointPartial(*vpc.Tx) bool })
		return ok && x.EndpointPartial(tx)
	})
}

// zones returns the zones of the service.
func (s *Service) zones(tx *vpc.Tx) []string {
	var z []string
	for _, p := range s.providers {
		z = append(z, p.EndpointZones(tx)...)
	}
	slices.Sort(z)
	return slices.Compact(z)
}

// serviceOf returns the user's service of the name that the region knows, or nil.
func serviceOf(tx *vpc.Tx, name string) *Service {
	for _, s := range vpc.Resources[*Service](tx) {
		if s.ServiceName() == name {
			return s
		}
	}
	return nil
}
