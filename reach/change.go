package reach

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/vpcsim/vpcsim/vgw"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/world"
)

// routeTable changes a route, or what propagates to the table.
func (c Change) routeTable(w *world.World, t *vpc.RouteTable) error {
	if name, ok := strings.CutPrefix(c.Path, "propagation/"); ok {
		g, err := named[*vgw.VirtualPrivateGateway](w, name, "a virtual private gateway")
		if err != nil {
			return err
		}
		return turn[vpc.Propagator](c, t.EnablePropagation, t.DisablePropagation, g)
	}
	dst, bad := netip.ParsePrefix(c.Path)
	var list *vpc.PrefixList
	if bad != nil {
		if list, bad = named[*vpc.PrefixList](w, c.Path, "a prefix list"); bad != nil {
			return fmt.Errorf("destination %q: expected a CIDR or a prefix list", c.Path)
		}
	}
	if c.Value == "none" && list != nil {
		return t.DeletePrefixListRoute(list)
	} else if c.Value == "none" {
		return t.DeleteRoute(c.Path)
	}
	target, err := routeTarget(w, c.Value)
	if err != nil {
		return err
	}
	there := slices.ContainsFunc(t.Routes(), func(r vpc.Route) bool {
		return r.PrefixList == list && (list != nil || r.Destination == dst.Masked()) && r.Origin != vpc.EnableVGWRoutePropagation
	})
	switch {
	case there && list != nil:
		return t.ReplacePrefixListRoute(list, target)
	case there:
		return t.ReplaceRoute(c.Path, target)
	case list != nil:
		return t.CreatePrefixListRoute(list, target)
	}
	return t.CreateRoute(c.Path, target)
}

// routeTarget finds what a route may lead to.
func routeTarget(w *world.World, name string) (vpc.Target, error) {
	if name == "local" {
		return vpc.Local, nil
	}
	x, err := object(w, name, leads)
	switch {
	case err != nil:
		return nil, err
	case leads(x) == 0:
		return nil, fmt.Errorf("%s is no target of a route", name)
	}
	return x, nil
}

// leads says whether routes may lead to a resource at all: 1, or 0.
func leads(x vpc.Resource) int {
	return max(is[*vpc.NetworkInterface](x), is[*vpc.Instance](x), is[vpc.Gateway](x))
}

// subnet changes the table or the network ACL of a subnet.
func (c Change) subnet(w *world.World, s *vpc.Subnet) error {
	switch c.Path {
	case "route-table":
		t, err := named[*vpc.RouteTable](w, c.Value, "a route table")
		if err != nil {
			return err
		}
		return s.ReplaceRouteTable(t)
	case "network-acl":
		a, err := named[*vpc.NetworkACL](w, c.Value, "a network ACL")
		if err != nil {
			return err
		}
		return s.SetNetworkACL(a)
	}
	return errForm
}

// group adds or revokes a rule of a security group: direction/traffic/peer.
func (c Change) group(w *world.World, g *vpc.SecurityGroup) error {
	direction, rest, _ := strings.Cut(c.Path, "/")
	calls := map[string]func(...vpc.Permission) error{
		"ingress allow": g.AuthorizeIngress, "ingress none": g.RevokeIngress, "egress allow": g.AuthorizeEgress, "egress none": g.RevokeEgress,
	}
	call := calls[direction+" "+c.Value]
	if call == nil {
		return errForm
	}
	p, peer, err := traffic(rest)
	if err != nil {
		return err
	}
	if p.CIDR, err = netip.ParsePrefix(peer); err != nil {
		var bad error
		if p.Group, err = named[*vpc.SecurityGroup](w, peer, "a group"); err != nil {
			p.PrefixList, bad = named[*vpc.PrefixList](w, peer, "a prefix list")
		}
		if bad != nil {
			return fmt.Errorf("peer %q: expected a CIDR, a group or a prefix list", peer)
		}
	}
	return call(p)
}

// traffic reads "tcp/22/rest", "udp/1-9/rest", "icmp/rest", "icmp/3-4/rest" (type and code),
// "all/rest", "47/rest".
func traffic(text string) (p vpc.Permission, rest string, err error) {
	proto, rest, _ := strings.Cut(text, "/")
	switch proto {
	case "all":
		p.Protocol = -1
	case "icmp", "icmpv6":
		p.Protocol, p.FromPort, p.ToPort = 1, -1, -1
		if proto == "icmpv6" {
			p.Protocol = 58
		}
		kind, behind, _ := strings.Cut(rest, "/")
		if of, code, ok := icmpKind(kind); ok {
			p.FromPort, p.ToPort, rest = of, code, behind
		}
	case "tcp", "udp":
		p.Protocol = map[string]int{"tcp": 6, "udp": 17}[proto]
		var ports string
		ports, rest, _ = strings.Cut(rest, "/")
		from, to, ok := strings.Cut(ports, "-")
		if !ok {
			to = from
		}
		f, err1 := strconv.ParseUint(from, 10, 16)
		l, err2 := strconv.ParseUint(to, 10, 16)
		if err1 != nil || err2 != nil || f > l {
			return p, "", fmt.Errorf("ports %q: expected a number or a range, such as 80-90", ports)
		}
		p.FromPort, p.ToPort = int(f), int(l)
	default:
		n, err := strconv.ParseUint(proto, 10, 8)
		if err != nil {
			return p, "", fmt.Errorf("protocol %q: expected tcp, udp, icmp, icmpv6, all or a number", proto)
		}
		p.Protocol = int(n)
	}
	return p, rest, nil
}

// icmpKind reads "8", a type of any code, and "3-4", a type and its code; a peer is neither.
func icmpKind(text string) (of, code int, ok bool) {
	first, second, both := strings.Cut(text, "-")
	t, err := strconv.ParseUint(first, 10, 8)
	if err != nil || !both {
		return int(t), -1, err == nil
	}
	c, err := strconv.ParseUint(second, 10, 8)
	return int(t), int(c), err == nil
}

// acl adds, replaces or deletes a rule of a network ACL: direction/number.
func (c Change) acl(_ *world.World, a *vpc.NetworkACL) error {
	direction, number, _ := strings.Cut(c.Path, "/")
	n, err := strconv.Atoi(number)
	if err != nil || direction != "ingress" && direction != "egress" {
		return errForm
	}
	list, create, replace, remove := a.Ingress(), a.CreateIngressEntry, a.ReplaceIngressEntry, a.DeleteIngressEntry
	if direction == "egress" {
		list, create, replace, remove = a.Egress(), a.CreateEgressEntry, a.ReplaceEgressEntry, a.DeleteEgressEntry
	}
	if c.Value == "none" {
		return remove(n)
	}
	words := strings.Fields(c.Value)
	if len(words) != 3 || words[0] != "allow" && words[0] != "deny" {
		return fmt.Errorf("value %q: expected allow or deny, the traffic and a CIDR, such as allow tcp/22 10.0.0.0/8", c.Value)
	}
	p, rest, err := traffic(words[1])
	if err == nil && rest != "" {
		err = fmt.Errorf("traffic %q: expected such as tcp/22, udp/80-90, icmp, icmp/3-4 (type and code), all", words[1])
	}
	if err != nil {
		return err
	}
	e := vpc.ACLEntry{Number: n, Allow: words[0] == "allow", Protocol: p.Protocol, FromPort: p.FromPort, ToPort: p.ToPort}
	if e.CIDR, err = netip.ParsePrefix(words[2]); err != nil {
		return fmt.Errorf("peer %q: expected a CIDR", words[2])
	}
	if slices.ContainsFunc(list, func(x vpc.ACLEntry) bool { return x.Number == n && x.CIDR.Addr().Is4() == e.CIDR.Addr().Is4() }) {
		return replace(e)
	}
	return create(e)
}

// prefixList adds or takes away an entry of a prefix list.
func (c Change) prefixList(_ *world.World, l *vpc.PrefixList) error {
	p, err := netip.ParsePrefix(c.Path)
	if err != nil {
		return errForm
	}
	on, err := c.on()
	if err != nil {
		return err
	}
	entries := slices.DeleteFunc(slices.Clone(l.Entries()), func(e netip.Prefix) bool { return e == p.Masked() })
	if on {
		entries = append(entries, p.Masked())
	}
	return l.SetEntries(entries)
}

// network changes an attribute of a VPC.
func (c Change) network(_ *world.World, v *vpc.VPC) error {
	a := v.Attributes()
	flag := map[string]*bool{"dns-support": &a.EnableDNSSupport, "dns-hostnames": &a.EnableDNSHostnames}[c.Path]
	if flag == nil {
		return errForm
	}
	on, err := c.on()
	if err != nil {
		return err
	}
	*flag = on
	return v.SetAttributes(a)
}

// nic changes an interface.
func (c Change) nic(w *world.World, n *vpc.NetworkInterface) error {
	switch c.Path {
	case "source-dest-check":
		on, err := c.on()
		if err != nil {
			return err
		}
		return n.SetSourceDestCheck(on)
	case "groups":
		var groups []*vpc.SecurityGroup
		for _, name := range strings.Split(c.Value, ",") {
			g, err := named[*vpc.SecurityGroup](w, strings.TrimSpace(name), "a security group")
			if err != nil {
				return err
			}
			groups = append(groups, g)
		}
		return n.SetGroups(groups...)
	case "address":
		return c.publicAddress(w, n)
	case "instance":
		if c.Value == "none" {
			if n.Instance() == nil {
				return fmt.Errorf("%s is attached to no instance", c.Object)
			}
			return n.Instance().Detach(n)
		}
		i, err := named[*vpc.Instance](w, c.Value, "an instance")
		if err != nil {
			return err
		}
		return i.Attach(n)
	}
	return errForm
}

// publicAddress gives an interface's primary address an Elastic IP address, one that is there
// or a new one, or takes it away.
func (c Change) publicAddress(w *world.World, n *vpc.NetworkInterface) error {
	switch c.Value {
	case "none":
		for _, e := range all[*vpc.Address](w) {
			if e.Interface() == n && e.PublicIP() == n.PublicIP() {
				return e.Disassociate()
			}
		}
		return fmt.Errorf("the primary address of %s has no Elastic IP address", n.ID())
	case "new":
		e, err := n.Region().AllocateAddress(vpc.AddressConfig{})
		if err != nil {
			return err
		}
		return e.Associate(n)
	}
	e, err := named[*vpc.Address](w, c.Value, "an Elastic IP address")
	if err != nil {
		return err
	}
	return e.AssociatePrivateIP(n, netip.Addr{}, true)
}

// all returns the resources of a type of all regions.
func all[R vpc.Resource](w *world.World) []R {
	var list []R
	for _, r := range w.Regions() {
		r.View(func(tx *vpc.Tx) { list = append(list, vpc.Resources[R](tx)...) })
	}
	return list
}

// address associates an Elastic IP address with an interface or an instance.
func (c Change) address(w *world.World, e *vpc.Address) error {
	if c.Path != "association" {
		return errForm
	}
	if c.Value == "none" {
		return e.Disassociate()
	}
	x, err := object(w, c.Value, func(x vpc.Resource) int {
		return max(is[*vpc.Instance](x), is[*vpc.NetworkInterface](x))
	})
	if err != nil {
		return err
	}
	switch x := x.(type) {
	case *vpc.Instance:
		if n := x.Interface(); n != nil {
			return e.AssociatePrivateIP(n, netip.Addr{}, true)
		}
	case *vpc.NetworkInterface:
		return e.AssociatePrivateIP(x, netip.Addr{}, true)
	}
	return fmt.Errorf("%s is no interface and no instance that has one", c.Value)
}

// instance changes an instance, or its first interface.
func (c Change) instance(w *world.World, i *vpc.Instance) error {
	switch c.Path {
	case "state":
		switch c.Value {
		case "stopped":
			return i.Stop()
		case "running":
			return i.Start()
		case "terminated":
			return i.Terminate()
		}
	case "source-dest-check":
		on, err := c.on()
		if err != nil {
			return err
		}
		return i.SetSourceDestCheck(on)
	case "groups", "address":
		if n := i.Interface(); n != nil {
			return c.nic(w, n)
		}
	}
	return errForm
}
