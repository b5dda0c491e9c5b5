package vpc

import (
	"net/netip"
	"slices"

	"github.com/vpcsim/vpcsim/ec2"
)

// PrefixList is a managed prefix list: CIDRs of one family under one id, for routes
// and for security group rules.
type PrefixList struct {
	Base
	name    string
	four    bool
	aws     bool // of an AWS service: its user can't change it
	max     int
	version int64
	entries []netip.Prefix
	untold  string // why no description tells its entries, "" where one does
	public  bool   // it is of a service that has public addresses alone
}

// PrefixListConfig says how a prefix list is made.
type PrefixListConfig struct {
	// ID is the id to use; "" makes one.
	ID string
	// Name is the list's name, its Name tag here.
	Name string
	// IPv6 makes a list of IPv6 CIDRs.
	IPv6 bool
	// MaxEntries is how many entries it may have, which is what it counts in quotas
	// of routes and rules; 0 is the quota, 1,000.
	MaxEntries int
	// Entries are the CIDRs.
	Entries []netip.Prefix
}

// CreatePrefixList makes a managed prefix list (CreateManagedPrefixList).
func (r *Region) CreatePrefixList(c PrefixListConfig) (*PrefixList, error) {
	var l *PrefixList
	err := r.Change(func(tx *Tx) (err error) {
		if err := tx.Within(QuotaPrefixLists, r.ownLists(), r.name); err != nil {
			return err
		}
		if c.MaxEntries == 0 {
			c.MaxEntries = QuotaPrefixListEntries.Default()
		}
		l, err = tx.newPrefixList(c)
		return err
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

func (tx *Tx) newPrefixList(c PrefixListConfig) (*PrefixList, error) {
	entries, err := checkEntries(tx, c.Entries, !c.IPv6, c.MaxEntries)
	if err != nil {
		return nil, err
	}
	b, err := tx.NewBase("pl", c.ID, c.Name)
	if err != nil {
		return nil, err
	}
	l := &PrefixList{Base: b, name: c.Name, four: !c.IPv6, max: c.MaxEntries, version: 1, entries: entries}
	tx.r.lists = append(tx.r.lists, l)
	tx.Add(l)
	return l, nil
}

// ownLists counts the lists that are not AWS's.
func (r *Region) ownLists() int {
	n := 0
	for _, l := range r.lists {
		if !l.aws {
			n++
		}
	}
	return n
}

// ServiceList returns the prefix list of an AWS service, such as
// com.amazonaws.us-east-1.s3, made at first use with the entries.
func (tx *Tx) ServiceList(name string, entries ...netip.Prefix) *PrefixList {
	for _, l := range tx.r.lists {
		if l.aws && l.name == name {
			return l
		}
	}
	l := &PrefixList{Base: Base{id: tx.r.ids.next("pl"), region: tx.r}, name: name, four: true, aws: true, max: len(entries), version: 1, entries: entries}
	tx.r.lists = append(tx.r.lists, l)
	tx.Add(l)
	return l
}

// HasServiceList reports whether there is a prefix list of the AWS service.
func (tx *Tx) HasServiceList(name string) bool {
	return slices.ContainsFunc(tx.r.lists, func(l *PrefixList) bool { return l.aws && l.name == name })
}

// SetEntries replaces the list's CIDRs (ModifyManagedPrefixList); routes and rules
// that name the list follow. A list of AWS's is refused (code and sentence are inferred).
func (l *PrefixList) SetEntries(entries []netip.Prefix) error {
	return l.Change(func(tx *Tx) error {
		if l.aws {
			return Refuse("UnauthorizedOperation", "You are not authorized to perform this operation.")
		}
		checked, err := checkEntries(tx, entries, l.four, l.max)
		if err != nil {
			return err
		}
		l.entries = checked
		l.version++
		return nil
	})
}

// Delete deletes the list (DeleteManagedPrefixList). One that a route or a rule
// names is refused with DependencyViolation (the sentence is inferred).
func (l *PrefixList) Delete() error {
	return l.Change(func(tx *Tx) error {
		if l.aws {
			return Refuse("UnauthorizedOperation", "You are not authorized to perform this operation.")
		}
		if l.inUse() || tx.refersTo(l) {
			return Refuse("DependencyViolation", "The prefix list '%s' has dependencies and cannot be deleted.", l.id)
		}
		tx.r.lists = remove(tx.r.lists, l)
		tx.Remove(l)
		return nil
	})
}

func (l *PrefixList) inUse() bool {
	names := func(p Permission) bool { return p.PrefixList == l }
	for _, v := range l.region.vpcs {
		for _, t := range v.tables {
			if t.findList(l) != nil {
				return true
			}
		}
		for _, g := range v.groups {
			if slices.ContainsFunc(g.ingress, names) || slices.ContainsFunc(g.egress, names) {
				return true
			}
		}
	}
	return false
}

// ListUser is a gateway that names prefix lists in tables of its own: a transit gateway.
type ListUser interface {
	// RefersTo reports whether the gateway names the list.
	RefersTo(tx *Tx, l *PrefixList) bool
}

func (tx *Tx) refersTo(l *PrefixList) bool {
	return slices.ContainsFunc(tx.r.gateways, func(g Gateway) bool {
		u, ok := g.(ListUser)
		return ok && u.RefersTo(tx, l)
	})
}

// Entries returns a prefix list's CIDRs inside a change, and how many it may have.
func (tx *Tx) Entries(l *PrefixList) (list []netip.Prefix, most int) {
	return slices.Clone(l.entries), l.max
}

// Entries returns a copy of the list's CIDRs.
func (l *PrefixList) Entries() []netip.Prefix {
	var e []netip.Prefix
	l.region.read(func() { e = slices.Clone(l.entries) })
	return e
}

// checkEntries canonicalises CIDRs and holds them to the list's family and size. The
// sentences are inferred; the code of the size is AWS's.
func checkEntries(tx *Tx, entries []netip.Prefix, four bool, limit int) ([]netip.Prefix, error) {
	if n := tx.r.limit(QuotaPrefixListEntries); limit < 1 || n >= 0 && limit > n {
		return nil, Refuse("InvalidParameterValue", "Value (%d) for parameter maxEntries is invalid. Expected 1 to %d.", limit, n)
	}
	if len(entries) > limit {
		return nil, Refuse("PrefixListMaxEntriesExceeded", "You've reached the maximum number of entries for the prefix list.")
	}
	out := make([]netip.Prefix, 0, len(entries))
	for _, p := range entries {
		if !p.IsValid() || p.Addr().Is4In6() || p.Addr().Is4() != four {
			return nil, Refuse("InvalidParameterValue", "Value (%s) for parameter cidr is invalid. This is not a valid CIDR block.", p)
		}
		if p = p.Masked(); slices.Contains(out, p) {
			return nil, Refuse("InvalidParameterValue", "Value (%s) for parameter cidr is invalid. The prefix list has it already.", p)
		}
		out = append(out, p)
	}
	return out, nil
}

// DescribeManagedPrefixLists lists the prefix lists, in the order in which they
// were made.
func (r *Region) DescribeManagedPrefixLists() *ec2.DescribeManagedPrefixListsResult {
	list := []ec2.ManagedPrefixList{}
	r.read(func() {
		for _, l := range r.lists {
			list = append(list, l.shape())
		}
	})
	return &ec2.DescribeManagedPrefixListsResult{PrefixLists: list}
}

func (l *PrefixList) shape() ec2.ManagedPrefixList {
	s := ec2.ManagedPrefixList{
		PrefixListId: new(l.id), PrefixListName: new(l.name), AddressFamily: new("IPv4"), Tags: l.tagShapes(),
		State: new(ec2.PrefixListStateCreateComplete), OwnerId: new(l.OwnerID()), MaxEntries: new(int32(l.max)), Version: new(l.version),
		PrefixListArn: new("arn:aws:ec2:" + l.region.name + ":" + l.OwnerID() + ":prefix-list/" + l.id),
	}
	if !l.four {
		s.AddressFamily = new("IPv6")
	}
	if l.version > 1 {
		s.State = new(ec2.PrefixListStateModifyComplete)
	}
	if l.aws {
		s.OwnerId, s.MaxEntries, s.Version = new("AWS"), nil, nil
		s.PrefixListArn = new("arn:aws:ec2:" + l.region.name + ":aws:prefix-list/" + l.id)
	}
	return s
}

// ManagedEntries returns the list's entries in the shape of GetManagedPrefixListEntries.
func (l *PrefixList) ManagedEntries() *ec2.GetManagedPrefixListEntriesResult {
	list := []ec2.PrefixListEntry{}
	for _, p := range l.Entries() {
		list = append(list, ec2.PrefixListEntry{Cidr: new(p.String())})
	}
	return &ec2.GetManagedPrefixListEntriesResult{Entries: list}
}
