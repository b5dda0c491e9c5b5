package plan

import (
	"cmp"
	"slices"
	"strings"

	"github.com/vpcsim/vpcsim/ec2"
)

// ListEntries are the entries of a managed prefix list.
type ListEntries struct {
	PrefixListId string
	Entries      []ec2.PrefixListEntry
}

// prefixLists describes managed prefix lists, those of AWS that data sources have read
// among them.
func (b *builder) prefixLists() {
	var own list[ListEntries]
	for _, r := range b.of("aws_ec2_managed_prefix_list") {
		id := b.identify(r)
		b.call(r, id)
		p := own.put(r, id, ListEntries{PrefixListId: id})
		b.managedList(r, id, owner(r))
		theirs := b.was("prefix_list_id", id, "aws_ec2_managed_prefix_list_entry")
		for _, e := range r.root().get("entry").list() {
			cidr := e.get("cidr").text()
			if !slices.ContainsFunc(theirs, func(o *resource) bool { return o.values["cidr"] == cidr }) {
				p.shape.Entries = append(p.shape.Entries, ec2.PrefixListEntry{Cidr: &cidr})
			}
		}
	}
	for _, r := range b.of("aws_ec2_managed_prefix_list_entry") {
		r.used = true
		id, _ := b.id(r.root().get("prefix_list_id"))
		if p := own.byID[id]; p != nil {
			p.shape.Entries = append(p.shape.Entries, ec2.PrefixListEntry{Cidr: some(r.root().get("cidr").text())})
		} else {
			b.leave(r, "prefix_list_id", "no resource of the plan is the prefix list "+id+": the entry is left out")
		}
	}
	for _, r := range b.all {
		id := r.root().get("id").text()
		if !r.data || id == "" || r.kind != "aws_ec2_managed_prefix_list" && r.kind != "aws_prefix_list" || own.byID[id] != nil {
			continue
		}
		b.call(r, id)
		p := own.put(r, id, ListEntries{PrefixListId: id})
		account := owner(r)
		if r.kind == "aws_prefix_list" || strings.HasPrefix(r.root().get("name").text(), "com.amazonaws.") {
			account = new("AWS")
		}
		b.managedList(r, id, account)
		for _, e := range r.root().get("entries").list() {
			p.shape.Entries = append(p.shape.Entries, ec2.PrefixListEntry{Cidr: some(e.get("cidr").text())})
		}
		for _, e := range r.root().get("cidr_blocks").list() {
			p.shape.Entries = append(p.shape.Entries, ec2.PrefixListEntry{Cidr: some(e.text())})
		}
	}
	emit(b, &own)
}

func (b *builder) managedList(r *resource, id string, account *string) {
	n := r.root()
	most, _ := n.get("max_entries").number()
	b.add(r, ec2.ManagedPrefixList{
		PrefixListId: &id, PrefixListName: some(n.get("name").text()), AddressFamily: new(cmp.Or(n.get("address_family").text(), "IPv4")), MaxEntries: &most,
		OwnerId: account, State: new(ec2.PrefixListStateCreateComplete), Tags: tags(r),
	})
}

// endpoints describes VPC endpoints, their routes or their interfaces.
func (b *builder) endpoints() {
	for _, r := range b.of("aws_vpc_endpoint") {
		b.endpoint(r)
	}
	for _, r := range b.of("aws_vpc_endpoint_route_table_association", "aws_vpc_endpoint_subnet_association", "aws_vpc_endpoint_security_group_association") {
		if !r.used {
			b.leave(r, "vpc_endpoint_id", "no resource of the plan is the endpoint: the association is left out")
		}
	}
}

// linked returns the ids of an endpoint's list: those in its attribute, less those that
// resources of their own had put there, and those that such resources say.
func (b *builder) linked(r *resource, id, attr, kind, member string) []string {
	ids, _ := b.groupIDs(r.root().get(attr))
	theirs := b.was("vpc_endpoint_id", id, kind)
	ids = slices.DeleteFunc(ids, func(x string) bool {
		return slices.ContainsFunc(theirs, func(o *resource) bool { return o.values[member] == x })
	})
	for _, a := range b.of(kind) {
		if to, ok := b.id(a.root().get("vpc_endpoint_id")); ok && to == id {
			a.used = true
			if x, _ := b.id(a.root().get(member)); !slices.Contains(ids, x) {
				ids = append(ids, x)
			}
		}
	}
	return ids
}

func (b *builder) endpoint(r *resource) {
	n, id := r.root(), b.identify(r)
	b.call(r, id)
	in, _ := b.id(n.get("vpc_id"))
	kind := ec2.VpcEndpointType(cmp.Or(n.get("vpc_endpoint_type").text(), "Gateway"))
	s := ec2.VpcEndpoint{
		VpcEndpointId: &id, VpcId: &in, VpcEndpointType: &kind, ServiceName: some(n.get("service_name").text()), State: new(ec2.StateAvailable), OwnerId: owner(r), Tags: tags(r),
		PrivateDnsEnabled: new(n.get("private_dns_enabled").bool()), IpAddressType: new(ec2.IpAddressType(cmp.Or(n.get("ip_address_type").text(), "ipv4"))),
		RouteTableIds: b.linked(r, id, "route_table_ids", "aws_vpc_endpoint_route_table_association", "route_table_id"),
	}
	if kind == ec2.VpcEndpointTypeGateway {
		b.add(r, s)
		return
	}
	groups := b.linked(r, id, "security_group_ids", "aws_vpc_endpoint_security_group_association", "security_group_id")
	if len(groups) == 0 && kind == ec2.VpcEndpointTypeInterface {
		groups = b.defaultGroup(in)
	}
	for _, g := range groups {
		s.Groups = append(s.Groups, ec2.SecurityGroupIdentifier{GroupId: &g})
	}
	api := ec2.NetworkInterfaceType("vpc_endpoint")
	if kind == ec2.VpcEndpointTypeGatewayLoadBalancer {
		api = "gateway_load_balancer_endpoint"
	}
	for _, sub := range b.linked(r, id, "subnet_ids", "aws_vpc_endpoint_subnet_association", "subnet_id") {
		p := b.serviceAt(r, sub, api, "VPC Endpoint Interface "+id)
		if p == nil {
			continue
		}
		p.shape.SourceDestCheck = new(api == "vpc_endpoint")
		for _, g := range groups {
			p.shape.Groups = with(p.shape.Groups, g)
		}
		s.SubnetIds, s.NetworkInterfaceIds = append(s.SubnetIds, sub), append(s.NetworkInterfaceIds, p.id)
	}
	b.add(r, s)
}

// serviceAt is serviceIn with the address that the resource's subnet_configuration has for
// the subnet.
func (b *builder) serviceAt(r *resource, sub string, kind ec2.NetworkInterfaceType, description string) *part[ec2.NetworkInterface] {
	for _, c := range r.root().get("subnet_configuration").list() {
		if at, why := b.find(c.get("subnet_id")); why == "" && at == sub && c.get("ipv4").text() != "" {
			return b.serviceWith(r, sub, kind, description, c.get("ipv4"))
		}
	}
	return b.serviceIn(r, sub, kind, description)
}
