package endpoint

import (
	"hash/fnv"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/vpcsim/vpcsim/vpc"
)

// Name is a DNS name that leads to an endpoint's interfaces.
type Name struct {
	// Name is the name without a dot at its end; one that begins with "*." stands for all
	// names below it.
	Name string
	// Zone is the availability zone of a zonal name, empty of others.
	Zone string
	// Addrs are the private addresses of the interfaces, IPv4's and IPv6's, in their
	// order: a resolver hands those of a family out in turn.
	Addrs []netip.Addr
	// Private says that the name is the service's own: it leads here inside the
	// endpoint's VPC, and elsewhere to the service's public addresses. The others are
	// public names, which lead to the private addresses everywhere.
	Private bool
}

// Names returns the endpoint's DNS names: the regional one, one a zone and, where
// private DNS is on, the service's own (PrivateLink guide, "DNS hostnames"). Endpoints
// of other kinds, and those that their service has not let in, have none.
func (e *Endpoint) Names() []Name {
	var n []Name
	e.Region().View(func(tx *vpc.Tx) { n = e.names(tx) })
	return n
}

// VPC returns the endpoint's VPC.
func (e *Endpoint) VPC() *vpc.VPC { return e.vpc }

// Service returns the name of the endpoint's service.
func (e *Endpoint) Service() string { return e.service }

// NamesIn returns the DNS names of all endpoints of a VPC, for its resolver.
func NamesIn(v *vpc.VPC) []Name {
	var all []Name
	v.Region().View(func(tx *vpc.Tx) {
		for _, e := range vpc.Gateways[*Endpoint](tx) {
			if e.vpc == v {
				all = append(all, e.names(tx)...)
			}
		}
	})
	return all
}

// DNSNames returns the endpoint's names for resolvers.
func (e *Endpoint) DNSNames(tx *vpc.Tx) []vpc.DNSName {
	var all []vpc.DNSName
	for _, n := range e.names(tx) {
		d := vpc.DNSName{Name: n.Name, Addrs: n.Addrs}
		if n.Private {
			d.Within = []*vpc.VPC{e.vpc}
		}
		all = append(all, d)
	}
	return all
}

func (e *Endpoint) names(tx *vpc.Tx) []Name {
	if e.kind != Interface || e.state != available {
		return nil
	}
	var addrs []netip.Addr
	var zonal []Name
	head := e.ID() + "-" + hashLabel(e.ID())
	domain := e.domain(tx)
	for _, n := range e.nics {
		a := append([]netip.Addr{tx.PrivateAddresses(n)[0].IP}, tx.IPv6Addresses(n)...)
		addrs = append(addrs, a...)
		z := n.Subnet().Zone()
		zonal = append(zonal, Name{Name: head + "-" + z + "." + domain, Zone: z, Addrs: a})
	}
	all := append([]Name{{Name: head + "." + domain, Addrs: addrs}}, zonal...)
	if e.private {
		for _, p := range e.privateNames(tx) {
			all = append(all, Name{Name: p, Addrs: addrs, Private: true})
		}
	}
	return all
}

// domain is what the public names of a service's endpoints end in.
func (e *Endpoint) domain(tx *vpc.Tx) string {
	if s := serviceOf(tx, e.service); s != nil {
		return s.domain()
	}
	labels := strings.Split(strings.TrimPrefix(e.service, "com.amazonaws."), ".")
	if rest, user := strings.CutPrefix(e.service, userServices); user {
		labels = strings.Split(rest, ".")
	}
	if len(labels) > 1 { // region, service: api.ecr of us-east-1 is us-east-1.ecr.api
		labels = labels[1:]
	}
	slices.Reverse(labels)
	return strings.Join(labels, ".") + "." + e.Region().Name() + ".vpce.amazonaws.com"
}

// domain is what the names of the service's endpoints end in.
func (s *Service) domain() string { return s.ID() + "." + s.Region().Name() + ".vpce.amazonaws.com" }

// privateNames are the service's own names. AWS's are the labels of the service
// reversed before the region, for most services; wildcards are those of the services
// that have names a customer below them.
func (e *Endpoint) privateNames(tx *vpc.Tx) []string {
	if s := serviceOf(tx, e.service); s != nil {
		if s.private == "" {
			return nil
		}
		return []string{s.private}
	}
	short, amazon := shortName(e.Region(), e.service)
	if !amazon {
		return nil
	}
	labels := strings.Split(short, ".")
	slices.Reverse(labels)
	name := strings.Join(labels, ".") + "." + e.Region().Name() + ".amazonaws.com"
	switch short {
	case "ecr.dkr", "s3", "execute-api":
		return []string{name, "*." + name}
	}
	return []string{name}
}

// hashLabel is the part of a public name that AWS makes up: eight letters and digits,
// here made of the id.
func hashLabel(id string) string {
	h := fnv.New64a()
	h.Write([]byte(id))
	s := "00000000" + strconv.FormatUint(h.Sum64(), 36)
	return s[len(s)-8:]
}
