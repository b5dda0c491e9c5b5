// Package balancer is what load balancers have in common: nodes, an interface in each
// of their subnets; listeners with their rules; target groups with registered targets
// and the health of these. Packages nlb, alb and clb give a load balancer its kind and
// what its nodes do to packets.
package balancer

import (
	"fmt"
	"hash/crc32"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/vpc"
)

// Kind is what tells one kind of load balancer from another.
type Kind struct {
	// Type is the kind in the API's words; "" is a Classic Load Balancer.
	Type elbv2.LoadBalancerType
	// Interface is the kind of its interfaces.
	Interface vpc.InterfaceType
	// Path stands before the name in ARN and descriptions, such as app/; "" is a
	// Classic Load Balancer, whose ARN ends in its name.
	Path string
	// SourceDestCheck is the switch of its interfaces.
	SourceDestCheck bool
	// DefaultGroup gives it the VPC's default group where the user names none.
	DefaultGroup bool
	// Classic gives it the listeners and instances of a Classic Load Balancer.
	Classic bool
	// Protocols are those that a listener may have, in the order in which AWS's refusal
	// of another one lists them; Groups those of the target groups behind it.
	Protocols, Groups []elbv2.Protocol
	// Attributes are the attributes of a load balancer of the kind, with the values that
	// a new one has, in the order in which they are listed.
	Attributes []Attribute
	// Compile makes the nodes of a load balancer. It is called with the region locked.
	Compile func(c *vpc.Compiler, l *LoadBalancer)
	// Endpoint is the kind of VPC endpoint that an endpoint service on it has, in the EC2
	// API's words; "" is none. Link is [LoadBalancer.LinkEndpoint].
	Endpoint string
	Link     func(c *vpc.Compiler, l *LoadBalancer, e vpc.EndpointLink) dataplane.Node
}

// Attribute is a key and a value.
type Attribute struct{ Key, Value string }

// LoadBalancer is a load balancer of any kind.
type LoadBalancer struct {
	vpc.Base
	kind       *Kind
	name       string
	vpc        *vpc.VPC
	internet   bool
	subnets    []*vpc.Subnet
	nics       []*vpc.NetworkInterface // one a subnet
	partial    bool                    // there are more, which no description tells
	unlisted   string                  // why nobody can tell its listeners, "" where one can
	unset      string                  // the same of its attributes
	groups     []*vpc.SecurityGroup
	addresses  []*vpc.Address // that it allocated, to release with it
	listeners  []*Listener
	attributes []Attribute
	created    time.Time
	restored   *elbv2.LoadBalancer // what it was read from
	classic    *Classic            // of a Classic Load Balancer
	families   elbv2.IPAddressType
}

// Config says how a load balancer is made.
type Config struct {
	// Name is the Name tag.
	Name string
	// Subnets are where its nodes stand, one a zone.
	Subnets []*vpc.Subnet
	// Groups are the security groups of its interfaces. None is the VPC's default
	// group; of a Network Load Balancer none filters nothing, and stays so for life
	// (NLB guide, "Security groups").
	Groups []*vpc.SecurityGroup
	// InternetFacing gives its nodes public addresses; without it, it is internal.
	// (The API's default is internet-facing.)
	InternetFacing bool
	// Addresses are the Elastic IP addresses of an internet-facing Network Load
	// Balancer's nodes, in the order of Subnets; none allocates some.
	Addresses []*vpc.Address
	// PrivateIPs are the private addresses of the nodes, in the order of Subnets; none
	// takes free ones.
	PrivateIPs []netip.Addr
	// IPAddressType is ipv4 or dualstack, which gives each node an IPv6 address too; ""
	// is ipv4.
	IPAddressType elbv2.IPAddressType
}

// Create makes a load balancer of the name: an interface in each subnet, which its
// user can't change (S000). A name that is taken is refused with
// DuplicateLoadBalancerName, a subnet with fewer than eight free addresses with
// InvalidSubnet, as is an internet-facing one in a VPC without internet gateway.
func Create(r *vpc.Region, k *Kind, name string, c Config) (*LoadBalancer, error) {
	if c.IPAddressType == "" {
		c.IPAddressType = elbv2.IPAddressTypeIPv4
	}
	var l *LoadBalancer
	err := r.Change(func(tx *vpc.Tx) error {
		if err := check(tx, k, name, c); err != nil {
			return err
		}
		if len(c.Groups) == 0 && k.DefaultGroup {
			c.Groups = []*vpc.SecurityGroup{tx.DefaultGroup(c.Subnets[0].VPC())}
		}
		full := k.Path + name
		if k.Path != "" {
			full += "/" + tx.NewSuffix()
		}
		b, err := tx.NewNamed(r.ARN("elasticloadbalancing", "loadbalancer/"+full), c.Name)
		if err != nil {
			return err
		}
		l = &LoadBalancer{
			Base: b, kind: k, name: name, vpc: c.Subnets[0].VPC(), internet: c.InternetFacing, subnets: slices.Clone(c.Subnets),
			groups: slices.Clone(c.Groups), attributes: k.attributes(c.InternetFacing), created: r.Now(),
			families: c.IPAddressType,
		}
		if k.Classic {
			l.classic = NewClassic(l)
		}
		if err := l.start(tx, "ELB "+full, c); err != nil {
			return err
		}
		tx.Add(l)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

// start makes the nodes' interfaces and gives them their public addresses; where one
// of them can't be had, none is there.
func (l *LoadBalancer) start(tx *vpc.Tx, description string, c Config) error {
	for i, s := range c.Subnets {
		m := vpc.ManagedInterface{Type: l.kind.Interface, Description: description, SourceDestCheck: l.kind.SourceDestCheck, Groups: c.Groups}
		if c.IPAddressType == elbv2.IPAddressTypeDualstack {
			m.IPv6, m.DenyIGW = 1, l.attribute(denyIGW) == "true"
		}
		if len(c.PrivateIPs) > 0 {
			m.PrivateIP = c.PrivateIPs[i]
		}
		n, err := tx.NewManagedInterface(s, l, m)
		if err == nil {
			l.nics = append(l.nics, n)
			err = l.publish(tx, i, c)
		}
		if err != nil {
			l.stop(tx)
			return err
		}
	}
	return nil
}

// publish gives node i its public address.
func (l *LoadBalancer) publish(tx *vpc.Tx, i int, c Config) error {
	if !c.InternetFacing {
		return nil
	}
	if len(c.Addresses) > 0 {
		return tx.AssociateAddress(c.Addresses[i], l.nics[i], netip.Addr{}, false)
	}
	e, err := tx.AllocateAddress(vpc.AddressConfig{})
	if err != nil {
		return err
	}
	l.addresses = append(l.addresses, e)
	return tx.AssociateAddress(e, l.nics[i], netip.Addr{}, false)
}

// stop takes the nodes away, and the addresses that are theirs.
func (l *LoadBalancer) stop(tx *vpc.Tx) {
	for _, n := range l.nics {
		tx.DeleteManagedInterface(n)
	}
	for _, e := range l.addresses {
		tx.ReleaseAddress(e)
	}
	l.nics, l.addresses = nil, nil
}

// Delete deletes the load balancer, its listeners and its interfaces; target groups
// stay. Routes that name an interface become black holes.
func (l *LoadBalancer) Delete() error {
	return l.Change(func(tx *vpc.Tx) error {
		if l.attribute("deletion_protection.enabled") == "true" {
			return vpc.Refuse("OperationNotPermitted", "Load balancer '%s' cannot be deleted because deletion protection is enabled", l.ID())
		}
		for _, x := range slices.Clone(l.listeners) {
			x.drop(tx)
		}
		l.stop(tx)
		tx.Remove(l)
		return nil
	})
}

// LoadBalancerName returns the name that it was created with.
func (l *LoadBalancer) LoadBalancerName() string { return l.name }

// Name returns the name that the load balancer was given.
func (l *LoadBalancer) Name() string { return l.name }

// Type returns the kind in the API's words; "" is a Classic Load Balancer.
func (l *LoadBalancer) Type() elbv2.LoadBalancerType { return l.kind.Type }

// VPC returns the VPC of its nodes, for life.
func (l *LoadBalancer) VPC() *vpc.VPC { return l.vpc }

// Classic returns the part of a Classic Load Balancer, nil of other kinds.
func (l *LoadBalancer) Classic(*vpc.Tx) *Classic { return l.classic }

// CreatedAt returns when it was made.
func (l *LoadBalancer) CreatedAt() time.Time { return l.created }

// GroupsOf is Groups for who has the region locked. The list must not be changed.
func (l *LoadBalancer) GroupsOf(*vpc.Tx) []*vpc.SecurityGroup { return l.groups }

// InternetFacing reports whether its nodes have public addresses.
func (l *LoadBalancer) InternetFacing() bool { return l.internet }

// Interfaces returns the load balancer's interfaces, one a subnet, in their order;
// none where it is deleted.
func (l *LoadBalancer) Interfaces() []*vpc.NetworkInterface {
	var n []*vpc.NetworkInterface
	l.Region().View(func(*vpc.Tx) { n = slices.Clone(l.nics) })
	return n
}

// Nodes is Interfaces inside a change or a compilation. The list must not be changed.
func (l *LoadBalancer) Nodes(*vpc.Tx) []*vpc.NetworkInterface { return l.nics }

// DNSName returns the load balancer's name in the DNS. It resolves to its nodes'
// public addresses or, of an internal one, to the private ones, wherever it is asked
// (ALB guide; S004). It has a TTL of 60 seconds.
func (l *LoadBalancer) DNSName() string {
	if l.restored != nil && l.restored.DNSName != nil {
		return *l.restored.DNSName
	}
	suffix := l.ID()[strings.LastIndexByte(l.ID(), '/')+1:]
	name := l.name + "-" + suffix
	if !l.internet {
		name = "internal-" + name
	}
	if l.kind.Type == "" && l.classic != nil {
		name = strings.TrimSuffix(name, "-"+suffix) + "-" + fmt.Sprint(crc32.ChecksumIEEE([]byte(l.ID())))
	}
	if l.kind.Type == elbv2.TypeNetwork {
		return strings.TrimPrefix(name, "internal-") + ".elb." + l.Region().Name() + ".amazonaws.com"
	}
	return name + "." + l.Region().Name() + ".elb.amazonaws.com"
}

// Resolve returns the addresses that the name has, IPv4's and IPv6's, in the order of the nodes: those of
// nodes whose zone has a healthy target or, where none has, all (ELB guide, "How
// Elastic Load Balancing works").
func (l *LoadBalancer) Resolve(tx *vpc.Tx) []netip.Addr {
	var all, fit []netip.Addr
	for _, n := range l.nics {
		a := tx.PrivateAddresses(n)[0]
		ip := a.IP
		if l.internet && a.Public.IsValid() {
			ip = a.Public
		}
		ips := append([]netip.Addr{ip}, tx.IPv6Addresses(n)...)
		all = append(all, ips...)
		if l.servesFrom(tx, n) {
			fit = append(fit, ips...)
		}
	}
	if len(fit) == 0 {
		return all
	}
	return fit
}

// servesFrom reports whether a node has a healthy target for each listener.
func (l *LoadBalancer) servesFrom(tx *vpc.Tx, n *vpc.NetworkInterface) bool {
	for _, x := range l.listeners {
		for _, w := range x.Default().Groups {
			if s := w.Group.Eligible(tx, l, n.Subnet().Zone()); s.FailOpen || len(s.Targets) == 0 {
				return false
			}
		}
	}
	return true
}

// Available reports false: no route may name a load balancer.
func (l *LoadBalancer) Available(*vpc.Tx, *vpc.VPC) bool { return false }

// CheckRoute refuses every route: a load balancer is no route target, only its
// interfaces are (S000).
func (l *LoadBalancer) CheckRoute(_ *vpc.Tx, _ *vpc.RouteTable, _ netip.Prefix) error {
	return vpc.Refuse("InvalidParameterValue", "invalid value for parameter gateway-id: %s", l.ID())
}

// Compile makes the nodes.
func (l *LoadBalancer) Compile(c *vpc.Compiler) {
	if l.kind.Compile != nil {
		l.kind.Compile(c, l)
	}
}

// Groups returns its security groups; none filters nothing.
func (l *LoadBalancer) Groups() []*vpc.SecurityGroup {
	var g []*vpc.SecurityGroup
	l.Region().View(func(*vpc.Tx) { g = slices.Clone(l.groups) })
	return g
}

// attribute returns the value of a key, "" where it has none.
func (l *LoadBalancer) attribute(key string) string { return value(l.attributes, key) }

// Attribute returns the value of an attribute, such as that of
// load_balancing.cross_zone.enabled; "" where there is none of the key.
func (l *LoadBalancer) Attribute(key string) string {
	var s string
	l.Region().View(func(*vpc.Tx) { s = l.attribute(key) })
	return s
}

// AttributeOf is Attribute for who has the region locked.
func (l *LoadBalancer) AttributeOf(key string) string { return l.attribute(key) }

// SetAttribute changes an attribute (ModifyLoadBalancerAttributes). A key that its kind
// does not have is refused with ValidationError (the sentence is inferred).
func (l *LoadBalancer) SetAttribute(key, v string) error {
	return l.Change(func(tx *vpc.Tx) error {
		if !set(&l.attributes, key, v) {
			return vpc.Refuse("ValidationError", "Load balancer attribute key '%s' is not recognized", key)
		}
		if key == denyIGW {
			l.deny(tx)
		}
		return nil
	})
}

func value(list []Attribute, key string) string {
	for _, a := range list {
		if a.Key == key {
			return a.Value
		}
	}
	return ""
}

// set changes the value of a key that is in the list.
func set(list *[]Attribute, key, v string) bool {
	for i := range *list {
		if (*list)[i].Key == key {
			(*list)[i].Value = v
			return true
		}
	}
	return false
}
