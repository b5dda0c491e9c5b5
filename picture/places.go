package picture

import "github.com/vpcsim/vpcsim/vpc"

// Places returns what tells where the resources of the regions lie, for
// [Config].Where: names by Name tag, else ids.
func Places(regions ...*vpc.Region) func(id string) (Place, bool) {
	return func(id string) (Place, bool) {
		for _, r := range regions {
			if x := r.Find(id); x != nil {
				return placeOf(x), true
			}
		}
		return Place{}, false
	}
}

func placeOf(x vpc.Resource) Place {
	switch x := x.(type) {
	case *vpc.NetworkInterface:
		p := in(x.Subnet())
		p.Name = x.Label()
		if i := x.Instance(); i != nil && x.Label() == x.ID() {
			p.Name = i.Label()
		}
		return p
	case *vpc.Subnet:
		p := in(x)
		p.Name, p.Subnet = p.Subnet, ""
		return p
	case *vpc.VPC:
		return Place{Name: x.Label(), VPC: x.Label()}
	}
	p := Place{}
	if l, ok := x.(interface{ Label() string }); ok {
		p.Name = l.Label()
	}
	if s, ok := x.(interface{ Subnet() *vpc.Subnet }); ok && s.Subnet() != nil {
		name := p.Name
		p = in(s.Subnet())
		p.Name = name
	} else if v := around(x); v != nil {
		p.VPC = v.Label()
	}
	return p
}

// around returns the VPC of what lies in one or at the edge of one, or nil.
func around(x vpc.Resource) (v *vpc.VPC) {
	switch x := x.(type) {
	case interface{ VPC() *vpc.VPC }:
		return x.VPC()
	case interface {
		vpc.EdgeGateway
		Region() *vpc.Region
	}:
		x.Region().View(func(tx *vpc.Tx) { v = x.AttachedTo(tx) })
	}
	return v
}

func in(s *vpc.Subnet) Place { return Place{VPC: s.VPC().Label(), Subnet: s.Label(), Zone: s.Zone()} }
