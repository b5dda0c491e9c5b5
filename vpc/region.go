package vpc

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vpcsim/vpcsim/wire"
)

// RegionConfig says what a region is like. The zero value is us-east-1 with three
// zones, as it is today.
type RegionConfig struct {
	// Name is the region's code; "" is us-east-1.
	Name string
	// Zones are the names of the availability zones; none are the three a, b, c.
	Zones []string
	// ZoneIDs are the ids of Zones, by index, such as use1-az2; none are made from the
	// account.
	ZoneIDs []string
	// Account is the twelve digits of the account that owns what is made here; "" is
	// 123456789012.
	Account string
	// Bare leaves the default DHCP option set out: for a region that is restored.
	Bare bool
	// Seed makes ids, MAC addresses and addresses differ from those of another
	// region; the same seed gives the same ones.
	Seed uint64
	// Before2021 gives the route rules as they were until August 2021: a subnet
	// route table refuses every destination narrower than the VPC's CIDR (S000).
	Before2021 bool
	// Latency says how long packets take inside the region.
	Latency Latency
	// Start is the time of day at which the simulation begins, that of everything
	// made before time goes by; the zero Time is 2026-01-01 00:00 UTC.
	Start time.Time
	// Quotas are limits other than AWS's defaults; a negative one is no limit.
	Quotas map[Quota]int
	// Unlimited lifts every quota that Quotas does not set.
	Unlimited bool
}

// Region is the control plane of one AWS region. What is made in it belongs to its
// account; what is restored keeps its owner ([Base.OwnerID]). Its methods, and
// those of its resources, may be called from any goroutine. Make one with
// [NewRegion].
type Region struct {
	name, account string
	zones         []zone
	before2021    bool
	unlimited     bool
	latency       Latency
	start         time.Time

	elapsed atomic.Int64  // simulated time gone by since start
	changes atomic.Uint64 // how many changes there were: a snapshot's age

	mu         sync.Mutex
	quotas     map[Quota]int
	ids        ids
	byID       map[string]Resource
	links      map[string]any // associations and attachments, by their id
	vpcs       []*VPC
	gateways   []Gateway
	watchers   []Watcher
	eips       []*Address
	released   []wire.Addr // public addresses of resources that were deleted before
	lists      []*PrefixList
	instances  []*Instance
	access     publicAccess
	dhcp       []*DHCPOptions
	public     publicAddresses
	groups     int                            // security groups of all VPCs
	interfaces int                            // interfaces of all VPCs
	described  map[string][]*NetworkInterface // services' interfaces by their descriptions
	absent     map[netip.Addr]gap             // public addresses of interfaces that no description tells
}

// Resource is anything with an id.
type Resource interface {
	// ID returns the resource's id, such as vpc-0a1b2c3d4e5f67890.
	ID() string
}

// NewRegion returns a region with nothing in it: no default VPC either.
func NewRegion(c RegionConfig) *Region {
	if c.Name == "" {
		c.Name = "us-east-1"
	}
	if len(c.Zones) == 0 {
		c.Zones = []string{c.Name + "a", c.Name + "b", c.Name + "c"}
	}
	if c.Account == "" {
		c.Account = "123456789012"
	}
	if c.Start.IsZero() {
		c.Start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	r := &Region{
		name: c.Name, account: c.Account, zones: newZones(c), before2021: c.Before2021,
		unlimited: c.Unlimited, latency: c.Latency.orDefault(), start: c.Start, quotas: map[Quota]int{},
		ids: ids{seed: c.Seed}, byID: map[string]Resource{}, links: map[string]any{}, public: newPublicAddresses(), described: map[string][]*NetworkInterface{},
	}
	maps.Copy(r.quotas, c.Quotas)
	if !c.Bare {
		r.newDefaultDHCPOptions()
	}
	return r
}

// Name returns the region's code, such as ap-northeast-3.
func (r *Region) Name() string { return r.name }

// Account returns the owner's account id.
func (r *Region) Account() string { return r.account }

// Now returns the region's time of day: its start and the simulated time since.
func (r *Region) Now() time.Time { return r.start.Add(time.Duration(r.elapsed.Load())) }

// Advance tells the region how much simulated time has gone by since its start.
// Who has the clock calls it; a time before one told earlier changes nothing.
func (r *Region) Advance(elapsed time.Duration) {
	for {
		was := r.elapsed.Load()
		if int64(elapsed) <= was || r.elapsed.CompareAndSwap(was, int64(elapsed)) {
			return
		}
	}
}

// Tx is proof that the region's lock is held: what needs the lock needs a Tx. It
// is valid until the function that Change called returns.
type Tx struct {
	r       *Region
	account string                 // see RestoreFor
	missing func(id string) string // see RestoreMissing
}

// Region returns the region that the transaction changes.
func (tx *Tx) Region() *Region { return tx.r }

// Change calls f with the region locked. f checks first and changes after, so that
// where it returns an error nothing has changed. Packets see all of f's changes or
// none, from the next packet on.
func (r *Region) Change(f func(tx *Tx) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	ids, next := r.ids, r.public.next
	if err := f(&Tx{r: r}); err != nil {
		r.ids, r.public.next = ids, next
		return err
	}
	r.changes.Add(1)
	return nil
}

// Changes returns how many changes there have been: it is the same as long as the region
// is. It takes no lock.
func (r *Region) Changes() uint64 { return r.changes.Load() }

// View calls f with the region locked, to read what a change would otherwise be
// changing. f changes nothing.
func (r *Region) View(f func(tx *Tx)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(&Tx{r: r})
}

// read is View for what needs no Tx.
func (r *Region) read(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
}

// Find returns the region's resource with the given id, or nil.
func (tx *Tx) Find(id string) Resource { return tx.r.byID[id] }

// Knows reports whether the resource is the region's, and not deleted.
func (tx *Tx) Knows(x Resource) bool { return !isNil(x) && tx.r.byID[x.ID()] == x }

// Find returns the resource with the given id, or nil.
func (r *Region) Find(id string) Resource {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.byID[id]
}

// NewID returns a new id with the given prefix, such as nat, or want where it is
// not empty. It refuses an id that is in use or does not begin with the prefix.
func (tx *Tx) NewID(prefix, want string) (string, error) {
	if want == "" {
		return tx.r.ids.next(prefix), nil
	}
	if !hasPrefix(want, prefix) {
		return "", fmt.Errorf("vpc: id %q: expected one that begins with %q", want, prefix+"-")
	}
	if tx.r.byID[want] != nil {
		return "", fmt.Errorf("vpc: id %q is in use", want)
	}
	return want, nil
}

// Add makes a resource known by its id.
func (tx *Tx) Add(x Resource) {
	tx.r.byID[x.ID()] = x
	if g, ok := x.(Gateway); ok {
		tx.r.gateways = append(tx.r.gateways, g)
	}
	if w, ok := x.(Watcher); ok {
		tx.r.watchers = append(tx.r.watchers, w)
	}
}

// Remove makes a resource unknown: from now on every call on it is refused.
func (tx *Tx) Remove(x Resource) {
	delete(tx.r.byID, x.ID())
	if h, ok := x.(interface{ base() *Base }); ok {
		h.base().gone = true
	}
	if g, ok := x.(Gateway); ok {
		tx.r.gateways = slices.DeleteFunc(tx.r.gateways, func(o Gateway) bool { return o == g })
	}
	if w, ok := x.(Watcher); ok {
		tx.r.watchers = slices.DeleteFunc(tx.r.watchers, func(o Watcher) bool { return o == w })
	}
}

// Gateways returns the region's gateways of the type, in the order in which they
// were made.
func Gateways[G Gateway](tx *Tx) []G {
	var of []G
	for _, g := range tx.r.gateways {
		if x, ok := g.(G); ok {
			of = append(of, x)
		}
	}
	return of
}

// Watchers returns the region's watchers of the type, in the order in which they were
// made.
func Watchers[W Watcher](tx *Tx) []W {
	var of []W
	for _, w := range tx.r.watchers {
		if x, ok := w.(W); ok {
			of = append(of, x)
		}
	}
	return of
}

// Resources returns the region's resources of the type, by id.
func Resources[R Resource](tx *Tx) []R {
	var of []R
	for _, x := range tx.r.byID {
		if r, ok := x.(R); ok {
			of = append(of, r)
		}
	}
	slices.SortFunc(of, func(a, b R) int { return strings.Compare(a.ID(), b.ID()) })
	return of
}

// ids makes ids and MAC addresses that look like AWS's: seventeen hexadecimal
// digits behind the prefix, the same ones for the same seed and calls.
type ids struct{ seed, count uint64 }

func (s *ids) next(prefix string) string {
	return fmt.Sprintf("%s-0%016x", prefix, s.word())
}

// word is SplitMix64 (Steele, Lea, Flood 2014), which visits every value once.
func (s *ids) word() uint64 {
	s.count++
	z := s.seed + s.count*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
