package main

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/vgw"
	"github.com/vpcsim/vpcsim/vpc"
)

// row is a row of S000's table, and what packets made of it.
type row struct {
	kind                    string
	groups, check           bool
	subnet, gateway         answer
	subnetPush, gatewayPush push
	own                     string // what a connection to its own address came to
}

// table tries every kind of interface.
func (l *lab) table() ([]row, error) {
	var rows []row
	for _, k := range l.kinds {
		r, err := l.row(k)
		if err != nil {
			return nil, err
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// row tries one kind.
func (l *lab) row(k kind) (row, error) {
	d, err := l.describe(k.nic)
	if err != nil {
		return row{}, err
	}
	r := row{kind: k.of, groups: len(d.Groups) > 0, check: *d.SourceDestCheck}
	if k.port != 0 {
		r.own = "answers"
		c, err := l.server.Dial(netip.AddrPortFrom(k.nic.PrivateIP(), k.port))
		if err != nil {
			return row{}, err
		}
		c.Close()
	}
	if r.subnet, err = try(l.routes, outside, k.nic, func() { r.subnetPush = l.push(l.server, l.user) }); err != nil {
		return row{}, err
	}
	r.gateway, err = try(l.edge, appNet, k.nic, func() { r.gatewayPush = l.push(l.user, l.server) })
	return r, err
}

// checked tries the interface that is nobody's with its source/dest check on.
func (l *lab) checked() (row, error) {
	k := l.kinds[5]
	if err := k.nic.SetSourceDestCheck(true); err != nil {
		return row{}, err
	}
	r, err := l.row(k)
	return r, errors.Join(err, k.nic.SetSourceDestCheck(false))
}

// try creates a route, and where it is accepted does something and deletes it again.
func try(t *vpc.RouteTable, destination string, n *vpc.NetworkInterface, do func()) (answer, error) {
	refusal, err := refused(t.CreateRoute(destination, n))
	if refusal != nil || err != nil {
		return answer{refusal: refusal}, err
	}
	for _, r := range t.Routes() {
		if r.Destination.String() == destination {
			do()
			return answer{target: r.Target, state: r.State}, t.DeleteRoute(destination)
		}
	}
	return answer{}, fmt.Errorf("route to %s: accepted, but not listed", destination)
}

// push sends one echo request from one host to the other's public address.
func (l *lab) push(from, to *host.Host) push {
	dst := to.Addr()
	if to == l.server {
		dst = l.app.PublicIP()
	}
	walks := l.world.Trace()
	walks.Clear()
	from.Ping(dst, host.PingConfig{})
	first := walks.Walks()[0]
	story := walks.Story(first.ID)
	p := push{end: story.End(), story: story}
	for _, w := range story {
		if w.End().IsDrop() {
			p.where = w.Where
			break
		}
	}
	return p
}

// refusal is a call that AWS refuses.
type refusal struct {
	what string
	err  error
}

// refusals are the others of S000 and, of associations, of S001.
func (l *lab) refusals() ([]refusal, error) {
	alone, classic := l.kinds[5].nic, l.kinds[0].nic
	v := l.services.VPC()
	private, err := vgw.Create(l.region, vgw.Config{Name: "vgw"})
	if err != nil {
		return nil, err
	}
	learns, err := v.CreateRouteTable(vpc.RouteTableConfig{Name: "learning table"})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(private.Attach(v), learns.EnablePropagation(private)); err != nil {
		return nil, err
	}
	return []refusal{
		{"a gateway's table, the target a NAT gateway", l.edge.CreateRoute(appNet, l.nat)},
		{"a gateway's table, the target that very gateway", l.edge.CreateRoute(appNet, l.gateway)},
		{"a gateway's table, a destination outside the VPC", l.edge.CreateRoute(outside, alone)},
		{"a gateway's table, a destination that is no subnet's", l.edge.CreateRoute("10.0.9.0/24", alone)},
		{"associating a table that leads to an internet gateway with a virtual private gateway", l.routes.AssociateGateway(private)},
		{"associating a table with propagation with a virtual private gateway", learns.AssociateGateway(private)},
		{"turning off the source/dest check of a Classic LB's interface", classic.SetSourceDestCheck(false)},
	}, nil
}

// narrow creates a route of a subnet's table to a subnet, and deletes it again.
func (l *lab) narrow() error {
	if err := l.routes.CreateRoute(serviceNet, l.kinds[5].nic); err != nil {
		return err
	}
	return l.routes.DeleteRoute(serviceNet)
}
