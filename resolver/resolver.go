package resolver

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/vpcsim/vpcsim/dns"
	"github.com/vpcsim/vpcsim/vpc"
)

// The times that answers may be kept, in seconds. Of names of instances AWS states none.
const (
	ttlInstance = 60
	ttlDefault  = 60
)

// maxAliases is how many names one may lead to another before the resolver gives up.
const maxAliases = 8

// Asker is who asks. The zero Asker is somebody on the internet.
type Asker struct {
	// VPC is the asker's VPC, Subnet its subnet.
	VPC    *vpc.VPC
	Subnet *vpc.Subnet
}

// Resolver answers questions about the names of a world. It belongs to the engine's
// goroutine.
type Resolver struct {
	lives  func() []*vpc.Live
	books  map[*vpc.Live]*book
	public map[string][]netip.Addr
	turn   int // answers with several addresses begin with another one each time
}

// New returns a resolver for the regions whose lives the function returns.
func New(lives func() []*vpc.Live) *Resolver {
	return &Resolver{lives: lives, books: map[*vpc.Live]*book{}, public: map[string][]netip.Addr{}}
}

// SetPublic gives a name of the internet its addresses; none takes it away. Names of
// AWS's come first.
func (r *Resolver) SetPublic(name string, addrs ...netip.Addr) {
	if len(addrs) == 0 {
		delete(r.public, dns.Canonical(name))
		return
	}
	r.public[dns.Canonical(name)] = slices.Clone(addrs)
}

// Answer answers a query.
func (r *Resolver) Answer(who Asker, q dns.Message) dns.Message {
	records, code := r.follow(who, q.Name, q.Type)
	if q.Type == dns.AAAA && code == dns.NoError && len(addrsOf(records)) == 0 && r.dns64(who) {
		if four, c := r.follow(who, q.Name, dns.A); c == dns.NoError {
			records = synthesize(four)
		}
	}
	m := q.Answer(code)
	m.Answers = r.rotate(records)
	return m
}

// dns64 reports whether the asker's subnet has DNS64.
func (r *Resolver) dns64(who Asker) bool { return who.Subnet != nil && who.Subnet.Names().DNS64 }

// synthesize makes AAAA records of A records (RFC 6147 section 5.1).
func synthesize(four []dns.Record) []dns.Record {
	six := make([]dns.Record, len(four))
	for i, a := range four {
		if six[i] = a; a.Type == dns.A {
			b, v4 := Prefix64.Addr().As16(), a.Addr.As4()
			copy(b[12:], v4[:])
			six[i].Type, six[i].Addr = dns.AAAA, netip.AddrFrom16(b)
		}
	}
	return six
}

func addrsOf(records []dns.Record) []netip.Addr {
	var all []netip.Addr
	for _, r := range records {
		if r.Addr.IsValid() {
			all = append(all, r.Addr)
		}
	}
	return all
}

// rotate begins the addresses, which are the last records, with another one each time.
func (r *Resolver) rotate(records []dns.Record) []dns.Record {
	first := slices.IndexFunc(records, func(x dns.Record) bool { return x.Addr.IsValid() })
	if first < 0 || len(records)-first < 2 {
		return records
	}
	addrs := records[first:]
	at := r.turn % len(addrs)
	r.turn++
	return slices.Concat(records[:first], addrs[at:], addrs[:at])
}

// follow looks a name up and, where it stands for another, that one. NoError without
// records is a name without records of the type.
func (r *Resolver) follow(who Asker, name string, t dns.Type) ([]dns.Record, dns.Code) {
	var all []dns.Record
	for range maxAliases {
		f, ok := r.find(who, name)
		if !ok {
			if len(all) > 0 {
				return all, dns.NXDomain
			}
			return nil, dns.NXDomain
		}
		if f.alias == "" {
			return append(all, f.records(name, t)...), dns.NoError
		}
		all = append(all, dns.Record{Name: name, Type: dns.CNAME, TTL: f.ttl, Target: f.alias})
		if t == dns.CNAME {
			return all, dns.NoError
		}
		name = f.alias
	}
	return nil, dns.ServFail
}

// found is what a name has.
type found struct {
	addrs []netip.Addr
	alias string // the name that it stands for
	ptr   string // the name that an address has
	ttl   uint32
}

func (f found) records(name string, t dns.Type) []dns.Record {
	if f.ptr != "" {
		if t == dns.PTR {
			return []dns.Record{{Name: name, Type: t, TTL: f.ttl, Target: f.ptr}}
		}
		return nil
	}
	var all []dns.Record
	for _, a := range f.addrs {
		if a.Is4() && t == dns.A || a.Is6() && t == dns.AAAA {
			all = append(all, dns.Record{Name: name, Type: t, TTL: f.ttl, Addr: a})
		}
	}
	return all
}

// find looks a name up in the order that the package's comment has.
func (r *Resolver) find(who Asker, name string) (found, bool) {
	var own *book
	if who.VPC != nil {
		own = r.bookOf(who.VPC.Region())
	}
	if own != nil {
		if f, ok, here := own.hosted(who.VPC, name); here {
			return f, ok
		}
		if f, ok := own.named(name, who.VPC); ok {
			return f, true
		}
		if f, ok, here := own.internal(r, who.VPC, name); here {
			return f, ok
		}
	}
	for _, l := range r.lives() {
		b := r.book(l)
		if f, ok, here := b.published(r, who.VPC, name); here {
			return f, ok
		}
		if f, ok := b.named(name, nil); ok {
			return f, true
		}
	}
	if addrs := r.public[name]; addrs != nil {
		return found{addrs: addrs, ttl: ttlDefault}, true
	}
	return found{}, false
}

// bookOf returns the book of a region, nil of one that the world does not have.
func (r *Resolver) bookOf(region *vpc.Region) *book {
	for _, l := range r.lives() {
		if l.Region() == region {
			return r.book(l)
		}
	}
	return nil
}

// seconds returns a TTL as records have it.
func seconds(d time.Duration) uint32 {
	if d <= 0 {
		return ttlDefault
	}
	return uint32(d / time.Second)
}

// under returns what stands before the domain in a name, and whether it is below it.
func under(name, domain string) (string, bool) { return strings.CutSuffix(name, "."+domain) }
