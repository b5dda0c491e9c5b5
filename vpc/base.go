package vpc

import "slices"

// Base is what every resource has: an id, a region, tags. Gateways of other
// packages embed one made by [Tx.NewBase].
type Base struct {
	id     string
	region *Region
	tags   []Tag
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

// Tag is a key and a value given to a resource.
type Tag struct{ Key, Value string }

// ID returns the resource's id. It never changes.
func (b *Base) ID() string { return b.id }

// Region returns the region that holds the resource.
func (b *Base) Region() *Region { return b.region }

// Tag sets a tag. The tag Name is how traces call the resource.
func (b *Base) Tag(key, value string) {
	b.region.Change(func(*Tx) error {
		b.setTag(key, value)
		return nil
	})
}

func (b *Base) setTag(key, value string) {
	for i := range b.tags {
		if b.tags[i].Key == key {
			b.tags[i].Value = value
			return
		}
	}
	b.tags = append(b.tags, Tag{key, value})
}

// Tags returns a copy of the tags, in the order in which they were first set.
func (b *Base) Tags() []Tag {
	var tags []Tag
	b.region.read(func() { tags = slices.Clone(b.tags) })
	return tags
}

// label returns the Name tag, or the id.
func (b *Base) label() string {
	for _, t := range b.tags {
		if t.Key == "Name" && t.Value != "" {
			return t.Value
		}
	}
	return b.id
}

// Label returns how traces call the resource: its Name tag, else its id.
func (b *Base) Label() string {
	var s string
	b.region.read(func() { s = b.label() })
	return s
}

// remove returns s without x, in order.
func remove[T comparable](s []T, x T) []T {
	return slices.DeleteFunc(s, func(y T) bool { return y == x })
}
