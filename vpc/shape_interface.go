package vpc

import (
	"net/netip"

	"github.com/vpcsim/vpcsim/ec2"
)

// DescribeNetworkInterfaces lists the interfaces, VPC by VPC, in the order in which
// they were made.
func (r *Region) DescribeNetworkInterfaces() *ec2.DescribeNetworkInterfacesResult {
	list := []ec2.NetworkInterface{}
	r.read(func() {
		for _, v := range r.vpcs {
			for _, n := range v.interfaces {
				list = append(list, n.shape())
			}
		}
	})
	return &ec2.DescribeNetworkInterfacesResult{NetworkInterfaces: list}
}

func (n *NetworkInterface) shape() ec2.NetworkInterface {
	facts := n.facts()
	primary := first(n.addrs)
	s := ec2.NetworkInterface{
		NetworkInterfaceId: new(n.id), OwnerId: new(n.OwnerID()), VpcId: new(n.subnet.vpc.id), SubnetId: new(n.subnet.id),
		AvailabilityZone: new(n.subnet.zoneName()), Description: new(n.description), MacAddress: new(n.mac.String()),
		InterfaceType: new(facts.api), RequesterManaged: new(facts.managed), SourceDestCheck: new(n.check),
		Status: new(n.status()), Groups: identifiers(n.groups), TagSet: n.tagShapes(),
		PrivateIpAddresses: []ec2.NetworkInterfacePrivateIpAddress{}, Ipv6Addresses: []ec2.NetworkInterfaceIpv6Address{},
		Association: n.association(&primary),
	}
	if primary.IP.IsValid() {
		s.PrivateIpAddress, s.PrivateDnsName = new(primary.IP.String()), n.privateName(primary.IP)
	} else {
		s.Ipv6Native = new(true)
	}
	if facts.requester != "" {
		s.RequesterId = new(facts.requester)
	}
	for i := range n.addrs {
		at := &n.addrs[i]
		s.PrivateIpAddresses = append(s.PrivateIpAddresses, ec2.NetworkInterfacePrivateIpAddress{
			PrivateIpAddress: new(at.IP.String()), PrivateDnsName: n.privateName(at.IP), Primary: new(i == 0), Association: n.association(at),
		})
	}
	for _, a := range n.ipv6 {
		s.Ipv6Addresses = append(s.Ipv6Addresses, ec2.NetworkInterfaceIpv6Address{Ipv6Address: new(a.String()), IsPrimaryIpv6: new(false)})
	}
	if len(n.ipv6) > 0 {
		s.Ipv6Address = new(n.ipv6[0].String())
	}
	for _, p := range n.prefixes {
		if p.Addr().Is4() {
			s.Ipv4Prefixes = append(s.Ipv4Prefixes, ec2.Ipv4PrefixSpecification{Ipv4Prefix: new(p.String())})
		} else {
			s.Ipv6Prefixes = append(s.Ipv6Prefixes, ec2.Ipv6PrefixSpecification{Ipv6Prefix: new(p.String())})
		}
	}
	if n.link != nil {
		s.Attachment = n.attachmentShape()
	}
	if n.deniesInternet() {
		s.DenyAllIgwTraffic = new(true)
	}
	return s
}

func (n *NetworkInterface) status() ec2.NetworkInterfaceStatus {
	if n.link == nil {
		return ec2.NetworkInterfaceStatusAvailable
	}
	return ec2.NetworkInterfaceStatusInUse
}

func (n *NetworkInterface) attachmentShape() *ec2.NetworkInterfaceAttachment {
	s := &ec2.NetworkInterfaceAttachment{
		AttachmentId: new(n.link.id), DeviceIndex: new(int32(n.link.index)), DeleteOnTermination: new(n.link.deletes),
		Status: new(ec2.AttachmentStatusAttached), AttachTime: new(ec2.TimestampOf(n.link.at)),
	}
	if n.instance == nil {
		s.InstanceOwnerId, s.AttachTime = new(n.facts().instances), nil
		return s
	}
	s.InstanceId, s.InstanceOwnerId, s.NetworkCardIndex = new(n.instance.id), new(n.instance.OwnerID()), new(int32(n.link.card))
	return s
}

// association returns the shape of a private address's public one, nil where it has none.
func (n *NetworkInterface) association(at *PrivateAddress) *ec2.NetworkInterfaceAssociation {
	if !at.Public.IsValid() && !at.Carrier.IsValid() && !at.CustomerOwned.IsValid() {
		return nil
	}
	s := &ec2.NetworkInterfaceAssociation{IpOwnerId: new("amazon")}
	if at.Public.IsValid() {
		s.PublicIp, s.PublicDnsName = new(at.Public.String()), new(n.publicName(at.Public))
	}
	if at.Carrier.IsValid() {
		s.CarrierIp = new(at.Carrier.String())
	}
	if at.CustomerOwned.IsValid() {
		s.CustomerOwnedIp = new(at.CustomerOwned.String())
	}
	if e := at.Address; e != nil {
		s.AllocationId, s.AssociationId, s.IpOwnerId = new(e.id), new(e.assoc), new(e.OwnerID())
	}
	return s
}

// privateName returns the private name, which is not told of the interfaces of a VPC
// without DNS host names (measured: of the labs' VPCs all interfaces have one, or none).
func (n *NetworkInterface) privateName(a netip.Addr) *string {
	if !n.subnet.vpc.attributes.EnableDNSHostnames {
		return nil
	}
	return new(n.region.PrivateDNSName(a))
}

// publicName returns the public name, which a VPC without DNS hostnames does not
// give: "".
func (n *NetworkInterface) publicName(a netip.Addr) string {
	if !n.subnet.vpc.attributes.EnableDNSHostnames {
		return ""
	}
	return n.region.PublicDNSName(a)
}

func identifiers(groups []*SecurityGroup) []ec2.GroupIdentifier {
	list := make([]ec2.GroupIdentifier, len(groups))
	for i, g := range groups {
		list[i] = ec2.GroupIdentifier{GroupId: new(g.id), GroupName: new(g.name)}
	}
	return list
}
