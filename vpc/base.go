package vpc

import "slices"

// base is what every resource has.
type base struct {
	id     string
	region *Region
	tags   []Tag
}

// Tag is a key and a value given to a resource.
type Tag struct{ Key, Value string }

// ID returns the resource's id. It never changes.
func (b *base) ID() string { return b.id }

// Region returns the region that holds the resource.
func (b *base) Region() *Region { return b.region }

// Tag sets a tag. The tag Name is how traces call the resource.
func (b *base) Tag(key, value string) {
	b.region.Change(func(*Tx) error {
		b.setTag(key, value)
		return nil
	})
}

func (b *base) setTag(key, value string) {
	for i := range b.tags {
		if b.tags[i].Key == key {
			b.tags[i].Value = value
			return
		}
	}
	b.tags = append(b.tags, Tag{key, value})
}

// Tags returns a copy of the tags, in the order in which they were first set.
func (b *base) Tags() []Tag {
	var tags []Tag
	b.region.read(func() { tags = slices.Clone(b.tags) })
	return tags
}

// label returns the Name tag, or the id.
func (b *base) label() string {
	for _, t := range b.tags {
		if t.Key == "Name" && t.Value != "" {
			return t.Value
		}
	}
	return b.id
}

// Label returns how traces call the resource: its Name tag, else its id.
func (b *base) Label() string {
	var s string
	b.region.read(func() { s = b.label() })
	return s
}

// remove returns s without x, in order.
func remove[T comparable](s []T, x T) []T {
	return slices.DeleteFunc(s, func(y T) bool { return y == x })
}
