package plan

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/vpcsim/vpcsim/ec2"
)

// hosts describes interfaces and instances. Addresses that are known are taken before any
// is picked.
func (b *builder) hosts() {
	for _, r := range b.all {
		b.takeKnown(r)
	}
	for _, r := range b.of(interfaceKinds...) {
		b.networkInterface(r)
	}
	for _, r := range b.of("aws_instance") {
		b.instance(r)
	}
	for _, r := range b.of("aws_network_interface_attachment") {
		r.used = true
		index, _ := r.root().get("device_index").number()
		b.attach(r, b.known(r, "network_interface_id"), b.known(r, "instance_id"), index)
	}
	for _, r := range b.of("aws_network_interface_sg_attachment") {
		r.used = true
		group, _ := b.id(r.root().get("security_group_id"))
		if p := b.interfaces.byID[b.known(r, "network_interface_id")]; p != nil {
			p.shape.Groups = with(p.shape.Groups, group)
		} else {
			b.note(r, "network_interface_id", "no resource of the plan is this interface: nothing has the security group by it")
		}
	}
}

// with adds a security group, unless it is there.
func with(list ec2.List[ec2.GroupIdentifier], id string) ec2.List[ec2.GroupIdentifier] {
	if slices.ContainsFunc(list, func(g ec2.GroupIdentifier) bool { return ec2.Value(g.GroupId) == id }) {
		return list
	}
	return append(list, ec2.GroupIdentifier{GroupId: &id})
}

// takeKnown marks the addresses that a resource has for certain.
func (b *builder) takeKnown(r *resource) {
	if r.data {
		return
	}
	n := r.root()
	for _, attr := range []string{"public_ip", "carrier_ip"} {
		b.taken[n.get(attr).text()] = true
	}
	take := func(n node, attrs ...string) {
		s := b.spaces[n.get("subnet_id").text()]
		if s == nil && !n.get("subnet_id").known() {
			if ids, _ := b.resolve(n.get("subnet_id"), 1); len(ids) == 1 {
				s = b.spaces[ids[0]]
			}
		}
		for _, attr := range attrs {
			v := n.get(attr)
			s.take(v.text())
			for _, e := range v.list() {
				s.take(e.text())
			}
		}
	}
	take(n, "private_ip", "private_ips", "private_ip_list", "secondary_private_ips", "secondary_private_ip_addresses", "ipv6_addresses")
	for _, m := range n.get("subnet_mapping").list() {
		take(m, "private_ipv4_address")
	}
	for _, m := range n.get("subnet_configuration").list() {
		take(m, "ipv4", "ipv6")
	}
}

// place is where an interface is put.
type where struct {
	subnet string
	space  *space
	vpc    string
}

// where finds the subnet of an interface; ok is false where it is not known, which is told.
func (b *builder) where(n node) (w where, ok bool) {
	id, why := b.find(n)
	if w.subnet = id; why != "" {
		b.leave(n.r, n.path, why+": it is left out")
		return w, false
	}
	if w.space = b.space(w.subnet); w.space == nil {
		b.leave(n.r, n.path, "no resource of the plan is the subnet "+strconv.Quote(w.subnet)+": it is left out")
		return w, false
	}
	w.vpc = ec2.Value(b.subnets.byID[w.subnet].shape.VpcId)
	return w, true
}

// newInterface returns the shape of an interface with its addresses. What AWS gives on
// apply is picked, and told.
func (b *builder) newInterface(r *resource, id string, w where, address node, more ...node) (ec2.NetworkInterface, bool) {
	first := address.text()
	if first == "" {
		if first = w.space.pick(r.address + "/" + id); first == "" {
			b.leave(r, address.path, "the subnet has no free address: it is left out")
			return ec2.NetworkInterface{}, false
		}
		b.give(r, attribute(address.path), first)
		b.assume(r, address.path, "AWS gives the address on apply: "+first+" stands in for it")
	}
	s := ec2.NetworkInterface{
		NetworkInterfaceId: &id, SubnetId: &w.subnet, VpcId: &w.vpc, PrivateIpAddress: &first, MacAddress: new(mac(r.address + id)), OwnerId: owner(r),
		Status: new(ec2.NetworkInterfaceStatusInUse), InterfaceType: new(ec2.NetworkInterfaceTypeInterface), SourceDestCheck: new(true),
		AvailabilityZone: b.subnets.byID[w.subnet].shape.AvailabilityZone,
	}
	s.PrivateIpAddresses = ec2.List[ec2.NetworkInterfacePrivateIpAddress]{{Primary: new(true), PrivateIpAddress: &first}}
	for _, n := range more {
		for _, e := range n.list() {
			text := e.text()
			if text == "" && !e.known() {
				text = w.space.pick(r.address + e.path)
				b.assume(r, e.path, "AWS gives the address on apply: "+text+" stands in for it")
			}
			b.second(&s, text)
		}
	}
	return s, true
}

// second gives an interface another private address.
func (b *builder) second(s *ec2.NetworkInterface, text string) {
	has := func(a ec2.NetworkInterfacePrivateIpAddress) bool { return ec2.Value(a.PrivateIpAddress) == text }
	if text != "" && !slices.ContainsFunc(s.PrivateIpAddresses, has) {
		s.PrivateIpAddresses = append(s.PrivateIpAddresses, ec2.NetworkInterfacePrivateIpAddress{Primary: new(false), PrivateIpAddress: &text})
	}
}

// mac makes a MAC address of a name: a local one, as AWS's are.
func mac(name string) string {
	h := newID("", name, "mac")[5:]
	return fmt.Sprintf("0a:%s:%s:%s:%s:%s", h[:2], h[2:4], h[4:6], h[6:8], h[8:10])
}

// sixes gives an interface IPv6 addresses: those that are known, and as many as are
// counted.
func (b *builder) sixes(r *resource, s *ec2.NetworkInterface, w where) {
	n := r.root()
	add := func(text string) {
		if text != "" {
			s.Ipv6Addresses = append(s.Ipv6Addresses, ec2.NetworkInterfaceIpv6Address{Ipv6Address: &text})
		}
	}
	known := n.get("ipv6_addresses")
	for _, e := range known.list() {
		add(e.text())
	}
	count, counted := n.get("ipv6_address_count").number()
	launched := !counted && !known.known() && ec2.Value(b.subnets.byID[w.subnet].shape.AssignIpv6AddressOnCreation)
	if launched {
		count = 1
	}
	for i := len(s.Ipv6Addresses); i < int(min(count, 50)) && !known.null(); i++ {
		text := w.space.pick6(fmt.Sprint(r.address, "six", i))
		if text != "" {
			b.assume(r, "ipv6_addresses", "AWS gives the address on apply: "+text+" stands in for it")
		}
		add(text)
	}
}

// groupsOf returns the security groups of an interface: those of the attribute, the VPC's
// default group where it is not stated (EC2 API, RunInstances). One that is not known
// before apply is a group that nothing holds.
func (b *builder) groupsOf(n node, vpc string) (list ec2.List[ec2.GroupIdentifier]) {
	ids, ok := b.groupIDs(n)
	if !ok {
		ids = append(ids, n.place())
	}
	if len(ids) == 0 {
		ids = b.defaultGroup(vpc)
	}
	for _, id := range ids {
		list = with(list, id)
	}
	return list
}

// groupIDs is ids where an attribute that is not stated is empty.
func (b *builder) groupIDs(n node) ([]string, bool) {
	if !n.known() && n.expr == nil {
		return nil, true
	}
	return b.ids(n)
}

func (b *builder) defaultGroup(vpc string) []string {
	for _, g := range b.parts.groups.all {
		if ec2.Value(g.shape.VpcId) == vpc && ec2.Value(g.shape.GroupName) == "default" {
			return []string{g.id}
		}
	}
	return nil
}

// networkInterface describes an interface of the user's.
func (b *builder) networkInterface(r *resource) {
	n, id := r.root(), b.identify(r)
	b.call(r, id)
	w, ok := b.where(n.get("subnet_id"))
	if !ok {
		return
	}
	first, rest := n.get("private_ip"), n.get("private_ips")
	if ordered := n.get("private_ip_list"); len(ordered.list()) > 0 {
		rest = ordered
	}
	if all := rest.list(); first.text() == "" && len(all) > 0 && all[0].text() != "" {
		first = all[0]
		b.give(r, "private_ip", first.text())
	}
	s, ok := b.newInterface(r, id, w, first, rest)
	if !ok {
		return
	}
	if count, ok := n.get("private_ips_count").number(); ok {
		for i := len(s.PrivateIpAddresses); i < int(min(count, 256))+1; i++ {
			b.second(&s, w.space.pick(fmt.Sprint(r.address, "second", i)))
		}
	}
	check := n.get("source_dest_check")
	s.SourceDestCheck, s.Description, s.TagSet = new(check.null() || check.bool()), some(n.get("description").text()), tags(r)
	s.Groups, s.Status = b.groupsOf(n.get("security_groups"), w.vpc), new(ec2.NetworkInterfaceStatusAvailable)
	b.sixes(r, &s, w)
	b.interfaces.put(r, id, s)
	for _, a := range n.get("attachment").list() {
		if host := a.get("instance"); !host.null() {
			to, _ := b.id(host)
			index, _ := a.get("device_index").number()
			b.attach(r, id, to, index)
		}
	}
}

// attach attaches an interface to an instance.
func (b *builder) attach(r *resource, nic, instance string, index int32) {
	p := b.interfaces.byID[nic]
	if p == nil {
		b.note(r, "", "no resource of the plan is the interface "+nic+": the attachment is left out")
		return
	}
	p.shape.Status = new(ec2.NetworkInterfaceStatusInUse)
	p.shape.Attachment = &ec2.NetworkInterfaceAttachment{
		AttachmentId: new(newID("eni-attach", nic, instance)), InstanceId: &instance, DeviceIndex: &index, NetworkCardIndex: new(int32(0)),
		Status: new(ec2.AttachmentStatusAttached), DeleteOnTermination: new(false),
	}
}

// instance describes an instance and the interface that its launch makes.
func (b *builder) instance(r *resource) {
	n, id := r.root(), b.identify(r)
	b.call(r, id)
	s := ec2.Instance{InstanceId: &id, Tags: tags(r), State: &ec2.InstanceState{Name: new(ec2.InstanceStateNameRunning)}}
	switch state := ec2.InstanceStateName(n.get("instance_state").text()); state {
	case ec2.InstanceStateNameStopped, ec2.InstanceStateNameStopping, ec2.InstanceStateNameTerminated, ec2.InstanceStateNameShuttingDown:
		s.State.Name = &state
	}
	if own := slices.Concat(n.get("network_interface").list(), n.get("primary_network_interface").list()); len(own) > 0 {
		b.instances.put(r, id, s)
		for _, o := range own {
			nic, _ := b.id(o.get("network_interface_id"))
			index, _ := o.get("device_index").number()
			b.attach(r, nic, id, index)
		}
		return
	}
	subnet := n.get("subnet_id")
	if !subnet.known() && subnet.expr == nil {
		b.leave(r, "subnet_id", "not stated: its launch template or the account's default VPC says where it is, and the plan does not; it is left out")
		return
	}
	w, ok := b.where(subnet)
	if !ok {
		return
	}
	nic := newID("eni", r.address, "primary_network_interface_id")
	if v := b.value(r, "primary_network_interface_id"); len(v) == 1 {
		nic = v[0]
	}
	i, ok := b.newInterface(r, nic, w, n.get("private_ip"), n.get("secondary_private_ips"))
	if !ok {
		return
	}
	groups := n.get("vpc_security_group_ids")
	if len(groups.list()) == 0 && groups.expr == nil { // of the default VPC, by name
		groups = n.get("security_groups")
	}
	check := n.get("source_dest_check")
	i.SourceDestCheck, i.Groups = new(check.null() || check.bool()), b.groupsOf(groups, w.vpc)
	b.sixes(r, &i, w)
	b.launched(r, &i, w)
	b.instances.put(r, id, s)
	b.interfaces.put(r, nic, i)
	b.attach(r, nic, id, 0)
}

// launched gives an instance's interface the public address that its launch gives: where it
// says so, or the subnet does and it says nothing (EC2 guide, "Instance IP addressing").
func (b *builder) launched(r *resource, s *ec2.NetworkInterface, w where) {
	n := r.root()
	public, asked := n.get("public_ip"), n.get("associate_public_ip_address")
	text := public.text()
	if !public.known() {
		want := ec2.Value(b.subnets.byID[w.subnet].shape.MapPublicIpOnLaunch)
		if asked.known() && asked.value != nil {
			want = asked.bool()
		}
		if want {
			text = b.publicAddress()
			b.give(r, "public_ip", text)
			b.assume(r, "public_ip", "AWS gives the address on apply: "+text+" stands in for it")
		}
	}
	if text != "" && !b.elastic(text) {
		s.Association = &ec2.NetworkInterfaceAssociation{PublicIp: &text, IpOwnerId: new("amazon")}
		s.PrivateIpAddresses[0].Association = s.Association
	}
}

// elastic reports whether a public address is one of the plan's Elastic IP addresses, before
// or after it.
func (b *builder) elastic(public string) bool {
	if b.elastics == nil {
		b.elastics = map[string]bool{}
		for _, r := range slices.Concat(b.all, b.old) {
			if r.kind == "aws_eip" {
				b.elastics[r.root().get("public_ip").text()] = true
			}
		}
	}
	return b.elastics[public]
}
