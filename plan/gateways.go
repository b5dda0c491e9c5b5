package plan

import (
	"cmp"
	"slices"

	"github.com/vpcsim/vpcsim/ec2"
)

// gateways describes the gateways of VPCs and the Elastic IP addresses.
func (b *builder) gateways() {
	for _, r := range b.of("aws_internet_gateway") {
		id := b.identify(r)
		b.call(r, id)
		p := b.internet.put(r, id, ec2.InternetGateway{InternetGatewayId: &id, OwnerId: owner(r), Tags: tags(r)})
		n := r.root().get("vpc_id")
		if len(b.was("internet_gateway_id", id, "aws_internet_gateway_attachment")) == 0 && (n.text() != "" || !n.known() && n.expr != nil) {
			if in, ok := b.id(n); ok {
				p.shape.Attachments = attached(in)
			}
		}
	}
	for _, r := range b.of("aws_internet_gateway_attachment") {
		r.used = true
		if p := b.internet.byID[b.known(r, "internet_gateway_id")]; p != nil {
			if in, ok := b.id(r.root().get("vpc_id")); ok {
				p.shape.Attachments = attached(in)
			}
		}
	}
	for _, r := range b.all {
		if id := r.root().get("id").text(); r.data && r.kind == "aws_internet_gateway" && id != "" {
			p := b.internet.put(r, id, ec2.InternetGateway{InternetGatewayId: &id, OwnerId: owner(r), Tags: tags(r)})
			for _, a := range r.root().get("attachments").list() {
				p.shape.Attachments = attached(a.get("vpc_id").text())
			}
			b.call(r, id)
		}
	}
	for _, r := range b.of("aws_egress_only_internet_gateway") {
		id := b.identify(r)
		b.call(r, id)
		if in, ok := b.id(r.root().get("vpc_id")); ok {
			b.add(r, ec2.EgressOnlyInternetGateway{EgressOnlyInternetGatewayId: &id, Attachments: attached(in), Tags: tags(r)})
		}
	}
	b.elasticAddresses()
	for _, r := range b.of("aws_nat_gateway") {
		b.natGateway(r)
	}
	b.associations()
}

func attached(vpc string) ec2.List[ec2.InternetGatewayAttachment] {
	return ec2.List[ec2.InternetGatewayAttachment]{{State: new(ec2.AttachmentStatusAttached), VpcId: &vpc}}
}

// elasticAddresses describes Elastic IP addresses; those that AWS has yet to give are made
// up.
func (b *builder) elasticAddresses() {
	for _, r := range b.of("aws_eip") {
		n, id := r.root(), b.identify(r)
		b.call(r, id)
		public := n.get("public_ip").text()
		if public == "" {
			public = b.publicAddress()
			b.give(r, "public_ip", public)
			b.assume(r, "public_ip", "AWS gives the address on apply: "+public+" stands in for it")
		}
		b.addresses.put(r, id, ec2.Address{AllocationId: &id, PublicIp: &public, Domain: new(ec2.DomainTypeVpc), Tags: tags(r)})
	}
}

// associations ties Elastic IP addresses to interfaces, as the addresses or resources of
// their own say.
func (b *builder) associations() {
	for _, p := range b.addresses.all {
		n := p.r.root()
		stated := n.get("instance").expr != nil || n.get("network_interface").expr != nil
		if !stated && len(b.was("allocation_id", p.id, "aws_eip_association", "aws_nat_gateway")) > 0 {
			continue // what these did stands in the address's values still
		}
		instance, nic, private := n.get("instance"), n.get("network_interface"), n.get("private_ip").text()
		if b.moves(p.r) { // what is not stated is of before: the provider leaves it in its plan
			private = ""
			if nic.expr == nil && instance.text() != "" {
				b.assume(p.r, "instance", "the address moves: the instance is taken to have it, and not the interface of before, which the provider names to AWS too")
				nic = node{r: p.r}
			}
		}
		b.tie(p, instance, nic, cmp.Or(n.get("associate_with_private_ip").text(), private))
	}
	for _, r := range b.of("aws_eip_association") {
		r.used = true
		n := r.root()
		p := b.addresses.byID[b.known(r, "allocation_id")]
		if p == nil {
			b.leave(r, "allocation_id", "no resource of the plan is the address: the association is left out")
			continue
		}
		b.tie(p, n.get("instance_id"), n.get("network_interface_id"), n.get("private_ip_address").text())
	}
}

// moves reports whether the apply associates an Elastic IP address anew.
func (b *builder) moves(r *resource) bool {
	n := r.root()
	for _, attr := range []string{"instance", "network_interface"} {
		if !n.get(attr).known() {
			return true
		}
		for _, o := range b.was("id", n.get("id").text(), "aws_eip") {
			if b.planned && o.root().get(attr).text() != n.get(attr).text() {
				return true
			}
		}
	}
	return false
}

// tie gives an Elastic IP address to an interface, or to the first one of an instance.
func (b *builder) tie(p *part[ec2.Address], instance, nic node, private string) {
	id := ""
	switch {
	case instance.text() != "" || !instance.known() && instance.expr != nil:
		host, _ := b.id(instance)
		for _, i := range b.interfaces.all {
			if a := i.shape.Attachment; a != nil && ec2.Value(a.InstanceId) == host && ec2.Value(a.DeviceIndex) == 0 {
				id = i.id
			}
		}
	case nic.text() == "" && (nic.known() || nic.expr == nil):
		return
	}
	if b.interfaces.byID[nic.text()] != nil || !nic.known() && nic.expr != nil { // an instance may have several
		id, _ = b.id(nic)
	}
	to := b.interfaces.byID[id]
	if to == nil {
		b.note(p.r, "", "no resource of the plan is the interface that it is associated with: nothing has the address")
		return
	}
	b.own(to, p, private)
}

// own associates an address with a private address of an interface; "" is the primary one.
func (b *builder) own(to *part[ec2.NetworkInterface], p *part[ec2.Address], private string) {
	private = cmp.Or(private, ec2.Value(to.shape.PrivateIpAddress))
	i := slices.IndexFunc(to.shape.PrivateIpAddresses, func(a ec2.NetworkInterfacePrivateIpAddress) bool { return ec2.Value(a.PrivateIpAddress) == private })
	if i < 0 {
		b.note(p.r, "", "the interface does not have the address "+private+": nothing has the Elastic IP address")
		return
	}
	link := &ec2.NetworkInterfaceAssociation{AllocationId: &p.id, AssociationId: new(newID("eipassoc", p.id, to.id)), PublicIp: p.shape.PublicIp}
	to.shape.PrivateIpAddresses[i].Association = link
	if i == 0 {
		to.shape.Association = link
	}
	p.shape.NetworkInterfaceId, p.shape.PrivateIpAddress, p.shape.AssociationId = &to.id, &private, link.AssociationId
	if a := to.shape.Attachment; a != nil {
		p.shape.InstanceId = a.InstanceId
	}
}

// service makes the interface of a service's resource.
func (b *builder) service(r *resource, id string, w where, kind ec2.NetworkInterfaceType, description string, address node, more ...node) (ec2.NetworkInterface, bool) {
	s, ok := b.newInterface(r, id, w, address, more...)
	s.InterfaceType, s.Description, s.RequesterManaged, s.SourceDestCheck = &kind, &description, new(true), new(false)
	s.Attachment = &ec2.NetworkInterfaceAttachment{
		AttachmentId: new(newID("ela-attach", r.address, id)), Status: new(ec2.AttachmentStatusAttached), DeviceIndex: new(int32(1)), InstanceOwnerId: new("amazon-aws"),
	}
	return s, ok
}

// natGateway describes a NAT gateway and its interface.
func (b *builder) natGateway(r *resource) {
	n, id := r.root(), b.identify(r)
	b.call(r, id)
	if n.get("availability_mode").text() == "regional" {
		b.leave(r, "availability_mode", "regional NAT gateways are not read: what takes a route to it ends as not modelled")
		return
	}
	w, ok := b.where(n.get("subnet_id"))
	if !ok {
		return
	}
	nic := b.one(r, "network_interface_id")
	s, ok := b.service(r, nic, w, "nat_gateway", "Interface for NAT Gateway "+id, n.get("private_ip"), n.get("secondary_private_ip_addresses"))
	if !ok {
		return
	}
	p := b.interfaces.put(r, nic, s)
	g := ec2.NatGateway{
		NatGatewayId: &id, SubnetId: &w.subnet, VpcId: &w.vpc, State: new(ec2.NatGatewayStateAvailable), Tags: tags(r),
		ConnectivityType: new(ec2.ConnectivityType(cmp.Or(n.get("connectivity_type").text(), "public"))),
	}
	if *g.ConnectivityType == ec2.ConnectivityTypePublic {
		b.natAddresses(r, p)
	}
	for i, a := range p.shape.PrivateIpAddresses {
		one := ec2.NatGatewayAddress{NetworkInterfaceId: &nic, PrivateIp: a.PrivateIpAddress, IsPrimary: new(i == 0), Status: new(ec2.NatGatewayAddressStatusSucceeded)}
		if a.Association != nil {
			one.AllocationId, one.AssociationId, one.PublicIp = a.Association.AllocationId, a.Association.AssociationId, a.Association.PublicIp
		}
		g.NatGatewayAddresses = append(g.NatGatewayAddresses, one)
	}
	b.add(r, g)
}

// natAddresses gives a NAT gateway its public addresses. One of an address that no resource
// of the plan is has the address that its state tells, or one that stands in for it.
func (b *builder) natAddresses(r *resource, p *part[ec2.NetworkInterface]) {
	n := r.root()
	ids := []string{}
	if a := n.get("allocation_id"); !a.null() {
		id, _ := b.id(a)
		ids = append(ids, id)
	}
	if more := n.get("secondary_allocation_ids"); !more.null() && more.expr != nil || len(more.list()) > 0 {
		second, _ := b.ids(more)
		ids = append(ids, second...)
	}
	for i, id := range ids {
		if i >= len(p.shape.PrivateIpAddresses) {
			sub := b.space(ec2.Value(p.shape.SubnetId))
			b.second(&p.shape, sub.pick(r.address+id))
		}
		a := b.addresses.byID[id]
		if a == nil {
			public := n.get("public_ip").text()
			if i > 0 || public == "" {
				public = b.publicAddress()
				b.assume(r, "allocation_id", "no resource of the plan is the address "+id+": "+public+" stands in for it")
			}
			a = b.addresses.put(r, id, ec2.Address{AllocationId: &id, PublicIp: &public, Domain: new(ec2.DomainTypeVpc)})
		}
		b.own(p, a, ec2.Value(p.shape.PrivateIpAddresses[i].PrivateIpAddress))
	}
}
