package fidelity_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
)

// ingress is S001's network (F1): what comes from the internet for the application
// is led through an appliance by a gateway route table, and back by its subnet's.
type ingress struct {
	*net
	appSubnet, fwSubnet *subnet
	app, fw, user       *guest
	edge                *vpc.RouteTable
}

const (
	app6 = "2001:db8:0:1a01::10"
	fw6  = "2001:db8:0:1a02::20"
)

// newIngress makes the network with IPv6 beside IPv4; the gateway route table is
// there, and associated by redirect.
func newIngress(t *testing.T, fw machine) *ingress {
	t.Helper()
	n := newNet(t, vpc6)
	f := &ingress{net: n, appSubnet: n.subnet("app", "10.0.1.0/24"), fwSubnet: n.subnet("fw", "10.0.2.0/24")}
	fw.addr, fw.addr6 = "10.0.2.20", fw6
	f.app = f.appSubnet.launch("app", machine{addr: "10.0.1.10", addr6: app6, public: "203.0.113.10"})
	f.fw = f.fwSubnet.launch("fw", fw)
	f.user = n.internet("user", "198.51.100.7", "2001:db8:f::7")
	f.appSubnet.route("0.0.0.0/0", f.fw.nic).route("::/0", f.fw.nic)
	f.fwSubnet.route("0.0.0.0/0", n.igw).route("::/0", n.igw)
	var err error
	f.edge, err = n.vpc.CreateRouteTable(vpc.RouteTableConfig{Name: "edge table"})
	n.must(err, f.edge.CreateRoute("10.0.1.0/24", f.fw.nic))
	return f
}

func appliance() machine {
	return machine{public: "203.0.113.20", noCheck: true, linux: host.Config{Forwarding: true}}
}

func (f *ingress) redirect() *ingress {
	f.t.Helper()
	f.must(f.edge.AssociateGateway(f.igw))
	return f
}

func TestIngressRouting(t *testing.T) {
	t.Run("C026 without a gateway route table the implied one delivers to the application", func(t *testing.T) {
		f := newIngress(t, appliance())
		f.must(f.appSubnet.table.ReplaceRoute("0.0.0.0/0", f.igw))
		walks := f.reaches(f.user, f.app.public)
		require.Len(t, walks, 2)
		require.Equal(t, f.app.addr, flowAt(walks[0], "igw inbound").Dst.Netip())
		require.Equal(t, []string{"igw inbound", "vpc router", "app arrival", "app in"}, only(nodes(walks[0]), "igw inbound", "igw edge", "vpc router", "app arrival", "app in", "fw in"))
	})
	t.Run("C027 with one the translation comes first, and then the appliance", func(t *testing.T) {
		f := newIngress(t, appliance()).redirect()
		walks := f.reaches(f.user, f.app.public)
		require.Len(t, walks, 4)
		require.Equal(t, []string{"igw inbound", "igw edge", "fw arrival", "fw in", "fw"}, only(nodes(walks[0]), "igw inbound", "igw edge", "vpc router", "fw arrival", "fw in", "fw"))
		require.Equal(t, f.app.addr, flowAt(walks[0], "igw inbound").Dst.Netip())
		require.Equal(t, []string{"edge table: 10.0.1.0/24 -> fw"}, routed(walks[0]))
		require.Equal(t, trace.Forwarded, walks[0].End())
		require.Equal(t, []string{"fw table: 10.0.0.0/16 -> local"}, routed(walks[1]))
		require.Equal(t, walks[0].ID, walks[1].Cause)
		require.Equal(t, trace.Delivered, walks[1].End())
		require.EqualValues(t, 64-1, ttl(walks[1]), "the appliance is the one hop inbound")
	})
	t.Run("C028 with the check on the appliance's interface drops it", func(t *testing.T) {
		fw := appliance()
		fw.noCheck = false
		f := newIngress(t, fw).redirect()
		walks := f.dies(f.user, f.app.public, trace.DestinationCheck, "fw in")
		require.Equal(t, "ENI_SOURCE_DEST_CHECK_RESTRICTION", walks[0].End().Code())
	})
	t.Run("C029 with forwarding off the appliance drops it", func(t *testing.T) {
		fw := appliance()
		fw.linux.Forwarding = false
		f := newIngress(t, fw).redirect()
		f.dies(f.user, f.app.public, trace.NotForwarding, "fw in")
	})
	t.Run("C030 the reply leaves by the appliance, as the application's own public address", func(t *testing.T) {
		f := newIngress(t, appliance()).redirect()
		walks := f.reaches(f.user, f.app.public)
		require.Equal(t, []string{"app table: 0.0.0.0/0 -> fw"}, routed(walks[2]))
		require.Equal(t, []string{"fw table: 0.0.0.0/0 -> igw"}, routed(walks[3]))
		require.Equal(t, f.app.addr, walks[3].First.Src.Netip())
		require.Equal(t, f.app.public, walks[3].Last.Src.Netip())
		require.EqualValues(t, 255-2, ttl(walks[3]), "the appliance and the internet gateway")
	})
	t.Run("C031 one table may serve the gateway and a subnet", func(t *testing.T) {
		f := newIngress(t, appliance()).redirect()
		other := f.subnet("other", "10.0.3.0/24")
		f.must(other.ReplaceRouteTable(f.edge))
		require.Equal(t, f.edge, other.RouteTable())
		require.Equal(t, f.edge, f.vpc.GatewayRouteTable(f.igw))
		f.reaches(f.user, f.app.public)
		x := other.launch("x", machine{})
		walks := f.reaches(x, f.app.addr)
		require.Equal(t, []string{"edge table: 10.0.1.0/24 -> fw"}, routed(walks[0]), "the same row serves the subnet")
	})
	for name, kind := range map[string]vpc.InterfaceType{
		"an Application Load Balancer": vpc.InterfaceALB, "a Classic Load Balancer": vpc.InterfaceCLB, "a database": vpc.InterfaceRDS,
	} {
		t.Run("C032 the interface of "+name+" is accepted as a target and drops what is for others", func(t *testing.T) {
			f := newIngress(t, appliance()).redirect()
			var service *vpc.NetworkInterface
			f.must(f.region.Change(func(tx *vpc.Tx) (err error) {
				service, err = tx.NewManagedInterface(f.fwSubnet.Subnet, nil, vpc.ManagedInterface{
					Type: kind, SourceDestCheck: true, Groups: []*vpc.SecurityGroup{f.open},
				})
				return err
			}))
			service.Tag("Name", "service")
			f.must(f.edge.ReplaceRoute("10.0.1.0/24", service))
			walks := f.dies(f.user, f.app.public, trace.DestinationCheck, "service in")
			require.Equal(t, "ENI_SOURCE_DEST_CHECK_RESTRICTION", walks[0].End().Code())
		})
	}
	t.Run("C137 rows for IPv6 work as those for IPv4", func(t *testing.T) {
		f := newIngress(t, appliance()).redirect()
		f.must(f.edge.CreateRoute("2001:db8:0:1a01::/64", f.fw.nic))
		walks := f.reaches(f.user, f.app.addr6)
		require.Len(t, walks, 4)
		require.Equal(t, []string{"edge table: 2001:db8:0:1a01::/64 -> fw"}, routed(walks[0]))
		require.Equal(t, []string{"fw table: 2001:db8:0:1a00::/56 -> local"}, routed(walks[1]))
		require.Equal(t, []string{"app table: ::/0 -> fw"}, routed(walks[2]))
		for _, w := range walks[:2] {
			require.Equal(t, f.app.addr6, w.Last.Dst.Netip(), "untranslated")
		}
	})
	t.Run("C137 a row for a range without interfaces is accepted and delivers nothing", func(t *testing.T) {
		f := newIngress(t, appliance()).redirect()
		f.subnet("empty", "10.0.9.0/24")
		f.must(f.edge.CreateRoute("2001:db8:0:1a09::/64", f.fw.nic))
		walks := f.dies(f.user, addr("2001:db8:0:1a09::99"), trace.NoPrivateAddress, "igw inbound")
		require.NotContains(t, nodes(walks...), "igw edge")
	})
}
