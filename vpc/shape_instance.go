package vpc

import (
	"cmp"
	"strings"
	"time"

	"github.com/vpcsim/vpcsim/ec2"
)

// listedAfter is how long a deleted resource stays listed (VPC guide, "NAT
// gateways": about an hour; EC2 guide, "Terminate instances": likewise).
const listedAfter = time.Hour

// Listed reports whether what ended at the given time is still listed by the
// Describe calls, about an hour.
func (r *Region) Listed(ended time.Time) bool { return r.Now().Before(ended.Add(listedAfter)) }

// stateCodes are the codes beside the states of instances (EC2 API, InstanceState).
var stateCodes = map[InstanceState]int32{Running: 16, Terminated: 48, Stopped: 80}

// DescribeInstances lists the instances, each in a reservation of its own, in the
// order in which they were launched. A terminated one stays listed for an hour.
func (r *Region) DescribeInstances() *ec2.DescribeInstancesResult {
	list := []ec2.Reservation{}
	r.read(func() {
		for _, i := range r.instances {
			if i.state == Terminated && !r.Listed(i.ended) {
				continue
			}
			list = append(list, ec2.Reservation{
				ReservationId: new(i.reservation()), OwnerId: new(i.OwnerID()),
				Groups: []ec2.GroupIdentifier{}, Instances: []ec2.Instance{i.shape()},
			})
		}
	})
	return &ec2.DescribeInstancesResult{Reservations: list}
}

// reservation returns the id of the instance's reservation.
func (i *Instance) reservation() string {
	return cmp.Or(i.batch, "r-"+strings.TrimPrefix(i.id, "i-"))
}

// unmodelledShape is what describe-instances says of an instance and nothing here
// depends on: as it was recorded, or AWS's defaults.
func (i *Instance) unmodelledShape() ec2.Instance {
	if i.recorded != nil {
		return *i.recorded
	}
	return ec2.Instance{
		Placement:  &ec2.Placement{AvailabilityZone: new(i.zone()), GroupName: new(""), Tenancy: new(ec2.TenancyDefault)},
		Monitoring: &ec2.Monitoring{State: new(ec2.MonitoringStateDisabled)}, AmiLaunchIndex: new(int32(0)), StateTransitionReason: new(""),
	}
}

func (i *Instance) shape() ec2.Instance {
	s := i.unmodelledShape()
	s.InstanceId, s.InstanceType, s.LaunchTime = new(i.id), new(ec2.InstanceType(i.kind)), new(ec2.TimestampOf(i.launched))
	s.State = &ec2.InstanceState{Code: new(stateCodes[i.state]), Name: new(ec2.InstanceStateName(i.state))}
	s.PrivateDnsName, s.PublicDnsName, s.Tags = new(""), new(""), i.tagShapes()
	s.NetworkInterfaces, s.SecurityGroups = []ec2.InstanceNetworkInterface{}, []ec2.GroupIdentifier{}
	for _, n := range i.interfaces {
		s.NetworkInterfaces = append(s.NetworkInterfaces, n.instanceShape())
	}
	if len(i.interfaces) == 0 {
		return s
	}
	n := i.interfaces[0]
	at := first(n.addrs)
	s.VpcId, s.SubnetId = new(n.subnet.vpc.id), new(n.subnet.id)
	if at.IP.IsValid() {
		s.PrivateIpAddress, s.PrivateDnsName = new(at.IP.String()), new(i.region.PrivateDNSName(at.IP))
	}
	s.SourceDestCheck, s.SecurityGroups = new(n.check), identifiers(n.groups)
	if at.Public.IsValid() {
		s.PublicIpAddress, s.PublicDnsName = new(at.Public.String()), new(n.publicName(at.Public))
	}
	if len(n.ipv6) > 0 {
		s.Ipv6Address = new(n.ipv6[0].String())
	}
	return s
}

// instanceShape is the interface as describe-instances shows it.
func (n *NetworkInterface) instanceShape() ec2.InstanceNetworkInterface {
	whole := n.shape()
	s := ec2.InstanceNetworkInterface{
		NetworkInterfaceId: whole.NetworkInterfaceId, OwnerId: whole.OwnerId, VpcId: whole.VpcId, SubnetId: whole.SubnetId,
		Description: whole.Description, MacAddress: whole.MacAddress, InterfaceType: new(string(*whole.InterfaceType)),
		SourceDestCheck: whole.SourceDestCheck, Status: whole.Status, Groups: whole.Groups, Ipv6Addresses: []ec2.InstanceIpv6Address{},
		PrivateIpAddress: whole.PrivateIpAddress, PrivateDnsName: whole.PrivateDnsName, Association: instanceAssociation(whole.Association),
		Attachment: &ec2.InstanceNetworkInterfaceAttachment{
			AttachmentId: new(n.link.id), AttachTime: new(ec2.TimestampOf(n.link.at)), DeleteOnTermination: new(n.link.deletes),
			DeviceIndex: new(int32(n.link.index)), NetworkCardIndex: new(int32(0)), Status: new(ec2.AttachmentStatusAttached),
		},
	}
	for _, a := range whole.PrivateIpAddresses {
		s.PrivateIpAddresses = append(s.PrivateIpAddresses, ec2.InstancePrivateIpAddress{
			PrivateIpAddress: a.PrivateIpAddress, PrivateDnsName: a.PrivateDnsName, Primary: a.Primary, Association: instanceAssociation(a.Association),
		})
	}
	for _, a := range n.ipv6 {
		s.Ipv6Addresses = append(s.Ipv6Addresses, ec2.InstanceIpv6Address{Ipv6Address: new(a.String()), IsPrimaryIpv6: new(false)})
	}
	return s
}

func instanceAssociation(a *ec2.NetworkInterfaceAssociation) *ec2.InstanceNetworkInterfaceAssociation {
	if a == nil {
		return nil
	}
	return &ec2.InstanceNetworkInterfaceAssociation{
		IpOwnerId: a.IpOwnerId, PublicIp: a.PublicIp, PublicDnsName: a.PublicDnsName, CarrierIp: a.CarrierIp, CustomerOwnedIp: a.CustomerOwnedIp,
	}
}
