package vpc

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/wire"
)

// publicAccess is the region's VPC Block Public Access.
type publicAccess struct {
	mode       ec2.InternetGatewayBlockMode            // "" is off
	restored   map[string]ec2.InternetGatewayBlockMode // of VPCs by their owner's account, in place of mode
	changed    time.Time
	exclusions []*PublicAccessExclusion
}

// PublicAccessExclusion takes a VPC or a subnet out of VPC Block Public Access.
type PublicAccessExclusion struct {
	Base
	vpc    *VPC
	subnet *Subnet // or nil
	mode   ec2.InternetGatewayExclusionMode
	made   time.Time
}

// BlockPublicAccess sets what internet gateways and egress-only gateways of all VPCs
// let pass (ModifyVpcBlockPublicAccessOptions): off, block-bidirectional, or
// block-ingress, which leaves what NAT gateways and egress-only gateways begin. Another
// mode is refused (the sentence is inferred).
func (r *Region) BlockPublicAccess(mode ec2.InternetGatewayBlockMode) error {
	return r.Change(func(tx *Tx) error {
		switch mode {
		case ec2.InternetGatewayBlockModeOff, ec2.InternetGatewayBlockModeBlockBidirectional, ec2.InternetGatewayBlockModeBlockIngress:
		default:
			return Refuse("InvalidParameterValue", "Value (%s) for parameter InternetGatewayBlockMode is invalid.", mode)
		}
		r.access.mode, r.access.restored, r.access.changed = mode, nil, r.Now()
		return nil
	})
}

// ExcludeFromBlock takes a VPC out (CreateVpcBlockPublicAccessExclusion):
// allow-bidirectional lets all pass, allow-egress what goes out, and what answers by NAT
// gateways and egress-only gateways.
func (v *VPC) ExcludeFromBlock(mode ec2.InternetGatewayExclusionMode) (*PublicAccessExclusion, error) {
	return v.region.exclude(v, nil, mode)
}

// ExcludeFromBlock takes a subnet out, as [VPC.ExcludeFromBlock] does a VPC.
func (s *Subnet) ExcludeFromBlock(mode ec2.InternetGatewayExclusionMode) (*PublicAccessExclusion, error) {
	return s.region.exclude(s.vpc, s, mode)
}

// exclude refuses a second exclusion of one resource, another mode and what exceeds the
// quota (codes and sentences are inferred).
func (r *Region) exclude(v *VPC, s *Subnet, mode ec2.InternetGatewayExclusionMode) (*PublicAccessExclusion, error) {
	var x *PublicAccessExclusion
	err := r.Change(func(tx *Tx) error {
		of := Resource(v)
		if s != nil {
			of = s
		}
		if err := tx.Needs("resource", of); err != nil {
			return err
		}
		if mode != ec2.InternetGatewayExclusionModeAllowBidirectional && mode != ec2.InternetGatewayExclusionModeAllowEgress {
			return Refuse("InvalidParameterValue", "Value (%s) for parameter InternetGatewayExclusionMode is invalid.", mode)
		}
		if slices.ContainsFunc(r.access.exclusions, func(o *PublicAccessExclusion) bool { return o.vpc == v && o.subnet == s }) {
			return Refuse("ResourceAlreadyExcluded", "%s has an exclusion already.", of.ID())
		}
		if err := tx.Within(QuotaPublicAccessExclusions, len(r.access.exclusions), r.name); err != nil {
			return err
		}
		b, err := tx.NewBase("vpcbpa-exclude", "", "")
		if err != nil {
			return err
		}
		x = &PublicAccessExclusion{Base: b, vpc: v, subnet: s, mode: mode, made: r.Now()}
		r.access.exclusions = append(r.access.exclusions, x)
		tx.Add(x)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return x, nil
}

// Delete ends the exclusion (DeleteVpcBlockPublicAccessExclusion).
func (x *PublicAccessExclusion) Delete() error {
	return x.Change(func(tx *Tx) error {
		tx.r.access.exclusions = remove(tx.r.access.exclusions, x)
		tx.Remove(x)
		return nil
	})
}

// dropExclusions ends the exclusions of a VPC or subnet that is deleted (inference).
func (tx *Tx) dropExclusions(v *VPC, s *Subnet) {
	for _, x := range slices.Clone(tx.r.access.exclusions) {
		if x.vpc == v && x.subnet == s {
			tx.r.access.exclusions = remove(tx.r.access.exclusions, x)
			tx.Remove(x)
		}
	}
}

// DescribeVpcBlockPublicAccessOptions tells the region's mode.
func (r *Region) DescribeVpcBlockPublicAccessOptions() *ec2.DescribeVpcBlockPublicAccessOptionsResult {
	s := &ec2.VpcBlockPublicAccessOptions{
		AwsAccountId: new(r.account), AwsRegion: new(r.name), ManagedBy: new(ec2.ManagedByAccount),
		State: new(ec2.VpcBlockPublicAccessStateDefaultState), InternetGatewayBlockMode: new(ec2.InternetGatewayBlockModeOff),
		ExclusionsAllowed: new(ec2.VpcBlockPublicAccessExclusionsAllowedAllowed),
	}
	r.read(func() {
		if mode := r.access.of(r.account); mode != "" {
			s.State, s.InternetGatewayBlockMode = new(ec2.VpcBlockPublicAccessStateUpdateComplete), new(mode)
			s.LastUpdateTimestamp = new(ec2.TimestampOf(r.access.changed))
		}
	})
	return &ec2.DescribeVpcBlockPublicAccessOptionsResult{VpcBlockPublicAccessOptions: s}
}

// DescribeVpcBlockPublicAccessExclusions lists the exclusions, in the order in which
// they were made.
func (r *Region) DescribeVpcBlockPublicAccessExclusions() *ec2.DescribeVpcBlockPublicAccessExclusionsResult {
	list := []ec2.VpcBlockPublicAccessExclusion{}
	r.read(func() {
		for _, x := range r.access.exclusions {
			of := "vpc/" + x.vpc.id
			if x.subnet != nil {
				of = "subnet/" + x.subnet.id
			}
			list = append(list, ec2.VpcBlockPublicAccessExclusion{
				ExclusionId: new(x.id), InternetGatewayExclusionMode: new(x.mode), ResourceArn: new(r.ARN("ec2", of)),
				State: new(ec2.VpcBlockPublicAccessExclusionStateCreateComplete), CreationTimestamp: new(ec2.TimestampOf(x.made)), Tags: x.tagShapes(),
			})
		}
	})
	return &ec2.DescribeVpcBlockPublicAccessExclusionsResult{VpcBlockPublicAccessExclusions: list}
}

// of returns the mode for the VPCs of an account.
func (a *publicAccess) of(account string) ec2.InternetGatewayBlockMode {
	if mode, ok := a.restored[account]; ok {
		return mode
	}
	return a.mode
}

// RestorePublicAccess sets an account's mode as described, which holds for the VPCs that
// it owns. One without an account is the region's.
func (tx *Tx) RestorePublicAccess(s ec2.VpcBlockPublicAccessOptions) error {
	mode := ec2.Value(s.InternetGatewayBlockMode)
	switch mode {
	case ec2.InternetGatewayBlockModeBlockBidirectional, ec2.InternetGatewayBlockModeBlockIngress:
	case "", ec2.InternetGatewayBlockModeOff:
		return nil
	default:
		return malformedShape("InternetGatewayBlockMode", string(mode), "off, block-bidirectional or block-ingress")
	}
	if tx.r.access.restored == nil {
		tx.r.access.restored = map[string]ec2.InternetGatewayBlockMode{}
	}
	tx.r.access.restored[cmp.Or(ec2.Value(s.AwsAccountId), tx.account, tx.r.account)] = mode
	tx.r.access.changed = tx.RestoreTime(s.LastUpdateTimestamp)
	return nil
}

// RestorePublicAccessExclusion makes an exclusion as described, after VPCs and subnets.
func (tx *Tx) RestorePublicAccessExclusion(s ec2.VpcBlockPublicAccessExclusion) (*PublicAccessExclusion, error) {
	b, err := tx.RestoreBase("ExclusionId", s.ExclusionId, nil, s.Tags)
	if err != nil {
		return nil, err
	}
	x := &PublicAccessExclusion{Base: b, mode: ec2.Value(s.InternetGatewayExclusionMode), made: tx.RestoreTime(s.CreationTimestamp)}
	arn := ec2.Value(s.ResourceArn)
	switch of := tx.Find(arn[strings.LastIndexByte(arn, '/')+1:]).(type) {
	case *VPC:
		x.vpc = of
	case *Subnet:
		x.vpc, x.subnet = of.vpc, of
	default:
		return nil, Absent("ResourceArn", arn)
	}
	tx.r.access.exclusions = append(tx.r.access.exclusions, x)
	tx.Add(x)
	return x, nil
}

// PublicAccess says what of a VPC passes its internet gateways. A nil one is all.
type PublicAccess struct {
	ingressOnly bool // the block is of what comes in alone
	excluded    map[string]ec2.InternetGatewayExclusionMode
	network     *network
	translators map[wire.Addr]bool // NAT gateways' addresses
}

// PublicAccess returns what of a VPC passes, nil where nothing is blocked.
func (c *Compiler) PublicAccess(v *VPC) *PublicAccess {
	mode := c.region.access.of(v.owner)
	if mode == "" || mode == ec2.InternetGatewayBlockModeOff {
		return nil
	}
	a := &PublicAccess{
		ingressOnly: mode == ec2.InternetGatewayBlockModeBlockIngress, network: c.networks[v],
		excluded: map[string]ec2.InternetGatewayExclusionMode{}, translators: map[wire.Addr]bool{},
	}
	for _, whole := range []bool{true, false} { // a subnet's own goes before its VPC's (inferred)
		for _, x := range c.region.access.exclusions {
			for _, s := range v.subnets {
				if x.vpc == v && whole && x.subnet == nil || x.subnet == s {
					a.excluded[s.id] = x.mode
				}
			}
		}
	}
	for _, n := range v.interfaces {
		if n.kind == InterfaceNATGateway {
			for _, p := range n.addrs {
				a.translators[wire.AddrFrom(p.IP)] = true
			}
		}
	}
	return a
}

// Out reports whether a packet of the private address may leave the VPC. It does not
// allocate.
func (a *PublicAccess) Out(src wire.Addr) bool {
	return a == nil || a.ingressOnly || a.exclusion(src) != ""
}

// In reports whether a packet for the private address may enter; answers says that the
// gateway lets in nothing but answers. It does not allocate.
func (a *PublicAccess) In(dst wire.Addr, answers bool) bool {
	if a == nil {
		return true
	}
	switch a.exclusion(dst) {
	case ec2.InternetGatewayExclusionModeAllowBidirectional:
		return true
	case ec2.InternetGatewayExclusionModeAllowEgress:
		return answers || a.translators[dst]
	}
	return a.ingressOnly && (answers || a.translators[dst])
}

// exclusion returns that of the subnet that holds the address, or "".
func (a *PublicAccess) exclusion(at wire.Addr) ec2.InternetGatewayExclusionMode {
	s, ok := a.network.subnets.LookupPacked(at.Words())
	if !ok {
		return ""
	}
	return a.excluded[s.origin.Subnet]
}
