package vpc

import (
	"net/netip"
	"slices"
	"sync/atomic"

	"github.com/vpcsim/vpcsim/ec2"
)

// VPCConfig says how a VPC is made. The zero value is AWS's default.
type VPCConfig struct {
	// ID is the id to use; "" makes one.
	ID string
	// Name is the Name tag.
	Name string
	// IPv6 is the VPC's IPv6 CIDR, /44 to /60 (VPC guide, "VPC CIDR blocks"). Invalid is none.
	IPv6 netip.Prefix
	// AmazonProvidedIPv6 takes an IPv6 CIDR /56, here of the documentation range
	// 2001:db8::/32 (RFC 3849).
	AmazonProvidedIPv6 bool
	// DedicatedTenancy makes instances run on hardware of one's own.
	DedicatedTenancy bool
}

// VPC is a virtual private cloud.
type VPC struct {
	Base
	cidrs      []netip.Prefix                 // of blocks, primary IPv4 first
	published  atomic.Pointer[[]netip.Prefix] // a copy of cidrs, for those who hold another region's lock or none
	blocks     []*cidrBlock
	main       *RouteTable
	tables     []*RouteTable
	subnets    []*Subnet
	acls       []*NetworkACL
	groups     []*SecurityGroup
	interfaces []*NetworkInterface
	attached   []Gateway
	dhcp       *DHCPOptions // nil: the option set "default", which is none
	attributes VPCAttributes
	dedicated  bool
	isDefault  bool // the account's default VPC
	gaps       gaps // what a restored one's descriptions do not tell
}

// VPCAttributes are a VPC's switches (DescribeVpcAttribute).
type VPCAttributes struct {
	// EnableDNSSupport has the resolver answer at base+2 and 169.254.169.253; on in a new VPC.
	EnableDNSSupport bool
	// EnableDNSHostnames gives instances with public addresses public names; off in a new VPC.
	EnableDNSHostnames bool
}

// CreateVPC makes a VPC with its main route table, default network ACL and default
// security group. Host bits of the CIDR are dropped. It is refused with
// InvalidParameterValue where cidr is no CIDR and with InvalidVpc.Range where it is
// not /16 to /28 (VPC guide, "VPC CIDR blocks").
func (r *Region) CreateVPC(cidr string, c VPCConfig) (*VPC, error) {
	var v *VPC
	err := r.Change(func(tx *Tx) (err error) {
		v, err = tx.createVPC(cidr, c)
		return err
	})
	if err != nil {
		return nil, err
	}
	return v, nil
}

func (tx *Tx) createVPC(cidr string, c VPCConfig) (*VPC, error) {
	r := tx.r
	p, err := ParseCIDR(cidr, "cidrBlock")
	if err != nil {
		return nil, err
	}
	if err := checkVPCRange(p); err != nil {
		return nil, err
	}
	if err := tx.Within(QuotaVPCs, len(r.vpcs), r.name); err != nil {
		return nil, err
	}
	if c.IPv6, err = r.chooseIPv6(c.IPv6, c.AmazonProvidedIPv6); err != nil {
		return nil, err
	}
	b, err := tx.NewBase("vpc", c.ID, c.Name)
	if err != nil {
		return nil, err
	}
	v := &VPC{Base: b, attributes: VPCAttributes{EnableDNSSupport: true}, dedicated: c.DedicatedTenancy}
	if len(r.dhcp) > 0 {
		v.dhcp = r.dhcp[0]
	}
	r.vpcs = append(r.vpcs, v)
	tx.Add(v)
	tx.addBlock(v, p)
	v.main = tx.newRouteTable(v, Base{id: r.ids.next("rtb"), region: r})
	tx.link(v.main, &association{main: true})
	tx.newDefaultACL(v)
	tx.newDefaultGroup(v)
	if c.IPv6.IsValid() {
		tx.addBlock(v, c.IPv6)
	}
	return v, nil
}

// Delete deletes the VPC with its main route table, default network ACL and default
// security group. One that has subnets, gateways, other tables, ACLs or groups is
// refused with DependencyViolation.
func (v *VPC) Delete() error {
	return v.Change(func(tx *Tx) error {
		if len(v.subnets) > 0 || len(v.attached) > 0 || len(v.tables) > 1 || len(v.acls) > 1 || len(v.groups) > 1 || len(v.interfaces) > 0 {
			return Refuse("DependencyViolation", "The vpc '%s' has dependencies and cannot be deleted.", v.id)
		}
		if v.groups[0].referenced() {
			return Refuse("DependencyViolation", "The vpc '%s' has dependencies and cannot be deleted.", v.id)
		}
		for _, g := range tx.r.gateways {
			if d, ok := g.(interface{ VPCDeleted(tx *Tx, v *VPC) }); ok {
				d.VPCDeleted(tx, v)
			}
		}
		tx.dropExclusions(v, nil)
		tx.dropTable(v.main)
		tx.Remove(v.acls[0])
		tx.dropGroup(v.groups[0])
		for _, b := range v.blocks {
			delete(tx.r.links, b.id)
		}
		tx.r.vpcs = remove(tx.r.vpcs, v)
		tx.Remove(v)
		return nil
	})
}

// SetAttributes changes the VPC's switches (ModifyVpcAttribute). Host names without
// DNS support are refused with InvalidParameterValue (the sentence is inferred).
func (v *VPC) SetAttributes(a VPCAttributes) error {
	return v.Change(func(*Tx) error {
		if a.EnableDNSHostnames && !a.EnableDNSSupport {
			return Refuse("InvalidParameterValue", "enableDnsHostnames requires enableDnsSupport to be enabled.")
		}
		v.attributes = a
		return nil
	})
}

// Attributes returns the VPC's switches.
func (v *VPC) Attributes() VPCAttributes {
	var a VPCAttributes
	v.region.read(func() { a = v.attributes })
	return a
}

// CIDRs returns the VPC's CIDRs, the primary IPv4 CIDR first.
func (v *VPC) CIDRs() []netip.Prefix { return slices.Clone(*v.published.Load()) }

// publish has CIDRs tell of a change of the CIDRs.
func (v *VPC) publish() { v.published.Store(new(slices.Clone(v.cidrs))) }

// MainRouteTable returns the table of every subnet that has no other.
func (v *VPC) MainRouteTable() *RouteTable {
	var t *RouteTable
	v.region.read(func() { t = v.main })
	return t
}

// DefaultSecurityGroup returns the group of every interface that is given no other.
func (v *VPC) DefaultSecurityGroup() *SecurityGroup {
	var g *SecurityGroup
	v.region.read(func() { g = v.groups[0] })
	return g
}

// DefaultNetworkACL returns the ACL of every subnet that has no other.
func (v *VPC) DefaultNetworkACL() *NetworkACL {
	var a *NetworkACL
	v.region.read(func() { a = v.acls[0] })
	return a
}

// covers reports whether one of the VPC's CIDRs holds all of p.
func (v *VPC) covers(p netip.Prefix) bool {
	return slices.ContainsFunc(v.cidrs, func(c netip.Prefix) bool { return within(p, c) })
}

// within reports whether all of p lies in q.
func within(p, q netip.Prefix) bool {
	return p.Bits() >= q.Bits() && q.Contains(p.Addr())
}

// subnetWith returns the subnet whose CIDR is exactly p, or nil.
func (v *VPC) subnetWith(p netip.Prefix) *Subnet {
	for _, s := range v.subnets {
		if s.cidr == p || s.ipv6 == p {
			return s
		}
	}
	return nil
}

// hasIPv6 reports whether the VPC has an IPv6 CIDR.
func (v *VPC) hasIPv6() bool {
	return slices.ContainsFunc(v.cidrs, func(p netip.Prefix) bool { return p.Addr().Is6() })
}

// gateway returns the attached gateway whose id begins with prefix, or nil.
func (v *VPC) gateway(prefix string) Gateway {
	for _, g := range v.attached {
		if hasPrefix(g.ID(), prefix) {
			return g
		}
	}
	return nil
}

func hasPrefix(id, prefix string) bool {
	return len(id) > len(prefix)+1 && id[:len(prefix)] == prefix && id[len(prefix)] == '-'
}

// Attach records a gateway as attached to the VPC. The gateway has checked that it
// may be.
func (tx *Tx) Attach(v *VPC, g Gateway) {
	v.attached = append(v.attached, g)
	attach(g, v)
}

// Detach undoes Attach. The gateway's edge association and its propagation end.
func (tx *Tx) Detach(v *VPC, g Gateway) {
	if e, ok := g.(EdgeGateway); ok {
		tx.dropEdge(e)
	}
	if p, ok := g.(Propagator); ok {
		tx.dropPropagation(p)
	}
	v.attached = remove(v.attached, g)
	attach(g, nil)
}

// Attached returns the VPC's attached gateway whose id begins with the given
// prefix, such as igw, or nil.
func (tx *Tx) Attached(v *VPC, prefix string) Gateway { return v.gateway(prefix) }

// VPCs returns the region's VPCs, in the order in which they were made.
func (tx *Tx) VPCs() []*VPC { return slices.Clone(tx.r.vpcs) }

// CIDRs returns a VPC's CIDRs inside a change, the primary IPv4 CIDR first. The VPC
// may be one of another region.
func (tx *Tx) CIDRs(v *VPC) []netip.Prefix { return v.CIDRs() }

// Attributes returns a VPC's switches inside a change.
func (tx *Tx) Attributes(v *VPC) VPCAttributes { return v.attributes }

// DescribeVpcs lists the VPCs, in the order in which they were made.
func (r *Region) DescribeVpcs() *ec2.DescribeVpcsResult {
	list := []ec2.Vpc{}
	r.read(func() {
		for _, v := range r.vpcs {
			list = append(list, v.shape())
		}
	})
	return &ec2.DescribeVpcsResult{Vpcs: list}
}

func (v *VPC) shape() ec2.Vpc {
	s := ec2.Vpc{
		VpcId: new(v.id), OwnerId: new(v.OwnerID()), State: new(ec2.VpcStateAvailable), IsDefault: new(v.isDefault),
		CidrBlock: new(v.cidrs[0].String()), InstanceTenancy: new(ec2.TenancyDefault), DhcpOptionsId: new("default"),
		CidrBlockAssociationSet: []ec2.VpcCidrBlockAssociation{}, Tags: v.tagShapes(),
	}
	if v.dhcp != nil {
		s.DhcpOptionsId = new(v.dhcp.id)
	}
	if v.dedicated {
		s.InstanceTenancy = new(ec2.TenancyDedicated)
	}
	for _, b := range v.blocks {
		if b.cidr.Addr().Is4() {
			s.CidrBlockAssociationSet = append(s.CidrBlockAssociationSet, b.shape4())
		} else {
			s.Ipv6CidrBlockAssociationSet = append(s.Ipv6CidrBlockAssociationSet, b.shape6())
		}
	}
	return s
}

// DescribeAttribute returns one of the VPC's switches, enableDnsSupport or
// enableDnsHostnames, in EC2's shape; another name is refused with
// InvalidParameterValue (an emulator's sentence).
func (v *VPC) DescribeAttribute(name ec2.VpcAttributeName) (*ec2.DescribeVpcAttributeResult, error) {
	s := &ec2.DescribeVpcAttributeResult{VpcId: new(v.id)}
	a := v.Attributes()
	switch name {
	case ec2.VpcAttributeNameEnableDnsSupport:
		s.EnableDnsSupport = &ec2.AttributeBooleanValue{Value: new(a.EnableDNSSupport)}
	case ec2.VpcAttributeNameEnableDnsHostnames:
		s.EnableDnsHostnames = &ec2.AttributeBooleanValue{Value: new(a.EnableDNSHostnames)}
	default:
		return nil, Refuse("InvalidParameterValue", "Value (%s) for parameter attribute is invalid. Unknown attribute.", name)
	}
	return s, nil
}
