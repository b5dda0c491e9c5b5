package vpc

import (
	"cmp"
	"fmt"
	"net/netip"
	"time"

	"github.com/vpcsim/vpcsim/ec2"
)

// The Restore methods make resources as they stand in a description: with the given
// ids, owners, states and times, and without the checks of the calls that create,
// because real networks hold states that a fresh call would be refused. Each takes the
// EC2 API's shape. In order: prefix lists and DHCP options, VPCs, subnets, security
// groups and then their rules, network ACLs, instances, interfaces, addresses, route
// tables, gateways (by their own packages, which adopt their interfaces), the tables'
// routes, and CompleteVPC last. Call no other method of the region in between.
//
// One that can't make a resource returns nil and an error; one that made it but had
// to leave something out returns both. Those errors are, or join, [*ShapeError].

// ShapeError says what of a shape can't be restored.
type ShapeError struct {
	// Field is where it stands in the shape, in the names of its JSON, such as
	// Routes[2].DestinationCidrBlock.
	Field string
	// Value is what stands there, Want what was expected.
	Value, Want string
	// Absent says that the shape itself is sound: it names a resource that is not
	// there, or one that is there already.
	Absent bool
	// Instead says what stands in the network in its place; "" is nothing.
	Instead string
}

// Error returns field, value, what was expected and what is there instead.
func (e *ShapeError) Error() string {
	s := fmt.Sprintf("vpc: %s %q: expected %s", e.Field, e.Value, e.Want)
	if e.Instead != "" {
		s += "; " + e.Instead
	}
	return s
}

// Absent returns the [*ShapeError] of a field that names a resource which is not there.
func Absent(field, id string) error { return absentBut(field, id, "") }

// absentBut is Absent with what stands in the resource's place.
func absentBut(field, id, instead string) error {
	return &ShapeError{Field: field, Value: id, Want: "the id of a resource that is there", Absent: true, Instead: instead}
}

// malformedShape is the error of a field that can't be read.
func malformedShape(field, value, want string) error {
	return &ShapeError{Field: field, Value: value, Want: want}
}

// RestoreFor says whose account the descriptions are of that follow: it owns what is
// restored from shapes that tell no owner. "" is the region's account.
func (tx *Tx) RestoreFor(account string) { tx.account = account }

// RestoreBase returns the Base of a resource as described. field is the member that
// its id stands in. An id that is missing, or in use, is an error.
func (tx *Tx) RestoreBase(field string, id, owner *string, tags []ec2.Tag) (Base, error) {
	b := Base{id: ec2.Value(id), region: tx.r, owner: cmp.Or(ec2.Value(owner), tx.account)}
	switch {
	case b.id == "":
		return b, malformedShape(field, "", "an id")
	case tx.r.byID[b.id] != nil:
		return b, &ShapeError{Field: field, Value: b.id, Want: "an id that no other resource has", Absent: true}
	}
	for _, t := range tags {
		b.tags = append(b.tags, Tag{ec2.Value(t.Key), ec2.Value(t.Value)})
	}
	return b, nil
}

// RestoreTime returns the time in a shape, the region's start where it is absent or in
// no form that is known: nothing but descriptions depends on it.
func (tx *Tx) RestoreTime(t *ec2.Timestamp) time.Time {
	if t == nil {
		return tx.r.start
	}
	at, err := t.Time()
	if err != nil {
		return tx.r.start
	}
	return at
}

// Named returns the resource of type R with the id in a field. It is Absent where
// there is none.
func Named[R Resource](tx *Tx, field string, id *string) (R, error) {
	x, ok := tx.r.byID[ec2.Value(id)].(R)
	if !ok {
		return x, Absent(field, ec2.Value(id))
	}
	return x, nil
}

// shapePrefix reads a CIDR of the family. Host bits are dropped.
func shapePrefix(field string, text *string, six bool) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(ec2.Value(text))
	if err != nil || p.Addr().Is4In6() || p.Addr().Is6() != six {
		want := "an IPv4 CIDR, such as 10.0.0.0/16"
		if six {
			want = "an IPv6 CIDR, such as 2001:db8::/56"
		}
		return netip.Prefix{}, malformedShape(field, ec2.Value(text), want)
	}
	return p.Masked(), nil
}

// shapeAddr reads an address of the family.
func shapeAddr(field string, text *string, six bool) (netip.Addr, error) {
	a, err := netip.ParseAddr(ec2.Value(text))
	if err != nil || a.Is6() != six || a.Is4In6() || a.Zone() != "" {
		want := "an IPv4 address"
		if six {
			want = "an IPv6 address"
		}
		return netip.Addr{}, malformedShape(field, ec2.Value(text), want)
	}
	return a, nil
}

// member returns the name of a member of a list's entry, such as Routes[2].State.
func member(list string, i int, field string) string { return fmt.Sprintf("%s[%d].%s", list, i, field) }
