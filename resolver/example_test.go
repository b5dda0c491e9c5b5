package resolver_test

import (
	"fmt"
	"net/netip"

	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/resolver"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

// One name, two answers: the private address inside the VPC, the public one elsewhere.
func Example() {
	w := vpctest.New(vpctest.Program)
	v := w.VPC("10.0.0.0/16")
	if err := v.SetAttributes(vpc.VPCAttributes{EnableDNSSupport: true, EnableDNSHostnames: true}); err != nil {
		fmt.Println(err)
		return
	}
	public := v.Subnet("10.0.0.0/24")
	public.Route("0.0.0.0/0", v.InternetGateway())
	web, app := public.PublicHost("web"), v.Subnet("10.0.1.0/24").Host("app")

	ns := netip.MustParseAddr("198.51.100.53")
	if _, err := w.NameServer(host.Config{Name: "ns"}, ns); err != nil {
		fmt.Println(err)
		return
	}
	home := w.OnInternet("198.51.100.7")
	home.SetNameservers([]netip.Addr{ns})

	name := w.Region.PublicDNSName(web.PublicAddr())
	fmt.Println(name)
	for _, h := range []*vpctest.Host{app, home} {
		fmt.Println(h.Resolve(name))
	}
	// Output:
	// ec2-203-0-113-1.compute-1.amazonaws.com
	// [10.0.0.4] <nil>
	// [203.0.113.1] <nil>
}

// A private hosted zone hides the internet's names of its domain.
func ExampleCreateHostedZone() {
	w := vpctest.New(vpctest.Program)
	w.Resolver.SetPublic("api.example.com", netip.MustParseAddr("198.51.100.7"))
	v := w.VPC("10.0.0.0/16")
	app := v.Subnet("10.0.0.0/24").Host("app")
	fmt.Println(app.Resolve("api.example.com"))
	z, err := resolver.CreateHostedZone("example.com", v.VPC)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(app.Resolve("api.example.com"))
	fmt.Println(z.Set("api.example.com", 0, netip.MustParseAddr("10.0.0.80")))
	fmt.Println(app.Resolve("api.example.com"))
	// Output:
	// [198.51.100.7] <nil>
	// [] host app: lookup api.example.com: no such host
	// <nil>
	// [10.0.0.80] <nil>
}
