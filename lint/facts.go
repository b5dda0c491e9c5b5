package lint

import (
	"net/netip"
	"slices"

	"github.com/vpcsim/vpcsim/endpoint"
	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/peering"
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/vpc"
)

// facts are the resources of all regions.
type facts struct {
	regions     []*vpc.Region
	vpcs        []*vpc.VPC
	subnets     []*vpc.Subnet
	tables      []*vpc.RouteTable
	acls        []*vpc.NetworkACL
	groups      []*vpc.SecurityGroup
	nics        []*vpc.NetworkInterface
	instances   []*vpc.Instance
	addresses   []*vpc.Address
	igws        []*igw.InternetGateway
	nats        []*natgw.NATGateway
	peerings    []*peering.Connection
	attachments []*tgw.Attachment
	transit     []*tgw.RouteTable
	endpoints   []*endpoint.Endpoint

	hosts []*vpc.NetworkInterface // primary interfaces of running instances
}

func gather(regions []*vpc.Region) *facts {
	f := &facts{regions: regions}
	for _, r := range regions {
		r.View(func(tx *vpc.Tx) {
			f.vpcs = append(f.vpcs, vpc.Resources[*vpc.VPC](tx)...)
			f.subnets = append(f.subnets, vpc.Resources[*vpc.Subnet](tx)...)
			f.tables = append(f.tables, vpc.Resources[*vpc.RouteTable](tx)...)
			f.acls = append(f.acls, vpc.Resources[*vpc.NetworkACL](tx)...)
			f.groups = append(f.groups, vpc.Resources[*vpc.SecurityGroup](tx)...)
			f.nics = append(f.nics, vpc.Resources[*vpc.NetworkInterface](tx)...)
			f.instances = append(f.instances, vpc.Resources[*vpc.Instance](tx)...)
			f.addresses = append(f.addresses, vpc.Resources[*vpc.Address](tx)...)
			f.igws = append(f.igws, vpc.Resources[*igw.InternetGateway](tx)...)
			f.nats = append(f.nats, vpc.Resources[*natgw.NATGateway](tx)...)
			f.peerings = append(f.peerings, vpc.Resources[*peering.Connection](tx)...)
			f.attachments = append(f.attachments, vpc.Resources[*tgw.Attachment](tx)...)
			f.transit = append(f.transit, vpc.Resources[*tgw.RouteTable](tx)...)
			f.endpoints = append(f.endpoints, vpc.Resources[*endpoint.Endpoint](tx)...)
		})
	}
	for _, i := range f.instances {
		if n := i.Interface(); n != nil && i.State() == vpc.Running {
			f.hosts = append(f.hosts, n)
		}
	}
	return f
}

// hostsIn returns the hosts of a subnet.
func (f *facts) hostsIn(s *vpc.Subnet) []*vpc.NetworkInterface {
	return keep(f.hosts, func(n *vpc.NetworkInterface) bool { return n.Subnet() == s })
}

// subnetsOf returns the subnets that use a table.
func (f *facts) subnetsOf(t *vpc.RouteTable) []*vpc.Subnet {
	return keep(f.subnets, func(s *vpc.Subnet) bool { return s.RouteTable() == t })
}

func keep[T any](all []T, want func(T) bool) []T {
	return slices.DeleteFunc(slices.Clone(all), func(x T) bool { return !want(x) })
}

// all4 is every IPv4 address, all6 every IPv6 address.
var (
	all4 = netip.MustParsePrefix("0.0.0.0/0")
	all6 = netip.MustParsePrefix("::/0")
)

// routeTo returns the route of a table with exactly the destination.
func routeTo(t *vpc.RouteTable, dst netip.Prefix) (vpc.Route, bool) {
	for _, r := range t.Routes() {
		if r.PrefixList == nil && r.Destination == dst {
			return r, true
		}
	}
	return vpc.Route{}, false
}

// toGateway reports whether a table has a route to dst by a target of the type.
func toGateway[T vpc.Target](t *vpc.RouteTable, dst netip.Prefix) bool {
	r, ok := routeTo(t, dst)
	if !ok {
		return false
	}
	_, is := r.Target.(T)
	return is
}

// isLocal reports whether a route stays in the VPC by AWS's own route.
func isLocal(r vpc.Route) bool { return r.Target == vpc.Local }

// isPublic reports whether a subnet's table leads to an internet gateway.
func isPublic(s *vpc.Subnet) bool { return toGateway[*igw.InternetGateway](s.RouteTable(), all4) }

// ownTable reports whether a subnet has a table of its own, and not the main one.
func (f *facts) ownTable(s *vpc.Subnet) bool {
	return slices.ContainsFunc(s.RouteTable().Associations(), func(a vpc.RouteTableAssociation) bool { return a.Subnet == s })
}

// joined says how two VPCs are joined: "" for not at all.
func (f *facts) joined(a, b *vpc.VPC) string {
	for _, p := range f.peerings {
		if p.State() == "active" && (p.Requester() == a && p.Accepter() == b || p.Requester() == b && p.Accepter() == a) {
			return "peering"
		}
	}
	for _, x := range f.attachments {
		for _, y := range f.attachments {
			if x.VPC() == a && y.VPC() == b && x.Gateway() == y.Gateway() {
				return "transit"
			}
		}
	}
	return ""
}

// publicOf returns the first public address of an interface, invalid where it has none.
func publicOf(n *vpc.NetworkInterface) netip.Addr {
	for _, a := range n.PrivateAddresses() {
		if a.Public.IsValid() {
			return a.Public
		}
	}
	return netip.Addr{}
}

// holds reports whether an address is in a CIDR of the VPC.
func holds(v *vpc.VPC, a netip.Addr) bool {
	return slices.ContainsFunc(v.CIDRs(), func(p netip.Prefix) bool { return p.Contains(a) })
}
