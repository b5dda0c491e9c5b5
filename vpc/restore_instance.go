package vpc

import (
	"cmp"
	"errors"
	"net/netip"
	"slices"
	"strconv"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/wire"
)

// RestoreInstance makes an instance without interfaces: those are restored after it,
// and name it. What is neither running nor pending is stopped; a terminated one is an
// error, because it has no place in a network.
//
// s is kept: what is not modelled is described as it was.
func (tx *Tx) RestoreInstance(s ec2.Instance, reservation, owner *string) (*Instance, error) {
	b, err := tx.RestoreBase("InstanceId", s.InstanceId, owner, s.Tags)
	if err != nil {
		return nil, err
	}
	state := Running
	if s.State != nil {
		switch name := ec2.Value(s.State.Name); name {
		case ec2.InstanceStateNameTerminated, ec2.InstanceStateNameShuttingDown:
			return nil, &ShapeError{Field: "State.Name", Value: string(name), Want: "an instance that exists", Absent: true}
		case ec2.InstanceStateNameStopped, ec2.InstanceStateNameStopping:
			state = Stopped
		}
	}
	sub, _ := tx.r.byID[ec2.Value(s.SubnetId)].(*Subnet)
	i := &Instance{
		Base: b, kind: string(ec2.Value(s.InstanceType)), state: state, subnet: sub, launched: tx.RestoreTime(s.LaunchTime),
		batch: ec2.Value(reservation),
	}
	s.NetworkInterfaces, s.SecurityGroups, s.Tags = nil, nil, nil // the interfaces' own
	s.PublicIpAddress, s.Ipv6Address, s.PrivateIpAddress = nil, nil, nil
	i.recorded = &s
	tx.r.instances = append(tx.r.instances, i)
	tx.Add(i)
	return i, nil
}

// RestoreInterface makes an interface of any type, attached to the instance that it
// names. One that is a service's belongs to nobody until the service's resource adopts
// it ([Tx.Adopt]). Groups that are not there are made, with rules that nobody knows, and
// told; an instance that is not there is made, and told: nobody knows whether it runs,
// unless it has a public address of its launch; so is a MAC address that is missing. Addresses that
// the subnet can't give are left out, and told; the primary one is needed.
func (tx *Tx) RestoreInterface(s ec2.NetworkInterface) (*NetworkInterface, error) {
	b, err := tx.RestoreBase("NetworkInterfaceId", s.NetworkInterfaceId, s.OwnerId, s.TagSet)
	if err != nil {
		return nil, err
	}
	sub, err := Named[*Subnet](tx, "SubnetId", s.SubnetId)
	if err != nil {
		return nil, err
	}
	n := &NetworkInterface{Base: b, subnet: sub, description: ec2.Value(s.Description), check: s.SourceDestCheck == nil || *s.SourceDestCheck, denyIGW: ec2.Value(s.DenyAllIgwTraffic)}
	c, absent := restoredAddresses(sub, s)
	if len(c.four) == 0 && !(len(c.six) > 0 && !sub.cidr.IsValid()) {
		return nil, errors.Join(absent...)
	}
	if n.mac, err = restoredMAC(s.MacAddress); err != nil {
		absent = append(absent, instead(err, "an address is made up"))
		n.mac = tx.r.ids.mac()
	}
	for i, g := range s.Groups {
		group, err := tx.untoldGroup(member("Groups", i, "GroupId"), g.GroupId, g.GroupName, nil, sub.vpc)
		if err != nil {
			absent = append(absent, instead(err, "what only its rules may allow ends as not modelled"))
		}
		if group == nil {
			continue
		}
		n.groups = append(n.groups, group)
	}
	if ec2.Value(s.PrivateDnsName) != "" {
		sub.vpc.attributes.EnableDNSHostnames = true // see privateName
	}
	n.restoreKind(s)
	n.noGroups = len(s.Groups) == 0
	n.take(c)
	sub.interfaces = append(sub.interfaces, n)
	sub.vpc.interfaces = append(sub.vpc.interfaces, n)
	tx.r.interfaces++
	tx.Add(n)
	if n.kind != InterfaceUser {
		tx.describe(n)
	}
	absent = append(absent, tx.restoreAttachment(n, s.Attachment))
	absent = append(absent, tx.restorePublic(n, s)...)
	return n, errors.Join(absent...)
}

// restoredMAC reads a MAC address.
func restoredMAC(text *string) (m wire.MAC, err error) {
	t := ec2.Value(text)
	for i := range m {
		var octet uint64
		if len(t) == 17 && (i == 5 || t[i*3+2] == ':') {
			octet, err = strconv.ParseUint(t[i*3:i*3+2], 16, 8)
		}
		if len(t) != 17 || err != nil {
			return m, malformedShape("MacAddress", t, "six octets, such as 0a:58:0a:00:00:05")
		}
		m[i] = byte(octet)
	}
	return m, nil
}

// restoredAddresses reads an interface's addresses, the primary one first, and holds
// them to the subnet. Without a primary address there are none.
func restoredAddresses(sub *Subnet, s ec2.NetworkInterface) (c choice, wrong []error) {
	add := func(field string, text *string, six bool) error {
		a, err := shapeAddr(field, text, six)
		if err != nil {
			return err
		}
		space := sub.space(a)
		if !space.Contains(a) || space.InUse(a) || slices.Contains(c.four, a) || slices.Contains(c.six, a) {
			return malformedShape(field, a.String(), "a free address of the subnet "+sub.id)
		}
		if six {
			c.six = append(c.six, a)
		} else {
			c.four = append(c.four, a)
		}
		return nil
	}
	alone := s.PrivateIpAddress == nil && len(s.Ipv6Addresses) > 0 && !sub.cidr.IsValid()
	if alone && !sixAlone(s) {
		return c, []error{malformedShape("PrivateIpAddress", "", "an IPv4 address: services' interfaces with IPv6 alone are not modelled")}
	}
	if !alone {
		if err := add("PrivateIpAddress", s.PrivateIpAddress, false); err != nil {
			return c, []error{err}
		}
	}
	for i, a := range s.PrivateIpAddresses {
		if ec2.Value(a.PrivateIpAddress) == ec2.Value(s.PrivateIpAddress) {
			continue
		}
		if err := add(member("PrivateIpAddresses", i, "PrivateIpAddress"), a.PrivateIpAddress, false); err != nil {
			wrong = append(wrong, err)
		}
	}
	for i, a := range s.Ipv6Addresses {
		if err := add(member("Ipv6Addresses", i, "Ipv6Address"), a.Ipv6Address, true); err != nil {
			wrong = append(wrong, err)
		}
	}
	return c, append(wrong, restoredDelegations(sub, s, &c)...)
}

// sixAlone reports whether an interface is of a kind that may have IPv6 alone: an
// instance's (VPC guide, "Subnet types").
func sixAlone(s ec2.NetworkInterface) bool {
	api := ec2.Value(s.InterfaceType)
	return !ec2.Value(s.RequesterManaged) && ec2.Value(s.RequesterId) == "" && (api == "" || api == ec2.NetworkInterfaceTypeInterface)
}

func restoredDelegations(sub *Subnet, s ec2.NetworkInterface, c *choice) (wrong []error) {
	add := func(field string, text *string, six bool) error {
		p, err := shapePrefix(field, text, six)
		if err != nil {
			return err
		}
		space := sub.space(p.Addr())
		if !space.Contains(p.Addr()) || space.BlockInUse(p) || slices.Contains(c.prefixes, p) {
			return malformedShape(field, p.String(), "a free prefix of the subnet "+sub.id)
		}
		c.prefixes = append(c.prefixes, p)
		return nil
	}
	for i, p := range s.Ipv4Prefixes {
		if err := add(member("Ipv4Prefixes", i, "Ipv4Prefix"), p.Ipv4Prefix, false); err != nil {
			wrong = append(wrong, err)
		}
	}
	for i, p := range s.Ipv6Prefixes {
		if err := add(member("Ipv6Prefixes", i, "Ipv6Prefix"), p.Ipv6Prefix, true); err != nil {
			wrong = append(wrong, err)
		}
	}
	return wrong
}

// restoreKind tells what kind the interface is, as far as its description does: load
// balancers and databases that the API does not tell apart by their requester and text
// (measured: labs, S000). What is attached to an instance is a guest's, whoever asked for
// it, such as Elastic Fabric Adapters and the interfaces of an instance's containers.
func (n *NetworkInterface) restoreKind(s ec2.NetworkInterface) {
	api, requester := ec2.Value(s.InterfaceType), ec2.Value(s.RequesterId)
	managed := ec2.Value(s.RequesterManaged)
	guest := s.Attachment != nil && ec2.Value(s.Attachment.InstanceId) != "" || slices.Contains(guestTypes, api)
	switch {
	case guest:
	case api != "" && api != ec2.NetworkInterfaceTypeInterface:
		n.kind = InterfaceType(api)
	case requester == "amazon-elb" && hasText(n.description, "ELB app/"):
		n.kind = InterfaceALB
	case requester == "amazon-elb":
		n.kind = InterfaceCLB
	case requester == "amazon-rds":
		n.kind = InterfaceRDS
	case managed:
		n.kind = InterfaceService
	}
	if n.kind == InterfaceUser && !managed && cmp.Or(api, ec2.NetworkInterfaceTypeInterface) == ec2.NetworkInterfaceTypeInterface {
		return
	}
	f := n.kind.facts()
	f.api, f.requester, f.managed = cmp.Or(api, ec2.NetworkInterfaceTypeInterface), requester, managed
	if s.Attachment != nil {
		f.instances = ec2.Value(s.Attachment.InstanceOwnerId)
	}
	n.told = &f
}

// guestTypes are the API's types of interfaces that instances have, beside the plain one.
var guestTypes = []ec2.NetworkInterfaceType{ec2.NetworkInterfaceTypeEfa, ec2.NetworkInterfaceTypeEfaOnly, ec2.NetworkInterfaceTypeTrunk}

func hasText(s, prefix string) bool { return len(s) >= len(prefix) && s[:len(prefix)] == prefix }

// restoreAttachment attaches an interface as described. An instance that is not there
// is made.
func (tx *Tx) restoreAttachment(n *NetworkInterface, s *ec2.NetworkInterfaceAttachment) error {
	if s == nil || ec2.Value(s.Status) == ec2.AttachmentStatusDetached {
		return nil
	}
	n.link = &attachment{
		id: ec2.Value(s.AttachmentId), index: int(ec2.Value(s.DeviceIndex)), card: int(ec2.Value(s.NetworkCardIndex)),
		deletes: ec2.Value(s.DeleteOnTermination), at: tx.RestoreTime(s.AttachTime),
	}
	if n.link.id == "" {
		n.link.id = tx.r.ids.next(n.facts().link)
	}
	tx.r.links[n.link.id] = n
	if s.InstanceId == nil {
		return nil
	}
	var absent error
	i, ok := tx.r.byID[*s.InstanceId].(*Instance)
	if !ok {
		absent = absentBut("Attachment.InstanceId", *s.InstanceId, "what would depend on whether it runs ends as not modelled")
		if *s.InstanceId == "" || tx.r.byID[*s.InstanceId] != nil {
			return absent
		}
		i = &Instance{Base: Base{id: *s.InstanceId, region: tx.r, owner: ec2.Value(s.InstanceOwnerId)}, state: Running, launched: n.link.at, untold: tx.Missing(*s.InstanceId) + ": whether it runs"}
		tx.r.instances = append(tx.r.instances, i)
		tx.Add(i)
	}
	n.instance = i
	if i.subnet == nil {
		i.subnet = n.subnet
	}
	i.interfaces = append(i.interfaces, n)
	slices.SortStableFunc(i.interfaces, func(a, b *NetworkInterface) int {
		return cmp.Or(cmp.Compare(a.link.card, b.link.card), cmp.Compare(a.link.index, b.link.index))
	})
	return absent
}

// restorePublic gives the private addresses their public ones. An Elastic IP address
// that is not there is made; one that a launch gave is the instance's.
func (tx *Tx) restorePublic(n *NetworkInterface, s ec2.NetworkInterface) []error {
	var absent []error
	give := func(field string, private netip.Addr, as *ec2.NetworkInterfaceAssociation) {
		at := n.private(private)
		if as != nil && at != nil {
			absent = append(absent, at.restoreOutposts(field, as)...)
		}
		if as == nil || as.PublicIp == nil || at == nil || at.Public.IsValid() {
			return
		}
		public, err := shapeAddr(field+".PublicIp", as.PublicIp, false)
		if err != nil {
			absent = append(absent, err)
			return
		}
		if ec2.Value(as.PublicDnsName) != "" {
			n.subnet.vpc.attributes.EnableDNSHostnames = true
		}
		if as.AllocationId == nil {
			at.Public = public
			tx.r.public.take(public)
			if n.instance != nil {
				n.instance.public, n.instance.untold = true, "" // a stopped one has given it back
			}
			return
		}
		if err := tx.restoreElastic(n, at, public, as); err != nil {
			absent = append(absent, err)
		}
	}
	for i, a := range s.PrivateIpAddresses {
		if ip, err := netip.ParseAddr(ec2.Value(a.PrivateIpAddress)); err == nil {
			give(member("PrivateIpAddresses", i, "Association"), ip, a.Association)
		}
	}
	give("Association", first(n.addrs).IP, s.Association)
	return absent
}

func (tx *Tx) restoreElastic(n *NetworkInterface, at *PrivateAddress, public netip.Addr, as *ec2.NetworkInterfaceAssociation) error {
	var absent error
	e, ok := tx.r.byID[*as.AllocationId].(*Address)
	if !ok {
		absent = absentBut("Association.AllocationId", *as.AllocationId, "the address is made of the interface's association")
		if *as.AllocationId == "" || tx.r.byID[*as.AllocationId] != nil {
			return absent
		}
		e = &Address{Base: Base{id: *as.AllocationId, region: tx.r, owner: ec2.Value(as.IpOwnerId)}, public: public}
		tx.r.public.take(public)
		tx.r.eips = append(tx.r.eips, e)
		tx.Add(e)
	}
	if e.to != nil {
		return Absent("Association.AllocationId", e.id)
	}
	tx.tie(e, n, at, ec2.Value(as.AssociationId))
	return absent
}

// tie records an address's association, which exists.
func (tx *Tx) tie(e *Address, n *NetworkInterface, at *PrivateAddress, id string) {
	if id == "" {
		id = tx.r.ids.next("eipassoc")
	}
	at.Public, at.Address = e.public, e
	e.to, e.private, e.assoc = n, at.IP, id
	tx.r.links[id] = e
}

// Adopt gives a restored service interface to the resource that it belongs to. It is
// Absent where there is no such interface, or another's. field names the member that
// the id stands in.
func (tx *Tx) Adopt(owner Resource, field string, id *string) (*NetworkInterface, error) {
	n, err := Named[*NetworkInterface](tx, field, id)
	if err != nil {
		return nil, err
	}
	if n.owner != nil && n.owner != owner || n.kind == InterfaceUser {
		return nil, Absent(field, n.id)
	}
	n.owner = owner
	return n, nil
}

// OwnerOf is NetworkInterface.Owner inside a change.
func (tx *Tx) OwnerOf(n *NetworkInterface) Resource { return n.owner }

// GroupsOf returns an interface's security groups inside a change. They must not be
// changed.
func (tx *Tx) GroupsOf(n *NetworkInterface) []*SecurityGroup { return n.groups }

// Described returns the services' interfaces with the description: how those of load
// balancers are known, "ELB net/name/50dc6c495c0c9188".
func (tx *Tx) Described(text string) []*NetworkInterface { return slices.Clone(tx.r.described[text]) }

// describe has a service's interface found by its description.
func (tx *Tx) describe(n *NetworkInterface) {
	tx.r.described[n.description] = append(tx.r.described[n.description], n)
}
