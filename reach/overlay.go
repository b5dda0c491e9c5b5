package reach

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/world"
)

// Overlay is changes to try on a network, in order. [ParseOverlay] reads one from text;
// a Change made by hand is as good.
//
//	rtb-…/0.0.0.0/0=nat-…                     a route, added or replaced; "none" deletes it; the
//	                                          destination may be a prefix list
//	rtb-…/propagation/vgw-…=on                or off
//	subnet-…/route-table=rtb-…                the table of a subnet; also network-acl=acl-…
//	sg-…/ingress/tcp/22/10.0.0.0/8=allow      a group's rule; "none" revokes it; also egress,
//	                                          udp/53, tcp/80-90, icmp, icmp/3-4 (type
//	                                          and code), all, and a group as the peer
//	acl-…/egress/90=deny tcp/22 10.0.0.0/8    an ACL's rule; or allow …, none
//	pl-…/10.0.0.0/8=on                        an entry of a prefix list; or off
//	vpc-…/dns-hostnames=on                    or off; also dns-support
//	eni-…/source-dest-check=off               of an interface, or of an instance with one
//	eni-…/groups=sg-…,sg-…                    the groups of an interface, or of an instance's first
//	eni-…/address=eipalloc-…                  its Elastic IP address; "new" allocates one, "none" takes
//	                                          it away; or of an instance
//	eni-…/instance=i-…                        attaches it; "none" detaches it
//	i-…/state=stopped                         or running, terminated
//	igw-…/vpc=vpc-…                           attaches an internet or virtual private gateway, or "none"
//	nat-…/state=deleted                       also of VPC endpoints and transit gateway attachments
//	pcx-…/state=active                        accepts a peering connection; or rejected, deleted
//	vpce-…/state=available                    accepts an endpoint's connection; or rejected, deleted
//	tgw-rtb-…/10.0.0.0/8=tgw-attach-…         a transit gateway's route; or blackhole, none
//	tgw-rtb-…/propagation/tgw-attach-…=on     or off
//	tgw-attach-…/route-table=tgw-rtb-…        the table that it is associated with, or "none"
//	tgw-attach-…/subnet/subnet-…=on           one of its subnets; or off
//	tgw-attach-…/appliance-mode=on            or off
//	tgw-attach-…/state=available              accepts a peering attachment; or rejected, deleted
//	tgw-…/security-group-referencing=on       or off
//	vpn-…/tunnel/1=down                       or up; tunnel 2 too
//	vpn-…/10.0.0.0/8=on                       a static route; or off
//	LB/load_balancing.cross_zone.enabled=true any attribute of a load balancer or a target group
//	TG/target/i-…:80=healthy                  or unhealthy; "on" registers it, "none" takes it away
//
// Objects go by their id or their Name tag; load balancers and target groups by name or ARN.
//
// A change may also be a call of the aws CLI, as [Blocker.Fix] proposes them:
//
//	aws ec2 create-route --route-table-id rtb-… --destination-cidr-block 0.0.0.0/0 --gateway-id igw-…
type Overlay []Change

// Change is one change to try.
type Change struct {
	// Object is the id or name of what is changed, Path what of it, Value what it becomes.
	Object, Path, Value string
}

// String returns the change as ParseOverlay takes it.
func (c Change) String() string { return c.Object + "/" + c.Path + "=" + c.Value }

// arn is what a change's object looks like whose id has slashes.
var arn = regexp.MustCompile(`^arn:[^/=]*:(loadbalancer/(app|net|gwy)/[^/=]+/[^/=]+|loadbalancer/[^/=]+|targetgroup/[^/=]+/[^/=]+)`)

// ParseOverlay reads changes, each as [Overlay] says. It returns an error for what is
// none; whether the objects are there [Overlay.Apply] finds out.
func ParseOverlay(changes ...string) (Overlay, error) {
	var o Overlay
	for _, text := range changes {
		if strings.HasPrefix(strings.TrimSpace(text), "aws ") {
			calls, err := parseCall(text)
			if err != nil {
				return nil, fmt.Errorf("reach: change %q: %w", text, err)
			}
			o = append(o, calls...)
			continue
		}
		object := arn.FindString(text)
		path, value, ok := strings.Cut(text[len(object):], "=")
		rest, both := strings.CutPrefix(path, "/")
		if object == "" {
			object, rest, both = strings.Cut(path, "/")
		}
		c := Change{strings.TrimSpace(object), strings.TrimSpace(rest), strings.TrimSpace(value)}
		if !ok || !both || c.Object == "" || c.Path == "" || c.Value == "" {
			return nil, fmt.Errorf("reach: change %q: expected <object>/<what>=<value>, such as rtb-1/0.0.0.0/0=igw-1, or a call such as aws ec2 create-route …", text)
		}
		o = append(o, c)
	}
	return o, nil
}

// Apply makes the changes on w, in order, by the calls that AWS has for them. It returns
// what AWS would refuse, or an error for an object that is not there or a change that it
// does not take; the changes before have been made then. A loaded network is better asked
// for another one with the changes made, which leaves it as it was: load.Network.With takes
// an Overlay.
func (o Overlay) Apply(w *world.World) error {
	for _, c := range o {
		if err := c.apply(w); err != nil {
			return fmt.Errorf("reach: change %q: %w", c, err)
		}
	}
	return nil
}

// errForm is the error of a change whose path or value is none of its object's forms.
var errForm = errors.New("no such form")

// changer makes the changes of one kind of resource.
type changer struct {
	is    func(x vpc.Resource) bool
	make  func(c Change, w *world.World, x vpc.Resource) error
	forms []string
}

// of is the changer of a type of resource.
func of[R vpc.Resource](make func(c Change, w *world.World, x R) error, forms ...string) changer {
	return changer{
		is:    func(x vpc.Resource) bool { _, ok := x.(R); return ok },
		make:  func(c Change, w *world.World, x vpc.Resource) error { return make(c, w, x.(R)) },
		forms: forms,
	}
}

// changers are those of all kinds that have any; each form is what a change is behind the
// object and its slash.
var changers []changer

func init() { // the functions of the table look into it for their errors
	changers = []changer{
		of(Change.routeTable, "<CIDR or prefix list>=<target>", "<CIDR or prefix list>=none", "propagation/<vgw>=on or off"),
		of(Change.subnet, "route-table=<rtb>", "network-acl=<acl>"),
		of(Change.group, "ingress/<traffic>/<peer>=allow or none", "egress/<traffic>/<peer>=allow or none"),
		of(Change.acl, "ingress/<number>=<allow or deny> <traffic> <CIDR>", "egress/<number>=<allow or deny> <traffic> <CIDR>", "ingress/<number>=none", "egress/<number>=none"),
		of(Change.prefixList, "<CIDR>=on or off"),
		of(Change.network, "dns-support=on or off", "dns-hostnames=on or off"),
		of(Change.nic, "source-dest-check=on or off", "groups=<sg>,<sg>", "address=<eipalloc>, new or none", "instance=<i> or none"),
		of(Change.instance, "state=running, stopped or terminated", "source-dest-check=on or off", "groups=<sg>,<sg>", "address=<eipalloc>, new or none"),
		of(Change.address, "association=<eni> or none"),
		of(Change.internet, "vpc=<vpc> or none"),
		of(Change.private, "vpc=<vpc> or none"),
		of(Change.nat, "state=deleted"),
		of(Change.peering, "state=active, rejected or deleted"),
		of(Change.endpoint, "state=available, rejected or deleted", "route-table/<rtb>=on or off"),
		of(Change.transitTable, "<CIDR>=<tgw-attach>, blackhole or none", "propagation/<tgw-attach>=on or off"),
		of(Change.attachment, "route-table=<tgw-rtb> or none", "subnet/<subnet>=on or off", "appliance-mode=on or off", "state=available, rejected or deleted"),
		of(Change.transit, "security-group-referencing=on or off"),
		of(Change.vpn, "tunnel/<1 or 2>=up or down", "<CIDR>=on or off"),
		of(Change.balancer, "<attribute>=<value>"),
		of(Change.targetGroup, "<attribute>=<value>", "target/<target>=healthy, unhealthy, on or none"),
	}
}

// Forms returns what a [Change] of a resource may be, each behind the object and a slash,
// such as "state=running, stopped or terminated"; nil of a resource of which nothing can
// be changed.
func Forms(x vpc.Resource) []string {
	for _, k := range changers {
		if k.is(x) {
			return slices.Clone(k.forms)
		}
	}
	return nil
}

func (c Change) apply(w *world.World) error {
	x, err := object(w, c.Object, func(x vpc.Resource) int { return takes(x, c.Path) })
	if err != nil {
		return err
	}
	for _, k := range changers {
		if !k.is(x) {
			continue
		}
		if err := k.make(c, w, x); err != errForm {
			return err
		}
		return fmt.Errorf("expected %s/%s", c.Object, strings.Join(k.forms, ", or "+c.Object+"/"))
	}
	return fmt.Errorf("nothing of %s can be changed here", c.Object)
}

// object finds a resource by its id or name in all regions; of several that have the name
// the one that fits best, from 0.
func object(w *world.World, name string, fit func(x vpc.Resource) int) (vpc.Resource, error) {
	var found []vpc.Resource
	for _, r := range w.Regions() {
		if x := r.Find(name); x != nil {
			return x, nil
		}
	}
	best := 0
	for _, x := range all[vpc.Resource](w) {
		if !called(x, name) {
			continue
		}
		if f := fit(x); f > best {
			best, found = f, nil
		} else if f < best {
			continue
		}
		found = append(found, x)
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
	ids := make([]string, len(found))
	for i, x := range found {
		ids[i] = x.ID()
	}
	return nil, fmt.Errorf("%q is %s: expected an id", name, strings.Join(ids, " and "))
}

// takes says how well a path is of a form of changes that a resource has: 0 not at all, 1
// by a part that may be anything, 2 by its words.
func takes(x vpc.Resource, path string) int {
	best := 0
	for _, form := range Forms(x) {
		best = max(best, fits(form, path))
	}
	return best
}

// fits is takes for one form.
func fits(form, path string) int {
	form, _, _ = strings.Cut(form, "=")
	if form == "<attribute>" && (!strings.Contains(path, ".") || strings.Contains(path, "/")) {
		return 0
	}
	for i, part := range strings.Split(form, "/") {
		if strings.HasPrefix(part, "<") {
			return min(1+i, 2)
		}
		var head string
		if head, path, _ = strings.Cut(path, "/"); head != part {
			return 0
		}
	}
	return 2
}

// called reports whether a resource has a name: a Name tag, or that of a load balancer, a
// target group or a database.
func called(x vpc.Resource, name string) bool {
	if l, ok := x.(interface{ Label() string }); ok && l.Label() == name {
		return true
	}
	if l, ok := x.(interface{ GroupName() string }); ok && l.GroupName() == name {
		return true
	}
	l, ok := x.(interface{ Name() string })
	return ok && l.Name() == name
}

// named finds an object of a type; what says in an error what was expected.
func named[R vpc.Resource](w *world.World, name, what string) (R, error) {
	var none R
	x, err := object(w, name, is[R])
	if err != nil {
		return none, fmt.Errorf("%w; expected %s", err, what)
	}
	r, ok := x.(R)
	if !ok {
		return none, fmt.Errorf("%s is no %s", name, strings.TrimPrefix(strings.TrimPrefix(what, "a "), "an "))
	}
	return r, nil
}

// is says whether a resource is of a type: 1, or 0.
func is[R vpc.Resource](x vpc.Resource) int {
	if _, ok := x.(R); ok {
		return 1
	}
	return 0
}

// on reads on or off.
func (c Change) on() (bool, error) {
	switch c.Value {
	case "on", "true", "enable":
		return true, nil
	case "off", "false", "disable":
		return false, nil
	}
	return false, fmt.Errorf("%q: expected on or off", c.Value)
}

// turn calls on or off, as the change's value says.
func turn[X any](c Change, on, off func(X) error, x X) error {
	yes, err := c.on()
	switch {
	case err != nil:
		return err
	case yes:
		return on(x)
	}
	return off(x)
}
