package world

import (
	"net/netip"

	"github.com/vpcsim/vpcsim/dns"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/resolver"
	"github.com/vpcsim/vpcsim/vpc"
)

// nameservers returns what DHCP tells an instance of names: the VPC's option set
// (VPC guide, "DHCP option sets"). AmazonProvidedDNS is the VPC's resolver.
func nameservers(v *vpc.VPC) (servers []netip.Addr, search []string) {
	d := v.DHCPOptions()
	if d == nil {
		return nil, nil
	}
	for _, o := range d.Options() {
		switch o.Key {
		case "domain-name-servers":
			for _, value := range o.Values {
				if value == "AmazonProvidedDNS" {
					servers = append(servers, v.ResolverAddr())
				} else if a, err := netip.ParseAddr(value); err == nil {
					servers = append(servers, a)
				}
			}
		case "domain-name":
			search = append(search, o.Values...)
		}
	}
	return servers, search
}

// NameServer starts a host on the internet that answers queries as public name servers
// do: public names lead to public addresses.
func (w *World) NameServer(c host.Config, addrs ...netip.Addr) (*host.Host, error) {
	h, err := w.OnInternet(c, addrs...)
	if err != nil {
		return nil, err
	}
	for _, a := range addrs {
		err := h.ServeDNS(a, func(_ netip.Addr, q dns.Message) dns.Message { return w.Resolver.Answer(resolver.Asker{}, q) })
		if err != nil {
			return nil, err
		}
	}
	return h, nil
}
