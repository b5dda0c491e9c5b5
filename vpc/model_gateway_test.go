package vpc_test

import (
	"net/netip"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/vpc"
)

func (m *model) createIGW() (want string, err error) {
	alive := 0
	for _, g := range m.igws {
		if !g.gone {
			alive++
		}
	}
	if alive >= 5 {
		want = "InternetGatewayLimitExceeded"
	}
	g, err := igw.Create(m.region, igw.Config{})
	if err == nil {
		m.igws = append(m.igws, &mIGW{real: g})
	}
	return want, err
}

func (m *model) attachIGW() (want string, err error) {
	g, v := pick(m, m.igws), pick(m, m.vpcs)
	if g == nil || v == nil {
		return "", nil
	}
	taken := false
	for _, o := range m.igws {
		taken = taken || !o.gone && o.at == v
	}
	switch {
	case g.gone:
		want = "InvalidInternetGatewayID.NotFound"
	case v.gone:
		want = "InvalidVpcID.NotFound"
	case g.at != nil:
		want = "Resource.AlreadyAssociated"
	case taken:
		want = "InvalidParameterValue"
	}
	if err = g.real.Attach(v.real); err == nil {
		g.at = v
	}
	return want, err
}

func (m *model) detachIGW() (want string, err error) {
	g, v := pick(m, m.igws), pick(m, m.vpcs)
	if g == nil || v == nil {
		return "", nil
	}
	if g.at != nil && m.rng.IntN(3) > 0 {
		v = g.at
	}
	mapped := false
	for _, e := range m.eips {
		mapped = mapped || e.on != nil && e.on.subnet.vpc == v
	}
	switch {
	case g.gone:
		want = "InvalidInternetGatewayID.NotFound"
	case v.gone:
		want = "InvalidVpcID.NotFound"
	case g.at != v:
		want = "Gateway.NotAttached"
	case mapped:
		want = "DependencyViolation"
	}
	if err = g.real.Detach(v.real); err == nil {
		if t := m.edgeTable(g); t != nil {
			t.edge = nil
		}
		g.at = nil
	}
	return want, err
}

func (m *model) deleteIGW() (want string, err error) {
	g := pick(m, m.igws)
	if g == nil {
		return "", nil
	}
	switch {
	case g.gone:
		want = "InvalidInternetGatewayID.NotFound"
	case g.at != nil:
		want = "DependencyViolation"
	}
	if err = g.real.Delete(); err == nil {
		g.gone = true
	}
	return want, err
}

func (m *model) createNAT() (want string, err error) {
	s := pick(m, m.subnets)
	if s == nil {
		return "", nil
	}
	alive := 0
	for _, n := range m.nats {
		if !n.gone {
			alive++
		}
	}
	code, a := m.address(s, 0)
	switch {
	case s.gone:
		want = code
	case alive >= 5:
		want = "NatGatewayLimitExceeded"
	}
	g, err := natgw.Create(s.real, natgw.Config{Private: true})
	if err == nil {
		made := &mNAT{real: g, subnet: s, addr: a, gone: code != ""}
		if code == "" {
			require.Equal(m.t, a, number(g.PrivateIP()))
		}
		m.nats = append(m.nats, made)
	}
	return want, err
}

func (m *model) deleteNAT() (want string, err error) {
	n := pick(m, m.nats)
	if n == nil {
		return "", nil
	}
	if state, _, _ := n.real.State(); state == natgw.Deleted {
		want = "NatGatewayNotFound"
	}
	if err = n.real.Delete(); err == nil {
		n.gone = true
	}
	return want, err
}

func (m *model) allocate() (want string, err error) {
	alive := 0
	for _, e := range m.eips {
		if !e.gone {
			alive++
		}
	}
	if alive >= 5 {
		want = "AddressLimitExceeded"
	}
	e, err := m.region.AllocateAddress(vpc.AddressConfig{})
	if err == nil {
		m.eips = append(m.eips, &mEIP{real: e})
	}
	return want, err
}

func (m *model) associateEIP() (want string, err error) {
	e, n, again := pick(m, m.eips), pick(m, m.nics), m.rng.IntN(2) == 0
	if e == nil || n == nil {
		return "", nil
	}
	reachable := false
	for _, g := range m.igws {
		reachable = reachable || !g.gone && g.at == n.subnet.vpc
	}
	switch {
	case e.gone:
		want = "InvalidAllocationID.NotFound"
	case n.gone:
		want = "InvalidNetworkInterfaceID.NotFound"
	case !reachable:
		want = "Gateway.NotAttached"
	case e.on != nil && e.on != n && !again:
		want = "Resource.AlreadyAssociated"
	}
	if err = e.real.AssociatePrivateIP(n.real, netip.Addr{}, again); err == nil {
		if e.on != nil {
			e.on.public = nil
		}
		if n.public != nil {
			n.public.on = nil
		}
		e.on, n.public = n, e
	}
	return want, err
}

func (m *model) releaseEIP() (want string, err error) {
	e := pick(m, m.eips)
	if e == nil {
		return "", nil
	}
	if m.rng.IntN(2) == 0 {
		switch {
		case e.gone:
			want = "InvalidAllocationID.NotFound"
		case e.on == nil:
			want = "InvalidAssociationID.NotFound"
		}
		if err = e.real.Disassociate(); err == nil {
			e.on.public, e.on = nil, nil
		}
		return want, err
	}
	switch {
	case e.gone:
		want = "InvalidAllocationID.NotFound"
	case e.on != nil:
		want = "InvalidIPAddress.InUse"
	}
	if err = e.real.Release(); err == nil {
		e.gone = true
	}
	return want, err
}
