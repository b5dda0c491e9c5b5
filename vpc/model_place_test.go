package vpc_test

import (
	"net/netip"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/vpc"
)

func (m *model) createVPC() (want string, err error) {
	cidr := pick(m, blocks)
	alive := 0
	for _, v := range m.vpcs {
		if !v.gone {
			alive++
		}
	}
	switch size := spanOf(cidr).size(); {
	case size > 1<<16 || size < 1<<4:
		want = "InvalidVpc.Range"
	case alive >= 5:
		want = "VpcLimitExceeded"
	}
	v, err := m.region.CreateVPC(cidr, vpc.VPCConfig{})
	if err == nil {
		made := &mVPC{real: v, cidrs: []string{cidr}}
		made.main = &mTable{real: v.MainRouteTable(), vpc: made, routes: map[string]mTarget{}}
		m.vpcs, m.tables = append(m.vpcs, made), append(m.tables, made.main)
	}
	return want, err
}

func (m *model) deleteVPC() (want string, err error) {
	v := pick(m, m.vpcs)
	if v == nil {
		return "", nil
	}
	busy := false
	for _, s := range m.subnets {
		busy = busy || !s.gone && s.vpc == v
	}
	for _, t := range m.tables {
		busy = busy || !t.gone && t.vpc == v && t != v.main
	}
	for _, g := range m.igws {
		busy = busy || !g.gone && g.at == v
	}
	switch {
	case v.gone:
		want = "InvalidVpcID.NotFound"
	case busy:
		want = "DependencyViolation"
	}
	if err = v.real.Delete(); err == nil {
		v.gone, v.main.gone = true, true
	}
	return want, err
}

// associateCIDR knows the ranges of 10.0.0.0/8 alone.
func (m *model) associateCIDR() (want string, err error) {
	v, cidr := pick(m, m.vpcs), pick(m, blocks)
	if v == nil {
		return "", nil
	}
	s, low := spanOf(cidr), false
	for _, c := range v.cidrs {
		low = low || spanOf("10.0.0.0/15").holds(spanOf(c))
	}
	bad := s.size() > 1<<16 || s.size() < 1<<4 || low && cidr == "10.0.0.0/16"
	for _, c := range v.cidrs {
		bad = bad || spanOf(c).overlaps(s) && len(v.cidrs) < 5
	}
	for _, t := range m.tables {
		for dst := range t.routes {
			bad = bad || !t.gone && t.vpc == v && s.holds(spanOf(dst)) && len(v.cidrs) < 5
		}
	}
	switch {
	case v.gone:
		want = "InvalidVpcID.NotFound"
	case bad:
		want = "InvalidVpc.Range"
	case len(v.cidrs) >= 5:
		want = "CidrLimitExceeded"
	}
	if err = v.real.AssociateCIDR(cidr); err == nil {
		v.cidrs = append(v.cidrs, cidr)
	}
	return want, err
}

func (m *model) createSubnet() (want string, err error) {
	v, cidr := pick(m, m.vpcs), m.block()
	if v == nil {
		return "", nil
	}
	s, conflict := spanOf(cidr), false
	for _, o := range m.subnets {
		conflict = conflict || !o.gone && o.vpc == v && spanOf(o.cidr).overlaps(s)
	}
	switch {
	case v.gone:
		want = "InvalidVpcID.NotFound"
	case s.size() < 1<<4 || !v.holds(s):
		want = "InvalidSubnet.Range"
	case conflict:
		want = "InvalidSubnet.Conflict"
	}
	made, err := v.real.CreateSubnet(cidr, vpc.SubnetConfig{})
	if err == nil {
		m.subnets = append(m.subnets, &mSubnet{real: made, vpc: v, cidr: cidr})
	}
	return want, err
}

// used are the addresses of the subnet that somebody has.
func (m *model) used(s *mSubnet) map[uint64]bool {
	used := map[uint64]bool{}
	for _, n := range m.nics {
		if !n.gone && n.subnet == s {
			used[n.addr] = true
		}
	}
	for _, n := range m.nats {
		if !n.gone && n.subnet == s {
			used[n.addr] = true
		}
	}
	return used
}

func (m *model) deleteSubnet() (want string, err error) {
	s := pick(m, m.subnets)
	if s == nil {
		return "", nil
	}
	switch {
	case s.gone:
		want = "InvalidSubnetID.NotFound"
	case len(m.used(s)) > 0:
		want = "DependencyViolation"
	}
	if err = s.real.Delete(); err == nil {
		s.gone = true
	}
	return want, err
}

// address is the refusal of an address in a subnet and the address that is got; want
// is 0 for a free one.
func (m *model) address(s *mSubnet, wanted uint64) (code string, addr uint64) {
	in, used := spanOf(s.cidr), m.used(s)
	switch {
	case s.gone:
		return "InvalidSubnetID.NotFound", 0
	case wanted == 0:
		for a := in.first + 4; a < in.last; a++ {
			if !used[a] {
				return "", a
			}
		}
		return "InsufficientFreeAddressesInSubnet", 0
	case !in.has(wanted) || wanted < in.first+4 || wanted == in.last:
		return "InvalidParameterValue", 0
	case used[wanted]:
		return "InvalidIPAddress.InUse", 0
	}
	return "", wanted
}

// wish draws an address to ask for: a free one, as a rule, or one that may be refused.
func (m *model) wish(s *mSubnet) (uint64, netip.Addr) {
	if m.rng.IntN(2) == 0 {
		return 0, netip.Addr{}
	}
	in := spanOf(s.cidr)
	n := m.rng.Uint64N(20)
	if m.rng.IntN(4) == 0 {
		n = in.size() - 2 + m.rng.Uint64N(3)
	}
	return in.first + n, in.addr(n)
}

func (m *model) createNIC() (want string, err error) {
	s := pick(m, m.subnets)
	if s == nil {
		return "", nil
	}
	number, wish := m.wish(s)
	want, a := m.address(s, number)
	n, err := s.real.CreateNetworkInterface(vpc.NetworkInterfaceConfig{PrivateIP: wish})
	if err == nil {
		m.nics = append(m.nics, m.nic(n, s, a))
	}
	return want, err
}

func (m *model) nic(real *vpc.NetworkInterface, s *mSubnet, a uint64) *mNIC {
	require.Equal(m.t, a, number(real.PrivateIP()), "the lowest free address")
	return &mNIC{real: real, subnet: s, addr: a}
}

func (m *model) deleteNIC() (want string, err error) {
	n := pick(m, m.nics)
	if n == nil {
		return "", nil
	}
	switch {
	case n.gone:
		want = "InvalidNetworkInterfaceID.NotFound"
	case n.on != nil:
		want = "InvalidParameterValue"
	}
	if err = n.real.Delete(); err == nil {
		m.drop(n)
	}
	return want, err
}

func (m *model) drop(n *mNIC) {
	n.gone = true
	if n.public != nil {
		n.public.on, n.public = nil, nil
	}
}

func (m *model) run() (want string, err error) {
	s := pick(m, m.subnets)
	if s == nil {
		return "", nil
	}
	number, wish := m.wish(s)
	want, a := m.address(s, number)
	i, err := s.real.RunInstance(vpc.InstanceConfig{Interface: vpc.NetworkInterfaceConfig{PrivateIP: wish}})
	if err == nil {
		n := m.nic(i.Interface(), s, a)
		n.on = &mInstance{real: i, nics: []*mNIC{n}}
		m.nics, m.instances = append(m.nics, n), append(m.instances, n.on)
	}
	return want, err
}

func (m *model) attach() (want string, err error) {
	i, n := pick(m, m.instances), pick(m, m.nics)
	if i == nil || n == nil {
		return "", nil
	}
	switch {
	case n.gone:
		want = "InvalidNetworkInterfaceID.NotFound"
	case n.on != nil:
		want = "InvalidNetworkInterface.InUse"
	case i.gone:
		want = "IncorrectInstanceState"
	}
	if err = i.real.Attach(n.real); err == nil {
		n.on, i.nics = i, append(i.nics, n)
	}
	return want, err
}

func (m *model) detach() (want string, err error) {
	i, n := pick(m, m.instances), pick(m, m.nics)
	if i == nil || n == nil {
		return "", nil
	}
	if n.on != nil && m.rng.IntN(4) > 0 {
		i = n.on
	}
	switch {
	case n.gone:
		want = "InvalidNetworkInterfaceID.NotFound"
	case n.on != i:
		want = "InvalidAttachmentID.NotFound"
	case i.nics[0] == n:
		want = "OperationNotPermitted"
	}
	if err = i.real.Detach(n.real); err == nil {
		i.loosen(n)
	}
	return want, err
}

func (i *mInstance) loosen(n *mNIC) {
	n.on = nil
	var left []*mNIC
	for _, o := range i.nics {
		if o != n {
			left = append(left, o)
		}
	}
	i.nics = left
}

func (m *model) terminate() (string, error) {
	i := pick(m, m.instances)
	if i == nil {
		return "", nil
	}
	err := i.real.Terminate()
	if !i.gone {
		for k, n := range i.nics {
			n.on = nil
			if k == 0 {
				m.drop(n)
			}
		}
		i.gone, i.nics = true, nil
	}
	return "", err
}
