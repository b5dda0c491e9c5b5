package vpc_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/clock"
	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/vpc"
)

// The model keeps every resource in a plain list, deleted ones too, and answers
// each call by looking through all of it. It shares no code with the region: a CIDR
// is a first and a last address, as numbers.

type span struct{ first, last uint64 }

func spanOf(s string) span {
	p := netip.MustParsePrefix(s)
	b := p.Masked().Addr().As4()
	first := uint64(binary.BigEndian.Uint32(b[:]))
	return span{first, first + 1<<(32-p.Bits()) - 1}
}

func (s span) size() uint64         { return s.last - s.first + 1 }
func (s span) holds(o span) bool    { return s.first <= o.first && o.last <= s.last }
func (s span) overlaps(o span) bool { return s.first <= o.last && o.first <= s.last }
func (s span) has(a uint64) bool    { return s.first <= a && a <= s.last }
func (s span) addr(n uint64) netip.Addr {
	v := s.first + n
	return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
}

func number(a netip.Addr) uint64 {
	b := a.As4()
	return uint64(binary.BigEndian.Uint32(b[:]))
}

type (
	mVPC struct {
		real  *vpc.VPC
		gone  bool
		cidrs []string
		main  *mTable
	}
	mSubnet struct {
		real *vpc.Subnet
		gone bool
		vpc  *mVPC
		cidr string
		own  *mTable
	}
	mTable struct {
		real   *vpc.RouteTable
		gone   bool
		vpc    *mVPC
		routes map[string]mTarget // static, and replaced local ones
		edge   *mIGW
	}
	mTarget interface {
		target() vpc.Target
	}
	mIGW struct {
		real *igw.InternetGateway
		gone bool
		at   *mVPC
	}
	mNAT struct {
		real   *natgw.NATGateway
		gone   bool
		subnet *mSubnet
		addr   uint64
	}
	mNIC struct {
		real   *vpc.NetworkInterface
		gone   bool
		subnet *mSubnet
		addr   uint64
		on     *mInstance
		public *mEIP
	}
	mInstance struct {
		real *vpc.Instance
		gone bool
		nics []*mNIC
	}
	mEIP struct {
		real *vpc.Address
		gone bool
		on   *mNIC
	}
)

func (g *mIGW) target() vpc.Target      { return g.real }
func (g *mNAT) target() vpc.Target      { return g.real }
func (n *mNIC) target() vpc.Target      { return n.real }
func (i *mInstance) target() vpc.Target { return i.real }

type model struct {
	t         *testing.T
	rng       *rand.Rand
	region    *vpc.Region
	live      *vpc.Live
	vpcs      []*mVPC
	subnets   []*mSubnet
	tables    []*mTable
	igws      []*mIGW
	nats      []*mNAT
	nics      []*mNIC
	instances []*mInstance
	eips      []*mEIP
}

// pick draws one of a list, the zero value where it is empty; late ones more often.
func pick[T any](m *model, list []T) (x T) {
	if len(list) == 0 {
		return x
	}
	n := m.rng.IntN(len(list))
	if m.rng.IntN(3) > 0 {
		n = max(n, m.rng.IntN(len(list)))
	}
	return list[n]
}

var (
	blocks  = []string{"10.0.0.0/16", "10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16", "10.4.0.0/20", "10.0.0.0/8", "10.9.0.0/29", "10.0.0.0/17"}
	ranges4 = []string{"24", "24", "24", "25", "23", "28", "16", "29"}
)

// block draws a CIDR within the first VPC blocks, or nearly.
func (m *model) block() string {
	bits := pick(m, ranges4)
	return netip.MustParsePrefix(fmt.Sprintf("10.%d.%d.%d/%s", m.rng.IntN(4), m.rng.IntN(3), m.rng.IntN(2)*128, bits)).Masked().String()
}

func (v *mVPC) holds(s span) bool {
	for _, c := range v.cidrs {
		if spanOf(c).holds(s) {
			return true
		}
	}
	return false
}

func (v *mVPC) is(cidr string) bool {
	for _, c := range v.cidrs {
		if c == cidr {
			return true
		}
	}
	return false
}

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

// calls are the model's calls, by name; those that build stand more than once.
func (m *model) calls() map[string]func() (string, error) {
	return map[string]func() (string, error){
		"CreateVpc": m.createVPC, "DeleteVpc": m.deleteVPC, "AssociateVpcCidrBlock": m.associateCIDR,
		"CreateSubnet": m.createSubnet, "CreateSubnet again": m.createSubnet, "DeleteSubnet": m.deleteSubnet,
		"CreateNetworkInterface": m.createNIC, "DeleteNetworkInterface": m.deleteNIC,
		"RunInstances": m.run, "TerminateInstances": m.terminate, "AttachNetworkInterface": m.attach, "DetachNetworkInterface": m.detach,
		"CreateRouteTable": m.createTable, "DeleteRouteTable": m.deleteTable, "AssociateRouteTable": m.associate,
		"AssociateRouteTable with a gateway": m.associateGateway, "DisassociateRouteTable": m.disassociate,
		"CreateRoute": m.createRoute, "CreateRoute again": m.createRoute, "CreateRoute once more": m.createRoute,
		"ReplaceRoute": m.replaceRoute, "DeleteRoute": m.deleteRoute,
		"CreateInternetGateway": m.createIGW, "AttachInternetGateway": m.attachIGW, "DetachInternetGateway": m.detachIGW, "DeleteInternetGateway": m.deleteIGW,
		"CreateNatGateway": m.createNAT, "DeleteNatGateway": m.deleteNAT,
		"AllocateAddress": m.allocate, "AssociateAddress": m.associateEIP, "ReleaseAddress": m.releaseEIP,
	}
}

func newModel(t *testing.T, seed uint64) *model {
	m := &model{t: t, rng: rand.New(rand.NewPCG(seed, 7)), region: vpc.NewRegion(vpc.RegionConfig{Seed: seed, Zones: []string{"us-east-1a"}})}
	m.live = vpc.NewLive(m.region, &dataplane.Engine{Clock: &clock.Clock{}}, vpc.LiveConfig{})
	return m
}

// newModelOf is a model that knows nothing but compiles the region.
func newModelOf(t *testing.T, r *vpc.Region) *model {
	return &model{t: t, region: r, live: vpc.NewLive(r, &dataplane.Engine{Clock: &clock.Clock{}}, vpc.LiveConfig{})}
}
