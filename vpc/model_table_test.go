package vpc_test

import (
	"strings"

	"github.com/vpcsim/vpcsim/vpc"
)

func (m *model) createTable() (want string, err error) {
	v := pick(m, m.vpcs)
	if v == nil {
		return "", nil
	}
	if v.gone {
		want = "InvalidVpcID.NotFound"
	}
	t, err := v.real.CreateRouteTable(vpc.RouteTableConfig{})
	if err == nil {
		m.tables = append(m.tables, &mTable{real: t, vpc: v, routes: map[string]mTarget{}})
	}
	return want, err
}

// serves reports whether the table is some subnet's own.
func (m *model) serves(t *mTable) bool {
	for _, s := range m.subnets {
		if !s.gone && s.own == t {
			return true
		}
	}
	return false
}

func (m *model) deleteTable() (want string, err error) {
	t := pick(m, m.tables)
	if t == nil {
		return "", nil
	}
	switch {
	case t.gone:
		want = "InvalidRouteTableID.NotFound"
	case t == t.vpc.main || t.edge != nil || m.serves(t):
		want = "DependencyViolation"
	}
	if err = t.real.Delete(); err == nil {
		t.gone = true
	}
	return want, err
}

func (m *model) associate() (want string, err error) {
	t, s := pick(m, m.tables), pick(m, m.subnets)
	if t == nil || s == nil {
		return "", nil
	}
	switch {
	case t.gone:
		want = "InvalidRouteTableID.NotFound"
	case s.gone:
		want = "InvalidSubnetID.NotFound"
	case s.vpc != t.vpc:
		want = "InvalidParameterValue"
	case s.own != nil && s.own != t:
		want = "Resource.AlreadyAssociated"
	}
	if err = t.real.Associate(s.real); err == nil {
		s.own = t
	}
	return want, err
}

func (m *model) disassociate() (want string, err error) {
	t := pick(m, m.tables)
	if t == nil {
		return "", nil
	}
	links := t.real.Associations()
	if len(links) == 0 {
		return "InvalidAssociationID.NotFound", m.region.DisassociateRouteTable("rtbassoc-0")
	}
	link := links[m.rng.IntN(len(links))]
	if link.Main {
		want = "InvalidParameterValue"
	}
	if err = m.region.DisassociateRouteTable(link.ID); err == nil {
		if link.Gateway != nil {
			t.edge = nil
		}
		for _, s := range m.subnets {
			if s.real == link.Subnet {
				s.own = nil
			}
		}
	}
	return want, err
}

// edgeTable is the table that is associated with the gateway, or nil.
func (m *model) edgeTable(g *mIGW) *mTable {
	for _, t := range m.tables {
		if !t.gone && t.edge == g {
			return t
		}
	}
	return nil
}

func (m *model) associateGateway() (want string, err error) {
	t, g := pick(m, m.tables), pick(m, m.igws)
	if t == nil || g == nil {
		return "", nil
	}
	was := m.edgeTable(g)
	switch {
	case t.gone:
		want = "InvalidRouteTableID.NotFound"
	case g.gone:
		want = "InvalidInternetGatewayID.NotFound"
	case g.at != t.vpc:
		want = "InvalidParameterValue"
	case was == t:
	case was != nil:
		want = "Resource.AlreadyAssociated"
	case t == t.vpc.main:
		want = "InvalidParameterValue"
	default:
		want = m.edgeRefusals(t, g)
	}
	if err = t.real.AssociateGateway(g.real); err == nil {
		t.edge = g
	}
	return want, err
}

// edgeRefusals are the codes that a table's routes may be refused with, one of which
// it is: which row is looked at first is not told.
func (m *model) edgeRefusals(t *mTable, g *mIGW) string {
	var codes []string
	for dst, target := range t.routes {
		if code := m.edgeRefusal(t, g, dst, target); code != "" {
			codes = append(codes, code)
		}
	}
	return strings.Join(codes, " ")
}

func (m *model) edgeRefusal(t *mTable, g *mIGW, dst string, target mTarget) string {
	switch x := target.(type) {
	case *mIGW:
		if x == g {
			return "RouteConflict"
		}
		return "RouteNotSupported"
	case *mNAT:
		return "RouteNotSupported"
	}
	return m.placeAtEdge(t.vpc, dst)
}

func (m *model) placeAtEdge(v *mVPC, dst string) string {
	if !v.holds(spanOf(dst)) {
		return "RouteNotSupported"
	}
	return m.exact(v, dst)
}

// exact refuses what is neither a CIDR of the VPC nor of a subnet.
func (m *model) exact(v *mVPC, dst string) string {
	for _, s := range m.subnets {
		if !s.gone && s.vpc == v && s.cidr == dst {
			return ""
		}
	}
	if v.is(dst) {
		return ""
	}
	return "InvalidParameterValue"
}

func (m *model) anyTarget() mTarget {
	switch m.rng.IntN(4) {
	case 0:
		if g := pick(m, m.igws); g != nil {
			return g
		}
	case 1:
		if n := pick(m, m.nats); n != nil {
			return n
		}
	case 2:
		if i := pick(m, m.instances); i != nil {
			return i
		}
	}
	if n := pick(m, m.nics); n != nil {
		return n
	}
	return nil
}

func (m *model) destination(v *mVPC) string {
	switch m.rng.IntN(4) {
	case 0:
		return pick(m, []string{"0.0.0.0/0", "198.51.100.0/24", "10.0.0.0/8", "172.16.0.0/12"})
	case 1:
		return pick(m, v.cidrs)
	case 2:
		if s := pick(m, m.subnets); s != nil {
			return s.cidr
		}
	}
	return m.block()
}

// resolve is what a table stores for a target, or the refusal.
func resolve(t *mTable, target mTarget) (mTarget, string) {
	nic, _ := target.(*mNIC)
	switch x := target.(type) {
	case nil:
		return nil, "MissingParameter"
	case *mIGW:
		if x.gone {
			return nil, "InvalidGatewayID.NotFound"
		}
		return x, ""
	case *mNAT:
		return x, ""
	case *mInstance:
		if len(x.nics) > 1 {
			return nil, "InvalidInstanceID"
		}
		if x.gone {
			return nil, "InvalidInstanceID.NotFound"
		}
		nic = x.nics[0]
	}
	if nic.gone {
		return nil, "InvalidNetworkInterfaceID.NotFound"
	}
	if nic.subnet.vpc != t.vpc {
		return nil, "InvalidParameterValue"
	}
	return nic, ""
}

// place is the refusal of a resolved target at a destination.
func (m *model) place(t *mTable, dst string, target mTarget) string {
	if t.edge != nil {
		if code := m.edgeRefusal(t, t.edge, dst, target); code != "" {
			return code
		}
	}
	if t.vpc.holds(spanOf(dst)) {
		if _, ok := target.(*mIGW); ok {
			return "InvalidParameterValue"
		}
		if code := m.exact(t.vpc, dst); code != "" {
			return code
		}
	}
	switch x := target.(type) {
	case *mIGW:
		if x.at != t.vpc {
			return "InvalidParameterValue"
		}
	case *mNAT:
		if x.gone || x.subnet.vpc != t.vpc {
			return "InvalidNatGatewayID.NotFound"
		}
	}
	return ""
}

// anyEdge returns a gateway's route table, nil where there is none.
func (m *model) anyEdge() *mTable {
	for _, t := range m.tables {
		if !t.gone && t.edge != nil {
			return t
		}
	}
	return nil
}

func (m *model) createRoute() (want string, err error) {
	t := pick(m, m.tables)
	if t == nil {
		return "", nil
	}
	dst, named := m.destination(t.vpc), m.anyTarget()
	if e := m.anyEdge(); e != nil && m.rng.IntN(3) == 0 {
		t, dst = e, m.destination(e.vpc)
		if m.rng.IntN(3) == 0 {
			named = e.edge
		}
	}
	stored, code := resolve(t, named)
	old, there := t.routes[dst]
	switch {
	case t.gone:
		want = "InvalidRouteTableID.NotFound"
	case code != "":
		want = code
	case there && old == stored:
	case there || t.vpc.is(dst):
		want = "RouteAlreadyExists"
	default:
		want = m.place(t, dst, stored)
	}
	if err = t.real.CreateRoute(dst, real(named)); err == nil {
		t.routes[dst] = stored
	}
	return want, err
}

// real is the target that a call is given, nil for none.
func real(target mTarget) vpc.Target {
	if target == nil {
		return nil
	}
	return target.target()
}

func (m *model) replaceRoute() (want string, err error) {
	t := pick(m, m.tables)
	if t == nil {
		return "", nil
	}
	dst := m.destination(t.vpc)
	_, there := t.routes[dst]
	if m.rng.IntN(4) == 0 {
		switch {
		case t.gone:
			want = "InvalidRouteTableID.NotFound"
		case !t.vpc.is(dst):
			want = "InvalidParameterValue"
		}
		if err = t.real.ReplaceRoute(dst, vpc.Local); err == nil {
			delete(t.routes, dst)
		}
		return want, err
	}
	named := m.anyTarget()
	stored, code := resolve(t, named)
	switch {
	case t.gone:
		want = "InvalidRouteTableID.NotFound"
	case code != "":
		want = code
	case !there && !t.vpc.is(dst):
		want = "InvalidParameterValue"
	default:
		want = m.place(t, dst, stored)
	}
	if err = t.real.ReplaceRoute(dst, real(named)); err == nil {
		t.routes[dst] = stored
	}
	return want, err
}

func (m *model) deleteRoute() (want string, err error) {
	t := pick(m, m.tables)
	if t == nil {
		return "", nil
	}
	dst := m.destination(t.vpc)
	_, there := t.routes[dst]
	switch {
	case t.gone:
		want = "InvalidRouteTableID.NotFound"
	case t.vpc.is(dst):
		want = "InvalidParameterValue"
	case !there:
		want = "InvalidRoute.NotFound"
	}
	if err = t.real.DeleteRoute(dst); err == nil {
		delete(t.routes, dst)
	}
	return want, err
}
