package vpc

import (
	"cmp"
	"net/netip"

	"github.com/vpcsim/vpcsim/ec2"
)

// cidrBlock is the association of a CIDR with a VPC.
type cidrBlock struct {
	id           string
	cidr         netip.Prefix
	vpc          *VPC
	pool, border string // of a restored IPv6 CIDR: where it comes from and is advertised
}

// AssociateCIDR adds an IPv4 or IPv6 CIDR to the VPC, and with it a local route to
// each of its route tables (AssociateVpcCidrBlock; VPC guide, "VPC CIDR blocks").
// It is refused where the CIDR is restricted beside the VPC's own, overlaps one of
// them or a peer's, or is equal to or wider than the destination of a route that
// exists.
func (v *VPC) AssociateCIDR(cidr string) error {
	return v.Change(func(tx *Tx) error {
		p, err := ParseCIDR(cidr, "cidrBlock")
		if err != nil {
			return err
		}
		if err := checkSecondary(tx, v, p); err != nil {
			return err
		}
		tx.addBlock(v, p)
		return nil
	})
}

// AssociateAmazonIPv6 adds an IPv6 CIDR /56 of the region's choosing, here of
// 2001:db8::/32 (RFC 3849), and returns it.
func (v *VPC) AssociateAmazonIPv6() (netip.Prefix, error) {
	var p netip.Prefix
	err := v.Change(func(tx *Tx) (err error) {
		if p, err = v.region.chooseIPv6(netip.Prefix{}, true); err != nil {
			return err
		}
		if err := checkSecondary(tx, v, p); err != nil {
			return err
		}
		tx.addBlock(v, p)
		return nil
	})
	return p, err
}

// addBlock associates a checked CIDR. With the first of IPv6 the VPC's default
// group and its unmodified default ACL allow IPv6 as they do IPv4 (VPC guide,
// "Security groups", "Default network ACL").
func (tx *Tx) addBlock(v *VPC, p netip.Prefix) {
	if p.Addr().Is6() && !v.hasIPv6() {
		v.acls[0].allowIPv6()
		tx.allowIPv6(v.groups[0])
	}
	b := &cidrBlock{id: tx.r.ids.next("vpc-cidr-assoc"), cidr: p, vpc: v}
	tx.r.links[b.id] = b
	v.blocks = append(v.blocks, b)
	v.cidrs = append(v.cidrs, p)
	v.publish()
}

// CIDRAssociation returns the id of the CIDR's association with the VPC, "" where
// it has none.
func (v *VPC) CIDRAssociation(p netip.Prefix) string {
	var id string
	v.region.read(func() {
		for _, b := range v.blocks {
			if b.cidr == p {
				id = b.id
			}
		}
	})
	return id
}

// DisassociateCIDR ends a CIDR's association (DisassociateVpcCidrBlock), and with
// it its local routes. The primary CIDR stays for the VPC's life; one that holds a
// subnet is refused with DependencyViolation (code and sentence are inferred).
func (r *Region) DisassociateCIDR(association string) error {
	return r.Change(func(*Tx) error {
		b, ok := r.links[association].(*cidrBlock)
		switch {
		case !ok:
			return Refuse("InvalidVpcCidrBlockAssociationIdError.NotFound", "The vpc CIDR block association ID '%s' does not exist", association)
		case b == b.vpc.blocks[0]:
			return Refuse("OperationNotPermitted",
				"The vpc CIDR block with association ID %s may not be disassociated. It is the primary IPv4 CIDR block of the VPC", association)
		}
		for _, s := range b.vpc.subnets {
			if within(s.cidr, b.cidr) || s.ipv6.IsValid() && within(s.ipv6, b.cidr) {
				return Refuse("DependencyViolation", "The vpc CIDR block with association ID %s has dependencies and cannot be disassociated.", association)
			}
		}
		delete(r.links, association)
		b.vpc.drop(b)
		return nil
	})
}

func (v *VPC) drop(b *cidrBlock) {
	v.blocks = remove(v.blocks, b)
	v.cidrs = remove(v.cidrs, b.cidr)
	v.publish()
	for _, t := range v.tables {
		t.dropLocal(b.cidr)
	}
}

// chooseIPv6 returns a VPC's IPv6 CIDR: the one that is wanted, a new one of Amazon's,
// or none.
func (r *Region) chooseIPv6(want netip.Prefix, amazon bool) (netip.Prefix, error) {
	if want.IsValid() {
		if err := checkIPv6Range(want.Masked()); err != nil {
			return want, err
		}
		return want.Masked(), nil
	}
	if !amazon {
		return netip.Prefix{}, nil
	}
	w := r.ids.word()
	a := [16]byte{0x20, 0x01, 0x0d, 0xb8, byte(w >> 16), byte(w >> 8), byte(w)}
	return netip.PrefixFrom(netip.AddrFrom16(a), 56), nil
}

func (b *cidrBlock) shape4() ec2.VpcCidrBlockAssociation {
	return ec2.VpcCidrBlockAssociation{
		AssociationId: new(b.id), CidrBlock: new(b.cidr.String()),
		CidrBlockState: &ec2.VpcCidrBlockState{State: new(ec2.VpcCidrBlockStateCodeAssociated)},
	}
}

func (b *cidrBlock) shape6() ec2.VpcIpv6CidrBlockAssociation {
	return ec2.VpcIpv6CidrBlockAssociation{
		AssociationId: new(b.id), Ipv6CidrBlock: new(b.cidr.String()),
		NetworkBorderGroup: new(cmp.Or(b.border, b.vpc.region.name)), Ipv6Pool: new(cmp.Or(b.pool, "Amazon")),
		Ipv6CidrBlockState: &ec2.VpcCidrBlockState{State: new(ec2.VpcCidrBlockStateCodeAssociated)},
	}
}
