package vpc_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

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
