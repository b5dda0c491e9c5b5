package picture

import (
	"strings"

	"github.com/vpcsim/vpcsim/trace"
)

// Place is where a resource lies, in words for people; fields that do not apply are empty.
type Place struct {
	// Name is the resource's own label.
	Name string
	// VPC, Subnet and Zone are labels of what holds it.
	VPC, Subnet, Zone string
}

// Station is what a packet met, with all that was decided there: an interface with its
// subnet's table and network ACL, a gateway with its own interfaces, an address outside.
type Station struct {
	// ID is the resource's id, an address of what lies outside.
	ID string
	// Name is the label; Kind is its id's prefix, such as eni or nat, or "outside".
	Name, Kind string
	// Place is where it lies.
	Place Place
	// Marks are the decisions, in order.
	Marks []Mark
	// Change is the rewriting of the header here.
	Change string
	// TTL is the packet's behind the station, TTLBefore in front of it.
	TTL, TTLBefore uint8
	// Dead is why the packet died here, None where it did not.
	Dead trace.Reason

	nics  []string // interfaces that belong to it
	inner bool     // the last hop went into an interface, whose owner comes next
}

// stations joins the hops of one direction.
func stations(walks []*trace.Walk, where func(id string) (Place, bool)) []Station {
	b := builder{where: where}
	for _, w := range walks {
		for _, h := range hops(w) {
			b.add(h)
		}
	}
	b.flush()
	return b.out
}

type builder struct {
	where   func(id string) (Place, bool)
	out     []Station
	arrival []Hop // of a subnet, whose station comes next
}

func (b *builder) add(h Hop) {
	kind, _, _ := strings.Cut(h.ID, "-")
	switch {
	case h.outside && len(h.Marks) == 0 && h.Dead == trace.None && !isNetwork(h):
		return // a guest's own choice of a route
	case strings.HasPrefix(h.ID, "tgw-attach-") && len(h.Marks) == 0 && h.Dead == trace.None:
		return // the gateway itself comes next
	case kind == "vpc", kind == "subnet" && h.Side != "arrival", h.Side == "edge":
		b.attach(h)
	case kind == "subnet":
		b.arrival = append(b.arrival, h)
	case kind == "eni":
		b.nic(h)
	case h.outside:
		b.outside(h)
	default:
		b.gateway(h, kind)
	}
}

// isNetwork tells the internet or a site from a guest: guests only choose routes, and
// their hop says no more than that.
func isNetwork(h Hop) bool { return h.Name == "internet" || h.Change != "" }

// attach gives the last station what its subnet's router decided.
func (b *builder) attach(h Hop) {
	b.flush()
	if len(b.out) == 0 {
		b.push(Station{ID: h.ID, Name: h.Name, Kind: "subnet", TTLBefore: h.TTLBefore}, h)
		return
	}
	s := &b.out[len(b.out)-1]
	s.take(h)
	if strings.HasPrefix(h.ID, "subnet-") && s.Place.Subnet == "" {
		s.Place.Subnet = h.Name
		if p, ok := b.where(h.ID); ok {
			s.Place = Place{s.Place.Name, p.VPC, p.Name, p.Zone}
		}
	}
}

func (b *builder) nic(h Hop) {
	if n := len(b.out); n > 0 && len(b.arrival) == 0 {
		s := &b.out[n-1]
		if s.ID == h.ID || h.Side == "out" && s.gateway() {
			s.nics = append(s.nics, h.ID)
			s.take(h)
			s.inner = h.Side == "in"
			return
		}
	}
	b.push(Station{ID: h.ID, Name: h.Name, Kind: "eni", nics: []string{h.ID}, inner: h.Side == "in", TTLBefore: h.TTLBefore}, h)
}

// gateway turns the interface that the packet went into, if it is its owner's, into the
// owner.
func (b *builder) gateway(h Hop, kind string) {
	if n := len(b.out); n > 0 && len(b.arrival) == 0 {
		s := &b.out[n-1]
		if s.ID == h.ID {
			s.take(h)
			return
		}
		if s.inner && s.Kind == "eni" {
			s.ID, s.Name, s.Kind, s.inner = h.ID, h.Name, kind, false
			if p, ok := b.where(h.ID); ok && p.Name != "" {
				s.Name, s.Place.Name = p.Name, p.Name
			}
			s.take(h)
			return
		}
	}
	b.push(Station{ID: h.ID, Name: h.Name, Kind: kind, TTLBefore: h.TTLBefore}, h)
}

func (b *builder) outside(h Hop) {
	if n := len(b.out); n > 0 && b.out[n-1].Kind == "outside" && b.out[n-1].Name == h.Name {
		b.out[n-1].take(h)
		return
	}
	b.push(Station{ID: h.Name, Name: h.Name, Kind: "outside", TTLBefore: h.TTLBefore}, h)
}

// push begins a station with the subnet sides in front of it and its own hop.
func (b *builder) push(s Station, h Hop) {
	if p, ok := b.where(s.ID); ok {
		s.Place = p
		if p.Name != "" {
			s.Name = p.Name
		}
	}
	arrived := b.arrival
	b.arrival = nil
	for _, a := range arrived {
		s.TTLBefore = a.TTLBefore
		s.take(a)
		if s.Place.Subnet == "" {
			s.Place.Subnet = a.Name
			if p, ok := b.where(a.ID); ok {
				s.Place.VPC, s.Place.Subnet, s.Place.Zone = p.VPC, p.Name, p.Zone
			}
		}
	}
	s.take(h)
	b.out = append(b.out, s)
}

// flush makes a station of a subnet that the packet entered and went no further in.
func (b *builder) flush() {
	if len(b.arrival) == 0 {
		return
	}
	h := b.arrival[len(b.arrival)-1]
	b.arrival = b.arrival[:len(b.arrival)-1]
	s := Station{ID: h.ID, Name: h.Name, Kind: "subnet", TTLBefore: h.TTLBefore}
	s.Place.Subnet = h.Name
	b.push(s, h)
	if p := &b.out[len(b.out)-1].Place; p.Name != "" {
		p.Subnet = p.Name
	}
}

func (s *Station) take(h Hop) {
	s.Marks = append(s.Marks, h.Marks...)
	if h.Change != "" {
		if s.Change != "" {
			s.Change += ", "
		}
		s.Change += h.Change
	}
	if h.TTL != 0 {
		s.TTL = h.TTL
	}
	if h.Dead != trace.None {
		s.Dead = h.Dead
	}
}

func (s *Station) gateway() bool {
	return s.Kind != "eni" && s.Kind != "outside" && s.Kind != "subnet"
}

// kindWords are what people call the kinds of id.
var kindWords = map[string]string{
	"eni": "interface", "nat": "NAT gateway", "igw": "internet gateway", "eigw": "egress-only gateway", "pcx": "peering connection",
	"tgw": "transit gateway", "vgw": "virtual private gateway", "vpce": "VPC endpoint", "subnet": "subnet", "outside": "outside",
	"lgw": "local gateway", "cagw": "carrier gateway",
}

// Lane returns the station's lane, from the VPC inwards: "vpc-a · subnet-b · us-east-1a".
// What lies in no VPC has the word for its kind.
func (s *Station) Lane() string {
	var parts []string
	for _, p := range []string{s.Place.VPC, s.Place.Subnet, s.Place.Zone} {
		if p != "" {
			parts = append(parts, short(p))
		}
	}
	switch {
	case s.Kind == "tgw" || s.Kind == "pcx" || len(parts) == 0:
		if s.Kind == "outside" {
			return s.Name
		}
		if w, ok := kindWords[s.Kind]; ok {
			return w
		}
		return "gateway"
	case s.Place.Subnet == "":
		return strings.Join(parts, " · ") + " · edge"
	}
	return strings.Join(parts, " · ")
}
