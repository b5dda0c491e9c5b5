package vpc

import (
	"cmp"
	"slices"
)

// Base is what every resource has: an id, a region, tags. Gateways of other
// packages embed one made by [Tx.NewBase].
type Base struct {
	id     string
	region *Region
	owner  string // the account's twelve digits; "" is the region's
	tags   []Tag
	called string // by a configuration, "" where none has it
	gone   bool   // deleted: only old handles lead here
}

// NewBase returns the Base of a new resource, whose id is want or, where that is
// empty, a new one with the prefix. name becomes the Name tag; "" is none.
func (tx *Tx) NewBase(prefix, want, name string) (Base, error) {
	id, err := tx.NewID(prefix, want)
	if err != nil {
		return Base{}, err
	}
	b := Base{id: id, region: tx.r}
	if name != "" {
		b.setTag("Name", name)
	}
	return b, nil
}

// ID returns the resource's id. It never changes.
func (b *Base) ID() string { return b.id }

// OwnerID returns the twelve digits of the account that owns the resource: the
// region's own, or the one that a restored resource was described with. It never
// changes.
func (b *Base) OwnerID() string {
	if b.owner != "" {
		return b.owner
	}
	return b.region.account
}

// Region returns the region that holds the resource.
func (b *Base) Region() *Region { return b.region }

// Change is [Region.Change] for a call on this resource: once the resource is
// deleted every call is refused, as AWS refuses an id that it does not know.
func (b *Base) Change(f func(tx *Tx) error) error {
	return b.region.Change(func(tx *Tx) error {
		if b.gone {
			return notFound(b.id)
		}
		return f(tx)
	})
}

// Exists reports whether the resource has not been deleted.
func (b *Base) Exists() bool {
	var there bool
	b.region.read(func() { there = !b.gone })
	return there
}

// base is how the region reaches the Base of a resource of any type.
func (b *Base) base() *Base { return b }

// label returns the Name tag, or the id.
func (b *Base) label() string {
	for _, t := range b.tags {
		if t.Key == "Name" && t.Value != "" {
			return t.Value
		}
	}
	return cmp.Or(b.called, b.id)
}

// Label returns how traces call the resource: its Name tag, else what a configuration calls
// it, else its id.
func (b *Base) Label() string {
	var s string
	b.region.read(func() { s = b.label() })
	return s
}

// Called returns what the configuration that manages the resource calls it, such as
// aws_instance.web[0]; "" where it was not loaded of one.
func (b *Base) Called() string {
	var s string
	b.region.read(func() { s = b.called })
	return s
}

// RestoreCalled says what a configuration calls a resource; the first one to say so is
// kept.
func (tx *Tx) RestoreCalled(x Resource, name string) {
	if b, ok := x.(interface{ base() *Base }); ok && b.base().called == "" {
		b.base().called = name
	}
}

// remove returns s without x, in order.
func remove[T comparable](s []T, x T) []T {
	return slices.DeleteFunc(s, func(y T) bool { return y == x })
}
