package intent

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/vpcsim/vpcsim/reach"
	"github.com/vpcsim/vpcsim/vpc"
)

// Names finds what the names of intents stand for in regions, as they are when it is
// made.
type Names struct {
	nics   []*vpc.NetworkInterface
	byName map[string][]*vpc.NetworkInterface // of interfaces, their instances and owners
	around map[string][]*vpc.NetworkInterface // of subnets, VPCs and security groups
	ids    map[string][]string                // by label: the ids of resources of any kind
}

// NewNames returns the names of the regions' resources.
func NewNames(regions ...*vpc.Region) *Names {
	x := &Names{
		byName: map[string][]*vpc.NetworkInterface{}, around: map[string][]*vpc.NetworkInterface{}, ids: map[string][]string{},
	}
	for _, r := range regions {
		var all []vpc.Resource
		r.View(func(tx *vpc.Tx) {
			x.nics = append(x.nics, vpc.Resources[*vpc.NetworkInterface](tx)...)
			all = vpc.Resources[vpc.Resource](tx)
		})
		for _, one := range all {
			for _, name := range namesOf(one) {
				x.ids[name] = append(x.ids[name], one.ID())
			}
		}
	}
	for _, n := range x.nics {
		x.add(n)
	}
	return x
}

// namesOf returns a resource's id, its label, and the name of its own that a load
// balancer or a database has.
func namesOf(x vpc.Resource) []string {
	names := []string{x.ID()}
	if l, ok := x.(interface{ Label() string }); ok && l.Label() != x.ID() {
		names = append(names, l.Label())
	}
	if c, ok := x.(interface{ Called() string }); ok && c.Called() != "" && !slices.Contains(names, c.Called()) {
		names = append(names, c.Called())
	}
	if _, group := x.(*vpc.SecurityGroup); group { // its name is for the interfaces that have it
		return names
	}
	if l, ok := x.(interface{ Name() string }); ok && l.Name() != "" && !slices.Contains(names, l.Name()) {
		names = append(names, l.Name())
	}
	return names
}

func (x *Names) add(n *vpc.NetworkInterface) {
	at := func(m map[string][]*vpc.NetworkInterface, of vpc.Resource) {
		for _, name := range namesOf(of) {
			if !slices.Contains(m[name], n) {
				m[name] = append(m[name], n)
			}
		}
	}
	at(x.byName, n)
	if o := n.Owner(); o != nil {
		at(x.byName, o)
	}
	if i := n.Instance(); i != nil && i.Interface() == n { // its secondary interfaces are found by their own names
		at(x.byName, i)
	}
	if n.Type() != vpc.InterfaceUser { // a group of interfaces is of users' own
		return
	}
	at(x.around, n.Subnet())
	at(x.around, n.Subnet().VPC())
	for _, g := range n.Groups() {
		at(x.around, g)
		if !slices.Contains(x.around[g.Name()], n) {
			x.around[g.Name()] = append(x.around[g.Name()], n)
		}
	}
}

// end is one thing that an endpoint stands for: an interface, or an address that none has.
type end struct {
	nic  *vpc.NetworkInterface
	addr netip.Addr // of an interface only where it was asked for by address
}

func (e end) name() string {
	switch {
	case e.nic == nil:
		return e.addr.String()
	case e.nic.Label() != e.nic.ID():
		return e.nic.Label()
	}
	if i := e.nic.Instance(); i != nil {
		return i.Label()
	}
	return e.nic.ID()
}

// internet6 is a host on the internet by IPv6 (RFC 3849's range, which is nobody's).
var internet6 = netip.MustParseAddr("2001:db8:ffff::71")

// find returns what an endpoint stands for: an interface's, an instance's or a service's
// name before that of a subnet, a VPC or a security group, which stand for the users'
// interfaces in them.
func (x *Names) find(e Endpoint) ([]end, error) {
	if e.Internet {
		return []end{{addr: reach.Internet}, {addr: internet6}}, nil
	}
	if a, err := netip.ParseAddr(e.Name); err == nil {
		return x.at(a.Unmap()), nil
	}
	if p, err := netip.ParsePrefix(e.Name); err == nil {
		return x.within(p.Masked())
	}
	found := x.byName[e.Name]
	if len(found) == 0 {
		found = x.around[e.Name]
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%q: nothing in the network with an address is called so; expected the name or id of an interface, an instance, "+
			"a service, a subnet, a VPC or a security group, an address, a CIDR or internet", e.Name)
	}
	var out []end
	for _, n := range found {
		out = append(out, end{nic: n})
	}
	return out, nil
}

// at returns the interfaces that have an address, else the address as a host outside.
func (x *Names) at(a netip.Addr) []end {
	var out []end
	for _, n := range x.nics {
		if slices.Contains(addresses(n), a) {
			out = append(out, end{n, a})
		}
	}
	if out == nil {
		out = []end{{addr: a}}
	}
	return out
}

// within returns the interfaces with an address in a prefix, and, where the host that
// stands for the internet is in it, as in 0.0.0.0/0, that; of a prefix without any, if the
// internet may have it, a host there.
func (x *Names) within(p netip.Prefix) ([]end, error) {
	var out []end
	for _, n := range x.nics {
		if n.Type() != vpc.InterfaceUser {
			continue
		}
		for _, a := range addresses(n) {
			if p.Contains(a) {
				out = append(out, end{n, a})
			}
		}
	}
	if out == nil && p.Addr().IsPrivate() {
		return nil, fmt.Errorf("%s: no interface of the network has an address in it", p)
	}
	for _, a := range []netip.Addr{reach.Internet, internet6} {
		if p.Contains(a) {
			out = append(out, end{addr: a})
		}
	}
	switch {
	case out != nil:
	case p.IsSingleIP():
		out = []end{{addr: p.Addr()}}
	default:
		out = []end{{addr: p.Addr().Next()}}
	}
	return out, nil
}

// addresses returns all addresses that packets for the interface may have, the primary
// private one first.
func addresses(n *vpc.NetworkInterface) []netip.Addr {
	var all []netip.Addr
	for _, a := range n.PrivateAddresses() {
		all = append(all, a.IP)
	}
	for _, a := range n.PrivateAddresses() {
		if a.Public.IsValid() {
			all = append(all, a.Public)
		}
	}
	return append(all, n.IPv6()...)
}

// via returns the ids that a name on the way stands for: of resources, and of the
// interfaces of an instance or a service.
func (x *Names) via(e Endpoint) ([]string, error) {
	ids := slices.Clone(x.ids[e.Name])
	for _, n := range x.byName[e.Name] {
		ids = append(ids, n.ID())
	}
	if a, err := netip.ParseAddr(e.Name); err == nil {
		for _, at := range x.at(a) {
			if at.nic != nil {
				ids = append(ids, at.nic.ID())
			}
		}
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("%s: nothing in the network is called so; expected the name, id or address of what packets pass", e)
	}
	return ids, nil
}
