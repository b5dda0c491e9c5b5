package vpc

import (
	"net/netip"
	"slices"
)

// PrefixList is a managed prefix list: CIDRs under one id, for routes and for
// security group rules.
type PrefixList struct {
	Base
	max     int
	entries []netip.Prefix
}

// PrefixListConfig says how a prefix list is made.
type PrefixListConfig struct {
	// ID is the id to use; "" makes one.
	ID string
	// Name is the list's name, its Name tag here.
	Name string
	// MaxEntries is how many entries it may have; 0 is 1,000, AWS's quota.
	MaxEntries int
	// Entries are the CIDRs.
	Entries []netip.Prefix
}

// CreatePrefixList makes a managed prefix list.
func (r *Region) CreatePrefixList(c PrefixListConfig) (*PrefixList, error) {
	var l *PrefixList
	err := r.Change(func(tx *Tx) error {
		if c.MaxEntries == 0 {
			c.MaxEntries = 1000
		}
		entries, err := checkEntries(c.Entries, c.MaxEntries)
		if err != nil {
			return err
		}
		id, err := tx.NewID("pl", c.ID)
		if err != nil {
			return err
		}
		l = &PrefixList{Base: Base{id: id, region: r}, max: c.MaxEntries, entries: entries}
		if c.Name != "" {
			l.setTag("Name", c.Name)
		}
		r.lists = append(r.lists, l)
		tx.Add(l)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

// SetEntries replaces the list's CIDRs (ModifyManagedPrefixList); routes and rules
// that name the list follow.
func (l *PrefixList) SetEntries(entries []netip.Prefix) error {
	return l.region.Change(func(*Tx) error {
		checked, err := checkEntries(entries, l.max)
		if err != nil {
			return err
		}
		l.entries = checked
		return nil
	})
}

// Entries returns a copy of the list's CIDRs.
func (l *PrefixList) Entries() []netip.Prefix {
	var e []netip.Prefix
	l.region.read(func() { e = slices.Clone(l.entries) })
	return e
}

// checkEntries canonicalises CIDRs and holds them to the list's size. The
// sentences are inferred; the code of the size is AWS's.
func checkEntries(entries []netip.Prefix, limit int) ([]netip.Prefix, error) {
	if len(entries) > limit {
		return nil, refuse("PrefixListMaxEntriesExceeded", "The prefix list may have %d entries at most, not %d.", limit, len(entries))
	}
	out := make([]netip.Prefix, 0, len(entries))
	for _, p := range entries {
		if !p.IsValid() || p.Addr().Is4In6() {
			return nil, refuse("InvalidParameterValue", "Value (%s) for parameter cidr is invalid. This is not a valid CIDR block.", p)
		}
		out = append(out, p.Masked())
	}
	return out, nil
}
