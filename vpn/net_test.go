package vpn_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/remote"
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vgw"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
	"github.com/vpcsim/vpcsim/vpn"
)

// office is a VPC with a host, a virtual private gateway or a transit gateway, and a
// site with a desk behind a VPN connection.
type office struct {
	*vpctest.World
	t        *testing.T
	vpc      *vpctest.VPC
	subnet   *vpctest.Subnet
	app      *vpctest.Host
	private  *vgw.VirtualPrivateGateway
	transit  *tgw.TransitGateway
	customer *vpn.CustomerGateway
}

var siteCIDR = netip.MustParsePrefix("192.168.0.0/16")

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func (o *office) must(errs ...error) {
	o.t.Helper()
	for _, err := range errs {
		require.NoError(o.t, err)
	}
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{World: vpctest.New(t), t: t}
	o.vpc = o.VPC("10.0.0.0/16")
	o.subnet = o.vpc.Subnet("10.0.0.0/24")
	o.app = o.subnet.Host("app")
	o.app.Allow(vpc.AllTraffic("0.0.0.0/0"))
	var err error
	o.customer, err = vpn.CreateCustomerGateway(o.Region, addr("198.51.100.1"), vpn.CustomerGatewayConfig{Name: "router"})
	o.must(err)
	return o
}

// byVGW attaches a virtual private gateway, whose prefixes the main table takes over.
func byVGW(t *testing.T) *office {
	t.Helper()
	o := newOffice(t)
	var err error
	o.private, err = vgw.Create(o.Region, vgw.Config{Name: "vgw"})
	o.must(err, o.private.Attach(o.vpc.VPC), o.vpc.MainRouteTable().EnablePropagation(o.private))
	return o
}

// byTGW attaches the VPC to a transit gateway.
func byTGW(t *testing.T, c tgw.Config) *office {
	t.Helper()
	o := newOffice(t)
	c.Name = "tgw"
	var err error
	o.transit, err = tgw.Create(o.Region, c)
	o.must(err)
	_, err = o.transit.Attach(tgw.AttachmentConfig{Name: "office"}, o.vpc.Subnet("10.0.255.0/28").Subnet)
	o.must(err)
	o.subnet.Route("192.168.0.0/16", o.transit)
	return o
}

func (o *office) gateway() remote.Gateway {
	if o.private != nil {
		return o.private
	}
	return o.transit
}

// connect makes a VPN connection with both tunnels up and a desk beyond it.
func (o *office) connect(name string, c vpn.Config, desk string) (*vpn.Connection, *host.Host) {
	o.t.Helper()
	c.Name = name
	v, err := vpn.Create(o.customer, o.gateway(), c)
	o.must(err, v.SetTunnel(0, true), v.SetTunnel(1, true))
	site, err := o.Behind("site of "+name, v)
	o.must(err)
	h, err := o.At(site, host.Config{Name: "desk of " + name}, addr(desk))
	o.must(err)
	return v, h
}

func announce(prefixes ...string) []remote.Announcement {
	var list []remote.Announcement
	for _, p := range prefixes {
		list = append(list, remote.Announcement{Prefix: netip.MustParsePrefix(p)})
	}
	return list
}

// ping tells whether the desk was reached, and the last walk.
func (o *office) ping(to string, size int) (bool, *trace.Walk) {
	o.t.Helper()
	c := host.PingConfig{Count: 1, Size: size, DontFragment: size > 0}
	r := o.app.Host.Ping(addr(to), c)
	walks := o.Trace().Walks()
	return r.Received == 1, walks[len(walks)-1]
}
