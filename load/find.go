package load

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/directconnect"
	"github.com/vpcsim/vpcsim/rds"
	"github.com/vpcsim/vpcsim/vpc"
)

// index finds resources by what people call them.
type index map[string][]vpc.Resource

// Find returns the resources with that id, Name tag, or private or public address, by
// their ids: addresses belong to interfaces. Load balancers and databases have names of
// their own beside. Ids are those of the regions as they are; names and addresses are
// those that were loaded.
func (n *Network) Find(name string) []vpc.Resource {
	for _, r := range n.Regions {
		if x := r.Find(name); x != nil {
			return []vpc.Resource{x}
		}
	}
	if a, err := netip.ParseAddr(name); err == nil {
		name = a.String()
	}
	return slices.Clone(n.names[name])
}

// index makes the names of all regions.
func (n *Network) index() {
	names := n.names
	for _, r := range n.Regions {
		var all []vpc.Resource
		r.View(func(tx *vpc.Tx) { all = vpc.Resources[vpc.Resource](tx) })
		for _, x := range all {
			if t, ok := x.(interface{ Tags() []vpc.Tag }); ok {
				for _, tag := range t.Tags() {
					if tag.Key == "Name" && tag.Value != "" {
						names.add(tag.Value, x)
					}
				}
			}
			switch x := x.(type) {
			case *vpc.NetworkInterface:
				names.addresses(x)
			case *balancer.LoadBalancer:
				names.add(x.Name(), x)
			case *rds.DBInstance:
				names.add(x.Name(), x)
			case *directconnect.Gateway:
				names.once(x.Name(), x)
			case *directconnect.VirtualInterface:
				names.once(x.Name(), x)
			case *directconnect.Connection:
				names.once(x.Name(), x)
			}
		}
	}
	for _, list := range names {
		slices.SortStableFunc(list, func(a, b vpc.Resource) int { return strings.Compare(a.ID(), b.ID()) })
	}
}

func (x index) add(name string, r vpc.Resource) {
	x[name] = append(x[name], r)
}

// once adds what may be known in several regions.
func (x index) once(name string, r vpc.Resource) {
	if name != "" && !slices.Contains(x[name], r) {
		x.add(name, r)
	}
}

func (x index) addresses(n *vpc.NetworkInterface) {
	for _, a := range n.PrivateAddresses() {
		x.add(a.IP.String(), n)
		if a.Public.IsValid() {
			x.add(a.Public.String(), n)
		}
	}
	for _, a := range n.IPv6() {
		x.add(a.String(), n)
	}
}
