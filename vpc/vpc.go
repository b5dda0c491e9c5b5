package vpc

import (
	"net/netip"
	"slices"
)

// VPCConfig says how a VPC is made. The zero value is AWS's default.
type VPCConfig struct {
	// ID is the id to use; "" makes one.
	ID string
	// Name is the Name tag.
	Name string
	// IPv6 is the VPC's IPv6 CIDR, /44 to /60 (VPC guide, "VPC CIDR blocks"). Invalid is none.
	IPv6 netip.Prefix
}

// VPC is a virtual private cloud.
type VPC struct {
	Base
	cidrs      []netip.Prefix // primary IPv4 first
	main       *RouteTable
	tables     []*RouteTable
	subnets    []*Subnet
	acls       []*NetworkACL
	groups     []*SecurityGroup
	interfaces []*NetworkInterface
	attached   []Gateway
	dhcpName   string
}

// CreateVPC makes a VPC with its main route table, default network ACL and default
// security group. Host bits of the CIDR are dropped. It is refused with
// InvalidParameterValue where cidr is no CIDR and with InvalidVpc.Range where it is
// not /16 to /28 (VPC guide, "VPC CIDR blocks").
func (r *Region) CreateVPC(cidr string, c VPCConfig) (*VPC, error) {
	var v *VPC
	err := r.Change(func(tx *Tx) (err error) {
		p, err := parseCIDR(cidr, "cidrBlock")
		if err != nil {
			return err
		}
		if err := checkVPCRange(p); err != nil {
			return err
		}
		id, err := tx.NewID("vpc", c.ID)
		if err != nil {
			return err
		}
		v = &VPC{Base: Base{id: id, region: r}, cidrs: []netip.Prefix{p}}
		if c.Name != "" {
			v.setTag("Name", c.Name)
		}
		if c.IPv6.IsValid() {
			v.cidrs = append(v.cidrs, c.IPv6.Masked())
		}
		r.vpcs = append(r.vpcs, v)
		tx.Add(v)
		v.main = tx.newRouteTable(v, r.ids.next("rtb"))
		tx.newDefaultACL(v)
		tx.newDefaultGroup(v)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return v, nil
}

// AssociateCIDR adds an IPv4 or IPv6 CIDR to the VPC, and with it a local route to
// each of its route tables (VPC guide, "VPC CIDR blocks"). It is refused where the
// CIDR is restricted beside the VPC's own, overlaps one of them, or is equal to or
// wider than the destination of a route that exists.
func (v *VPC) AssociateCIDR(cidr string) error {
	return v.region.Change(func(*Tx) error {
		p, err := parseCIDR(cidr, "cidrBlock")
		if err != nil {
			return err
		}
		if err := checkSecondary(v, p); err != nil {
			return err
		}
		v.cidrs = append(v.cidrs, p)
		return nil
	})
}

// CIDRs returns the VPC's CIDRs, the primary IPv4 CIDR first.
func (v *VPC) CIDRs() []netip.Prefix {
	var c []netip.Prefix
	v.region.read(func() { c = slices.Clone(v.cidrs) })
	return c
}

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

// contains reports whether the address lies in one of the VPC's CIDRs.
func (v *VPC) contains(a netip.Addr) bool {
	return slices.ContainsFunc(v.cidrs, func(c netip.Prefix) bool { return c.Contains(a) })
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
	return len(id) > len(prefix) && id[:len(prefix)] == prefix && id[len(prefix)] == '-'
}

// Attach records a gateway as attached to the VPC. The gateway has checked that it
// may be.
func (tx *Tx) Attach(v *VPC, g Gateway) { v.attached = append(v.attached, g) }

// Detach undoes Attach.
func (tx *Tx) Detach(v *VPC, g Gateway) { v.attached = remove(v.attached, g) }

// Attached returns the VPC's attached gateway whose id begins with the given
// prefix, such as igw, or nil.
func (tx *Tx) Attached(v *VPC, prefix string) Gateway { return v.gateway(prefix) }
