package reach

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/vpcsim/vpcsim/vpc"
)

// Place is an end of a question: an interface of the network, a gateway beyond which
// somebody is, or an address alone. The zero Place is none. Make one with
// [Prober.Place].
type Place struct {
	// Addr is the address; of a place of several, the one that was asked for or the
	// primary private one.
	Addr netip.Addr

	nic     *vpc.NetworkInterface
	gateway string // id of the gateway beyond which Addr is
	public  bool   // Addr is a public address of nic
	foreign bool   // Addr is not nic's own
}

// Interface returns the interface, nil of an address that no interface has.
func (a Place) Interface() *vpc.NetworkInterface { return a.nic }

// Internet is the address of the host that the name "internet" stands for: one of
// TEST-NET-1 (RFC 5737), which is nobody's.
var Internet = netip.MustParseAddr("192.0.2.113")

// String returns the address, and the interface's id where there is one.
func (a Place) String() string {
	switch {
	case a.gateway != "":
		return a.Addr.String() + " beyond " + a.gateway
	case a.nic != nil:
		return a.Addr.String() + " (" + a.nic.ID() + ")"
	}
	return a.Addr.String()
}

// outside reports whether the place is a host on the internet.
func (a Place) outside() bool { return a.nic == nil && a.gateway == "" }

// published returns a place as who is on the internet calls it: by its public address,
// where it has one.
func (a Place) published() Place {
	if a.nic == nil || !a.Addr.Is4() || a.public {
		return a
	}
	for _, x := range a.nic.PrivateAddresses() {
		if x.IP == a.Addr && x.Public.IsValid() {
			a.Addr, a.public = x.Public, true
			return a
		}
	}
	return a
}

// from returns the address that packets of the place begin with: an instance sends from
// its private address.
func (a Place) from(dst netip.Addr) netip.Addr {
	if a.nic != nil && a.public {
		return a.private()
	}
	if a.nic != nil && a.Addr.Is4() != dst.Is4() {
		return addrOf(a.nic, dst)
	}
	return a.Addr
}

// private returns the private address behind a public one.
func (a Place) private() netip.Addr {
	for _, x := range a.nic.PrivateAddresses() {
		if x.Public == a.Addr {
			return x.IP
		}
	}
	return a.Addr
}

// index finds interfaces by what people call them.
type index struct {
	byAddr map[netip.Addr][]*vpc.NetworkInterface // private and IPv6
	byName map[string][]*vpc.NetworkInterface     // ids and names, of owners and instances too
	public map[netip.Addr]*vpc.NetworkInterface
	all    []*vpc.NetworkInterface
}

// find returns the index of the network as it is now.
func (p *Prober) find() *index {
	if p.index != nil {
		return p.index
	}
	x := &index{
		byAddr: map[netip.Addr][]*vpc.NetworkInterface{}, byName: map[string][]*vpc.NetworkInterface{},
		public: map[netip.Addr]*vpc.NetworkInterface{},
	}
	for _, l := range p.lives {
		var of []*vpc.NetworkInterface
		l.Region().View(func(tx *vpc.Tx) { of = vpc.Resources[*vpc.NetworkInterface](tx) })
		x.all = append(x.all, of...)
	}
	for _, n := range x.all {
		x.add(n)
	}
	p.index = x
	return x
}

func (x *index) add(n *vpc.NetworkInterface) {
	for _, a := range n.PrivateAddresses() {
		x.byAddr[a.IP] = append(x.byAddr[a.IP], n)
		if a.Public.IsValid() {
			x.public[a.Public] = n
		}
	}
	for _, a := range n.IPv6() {
		x.byAddr[a] = append(x.byAddr[a], n)
	}
	x.name(n.ID(), n)
	x.name(n.Label(), n)
	x.called(n, n)
	if i := n.Instance(); i != nil {
		x.name(i.ID(), n)
		x.name(i.Label(), n)
		x.called(i, n)
	}
	if o := n.Owner(); o != nil {
		x.name(o.ID(), n)
		if l, ok := o.(interface{ Label() string }); ok {
			x.name(l.Label(), n)
		}
		x.called(o, n)
		if l, ok := o.(interface{ Name() string }); ok { // a load balancer's, a database's
			x.name(l.Name(), n)
		}
	}
}

// called adds what a configuration calls the interface, or its instance or owner.
func (x *index) called(of vpc.Resource, n *vpc.NetworkInterface) {
	if c, ok := of.(interface{ Called() string }); ok && c.Called() != "" {
		x.name(c.Called(), n)
	}
}

func (x *index) name(name string, n *vpc.NetworkInterface) {
	if !slices.Contains(x.byName[name], n) {
		x.byName[name] = append(x.byName[name], n)
	}
}

// Place finds an end of a question by an address, the id or name of an interface, of an
// instance or of a service's resource, or "internet". "vpc-…/10.0.0.1" tells one of
// several interfaces with an address from the others, "vgw-…/192.168.0.9" is a host
// beyond a gateway, and "eni-…/192.0.2.1" an interface that sends with an address that is
// not its own, as appliances do. It returns an error for a name that leads to nothing, or to several.
// A public address of the network is the interface that has it; one that nobody in it
// has is a host on the internet.
func (p *Prober) Place(name string) (Place, error) {
	if err := p.refresh(); err != nil {
		return Place{}, err
	}
	if name == "internet" {
		return Place{Addr: Internet}, nil
	}
	if a, err := netip.ParseAddr(name); err == nil {
		return p.placeAt(name, a.Unmap(), "")
	}
	if in, addr, ok := strings.Cut(name, "/"); ok {
		if a, err := netip.ParseAddr(addr); err == nil {
			return p.placeAt(name, a.Unmap(), in)
		}
	}
	found := p.find().byName[name]
	if i := p.sameInstance(found); i != nil && len(found) > 1 { // its name: it sends from its first
		found = []*vpc.NetworkInterface{i.Interface()}
	}
	if err := p.LeftOut(name); err != nil && len(found) == 0 {
		return Place{}, err
	}
	if len(found) != 1 {
		return Place{}, notOne(name, found, "the id or name of an interface, an instance or a service, an address, or internet")
	}
	a := addrOf(found[0], netip.IPv4Unspecified())
	if !a.IsValid() { // in a subnet with IPv6 alone
		a = addrOf(found[0], netip.IPv6Unspecified())
	}
	return Place{Addr: a, nic: found[0]}, nil
}

// sameInstance returns the instance that all the interfaces belong to, nil where there
// is none.
func (p *Prober) sameInstance(all []*vpc.NetworkInterface) *vpc.Instance {
	var of *vpc.Instance
	for _, n := range all {
		i := n.Instance()
		if i == nil || of != nil && i != of {
			return nil
		}
		of = i
	}
	return of
}

// placeAt finds the interface that has an address, in a VPC or subnet where in names one.
func (p *Prober) placeAt(name string, a netip.Addr, in string) (Place, error) {
	x := p.find()
	if n := x.public[a]; n != nil {
		return Place{Addr: a, nic: n, public: true}, nil
	}
	if p.outside(in) != nil {
		return Place{Addr: a, gateway: in}, nil
	}
	var found []*vpc.NetworkInterface
	for _, n := range x.byAddr[a] {
		if in == "" || n.Subnet().ID() == in || n.Subnet().VPC().ID() == in || n.Subnet().VPC().Label() == in {
			found = append(found, n)
		}
	}
	switch {
	case len(found) == 1:
		return Place{Addr: a, nic: found[0]}, nil
	case len(found) == 0 && in == "":
		return Place{Addr: a}, p.LeftOut(a.String())
	case len(found) == 0 && len(x.byName[in]) == 1:
		return Place{Addr: a, nic: x.byName[in][0], foreign: true}, nil
	}
	return Place{}, notOne(name, found, "one interface that has the address")
}

// senders returns the interfaces of running instances that have an address.
func (p *Prober) senders(name string) (all []*vpc.NetworkInterface) {
	a, err := netip.ParseAddr(name)
	if err != nil {
		return nil
	}
	for _, n := range p.find().byAddr[a.Unmap()] {
		if i := n.Instance(); i != nil && i.State() == vpc.Running {
			all = append(all, n)
		}
	}
	return all
}

// notOne is the error for a name that leads to none or to several.
func notOne(name string, found []*vpc.NetworkInterface, expected string) error {
	if len(found) == 0 {
		return fmt.Errorf("reach: %q: nothing in the network is called so; expected %s", name, expected)
	}
	ids := make([]string, len(found))
	for i, n := range found {
		ids[i] = n.ID() + " in " + n.Subnet().VPC().ID()
	}
	return fmt.Errorf("reach: %q is %s: expected %s", name, strings.Join(ids, " and "), expected)
}
