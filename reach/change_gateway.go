package reach

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/endpoint"
	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/peering"
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/vgw"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpn"
	"github.com/vpcsim/vpcsim/world"
)

// attached is a gateway that is attached to a VPC and detached from it.
type attached interface {
	vpc.EdgeGateway
	Attach(v *vpc.VPC) error
	Detach(v *vpc.VPC) error
}

func (c Change) internet(w *world.World, g *igw.InternetGateway) error { return c.attach(w, g) }

func (c Change) private(w *world.World, g *vgw.VirtualPrivateGateway) error { return c.attach(w, g) }

// attach attaches a gateway to a VPC, or detaches it from the one that it has.
func (c Change) attach(w *world.World, g attached) error {
	if c.Path != "vpc" {
		return errForm
	}
	if c.Value == "none" {
		for _, v := range all[*vpc.VPC](w) {
			has := false
			v.Region().View(func(tx *vpc.Tx) { has = g.AttachedTo(tx) == v })
			if has {
				return g.Detach(v)
			}
		}
		return fmt.Errorf("%s is attached to no VPC", c.Object)
	}
	v, err := named[*vpc.VPC](w, c.Value, "a VPC")
	if err != nil {
		return err
	}
	return g.Attach(v)
}

func (c Change) nat(_ *world.World, g *natgw.NATGateway) error {
	if c.Path+"="+c.Value != "state=deleted" {
		return errForm
	}
	return g.Delete()
}

func (c Change) peering(_ *world.World, p *peering.Connection) error {
	switch c.Path + "=" + c.Value {
	case "state=active":
		return p.Accept()
	case "state=rejected":
		return p.Reject()
	case "state=deleted":
		return p.Delete()
	}
	return errForm
}

// endpoint changes an endpoint's state, the first two in the name of its service, or
// whether a route table leads to it.
func (c Change) endpoint(w *world.World, e *endpoint.Endpoint) error {
	if name, ok := strings.CutPrefix(c.Path, "route-table/"); ok {
		t, err := named[*vpc.RouteTable](w, name, "a route table")
		if err != nil {
			return err
		}
		return turn(c, func(t *vpc.RouteTable) error { return e.AddRouteTables(t) }, func(t *vpc.RouteTable) error { return e.RemoveRouteTables(t) }, t)
	}
	switch c.Path + "=" + c.Value {
	case "state=deleted":
		return e.Delete()
	case "state=available", "state=rejected":
		for _, s := range all[*endpoint.Service](w) {
			if s.ServiceName() != e.Service() {
				continue
			}
			if c.Value == "available" {
				return s.Accept(e)
			}
			return s.Reject(e)
		}
		return fmt.Errorf("the network has no service called %s, which would have to say so", e.Service())
	}
	return errForm
}

// transitTable changes a route of a transit gateway's table, or what propagates to it.
func (c Change) transitTable(w *world.World, t *tgw.RouteTable) error {
	if name, ok := strings.CutPrefix(c.Path, "propagation/"); ok {
		a, err := named[*tgw.Attachment](w, name, "an attachment of a transit gateway")
		if err != nil {
			return err
		}
		return turn(c, t.EnablePropagation, t.DisablePropagation, a)
	}
	dst, err := netip.ParsePrefix(c.Path)
	if err != nil {
		return fmt.Errorf("destination %q: expected a CIDR", c.Path)
	}
	var a *tgw.Attachment
	if c.Value != "none" && c.Value != "blackhole" {
		if a, err = named[*tgw.Attachment](w, c.Value, "an attachment of a transit gateway"); err != nil {
			return err
		}
	}
	there := slices.ContainsFunc(t.Routes(), func(r tgw.Route) bool { return r.Destination == dst.Masked() && !r.Propagated })
	switch {
	case c.Value == "none":
		return t.DeleteRoute(c.Path)
	case there && a != nil:
		return t.ReplaceRoute(c.Path, a)
	case a != nil:
		return t.CreateRoute(c.Path, a)
	case there:
		if err := t.DeleteRoute(c.Path); err != nil {
			return err
		}
	}
	return t.CreateBlackhole(c.Path)
}

// transit changes an option of a transit gateway.
func (c Change) transit(_ *world.World, g *tgw.TransitGateway) error {
	if c.Path != "security-group-referencing" {
		return errForm
	}
	on, err := c.on()
	if err != nil {
		return err
	}
	return g.SetSecurityGroupReferencing(on)
}

// attachment changes an attachment of a transit gateway.
func (c Change) attachment(w *world.World, a *tgw.Attachment) error {
	if name, ok := strings.CutPrefix(c.Path, "subnet/"); ok {
		s, err := named[*vpc.Subnet](w, name, "a subnet")
		if err != nil {
			return err
		}
		return turn(c, func(s *vpc.Subnet) error { return a.AddSubnets(s) }, a.RemoveSubnet, s)
	}
	switch c.Path {
	case "appliance-mode":
		on, err := c.on()
		if err != nil {
			return err
		}
		return a.SetApplianceMode(on)
	case "route-table":
		return c.associate(w, a)
	case "state":
		switch c.Value {
		case "available":
			return a.Accept()
		case "rejected":
			return a.Reject()
		case "deleted":
			return a.Delete()
		}
	}
	return errForm
}

// associate has a table route what enters by an attachment, in place of the one that it has.
func (c Change) associate(w *world.World, a *tgw.Attachment) error {
	var to *tgw.RouteTable
	var err error
	if c.Value != "none" {
		if to, err = named[*tgw.RouteTable](w, c.Value, "a route table of a transit gateway"); err != nil {
			return err
		}
	}
	if was := a.RouteTable(); was != nil && was != to {
		if err := was.Disassociate(a); err != nil {
			return err
		}
	} else if was == nil && to == nil {
		return fmt.Errorf("%s is associated with no route table", c.Object)
	}
	if to == nil {
		return nil
	}
	return to.Associate(a)
}

// vpn changes a tunnel of a VPN connection, or a static route.
func (c Change) vpn(_ *world.World, v *vpn.Connection) error {
	if number, ok := strings.CutPrefix(c.Path, "tunnel/"); ok {
		up := c.Value == "up"
		if number != "1" && number != "2" || !up && c.Value != "down" {
			return errForm
		}
		return v.SetTunnel(int(number[0]-'1'), up)
	}
	if _, err := netip.ParsePrefix(c.Path); err != nil {
		return errForm
	}
	return turn(c, v.CreateRoute, v.DeleteRoute, c.Path)
}

func (c Change) balancer(_ *world.World, l *balancer.LoadBalancer) error {
	return l.SetAttribute(c.Path, c.Value)
}

// targetGroup changes an attribute of a target group, or a target of it.
func (c Change) targetGroup(w *world.World, g *balancer.TargetGroup) error {
	name, ok := strings.CutPrefix(c.Path, "target/")
	if !ok {
		return g.SetAttribute(c.Path, c.Value)
	}
	t, err := target(w, name)
	if err != nil {
		return err
	}
	switch c.Value {
	case "on":
		if err := g.RegisterTargets(t); err != nil {
			return err
		}
		return g.SetHealth(t, balancer.Healthy)
	case "none":
		return g.DeregisterTargets(t)
	case "healthy":
		return g.SetHealth(t, balancer.Healthy)
	case "unhealthy":
		return g.SetHealth(t, balancer.Unhealthy)
	}
	return errForm
}

// target reads a target, the id or name of an instance or an address, and its port behind a
// colon; without one it is the group's.
func target(w *world.World, text string) (balancer.Target, error) {
	t := balancer.Target{ID: text}
	if i := strings.LastIndexByte(text, ':'); i >= 0 && !strings.HasPrefix(text, "arn:") {
		if _, err := netip.ParseAddr(text); err != nil { // no IPv6 address alone
			n, err := strconv.ParseUint(text[i+1:], 10, 16)
			if err != nil || n == 0 {
				return t, fmt.Errorf("target %q: expected a port of 1 to 65535 behind the colon", text)
			}
			t.ID, t.Port = strings.Trim(text[:i], "[]"), uint16(n)
		}
	}
	if _, err := netip.ParseAddr(t.ID); err == nil {
		return t, nil
	}
	x, err := object(w, t.ID, is[*vpc.Instance])
	if err != nil {
		return t, fmt.Errorf("%w; expected an instance, an address or a load balancer as a target", err)
	}
	t.ID = x.ID()
	return t, nil
}
