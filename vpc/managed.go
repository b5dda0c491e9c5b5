package vpc

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/vpcsim/vpcsim/ec2"
)

// InterfaceType is the kind of an interface: whose it is and what the rules make of
// it. The EC2 API tells fewer kinds apart (NetworkInterface.InterfaceType): load
// balancers other than NLB and GWLB, and databases, have plain interfaces there.
//
// A service that is not listed here calls its kind what the API calls it; its
// interfaces are then as those of most services, with no requester.
type InterfaceType string

// The kinds of interface. The zero InterfaceType is a user's own.
const (
	InterfaceUser           InterfaceType = ""
	InterfaceNATGateway     InterfaceType = "nat_gateway"
	InterfaceNLB            InterfaceType = "network_load_balancer"
	InterfaceGWLB           InterfaceType = "gateway_load_balancer"
	InterfaceEndpoint       InterfaceType = "vpc_endpoint"
	InterfaceGWLBEndpoint   InterfaceType = "gateway_load_balancer_endpoint"
	InterfaceTransitGateway InterfaceType = "transit_gateway"
	InterfaceLambda         InterfaceType = "lambda"
	InterfaceALB            InterfaceType = "application_load_balancer"
	InterfaceCLB            InterfaceType = "classic_load_balancer"
	InterfaceRDS            InterfaceType = "rds"
	// InterfaceService is a plain interface of a service that its description does not
	// tell: what answers on it is unknown.
	InterfaceService InterfaceType = "service"
)

// serviceFacts are what describe-network-interfaces says of a service's interfaces,
// and whether a gateway route table may name them.
type serviceFacts struct {
	api       ec2.NetworkInterfaceType
	requester string // RequesterId
	managed   bool   // RequesterManaged
	instances string // Attachment.InstanceOwnerId
	link      string // prefix of the attachment's id
	edge      bool   // accepted in a gateway route table
}

// services are the facts of each kind. Those of NAT gateway, NLB and transit gateway
// are measured: the requesters are the accounts that AWS has in us-east-1, other
// regions have others. The requesters of the other kinds are unproven. S000 found
// that gateway route tables accept CLB, ALB and RDS and refuse NLB, NAT gateway and
// interface endpoint; the latter are those with an ela-attach attachment, from which
// the refusal of the others of that sort is inferred.
var services = map[InterfaceType]serviceFacts{
	InterfaceUser:           {api: ec2.NetworkInterfaceTypeInterface, link: "eni-attach", edge: true},
	InterfaceNATGateway:     {"nat_gateway", "583328430953", true, "amazon-aws", "ela-attach", false},
	InterfaceNLB:            {ec2.NetworkInterfaceTypeNetworkLoadBalancer, "762112775527", true, "amazon-aws", "ela-attach", false},
	InterfaceGWLB:           {ec2.NetworkInterfaceTypeGatewayLoadBalancer, "762112775527", true, "amazon-aws", "ela-attach", false},
	InterfaceEndpoint:       {ec2.NetworkInterfaceTypeVpcEndpoint, "727180483921", true, "amazon-aws", "ela-attach", false},
	InterfaceGWLBEndpoint:   {ec2.NetworkInterfaceTypeGatewayLoadBalancerEndpoint, "727180483921", true, "amazon-aws", "ela-attach", false},
	InterfaceTransitGateway: {ec2.NetworkInterfaceTypeTransitGateway, "936118442230", false, "amazon-aws", "ela-attach", false},
	InterfaceLambda:         {ec2.NetworkInterfaceTypeLambda, "", false, "amazon-aws", "ela-attach", false},
	InterfaceALB:            {ec2.NetworkInterfaceTypeInterface, "amazon-elb", true, "amazon-elb", "eni-attach", true},
	InterfaceCLB:            {ec2.NetworkInterfaceTypeInterface, "amazon-elb", true, "amazon-elb", "eni-attach", true},
	InterfaceRDS:            {ec2.NetworkInterfaceTypeInterface, "amazon-rds", true, "amazon-rds", "eni-attach", true},
}

// facts of a kind that is not in the table are those that most services have.
func (t InterfaceType) facts() serviceFacts {
	if f, ok := services[t]; ok {
		return f
	}
	return serviceFacts{api: ec2.NetworkInterfaceType(t), managed: true, instances: "amazon-aws", link: "ela-attach"}
}

// facts of the interface: what it was described with, or those of its kind.
func (n *NetworkInterface) facts() serviceFacts {
	if n.told != nil {
		return *n.told
	}
	return n.kind.facts()
}

// ManagedInterface says how a service's interface is made.
type ManagedInterface struct {
	// Type is the kind of interface.
	Type InterfaceType
	// Description is the service's text, such as "Interface for NAT Gateway nat-…".
	Description string
	// PrivateIP is the address; invalid takes a free one.
	PrivateIP netip.Addr
	// IPv6 is how many IPv6 addresses it gets.
	IPv6 int
	// ID is the id to use; "" makes one.
	ID string
	// SourceDestCheck is on for load balancers' and databases' interfaces, off for
	// what forwards.
	SourceDestCheck bool
	// Groups are its security groups; none is an interface that filters nothing.
	Groups []*SecurityGroup
	// DenyIGW closes its IPv6 addresses to internet gateways (DenyAllIgwTraffic);
	// endpoints' always are.
	DenyIGW bool
}

// NewManagedInterface makes an interface that belongs to a service's resource: its
// user can neither change nor detach it.
func (tx *Tx) NewManagedInterface(s *Subnet, owner Resource, m ManagedInterface) (*NetworkInterface, error) {
	n, err := tx.newInterface(s, NetworkInterfaceConfig{
		ID: m.ID, Description: m.Description, PrivateIP: m.PrivateIP, Groups: m.Groups, IPv6Count: m.IPv6,
		DisableSourceDestCheck: !m.SourceDestCheck,
	})
	if err != nil {
		return nil, err
	}
	n.kind, n.owner, n.noGroups, n.denyIGW = m.Type, owner, len(m.Groups) == 0, m.DenyIGW
	if n.noGroups {
		n.groups = nil
	}
	tx.describe(n)
	n.link = &attachment{id: tx.r.ids.next(m.Type.facts().link), index: 1, at: tx.r.Now()}
	tx.r.links[n.link.id] = n
	return n, nil
}

// GiveIPv6 gives a service's interface a free IPv6 address of its subnet, unless it has
// one. It is refused where the subnet has no IPv6.
func (tx *Tx) GiveIPv6(n *NetworkInterface) error {
	if len(n.ipv6) > 0 {
		return nil
	}
	six, err := n.subnet.choose6(nil, 1)
	if err == nil {
		n.take(choice{six: six})
	}
	return err
}

// TakeIPv6 takes a service's interface its IPv6 addresses.
func (tx *Tx) TakeIPv6(n *NetworkInterface) {
	for _, a := range n.ipv6 {
		n.subnet.hosts[1].Release(a)
	}
	n.ipv6 = nil
}

// DenyIGW closes a service's interface to internet gateways by IPv6, or opens it (see
// [ManagedInterface]).
func (tx *Tx) DenyIGW(n *NetworkInterface, on bool) { n.denyIGW = on }

// IPv6CIDR returns the IPv6 CIDR of a subnet inside a change, invalid where it has none.
func (tx *Tx) IPv6CIDR(s *Subnet) netip.Prefix { return s.ipv6 }

// DeleteManagedInterface deletes a service's interface.
func (tx *Tx) DeleteManagedInterface(n *NetworkInterface) { tx.dropInterface(n) }

// Owner returns the service's resource that the interface belongs to, nil of a
// user's own.
func (n *NetworkInterface) Owner() Resource { return n.owner }

// checkOwned refuses changes to a service's interface (S000; the code is inferred).
func (n *NetworkInterface) checkOwned() error {
	if n.kind != InterfaceUser {
		return Refuse("AuthFailure", "You do not have permission to access the specified resource.")
	}
	return nil
}

// PrivateAddresses is NetworkInterface.PrivateAddresses inside a change.
func (tx *Tx) PrivateAddresses(n *NetworkInterface) []PrivateAddress { return slices.Clone(n.addrs) }

// AddPrivateAddress gives a service's interface a further private address; the zero
// Addr takes a free one. It returns the address.
func (tx *Tx) AddPrivateAddress(n *NetworkInterface, a netip.Addr) (netip.Addr, error) {
	four, err := n.subnet.choose4(one(a), 1)
	if err != nil {
		return a, err
	}
	n.take(choice{four: four})
	return four[0], nil
}

// RemovePrivateAddress takes a private address that is not the primary one from a
// service's interface, and its public address with it.
func (tx *Tx) RemovePrivateAddress(n *NetworkInterface, a netip.Addr) {
	if at := n.private(a); at != nil && a != n.addrs[0].IP {
		n.dropPrivate(at)
	}
}

// Associated reports whether an interface has the Elastic IP address.
func (tx *Tx) Associated(e *Address) bool { return e.to != nil }

// AssociationID is Address.AssociationID inside a change.
func (tx *Tx) AssociationID(e *Address) string { return e.assoc }

// Free returns how many of the subnet's IPv4 addresses are free.
func (tx *Tx) Free(s *Subnet) int { return s.available() }

// NewManagedInterfaces makes one interface in each of the subnets, or none: what a
// service does that has a node a zone.
func (tx *Tx) NewManagedInterfaces(subnets []*Subnet, owner Resource, m ManagedInterface) ([]*NetworkInterface, error) {
	var made []*NetworkInterface
	for _, s := range subnets {
		n, err := tx.NewManagedInterface(s, owner, m)
		if err != nil {
			for _, n := range made {
				tx.DeleteManagedInterface(n)
			}
			return nil, err
		}
		made = append(made, n)
	}
	return made, nil
}

// CheckPlaces holds the subnets of a service's resource to what holds for all: at
// least one, all of one VPC, one a zone (the sentences are inferred), and the groups
// to the VPC and the quota.
func (tx *Tx) CheckPlaces(subnets []*Subnet, groups []*SecurityGroup) error {
	if len(subnets) == 0 {
		return Refuse("MissingParameter", "The request must contain the parameter subnets")
	}
	for i, s := range subnets {
		if err := tx.Needs("subnetId", s); err != nil {
			return err
		}
		if s.vpc != subnets[0].vpc {
			return Refuse("InvalidParameterValue", "The subnets %s and %s belong to different networks", subnets[0].id, s.id)
		}
		for _, o := range subnets[:i] {
			if o.zone == s.zone {
				return Refuse("DuplicateSubnetsInSameZone", "Duplicate Subnets for same AZ")
			}
		}
	}
	return checkGroups(tx, subnets[0].vpc, groups)
}

// NewNamed returns the Base of a resource whose id is a name, such as the ARN of a
// load balancer. It refuses one that is in use.
func (tx *Tx) NewNamed(id, name string) (Base, error) {
	if tx.r.byID[id] != nil {
		return Base{}, fmt.Errorf("vpc: id %q is in use", id)
	}
	b := Base{id: id, region: tx.r}
	if name != "" {
		b.setTag("Name", name)
	}
	return b, nil
}

// ARN returns the Amazon resource name of a resource of a service.
func (r *Region) ARN(service, resource string) string {
	return "arn:aws:" + service + ":" + r.name + ":" + r.account + ":" + resource
}

// NewSuffix returns sixteen hexadecimal digits for names that end in some, such as
// a load balancer's ARN.
func (tx *Tx) NewSuffix() string { return fmt.Sprintf("%016x", tx.r.ids.word()) }
