package load

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/vgw"
	"github.com/vpcsim/vpcsim/vpc"
)

// Two things look alike in a folder: a network that has none of a kind, whose answer is an
// empty list, and a folder without that answer. Only the first is a fact.

// keysOf are the top-level keys that tell of resources, by the prefix of their ids.
var keysOf = map[string]string{
	"sg": "SecurityGroups", "pl": "PrefixLists", "rtb": "RouteTables", "acl": "NetworkAcls", "i": "Reservations", "eni": "NetworkInterfaces",
	"subnet": "Subnets", "vpc": "Vpcs", "igw": "InternetGateways", "eigw": "EgressOnlyInternetGateways", "nat": "NatGateways",
	"vgw": "VpnGateways", "cgw": "CustomerGateways", "vpn": "VpnConnections", "pcx": "VpcPeeringConnections", "vpce": "VpcEndpoints",
	"tgw": "TransitGateways", "tgw-rtb": "TransitGatewayRouteTables", "tgw-attach": "TransitGatewayAttachments", "cagw": "CarrierGateways",
	"lgw": "LocalGateways", "lgw-rtb": "LocalGatewayRouteTables", "dopt": "DhcpOptions", "eipalloc": "Addresses",
}

// keyOf returns the key under which the resource with an id, or with an id of that prefix,
// would stand; "" where none is known.
func keyOf(id string) string {
	switch {
	case strings.Contains(id, ":targetgroup/"):
		return "TargetGroups"
	case strings.Contains(id, ":loadbalancer/"):
		return "LoadBalancers"
	case strings.Contains(id, ":listener"):
		return "LoadBalancerListeners"
	}
	if at := strings.LastIndexByte(id, '-'); at >= 0 && keysOf[id[:at]] != "" {
		return keysOf[id[:at]]
	}
	return keysOf[id]
}

// told are the keys that files of a region have, by the accounts whose files they are.
type told map[string]map[string]bool

// add takes down the keys of a file of the accounts: those of answers that go on elsewhere
// are not told.
func (t told) add(f *file, accounts []string) {
	for key, whole := range f.keys {
		if t[key] == nil {
			t[key] = map[string]bool{}
		}
		for _, a := range accounts {
			if was, there := t[key][a]; !there || was {
				t[key][a] = whole
			}
		}
	}
}

// has reports whether the folder holds all of an account's resources under one of the
// keys; "" is an account that is not known.
func (t told) has(account string, keys ...string) bool {
	for _, key := range keys {
		of := t[key]
		if of[""] || of[account] {
			return true
		}
		for _, whole := range of {
			if account == "" && whole {
				return true
			}
		}
	}
	return false
}

// cut reports whether the answer under a key goes on elsewhere, which an account's file
// holds in part.
func (t told) cut(account, key string) bool {
	for _, of := range []string{account, ""} {
		if whole, there := t[key][of]; there && !whole {
			return true
		}
	}
	return false
}

// missing says in words that no file holds the resource with an id, and which answer is
// missing with it.
func (l *restoring) missing(id string) string { return l.absent(l.account, keyOf(id)) }

// absent says in words that something of an account is in no file, and that all under a
// key is not.
func (l *restoring) absent(account, key string) string {
	const words = "not in the snapshot"
	switch {
	case l.fresh:
		return "not in the plan"
	case key == "" || l.told.has(account, key):
		return words
	case l.told.cut(account, key):
		return words + " (not all of " + key + ")"
	case len(l.told[key]) > 0:
		return words + " (no " + key + " of " + account + ")"
	}
	return words + " (no " + key + ")"
}

// gaps says what may be there beside what files hold: interfaces and subnets of a VPC
// whose owner's answer is missing, subnets and route tables that others name.
func (l *restoring) gaps() {
	if l.fresh {
		return
	}
	named := l.subnetsNamed()
	for _, v := range l.tx.VPCs() {
		l.account = v.OwnerID()
		if !l.told.has(l.account, "NetworkInterfaces") {
			l.tx.RestoreUnseen(v, "whether an interface has the address is "+l.absent(l.account, "NetworkInterfaces"))
		}
		switch id := named[v.ID()]; {
		case !l.told.has(l.account, "Subnets"):
			l.tx.RestoreUnplaced(v, "whether a subnet has the address is "+l.absent(l.account, "Subnets"))
		case id != "":
			l.tx.RestoreUnplaced(v, "its subnet "+id+" is not in the snapshot")
		}
	}
	for _, g := range vpc.Gateways[*vgw.VirtualPrivateGateway](l.tx) {
		if l.account = g.OwnerID(); !l.told.has(l.account, "VpnConnections") {
			g.RestoreUntold(l.tx, "its VPN connections are "+l.absent(l.account, "VpnConnections"))
		}
	}
	for _, a := range l.Addresses {
		if _, err := vpc.Named[*vpc.NetworkInterface](l.tx, "", a.shape.NetworkInterfaceId); err != nil && ec2.Value(a.shape.NetworkInterfaceId) != "" {
			if public, err := netip.ParseAddr(ec2.Value(a.shape.PublicIp)); err == nil {
				l.account = a.file.account
				l.tx.RestoreAbsentPublic(public, *a.shape.NetworkInterfaceId, l.missing(*a.shape.NetworkInterfaceId))
			}
		}
	}
	for _, e := range l.Endpoints {
		v, err := vpc.Named[*vpc.VPC](l.tx, "", e.shape.VpcId)
		if err != nil || ended(e.shape.State) != "" {
			continue
		}
		for _, id := range e.shape.RouteTableIds {
			if _, err := vpc.Named[*vpc.RouteTable](l.tx, "", &id); err != nil {
				l.tx.RestoreUntoldTables(v, id+", which may be a subnet's, is "+l.missing(id))
			}
		}
	}
}

// subnetsNamed returns one subnet for each VPC that is in no file, of those that others
// name.
func (l *restoring) subnetsNamed() map[string]string {
	named := map[string]string{}
	add := func(v, subnet *string) {
		id := ec2.Value(subnet)
		if _, err := vpc.Named[*vpc.Subnet](l.tx, "", subnet); err != nil && id != "" && named[ec2.Value(v)] == "" {
			named[ec2.Value(v)] = id
		}
	}
	for _, i := range l.Interfaces {
		add(i.shape.VpcId, i.shape.SubnetId)
	}
	for _, r := range l.Reservations {
		for _, i := range r.shape.Instances {
			if goneInstance(&i) == "" {
				add(i.VpcId, i.SubnetId)
			}
		}
	}
	for _, t := range l.Tables {
		for _, a := range t.shape.Associations {
			add(t.shape.VpcId, a.SubnetId)
		}
	}
	for _, t := range l.Acls {
		for _, a := range t.shape.Associations {
			add(t.shape.VpcId, a.SubnetId)
		}
	}
	for _, n := range l.Nats {
		if ended(n.shape.State) == "" {
			add(n.shape.VpcId, n.shape.SubnetId)
		}
	}
	return named
}

// forsake says of the addresses of an interface that was left out that somebody has them.
func (l *restoring) forsake(n ec2.NetworkInterface, why string) {
	id := ec2.Value(n.NetworkInterfaceId)
	v, _ := vpc.Named[*vpc.VPC](l.tx, "", n.VpcId)
	if sub, err := vpc.Named[*vpc.Subnet](l.tx, "", n.SubnetId); err == nil {
		v = sub.VPC()
	}
	private := func(text *string) {
		if a, err := netip.ParseAddr(ec2.Value(text)); err == nil && v != nil {
			l.tx.RestoreAbsent(v, a, id, why)
		}
	}
	public := func(as *ec2.NetworkInterfaceAssociation) {
		if as == nil {
			return
		}
		if a, err := netip.ParseAddr(ec2.Value(as.PublicIp)); err == nil {
			l.tx.RestoreAbsentPublic(a, id, why)
		}
	}
	private(n.PrivateIpAddress)
	public(n.Association)
	for _, a := range n.PrivateIpAddresses {
		private(a.PrivateIpAddress)
		public(a.Association)
	}
	for _, a := range n.Ipv6Addresses {
		private(a.Ipv6Address)
		if six, err := netip.ParseAddr(ec2.Value(a.Ipv6Address)); err == nil {
			l.tx.RestoreAbsentPublic(six, id, why)
		}
	}
}

// ofInstances are the interfaces that only an instance's description holds. Which of
// their public addresses is an Elastic IP address, the addresses' own descriptions tell.
func (l *restoring) ofInstances() []item[ec2.NetworkInterface] {
	known := map[string]bool{}
	for _, i := range l.Interfaces {
		known[ec2.Value(i.shape.NetworkInterfaceId)] = true
	}
	elastic := map[string]bool{}
	for _, a := range l.Addresses {
		elastic[ec2.Value(a.shape.PublicIp)] = true
	}
	var list []item[ec2.NetworkInterface]
	for _, r := range l.Reservations {
		for k, i := range r.shape.Instances {
			if goneInstance(&i) != "" {
				continue
			}
			for m, n := range i.NetworkInterfaces {
				if id := ec2.Value(n.NetworkInterfaceId); id == "" || known[id] {
					continue
				}
				known[ec2.Value(n.NetworkInterfaceId)] = true
				s := interfaceOf(i, n, elastic)
				path := fmt.Sprintf("%s.Instances[%d].NetworkInterfaces", r.path(), k)
				at := item[ec2.NetworkInterface]{shape: s, file: r.file, key: path, index: m}
				l.skip(r.file, at.path(), ec2.Value(n.NetworkInterfaceId)+" is "+l.absent(r.file.account, "NetworkInterfaces")+" but for its instance: taken from there")
				list = append(list, at)
			}
		}
	}
	return list
}

// interfaceOf is the description of an interface as its instance's has it.
func interfaceOf(i ec2.Instance, n ec2.InstanceNetworkInterface, elastic map[string]bool) ec2.NetworkInterface {
	public := func(a *ec2.InstanceNetworkInterfaceAssociation) *ec2.NetworkInterfaceAssociation {
		if a == nil || elastic[ec2.Value(a.PublicIp)] {
			return nil
		}
		return &ec2.NetworkInterfaceAssociation{CarrierIp: a.CarrierIp, CustomerOwnedIp: a.CustomerOwnedIp, IpOwnerId: a.IpOwnerId, PublicDnsName: a.PublicDnsName, PublicIp: a.PublicIp}
	}
	kind := cmp.Or(ec2.NetworkInterfaceType(ec2.Value(n.InterfaceType)), ec2.NetworkInterfaceTypeInterface)
	s := ec2.NetworkInterface{
		NetworkInterfaceId: n.NetworkInterfaceId, VpcId: n.VpcId, SubnetId: n.SubnetId, OwnerId: n.OwnerId, Description: n.Description, Groups: n.Groups,
		MacAddress: n.MacAddress, PrivateDnsName: n.PrivateDnsName, PrivateIpAddress: n.PrivateIpAddress, SourceDestCheck: n.SourceDestCheck,
		InterfaceType: &kind, Association: public(n.Association),
	}
	for _, a := range n.PrivateIpAddresses {
		s.PrivateIpAddresses = append(s.PrivateIpAddresses, ec2.NetworkInterfacePrivateIpAddress{
			Primary: a.Primary, PrivateIpAddress: a.PrivateIpAddress, PrivateDnsName: a.PrivateDnsName, Association: public(a.Association),
		})
	}
	for _, a := range n.Ipv6Addresses {
		s.Ipv6Addresses = append(s.Ipv6Addresses, ec2.NetworkInterfaceIpv6Address{Ipv6Address: a.Ipv6Address, IsPrimaryIpv6: a.IsPrimaryIpv6})
	}
	for _, p := range n.Ipv4Prefixes {
		s.Ipv4Prefixes = append(s.Ipv4Prefixes, ec2.Ipv4PrefixSpecification(p))
	}
	for _, p := range n.Ipv6Prefixes {
		s.Ipv6Prefixes = append(s.Ipv6Prefixes, ec2.Ipv6PrefixSpecification(p))
	}
	if a := n.Attachment; a != nil {
		s.Attachment = &ec2.NetworkInterfaceAttachment{
			AttachTime: a.AttachTime, AttachmentId: a.AttachmentId, DeleteOnTermination: a.DeleteOnTermination, DeviceIndex: a.DeviceIndex,
			NetworkCardIndex: a.NetworkCardIndex, Status: a.Status, InstanceId: i.InstanceId, InstanceOwnerId: n.OwnerId,
		}
	}
	return s
}

// untoldLists returns the ids of the managed prefix lists whose entries are in no file.
func (l *restoring) untoldLists() []string {
	var ids []string
	for _, i := range l.ManagedLists {
		id := ec2.Value(i.shape.PrefixListId)
		if !slices.ContainsFunc(l.ListEntries, func(e item[listEntries]) bool { return ec2.Value(e.shape.PrefixListId) == id }) &&
			!slices.ContainsFunc(l.ServiceLists, func(s item[ec2.PrefixList]) bool { return ec2.Value(s.shape.PrefixListId) == id }) {
			ids = append(ids, id)
		}
	}
	return ids
}
