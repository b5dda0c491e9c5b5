// Package endpoint is the VPC endpoint of the three kinds: gateway, interface and
// Gateway Load Balancer. It has their interfaces, their routes, what AWS refuses about
// them and what they do to packets. Endpoint policies are not modelled: they decide
// about requests to a service's API, which no packet shows.
package endpoint

import (
	"net/netip"
	"slices"
	"time"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/vpc"
)

// Kind is the kind of an endpoint, in AWS's words.
type Kind string

// The kinds of endpoint.
const (
	Gateway             Kind = "Gateway"
	Interface           Kind = "Interface"
	GatewayLoadBalancer Kind = "GatewayLoadBalancer"
)

// Endpoint is a VPC endpoint.
type Endpoint struct {
	vpc.Base
	vpc      *vpc.VPC
	kind     Kind
	service  string
	created  time.Time
	subnets  []*vpc.Subnet
	nics     []*vpc.NetworkInterface
	groups   []*vpc.SecurityGroup
	tables   []*vpc.RouteTable // of a gateway endpoint
	list     *vpc.PrefixList
	remote   dataplane.Node // of a gateway endpoint: see Connect
	state    state
	account  string            // the consumer's
	private  bool              // private DNS names are on
	families ec2.IpAddressType // "" of a gateway endpoint, and where a description does not tell
	manager  Provider          // that has made it, nil of a user's own
}

// state is whether the service lets the endpoint in, in AWS's words.
type state string

const (
	pending   state = "pendingAcceptance"
	available state = "available"
	rejected  state = "rejected"
)

// Config says how an endpoint is made.
type Config struct {
	// ID is the id to use; "" makes one.
	ID string
	// Name is the Name tag.
	Name string
	// Groups are the security groups of an interface endpoint; none is the VPC's
	// default group.
	Groups []*vpc.SecurityGroup
	// PrivateDNS has the service's own names lead to an interface endpoint inside the VPC.
	PrivateDNS bool
	// Account is the consumer's twelve digits; "" is the region's account.
	Account string
	// IPAddressType is ipv4 or dualstack, which gives each interface an IPv6 address too;
	// "" is ipv4. A gateway endpoint has none.
	IPAddressType ec2.IpAddressType
}

// ranges are addresses of the services that have gateway endpoints, of the benchmark
// range 198.19.0.0/16 (RFC 2544), since those that AWS has change.
var ranges = map[string]netip.Prefix{
	"s3": netip.MustParsePrefix("198.19.0.0/17"), "dynamodb": netip.MustParsePrefix("198.19.128.0/17"),
}

// CreateGateway makes a gateway endpoint for a service, such as
// com.amazonaws.us-east-1.s3, with a route to the service's prefix list in each of
// the tables (CreateVpcEndpoint). A service that has none is refused with
// InvalidServiceName, a table that has a route to the service with
// RouteAlreadyExists.
func CreateGateway(v *vpc.VPC, service string, tables []*vpc.RouteTable, c Config) (*Endpoint, error) {
	return create(v, Gateway, service, c, func(tx *vpc.Tx, e *Endpoint) error {
		short, err := checkGatewayService(v.Region(), service)
		if err != nil {
			return err
		}
		if err := checkTables(tx, v, tables); err != nil {
			return err
		}
		e.list = tx.ServiceList(service, ranges[short])
		return e.route(tx, tables)
	})
}

// route adds the service's route to tables: to all or to none.
func (e *Endpoint) route(tx *vpc.Tx, tables []*vpc.RouteTable) error {
	for i, t := range tables {
		if err := tx.AddServiceRoute(t, e.list, e); err != nil {
			for _, t := range tables[:i] {
				tx.DropServiceRoutes(t, e)
			}
			return err
		}
	}
	e.tables = append(e.tables, tables...)
	return nil
}

// AddRouteTables puts the service's route into more tables (ModifyVpcEndpoint).
func (e *Endpoint) AddRouteTables(tables ...*vpc.RouteTable) error {
	return e.Change(func(tx *vpc.Tx) error {
		if err := checkKind(e, Gateway); err != nil {
			return err
		}
		if err := checkTables(tx, e.vpc, tables); err != nil {
			return err
		}
		return e.route(tx, tables)
	})
}

// RemoveRouteTables takes the service's route out of tables (ModifyVpcEndpoint). One
// that has none is no error.
func (e *Endpoint) RemoveRouteTables(tables ...*vpc.RouteTable) error {
	return e.Change(func(tx *vpc.Tx) error {
		if err := checkKind(e, Gateway); err != nil {
			return err
		}
		for _, t := range tables {
			if i := slices.Index(e.tables, t); i >= 0 {
				tx.DropServiceRoutes(t, e)
				e.tables = slices.Delete(slices.Clone(e.tables), i, i+1)
			}
		}
		return nil
	})
}

// CreateInterface makes an interface endpoint for a service: an interface in each of
// the subnets, one a zone (CreateVpcEndpoint).
func CreateInterface(service string, subnets []*vpc.Subnet, c Config) (*Endpoint, error) {
	return createIn(Interface, service, subnets, c, vpc.ManagedInterface{Type: vpc.InterfaceEndpoint, SourceDestCheck: true})
}

// CreateGatewayLoadBalancer makes a Gateway Load Balancer endpoint for a service, in
// one subnet (CreateVpcEndpoint). It has no security group.
func CreateGatewayLoadBalancer(service string, subnet *vpc.Subnet, c Config) (*Endpoint, error) {
	return createIn(GatewayLoadBalancer, service, []*vpc.Subnet{subnet}, c, vpc.ManagedInterface{Type: vpc.InterfaceGWLBEndpoint})
}

func createIn(kind Kind, service string, subnets []*vpc.Subnet, c Config, m vpc.ManagedInterface) (*Endpoint, error) {
	if len(subnets) == 0 || subnets[0] == nil {
		return nil, vpc.Refuse("MissingParameter", "The request must contain the parameter subnetIds")
	}
	if c.IPAddressType == "" {
		c.IPAddressType = ec2.IpAddressTypeIpv4
	}
	v := subnets[0].VPC()
	return create(v, kind, service, c, func(tx *vpc.Tx, e *Endpoint) (err error) {
		if err := tx.CheckPlaces(subnets, c.Groups); err != nil {
			return err
		}
		if err := checkService(tx, e, subnets); err != nil {
			return err
		}
		if err := checkFamilies(tx, e, subnets, c.IPAddressType); err != nil {
			return err
		}
		if err := checkPrivateDNS(tx, e); err != nil {
			return err
		}
		if e.families = c.IPAddressType; e.families == ec2.IpAddressTypeDualstack {
			m.IPv6 = 1
		}
		if kind == Interface && len(c.Groups) == 0 {
			c.Groups = []*vpc.SecurityGroup{tx.DefaultGroup(v)}
		}
		if kind == GatewayLoadBalancer && len(c.Groups) > 0 {
			return vpc.Refuse("InvalidParameter", "Security groups are not supported for GatewayLoadBalancer endpoints.")
		}
		m.Description, m.Groups = "VPC Endpoint Interface "+e.ID(), c.Groups
		e.subnets, e.groups = slices.Clone(subnets), c.Groups
		e.nics, err = tx.NewManagedInterfaces(subnets, e, m)
		return err
	})
}

func create(v *vpc.VPC, kind Kind, service string, c Config, f func(tx *vpc.Tx, e *Endpoint) error) (*Endpoint, error) {
	var e *Endpoint
	err := v.Change(func(tx *vpc.Tx) error {
		if err := checkQuota(tx, v, kind); err != nil {
			return err
		}
		b, err := tx.NewBase("vpce", c.ID, c.Name)
		if err != nil {
			return err
		}
		if c.Account == "" {
			c.Account = tx.Region().Account()
		}
		e = &Endpoint{
			Base: b, vpc: v, kind: kind, service: service, created: tx.Region().Now(),
			state: available, account: c.Account, private: c.PrivateDNS,
		}
		if err := f(tx, e); err != nil {
			return err
		}
		tx.Attach(v, e)
		tx.Add(e)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return e, nil
}

// CreateManaged makes a Gateway Load Balancer endpoint that belongs to p, such as a
// network firewall: what it does is p's, its user cannot delete it.
func CreateManaged(tx *vpc.Tx, service string, s *vpc.Subnet, p Provider, name string) (*Endpoint, error) {
	if err := checkQuota(tx, s.VPC(), GatewayLoadBalancer); err != nil {
		return nil, err
	}
	b, err := tx.NewBase("vpce", "", name)
	if err != nil {
		return nil, err
	}
	e := &Endpoint{
		Base: b, vpc: s.VPC(), kind: GatewayLoadBalancer, service: service, created: tx.Region().Now(),
		state: available, account: tx.Region().Account(), manager: p, subnets: []*vpc.Subnet{s},
	}
	m := vpc.ManagedInterface{Type: vpc.InterfaceGWLBEndpoint, Description: "VPC Endpoint Interface " + e.ID()}
	if e.nics, err = tx.NewManagedInterfaces(e.subnets, e, m); err != nil {
		return nil, err
	}
	tx.Attach(e.vpc, e)
	tx.Add(e)
	return e, nil
}

// Manage gives a restored endpoint to what has made it, as [CreateManaged] does.
func (e *Endpoint) Manage(_ *vpc.Tx, p Provider) { e.manager = p }

// DeleteManaged deletes an endpoint that [CreateManaged] has made.
func (e *Endpoint) DeleteManaged(tx *vpc.Tx) { e.drop(tx) }

func (e *Endpoint) drop(tx *vpc.Tx) {
	tx.DropServiceRoutes(nil, e)
	for _, n := range e.nics {
		tx.DeleteManagedInterface(n)
	}
	tx.Detach(e.vpc, e)
	tx.Remove(e)
}

// Delete deletes the endpoint with its interfaces and its own routes
// (DeleteVpcEndpoints). A Gateway Load Balancer endpoint that a route names is
// refused with DependencyViolation (the sentence is inferred).
func (e *Endpoint) Delete() error {
	return e.Change(func(tx *vpc.Tx) error {
		if e.manager != nil {
			return vpc.Refuse("InvalidParameter", "Operation is not allowed for requester-managed VPC endpoints for the service %s.", e.service)
		}
		if e.kind == GatewayLoadBalancer && tx.RoutesTo(e) {
			return vpc.Refuse("DependencyViolation", "The vpcEndpoint '%s' has dependencies and cannot be deleted.", e.ID())
		}
		e.drop(tx)
		return nil
	})
}

// Subnets returns the subnets of the endpoint's interfaces, for who has the region
// locked. The list must not be changed.
func (e *Endpoint) Subnets() []*vpc.Subnet { return e.subnets }

// Zones returns the zones of the endpoint's interfaces, for who has the region locked.
func (e *Endpoint) Zones() []string {
	var z []string
	for _, s := range e.subnets {
		z = append(z, s.Zone())
	}
	return z
}

// Kind returns the kind of endpoint.
func (e *Endpoint) Kind() Kind { return e.kind }

// Interfaces returns the endpoint's interfaces, one a subnet, in their order.
func (e *Endpoint) Interfaces() []*vpc.NetworkInterface {
	var n []*vpc.NetworkInterface
	e.Region().View(func(*vpc.Tx) { n = slices.Clone(e.nics) })
	return n
}

// PrefixList returns the prefix list of a gateway endpoint's service, nil of others.
func (e *Endpoint) PrefixList() *vpc.PrefixList { return e.list }

// Available reports whether the endpoint is v's.
func (e *Endpoint) Available(_ *vpc.Tx, v *vpc.VPC) bool { return e.vpc == v }

// RoutesInside reports that a route to a destination inside the VPC may name a
// Gateway Load Balancer endpoint.
func (e *Endpoint) RoutesInside() bool { return e.kind == GatewayLoadBalancer }

// RoutesAtEdge reports that a gateway route table may name a Gateway Load Balancer
// endpoint.
func (e *Endpoint) RoutesAtEdge() bool { return e.kind == GatewayLoadBalancer }

// ServiceRoutes reports that a gateway endpoint makes its routes itself.
func (e *Endpoint) ServiceRoutes() bool { return e.kind == Gateway }

// Connect has a gateway endpoint lead to n, such as a network of hosts that have
// addresses of the service's prefix list, in the place of the service that is built in;
// nil is that again. What comes back enters by [vpc.Snapshot.Outside].
func (e *Endpoint) Connect(n dataplane.Node) error {
	return e.Change(func(*vpc.Tx) error {
		if err := checkKind(e, Gateway); err != nil {
			return err
		}
		e.remote = n
		return nil
	})
}

// Compile makes the endpoint's nodes.
func (e *Endpoint) Compile(c *vpc.Compiler) {
	if e.kind == Gateway {
		e.compileGateway(c)
		return
	}
	for _, n := range e.nics {
		c.Interface(n).Owner = e.compileInterface(c, n)
	}
	if e.kind == GatewayLoadBalancer {
		c.Enter(e, e.vpc, vpc.Entry{Node: c.Toward(e.nics[0])})
	}
}
