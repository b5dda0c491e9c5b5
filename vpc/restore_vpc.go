package vpc

import (
	"errors"
	"slices"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/internal/hosts"
)

// RestoreVPC makes a VPC without its main route table, default network ACL and default
// security group, which are restored as any other. Blocks of CIDRs that are not, or no
// longer, associated are left out.
func (tx *Tx) RestoreVPC(s ec2.Vpc) (*VPC, error) {
	b, err := tx.RestoreBase("VpcId", s.VpcId, s.OwnerId, s.Tags)
	if err != nil {
		return nil, err
	}
	v := &VPC{
		Base: b, attributes: VPCAttributes{EnableDNSSupport: true}, isDefault: ec2.Value(s.IsDefault),
		dedicated: ec2.Value(s.InstanceTenancy) == ec2.TenancyDedicated,
	}
	blocks, wrong := restoredBlocks(v, s)
	if len(blocks) == 0 {
		return nil, wrong
	}
	for _, b := range blocks {
		tx.restoreBlock(v, b)
	}
	v.dhcp, err = tx.restoredDHCP(ec2.Value(s.DhcpOptionsId))
	tx.r.vpcs = append(tx.r.vpcs, v)
	tx.Add(v)
	return v, errors.Join(wrong, err)
}

// restoredBlocks reads a VPC's CIDRs, the primary one first; without that, none. Others
// that can't be read are left out.
func restoredBlocks(v *VPC, s ec2.Vpc) ([]*cidrBlock, error) {
	primary, err := shapePrefix("CidrBlock", s.CidrBlock, false)
	if err != nil {
		return nil, err
	}
	var wrong []error
	blocks := []*cidrBlock{{cidr: primary, vpc: v}}
	for i, a := range s.CidrBlockAssociationSet {
		if state := a.CidrBlockState; state != nil && !associated(ec2.Value(state.State)) {
			continue
		}
		p, err := shapePrefix(member("CidrBlockAssociationSet", i, "CidrBlock"), a.CidrBlock, false)
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		if p == primary {
			blocks[0].id = ec2.Value(a.AssociationId)
			continue
		}
		blocks = append(blocks, &cidrBlock{id: ec2.Value(a.AssociationId), cidr: p, vpc: v})
	}
	for i, a := range s.Ipv6CidrBlockAssociationSet {
		if state := a.Ipv6CidrBlockState; state != nil && !associated(ec2.Value(state.State)) {
			continue
		}
		p, err := shapePrefix(member("Ipv6CidrBlockAssociationSet", i, "Ipv6CidrBlock"), a.Ipv6CidrBlock, true)
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		blocks = append(blocks, &cidrBlock{
			id: ec2.Value(a.AssociationId), cidr: p, vpc: v, pool: ec2.Value(a.Ipv6Pool), border: ec2.Value(a.NetworkBorderGroup),
		})
	}
	return blocks, errors.Join(wrong...)
}

// associated reports whether a block of CIDRs in the state is the VPC's or subnet's.
func associated[T ~string](state T) bool {
	return state == "associated" || state == "associating" || state == ""
}

func (tx *Tx) restoreBlock(v *VPC, b *cidrBlock) {
	if slices.Contains(v.cidrs, b.cidr) {
		return
	}
	if b.id == "" {
		b.id = tx.r.ids.next("vpc-cidr-assoc")
	}
	tx.r.links[b.id] = b
	v.blocks = append(v.blocks, b)
	v.cidrs = append(v.cidrs, b.cidr)
	v.publish()
}

// restoredDHCP returns a VPC's option set. One that was not restored is made as the set
// that accounts have by default, and is told as absent.
func (tx *Tx) restoredDHCP(id string) (*DHCPOptions, error) {
	if id == "" || id == "default" {
		return nil, nil
	}
	if d, ok := tx.r.byID[id].(*DHCPOptions); ok {
		return d, nil
	}
	if tx.r.byID[id] != nil {
		return nil, Absent("DhcpOptionsId", id)
	}
	d := &DHCPOptions{Base: Base{id: id, region: tx.r}, options: tx.r.defaultDHCP()}
	tx.r.dhcp = append(tx.r.dhcp, d)
	tx.Add(d)
	return d, absentBut("DhcpOptionsId", id, "the set that accounts have by default stands in for it")
}

// RestoreVPCAttributes gives a VPC its switches, which DescribeVpcs does not tell. A nil
// value leaves the switch alone; until then DNS support is on and host names are off.
func (tx *Tx) RestoreVPCAttributes(v *VPC, support, hostnames *ec2.AttributeBooleanValue) {
	if support != nil {
		v.attributes.EnableDNSSupport = ec2.Value(support.Value)
	}
	if hostnames != nil {
		v.attributes.EnableDNSHostnames = ec2.Value(hostnames.Value)
	}
}

// RestoreSubnet makes a subnet with its VPC's default ACL and main route table, until
// those are restored that are associated with it.
func (tx *Tx) RestoreSubnet(s ec2.Subnet) (*Subnet, error) {
	b, err := tx.RestoreBase("SubnetId", s.SubnetId, s.OwnerId, s.Tags)
	if err != nil {
		return nil, err
	}
	v, err := Named[*VPC](tx, "VpcId", s.VpcId)
	if err != nil {
		return nil, err
	}
	p, err := shapePrefix("CidrBlock", s.CidrBlock, false)
	alone := s.CidrBlock == nil && len(s.Ipv6CidrBlockAssociationSet) > 0 // with IPv6 (VPC guide, "Subnet types")
	if err != nil && !alone {
		return nil, err
	}
	z, ok := tx.r.zoneNamed(ec2.Value(s.AvailabilityZoneId))
	if !ok {
		if z, ok = tx.r.zoneNamed(ec2.Value(s.AvailabilityZone)); !ok {
			return nil, malformedShape("AvailabilityZone", ec2.Value(s.AvailabilityZone), "a zone of the region")
		}
	}
	made := &Subnet{
		Base: b, vpc: v, cidr: p, zone: z.name, zoneHere: ec2.Value(s.AvailabilityZone), mapPublic: ec2.Value(s.MapPublicIpOnLaunch),
		assignIPv6: ec2.Value(s.AssignIpv6AddressOnCreation), isDefault: ec2.Value(s.DefaultForAz), outpost: ec2.Value(s.OutpostArn),
		routerMAC: tx.r.ids.mac(), names: SubnetNames{DNS64: ec2.Value(s.EnableDns64)},
	}
	if o := s.PrivateDnsNameOptionsOnLaunch; o != nil {
		made.names.ResourceA, made.names.ResourceAAAA = ec2.Value(o.EnableResourceNameDnsARecord), ec2.Value(o.EnableResourceNameDnsAAAARecord)
	}
	if !alone {
		made.hosts[0] = hosts.New(p)
	}
	var wrong []error
	for i, a := range s.Ipv6CidrBlockAssociationSet {
		if state := a.Ipv6CidrBlockState; state != nil && !associated(ec2.Value(state.State)) {
			continue
		}
		six, err := shapePrefix(member("Ipv6CidrBlockAssociationSet", i, "Ipv6CidrBlock"), a.Ipv6CidrBlock, true)
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		made.ipv6, made.ipv6Assoc, made.hosts[1] = six, ec2.Value(a.AssociationId), hosts.New(six)
	}
	if alone && !made.ipv6.IsValid() {
		return nil, errors.Join(append(wrong, malformedShape("CidrBlock", "", "an IPv4 CIDR, or an IPv6 CIDR in force"))...)
	}
	v.subnets = append(v.subnets, made)
	tx.Add(made)
	return made, errors.Join(wrong...)
}

// CompleteVPC gives a restored VPC what every VPC has and was not restored: a main
// route table, a default network ACL, a default security group. Subnets without network
// ACL get the default one. What the table or the ACL would decide that nobody has
// described ends as trace.Unmodelled; of a new VPC, of which all is described that is not
// as AWS makes it, they are known. It returns the names of what it made.
func (tx *Tx) CompleteVPC(v *VPC, fresh bool) []string {
	var made []string
	if v.main == nil {
		v.main = tx.newRouteTable(v, Base{id: tx.r.ids.next("rtb"), region: tx.r, owner: v.owner})
		if !fresh {
			v.main.untold = "its main route table is " + tx.Missing("rtb")
		}
		tx.link(v.main, &association{main: true})
		made = append(made, "main route table")
	}
	if len(v.acls) == 0 || !v.acls[0].isDefault {
		tx.newDefaultACL(v)
		a := v.acls[len(v.acls)-1]
		v.acls = slices.Insert(v.acls[:len(v.acls)-1], 0, a)
		a.owner = v.owner
		if v.hasIPv6() {
			a.allowIPv6()
		}
		made = append(made, "default network ACL")
	}
	if len(v.groups) == 0 || v.groups[0].name != "default" {
		tx.newDefaultGroup(v)
		g := v.groups[len(v.groups)-1]
		v.groups = slices.Insert(v.groups[:len(v.groups)-1], 0, g)
		g.owner = v.owner
		made = append(made, "default security group")
	}
	for _, s := range v.subnets {
		if s.acl == nil {
			s.acl, s.aclAssoc = v.acls[0], tx.r.ids.next("aclassoc")
			if !fresh {
				made, s.untoldACL = append(made, "network ACL of "+s.id), "its network ACL is "+tx.Missing("acl")
			}
			tx.r.links[s.aclAssoc] = s
		}
	}
	return made
}
