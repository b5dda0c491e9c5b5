package balancer

import (
	"net/netip"
	"strings"
	"time"

	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/vpc"
)

// nameTTL is how long the addresses of a load balancer may be kept (ALB guide, "How
// Elastic Load Balancing works").
const nameTTL = 60 * time.Second

// DNSNames returns the load balancer's name and, of a Network Load Balancer, those of its
// zones (NLB guide, "Zonal DNS names"), for resolvers.
func (l *LoadBalancer) DNSNames(tx *vpc.Tx) []vpc.DNSName {
	name := strings.ToLower(l.DNSName())
	all := []vpc.DNSName{{Name: name, Addrs: l.Resolve(tx), TTL: nameTTL}}
	if l.kind.Type != elbv2.TypeNetwork {
		return all
	}
	for _, n := range l.nics {
		a := tx.PrivateAddresses(n)[0]
		ip := a.IP
		if l.internet && a.Public.IsValid() {
			ip = a.Public
		}
		all = append(all, vpc.DNSName{Name: n.Subnet().Zone() + "." + name, Addrs: append([]netip.Addr{ip}, tx.IPv6Addresses(n)...), TTL: nameTTL})
	}
	return all
}
