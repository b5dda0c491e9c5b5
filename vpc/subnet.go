package vpc

import (
	"cmp"
	"net/netip"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/internal/hosts"
	"github.com/vpcsim/vpcsim/wire"
)

// SubnetConfig says how a subnet is made. The zero value is AWS's default.
type SubnetConfig struct {
	// ID is the id to use; "" makes one.
	ID string
	// Name is the Name tag.
	Name string
	// Zone is the availability zone's name or id; "" is the region's first. AWS
	// chooses at random.
	Zone string
	// IPv6 is the subnet's IPv6 CIDR within the VPC's; invalid is none.
	IPv6 netip.Prefix
	// MapPublicIPOnLaunch gives instances launched here a public IPv4 address.
	MapPublicIPOnLaunch bool
	// AssignIPv6OnCreation gives interfaces made here an IPv6 address.
	AssignIPv6OnCreation bool
	// Outpost is the ARN of the Outpost that the subnet lies on; "" is none.
	Outpost string
}

// Subnet is a range of a VPC's addresses in one availability zone.
type Subnet struct {
	Base
	vpc        *VPC
	cidr, ipv6 netip.Prefix
	ipv6Assoc  string
	zone       string
	zoneHere   string // what the owner's account calls the zone; "" is zone
	outpost    string // ARN; "" is none
	isDefault  bool   // the zone's default subnet
	mapPublic  bool
	names      SubnetNames
	assignIPv6 bool
	own        *association // nil: the VPC's main table
	acl        *NetworkACL
	aclAssoc   string
	unseen     gap    // an interface whose address nobody knows
	untoldACL  string // why no description tells its network ACL, "" where one does
	interfaces []*NetworkInterface
	hosts      [2]hosts.Space // IPv4, IPv6
	routerMAC  wire.MAC
}

// CreateSubnet makes a subnet. It is refused with InvalidSubnet.Range where the
// CIDR is not /16 to /28 or not within one of the VPC's, and with
// InvalidSubnet.Conflict where it overlaps another subnet's (VPC guide, "Subnet sizing").
func (v *VPC) CreateSubnet(cidr string, c SubnetConfig) (*Subnet, error) {
	var s *Subnet
	err := v.Change(func(tx *Tx) (err error) {
		s, err = tx.createSubnet(v, cidr, c)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (tx *Tx) createSubnet(v *VPC, cidr string, c SubnetConfig) (*Subnet, error) {
	p, err := ParseCIDR(cidr, "cidrBlock")
	if err != nil {
		return nil, err
	}
	z := v.region.zones[0]
	if c.Zone != "" {
		var ok bool
		if z, ok = v.region.zoneNamed(c.Zone); !ok {
			return nil, refuseZone(v.region, c.Zone)
		}
	}
	c.IPv6 = c.IPv6.Masked()
	if err := checkSubnet(v, p, c.IPv6); err != nil {
		return nil, err
	}
	if err := tx.Within(QuotaSubnets, len(v.subnets), v.id); err != nil {
		return nil, err
	}
	b, err := tx.NewBase("subnet", c.ID, c.Name)
	if err != nil {
		return nil, err
	}
	s := &Subnet{
		Base: b, vpc: v, cidr: p, zone: z.name, outpost: c.Outpost, mapPublic: c.MapPublicIPOnLaunch, assignIPv6: c.AssignIPv6OnCreation,
		acl: v.acls[0], aclAssoc: tx.r.ids.next("aclassoc"), routerMAC: tx.r.ids.mac(),
	}
	s.hosts[0] = hosts.New(p)
	tx.r.links[s.aclAssoc] = s
	if c.IPv6.IsValid() {
		tx.addIPv6(s, c.IPv6)
	}
	v.subnets = append(v.subnets, s)
	tx.Add(s)
	return s, nil
}

func (tx *Tx) addIPv6(s *Subnet, p netip.Prefix) {
	s.ipv6, s.ipv6Assoc = p, tx.r.ids.next("subnet-cidr-assoc")
	s.hosts[1] = hosts.New(p)
}

// AssociateIPv6 gives the subnet an IPv6 CIDR within the VPC's
// (AssociateSubnetCidrBlock). A subnet has one at most (code and sentence are inferred).
func (s *Subnet) AssociateIPv6(cidr string) error {
	return s.Change(func(tx *Tx) error {
		p, err := ParseCIDR(cidr, "ipv6CidrBlock")
		if err != nil {
			return err
		}
		if s.ipv6.IsValid() {
			return Refuse("InvalidSubnet.Conflict", "The subnet '%s' already has an IPv6 CIDR.", s.id)
		}
		if err := checkSubnetIPv6(s.vpc, p); err != nil {
			return err
		}
		tx.addIPv6(s, p)
		return nil
	})
}

// DisassociateIPv6 takes the subnet's IPv6 CIDR away. It is refused with
// DependencyViolation while an interface has an address of it (code and sentence
// are inferred).
func (s *Subnet) DisassociateIPv6() error {
	return s.Change(func(*Tx) error {
		if !s.ipv6.IsValid() {
			return Refuse("InvalidSubnetCidrBlockAssociationID.NotFound", "The subnet CIDR block association ID '' does not exist")
		}
		if !s.hosts[1].Empty() {
			return Refuse("DependencyViolation", "The subnet CIDR block with association ID %s has dependencies and cannot be disassociated.", s.ipv6Assoc)
		}
		s.ipv6, s.ipv6Assoc, s.hosts[1] = netip.Prefix{}, "", hosts.Space{}
		return nil
	})
}

// Delete deletes the subnet and its associations. One that has interfaces is refused
// with DependencyViolation.
func (s *Subnet) Delete() error {
	return s.Change(func(tx *Tx) error {
		if len(s.interfaces) > 0 {
			return Refuse("DependencyViolation", "The subnet '%s' has dependencies and cannot be deleted.", s.id)
		}
		if s.own != nil {
			tx.unlink(s.own)
		}
		tx.dropExclusions(s.vpc, s)
		delete(tx.r.links, s.aclAssoc)
		s.vpc.subnets = remove(s.vpc.subnets, s)
		tx.Remove(s)
		return nil
	})
}

// SetMapPublicIPOnLaunch changes whether instances launched here get a public IPv4
// address (ModifySubnetAttribute).
func (s *Subnet) SetMapPublicIPOnLaunch(on bool) error {
	return s.Change(func(*Tx) error {
		s.mapPublic = on
		return nil
	})
}

// SetAssignIPv6OnCreation changes whether interfaces made here get an IPv6 address
// (ModifySubnetAttribute). A subnet without IPv6 is refused with
// InvalidParameterValue (the sentence is inferred).
func (s *Subnet) SetAssignIPv6OnCreation(on bool) error {
	return s.Change(func(*Tx) error {
		if on && !s.ipv6.IsValid() {
			return Refuse("InvalidParameterValue", "Invalid value 'true' for assignIpv6AddressOnCreation. Subnet does not have any ipv6 CidrBlock associated with it.")
		}
		s.assignIPv6 = on
		return nil
	})
}

// VPC returns the VPC that holds the subnet.
func (s *Subnet) VPC() *VPC { return s.vpc }

// CIDR returns the subnet's IPv4 CIDR.
func (s *Subnet) CIDR() netip.Prefix { return s.cidr }

// IPv6 returns the subnet's IPv6 CIDR, invalid where it has none.
func (s *Subnet) IPv6() netip.Prefix {
	var p netip.Prefix
	s.region.read(func() { p = s.ipv6 })
	return p
}

// zoneName is what the owner's account calls the zone.
func (s *Subnet) zoneName() string { return cmp.Or(s.zoneHere, s.zone) }

// OwnersZone returns what the subnet's owner calls the availability zone: accounts have
// names of their own for them.
func (s *Subnet) OwnersZone() string { return s.zoneName() }

// Zone returns the availability zone's name.
func (s *Subnet) Zone() string { return s.zone }

// AvailableAddresses returns how many IPv4 addresses are free.
func (s *Subnet) AvailableAddresses() int {
	var n int
	s.region.read(func() { n = s.available() })
	return n
}

// RouteTable returns the table that the subnet uses: its own or the main one.
func (s *Subnet) RouteTable() *RouteTable {
	var t *RouteTable
	s.region.read(func() { t = s.routes() })
	return t
}

func (s *Subnet) routes() *RouteTable {
	if s.own != nil {
		return s.own.table
	}
	return s.vpc.main
}

// Gateway4 returns the router's IPv4 address, base+1 (VPC guide, "Subnet sizing").
func (s *Subnet) Gateway4() netip.Addr {
	if !s.cidr.IsValid() {
		return netip.Addr{}
	}
	return s.cidr.Addr().Next()
}

// space returns where the subnet's addresses of a's family are kept.
func (s *Subnet) space(a netip.Addr) *hosts.Space {
	if a.Is4() {
		return &s.hosts[0]
	}
	return &s.hosts[1]
}

// available counts the free IPv4 addresses: none in a subnet with IPv6 alone.
func (s *Subnet) available() int {
	if !s.cidr.IsValid() {
		return 0
	}
	return s.hosts[0].Available()
}

// DescribeSubnets lists the subnets, VPC by VPC, in the order in which they were made.
func (r *Region) DescribeSubnets() *ec2.DescribeSubnetsResult {
	list := []ec2.Subnet{}
	r.read(func() {
		for _, v := range r.vpcs {
			for _, s := range v.subnets {
				list = append(list, s.shape())
			}
		}
	})
	return &ec2.DescribeSubnetsResult{Subnets: list}
}

func (s *Subnet) shape() ec2.Subnet {
	z, _ := s.region.zoneNamed(s.zone)
	shape := ec2.Subnet{
		SubnetId: new(s.id), VpcId: new(s.vpc.id), OwnerId: new(s.OwnerID()), State: new(ec2.SubnetStateAvailable),
		SubnetArn:               new("arn:aws:ec2:" + s.region.name + ":" + s.OwnerID() + ":subnet/" + s.id),
		AvailableIpAddressCount: new(int32(s.available())),
		AvailabilityZone:        new(s.zoneName()), AvailabilityZoneId: new(z.id), DefaultForAz: new(s.isDefault), EnableDns64: new(s.names.DNS64), Ipv6Native: new(!s.cidr.IsValid()),
		MapPublicIpOnLaunch: new(s.mapPublic), AssignIpv6AddressOnCreation: new(s.assignIPv6), MapCustomerOwnedIpOnLaunch: new(false),
		Ipv6CidrBlockAssociationSet: []ec2.SubnetIpv6CidrBlockAssociation{}, Tags: s.tagShapes(),
		PrivateDnsNameOptionsOnLaunch: &ec2.PrivateDnsNameOptionsOnLaunch{
			HostnameType: new(ec2.HostnameTypeIpName), EnableResourceNameDnsARecord: new(s.names.ResourceA), EnableResourceNameDnsAAAARecord: new(s.names.ResourceAAAA),
		},
	}
	if s.cidr.IsValid() {
		shape.CidrBlock = new(s.cidr.String())
	}
	if s.outpost != "" {
		shape.OutpostArn = new(s.outpost)
	}
	if s.ipv6.IsValid() {
		shape.Ipv6CidrBlockAssociationSet = append(shape.Ipv6CidrBlockAssociationSet, ec2.SubnetIpv6CidrBlockAssociation{
			AssociationId: new(s.ipv6Assoc), Ipv6CidrBlock: new(s.ipv6.String()),
			Ipv6CidrBlockState: &ec2.SubnetCidrBlockState{State: new(ec2.SubnetCidrBlockStateCodeAssociated)},
		})
	}
	return shape
}
