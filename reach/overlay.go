package reach

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/world"
)

// Overlay is changes to try on a network, in order. [ParseOverlay] reads one from text;
// a Change made by hand is as good.
//
//	rtb-…/0.0.0.0/0=nat-…                     a route, added or replaced; "none" deletes it
//	tgw-rtb-…/10.0.0.0/8=tgw-attach-…         a transit gateway's route; or blackhole, none
//	sg-…/ingress/tcp/22/10.0.0.0/8=allow      a group's rule; "none" revokes it; also egress,
//	                                          udp/53, tcp/80-90, icmp, all, and a group as the peer
//	acl-…/egress/90=deny tcp/22 10.0.0.0/8    an ACL's rule; or allow …, none
//	eni-…/source-dest-check=off               of an interface, or of an instance with one
//	eni-…/groups=sg-…,sg-…                    the groups of an interface, or of an instance's first
//	i-…/state=stopped                         or running
//	tgw-attach-…/appliance-mode=on            or off
//
// Objects go by their id or their Name tag.
type Overlay []Change

// Change is one change to try.
type Change struct {
	// Object is the id or name of what is changed, Path what of it, Value what it becomes.
	Object, Path, Value string
}

// String returns the change as ParseOverlay takes it.
func (c Change) String() string { return c.Object + "/" + c.Path + "=" + c.Value }

// ParseOverlay reads changes, each as [Overlay] says. It returns an error for what is
// none; whether the objects are there [Overlay.Apply] finds out.
func ParseOverlay(changes ...string) (Overlay, error) {
	var o Overlay
	for _, text := range changes {
		left, value, ok := strings.Cut(text, "=")
		object, path, both := strings.Cut(left, "/")
		c := Change{strings.TrimSpace(object), strings.TrimSpace(path), strings.TrimSpace(value)}
		if !ok || !both || c.Object == "" || c.Path == "" || c.Value == "" {
			return nil, fmt.Errorf("reach: change %q: expected <object>/<what>=<value>, such as rtb-1/0.0.0.0/0=igw-1", text)
		}
		o = append(o, c)
	}
	return o, nil
}

// Apply makes the changes on w, in order, by the calls that AWS has for them. It returns
// what AWS would refuse, or an error for an object that is not there or a change that it
// does not take; the changes before have been made then. To compare, load or build the
// network twice and apply the overlay to one.
func (o Overlay) Apply(w *world.World) error {
	for _, c := range o {
		if err := c.apply(w); err != nil {
			return fmt.Errorf("reach: change %q: %w", c, err)
		}
	}
	return nil
}

func (c Change) apply(w *world.World) error {
	x, err := object(w, c.Object)
	if err != nil {
		return err
	}
	switch x := x.(type) {
	case *vpc.RouteTable:
		return c.route(w, x)
	case *tgw.RouteTable:
		return c.transitRoute(w, x)
	case *vpc.SecurityGroup:
		return c.rule(w, x)
	case *vpc.NetworkACL:
		return c.entry(x)
	case *vpc.NetworkInterface:
		return c.nic(w, x)
	case *vpc.Instance:
		return c.instance(w, x)
	case *tgw.Attachment:
		if on, err := c.flag("appliance-mode"); err != nil {
			return err
		} else {
			return x.SetApplianceMode(on)
		}
	}
	return fmt.Errorf("nothing of a %T can be changed here", x)
}

// object finds a resource by its id or name in all regions.
func object(w *world.World, name string) (vpc.Resource, error) {
	var found []vpc.Resource
	for _, r := range w.Regions() {
		if x := r.Find(name); x != nil {
			return x, nil
		}
		var all []vpc.Resource
		r.View(func(tx *vpc.Tx) { all = vpc.Resources[vpc.Resource](tx) })
		for _, x := range all {
			if l, ok := x.(interface{ Label() string }); ok && l.Label() == name {
				found = append(found, x)
			}
		}
	}
	if i := slices.IndexFunc(found, func(x vpc.Resource) bool { _, ok := x.(*vpc.Instance); return ok }); len(found) > 1 && i >= 0 {
		of := found[i].(*vpc.Instance)
		found = slices.DeleteFunc(found, func(x vpc.Resource) bool { // an instance goes before interfaces of its own
			n, ok := x.(*vpc.NetworkInterface)
			return ok && n.Instance() == of
		})
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return nil, fmt.Errorf("nothing in the network is called %q", name)
	}
	return nil, fmt.Errorf("%q is %s and %s: expected an id", name, found[0].ID(), found[1].ID())
}

// flag reads a change of the one flag that the object has.
func (c Change) flag(path string) (bool, error) {
	if c.Path == path {
		switch c.Value {
		case "on", "true", "enable":
			return true, nil
		case "off", "false", "disable":
			return false, nil
		}
	}
	return false, fmt.Errorf("expected %s/%s=on or off", c.Object, path)
}

func (c Change) route(w *world.World, t *vpc.RouteTable) error {
	dst, err := netip.ParsePrefix(c.Path)
	if err != nil {
		return fmt.Errorf("destination %q: expected a CIDR", c.Path)
	}
	there := slices.ContainsFunc(t.Routes(), func(r vpc.Route) bool {
		return r.Destination == dst.Masked() && r.Origin != vpc.EnableVGWRoutePropagation
	})
	if c.Value == "none" {
		return t.DeleteRoute(c.Path)
	}
	var target vpc.Target = vpc.Local
	if c.Value != "local" {
		x, err := object(w, c.Value)
		if err != nil {
			return err
		}
		switch x.(type) {
		case *vpc.NetworkInterface, *vpc.Instance, vpc.Gateway:
			target = x
		default:
			return fmt.Errorf("%s is no target of a route", c.Value)
		}
	}
	if there {
		return t.ReplaceRoute(c.Path, target)
	}
	return t.CreateRoute(c.Path, target)
}

func (c Change) transitRoute(w *world.World, t *tgw.RouteTable) error {
	dst, err := netip.ParsePrefix(c.Path)
	if err != nil {
		return fmt.Errorf("destination %q: expected a CIDR", c.Path)
	}
	if there := slices.ContainsFunc(t.Routes(), func(r tgw.Route) bool { return r.Destination == dst.Masked() && !r.Propagated }); there {
		if err := t.DeleteRoute(c.Path); err != nil || c.Value == "none" {
			return err
		}
	}
	switch c.Value {
	case "none":
		return t.DeleteRoute(c.Path)
	case "blackhole":
		return t.CreateBlackhole(c.Path)
	}
	x, err := object(w, c.Value)
	if err != nil {
		return err
	}
	a, ok := x.(*tgw.Attachment)
	if !ok {
		return fmt.Errorf("%s is no attachment of a transit gateway", c.Value)
	}
	return t.CreateRoute(c.Path, a)
}

// rule adds or revokes a rule of a group: direction/traffic/peer.
func (c Change) rule(w *world.World, g *vpc.SecurityGroup) error {
	direction, rest, _ := strings.Cut(c.Path, "/")
	p, peer, err := traffic(rest)
	if err != nil {
		return err
	}
	if p.CIDR, err = netip.ParsePrefix(peer); err != nil {
		x, err := object(w, peer)
		if err != nil {
			return fmt.Errorf("peer %q: expected a CIDR, a group or a prefix list", peer)
		}
		switch x := x.(type) {
		case *vpc.SecurityGroup:
			p.Group = x
		case *vpc.PrefixList:
			p.PrefixList = x
		default:
			return fmt.Errorf("peer %q: expected a CIDR, a group or a prefix list", peer)
		}
	}
	calls := map[string]func(...vpc.Permission) error{
		"ingress allow": g.AuthorizeIngress, "ingress none": g.RevokeIngress, "egress allow": g.AuthorizeEgress, "egress none": g.RevokeEgress,
	}
	call := calls[direction+" "+c.Value]
	if call == nil {
		return fmt.Errorf("expected %s/ingress/… or %s/egress/… to become allow or none", c.Object, c.Object)
	}
	return call(p)
}

// traffic reads "tcp/22/rest", "udp/1-9/rest", "icmp/rest", "all/rest", "47/rest".
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
		if err1 != nil || err2 != nil {
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

// entry adds, replaces or deletes a rule of an ACL: direction/number.
func (c Change) entry(a *vpc.NetworkACL) error {
	direction, number, _ := strings.Cut(c.Path, "/")
	n, err := strconv.Atoi(number)
	if err != nil || direction != "ingress" && direction != "egress" {
		return fmt.Errorf("expected %s/ingress/<number> or %s/egress/<number>", c.Object, c.Object)
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
	p, _, err := traffic(words[1])
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

func (c Change) nic(w *world.World, n *vpc.NetworkInterface) error {
	if c.Path != "groups" {
		on, err := c.flag("source-dest-check")
		if err != nil {
			return err
		}
		return n.SetSourceDestCheck(on)
	}
	var groups []*vpc.SecurityGroup
	for _, name := range strings.Split(c.Value, ",") {
		x, err := object(w, strings.TrimSpace(name))
		if err != nil {
			return err
		}
		g, ok := x.(*vpc.SecurityGroup)
		if !ok {
			return fmt.Errorf("%s is no security group", name)
		}
		groups = append(groups, g)
	}
	return n.SetGroups(groups...)
}

func (c Change) instance(w *world.World, i *vpc.Instance) error {
	if n := i.Interface(); n != nil && c.Path == "groups" {
		return c.nic(w, n)
	}
	switch c.Path + "=" + c.Value {
	case "state=stopped":
		return i.Stop()
	case "state=running":
		return i.Start()
	}
	on, err := c.flag("source-dest-check")
	if err != nil {
		return fmt.Errorf("expected %s/state=stopped or running, or %s/source-dest-check=on or off", c.Object, c.Object)
	}
	return i.SetSourceDestCheck(on)
}
