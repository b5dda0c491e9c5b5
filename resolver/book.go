package resolver

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/vpcsim/vpcsim/dns"
	"github.com/vpcsim/vpcsim/vpc"
)

// book is what one region has of names, as of one snapshot.
type book struct {
	region    *vpc.Region
	snapshot  *vpc.Snapshot
	names     map[string][]vpc.DNSName
	zones     []zone // the longest name first
	holders   map[netip.Addr]holder
	instances map[string]instance
	support   map[*vpc.VPC]vpc.VPCAttributes
	shared    map[pair]bool
}

// holder is who has a public address.
type holder struct {
	vpc     *vpc.VPC
	private netip.Addr
}

// instance is what names of resources lead to.
type instance struct {
	vpc       *vpc.VPC
	four, six []netip.Addr
}

// pair is two VPCs: with resolves names of of to private addresses.
type pair struct{ of, with *vpc.VPC }

// zone is a private hosted zone.
type zone struct {
	name  string
	vpcs  []*vpc.VPC
	names map[string]vpc.DNSName
}

// book returns a region's book, made anew where the region has changed.
func (r *Resolver) book(l *vpc.Live) *book {
	s := l.Snapshot()
	if b := r.books[l]; b != nil && b.snapshot == s {
		return b
	}
	b := &book{
		region: l.Region(), snapshot: s, names: map[string][]vpc.DNSName{}, holders: map[netip.Addr]holder{},
		instances: map[string]instance{}, support: map[*vpc.VPC]vpc.VPCAttributes{}, shared: map[pair]bool{},
	}
	b.region.View(b.fill)
	r.books[l] = b
	return b
}

func (b *book) fill(tx *vpc.Tx) {
	for _, n := range vpc.Resources[vpc.Namer](tx) {
		if z, ok := n.(*HostedZone); ok {
			b.zones = append(b.zones, z.compiled())
			continue
		}
		for _, name := range n.DNSNames(tx) {
			name.Name = dns.Canonical(name.Name)
			b.names[name.Name] = append(b.names[name.Name], name)
		}
	}
	slices.SortStableFunc(b.zones, func(x, y zone) int { return len(y.name) - len(x.name) })
	for _, v := range tx.VPCs() {
		b.support[v] = tx.Attributes(v)
		b.fillVPC(tx, v)
	}
}

func (b *book) fillVPC(tx *vpc.Tx, v *vpc.VPC) {
	for _, n := range tx.InterfacesOf(v) {
		for _, a := range tx.PrivateAddresses(n) {
			if a.Public.IsValid() {
				b.holders[a.Public] = holder{v, a.IP}
			}
		}
	}
	for _, i := range tx.InstancesOf(v) {
		n := tx.PrimaryOf(i)
		if n == nil {
			continue
		}
		on, x := tx.NamesOf(n.Subnet()), instance{vpc: v}
		if four := tx.PrivateAddresses(n); on.ResourceA && len(four) > 0 {
			x.four = []netip.Addr{four[0].IP}
		}
		if six := tx.IPv6Addresses(n); on.ResourceAAAA && len(six) > 0 {
			x.six = six[:1]
		}
		b.instances[i.ID()] = x
	}
}

// shares reports whether names of instances in of lead to private addresses for those
// in with.
func (b *book) shares(of, with *vpc.VPC) bool {
	k := pair{of, with}
	on, known := b.shared[k]
	if !known {
		b.region.View(func(tx *vpc.Tx) { on = tx.SharesNames(of, with) })
		b.shared[k] = on
	}
	return on
}

// hosted looks a name up in the private hosted zones of a VPC. here says that one of
// them has the name's domain: then nobody else is asked.
func (b *book) hosted(v *vpc.VPC, name string) (f found, ok, here bool) {
	for _, z := range b.zones {
		if _, below := under(name, z.name); !below && name != z.name || !slices.Contains(z.vpcs, v) {
			continue
		}
		for _, candidate := range candidates(name) {
			if n, has := z.names[candidate]; has {
				return foundOf(n), true, true
			}
		}
		return found{}, name == z.name, true
	}
	return found{}, false, false
}

// named looks a name up that belongs to a resource: one that is known within the VPC
// alone or, where that is nil, one that is known everywhere.
func (b *book) named(name string, within *vpc.VPC) (found, bool) {
	for _, candidate := range candidates(name) {
		for _, n := range b.names[candidate] {
			if within == nil && len(n.Within) == 0 || within != nil && slices.Contains(n.Within, within) {
				return foundOf(n), true
			}
		}
	}
	return found{}, false
}

// candidates are the name and the wildcards that stand for it, the narrowest first.
func candidates(name string) []string {
	all := []string{name}
	for rest := name; ; {
		_, after, ok := strings.Cut(rest, ".")
		if !ok {
			return all
		}
		all, rest = append(all, "*."+after), after
	}
}

func foundOf(n vpc.DNSName) found {
	return found{addrs: n.Addrs, alias: dns.Canonical(n.Alias), ttl: seconds(n.TTL)}
}

// internal looks a private name up, or a reverse one of the VPC's. here says that the
// name is one of those.
func (b *book) internal(r *Resolver, v *vpc.VPC, name string) (f found, ok, here bool) {
	if a, is := dns.ParseReverse(name); is {
		if !r.private(v, a) {
			return found{}, false, false
		}
		if !a.Is4() {
			return found{}, false, true
		}
		return found{ptr: b.region.PrivateDNSName(a), ttl: ttlInstance}, true, true
	}
	for _, l := range r.lives() {
		region := l.Region()
		_, domain, _ := strings.Cut(region.PrivateDNSName(netip.IPv4Unspecified()), ".")
		label, below := under(name, domain)
		if !below {
			continue
		}
		if a, is := dashed(label, "ip-"); is {
			return found{addrs: []netip.Addr{a}, ttl: ttlInstance}, r.private(v, a), true
		}
		i, known := r.book(l).instances[label]
		if !known || !r.book(l).shares(i.vpc, v) || len(i.four)+len(i.six) == 0 {
			return found{}, false, true
		}
		return found{addrs: slices.Concat(i.four, i.six), ttl: ttlInstance}, true, true
	}
	return found{}, false, false
}

// private reports whether the VPC knows private names of an address: it is in one of its
// CIDRs, or in those of a VPC that shares its names with it.
func (r *Resolver) private(v *vpc.VPC, a netip.Addr) bool {
	holds := func(w *vpc.VPC) bool {
		return slices.ContainsFunc(w.CIDRs(), func(p netip.Prefix) bool { return p.Contains(a) })
	}
	if holds(v) {
		return true
	}
	for _, l := range r.lives() {
		b := r.book(l)
		for w := range b.support {
			if w != v && holds(w) && b.shares(w, v) {
				return true
			}
		}
	}
	return false
}

// published looks a public name of an instance up, or the reverse of its address. here
// says that the name is one of those.
func (b *book) published(r *Resolver, who *vpc.VPC, name string) (f found, ok, here bool) {
	if a, is := dns.ParseReverse(name); is {
		h, known := b.holders[a]
		if !known || !b.support[h.vpc].EnableDNSHostnames {
			return found{}, false, false
		}
		return found{ptr: b.region.PublicDNSName(a), ttl: ttlInstance}, true, true
	}
	_, domain, _ := strings.Cut(b.region.PublicDNSName(netip.IPv4Unspecified()), ".")
	label, below := under(name, domain)
	if !below {
		return found{}, false, false
	}
	a, is := dashed(label, "ec2-")
	h, known := b.holders[a]
	if !is || !known || !b.support[h.vpc].EnableDNSHostnames {
		return found{}, false, true
	}
	if who != nil && b.shares(h.vpc, who) {
		a = h.private
	}
	return found{addrs: []netip.Addr{a}, ttl: ttlInstance}, true, true
}

// dashed returns the address of a label such as ip-10-0-1-55, and whether it is one.
func dashed(label, prefix string) (netip.Addr, bool) {
	text, ok := strings.CutPrefix(label, prefix)
	if !ok {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(strings.ReplaceAll(text, "-", "."))
	return a, err == nil && a.Is4()
}
