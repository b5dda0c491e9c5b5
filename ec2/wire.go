package ec2

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A List is the list of a shape. Nil is absent, as a missing element is on the
// wire; an empty list is an empty element. A []T assigns to it.
type List[T any] []T

// MarshalXML writes the list as EC2 does, each entry an element named item.
// It writes nothing for nil.
func (l List[T]) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	if l == nil {
		return nil
	}
	if err := e.EncodeToken(start); err != nil {
		return err
	}
	for i := range l {
		if err := e.EncodeElement(&l[i], xml.StartElement{Name: xml.Name{Local: "item"}}); err != nil {
			return err
		}
	}
	return e.EncodeToken(start.End())
}

// UnmarshalXML reads a list, whatever its entries' elements are called. The
// list of an empty element is empty, not nil.
func (l *List[T]) UnmarshalXML(d *xml.Decoder, start xml.StartElement) error {
	*l = List[T]{}
	for {
		token, err := d.Token()
		if err != nil {
			return err
		}
		switch token := token.(type) {
		case xml.StartElement:
			var next T
			if err := d.DecodeElement(&next, &token); err != nil {
				return err
			}
			*l = append(*l, next)
		case xml.EndElement:
			return nil
		}
	}
}

// A Timestamp is a time as it was read or will be written. It stays text, since
// every door of AWS writes times in a form of its own and what was loaded must
// be printed unchanged.
type Timestamp string

// timestampWire is the form in which EC2 sends times.
const timestampWire = "2006-01-02T15:04:05.000Z"

// TimestampOf returns t as EC2 sends it: UTC, milliseconds, cut off.
func TimestampOf(t time.Time) Timestamp {
	return Timestamp(t.UTC().Format(timestampWire))
}

// Time returns the time that t names. It reads EC2's own form, that of the
// second aws CLI (2020-02-12T18:00:16+00:00), and that of Python programs
// (2020-02-12 18:00:16+00:00). Any other is an error.
func (t Timestamp) Time() (time.Time, error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05Z07:00"} {
		if at, err := time.Parse(layout, string(t)); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("ec2: timestamp %q: expected a form such as %q", string(t), timestampWire)
}

// Value returns what p points to, the zero value of T where the member is absent.
func Value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// A Blob is binary data in base64, as the wire and the aws CLI have it.
type Blob string

// An Action is one action of the API and its shapes.
type Action struct {
	// Name is the action's name, such as DescribeRouteTables.
	Name string
	// Request returns a new, empty pointer to the shape that the action takes.
	Request func() any
	// Result returns a new, empty pointer to the shape that the action answers
	// with. It is nil for an action that answers only that it was done.
	Result func() any
}

// ActionNamed returns the action of that name, by its exact case, and whether
// it is among [Actions].
func ActionNamed(name string) (Action, bool) {
	i, ok := slices.BinarySearchFunc(Actions, name, func(a Action, name string) int { return strings.Compare(a.Name, name) })
	if !ok {
		return Action{}, false
	}
	return Actions[i], true
}

// namespace is that of the API's version; the CLI ignores it, other clients don't.
const namespace = "http://ec2.amazonaws.com/doc/2016-11-15/"

// MarshalResponse returns the answer of the API to action as XML: result inside
// EC2's envelope. A nil result is that of an action which answers only that it
// was done. An error is encoding/xml's, for a value that is no shape.
func MarshalResponse(action, requestID string, result any) ([]byte, error) {
	done := true
	if result == nil {
		result = struct {
			Return *bool `xml:"return"`
		}{&done}
	}
	envelope := xml.StartElement{Name: xml.Name{Local: action + "Response"}}
	fields, err := inner(result)
	if err != nil {
		return nil, err
	}
	text, err := xml.Marshal(struct {
		XMLName   xml.Name
		Namespace string `xml:"xmlns,attr"`
		RequestID string `xml:"requestId"`
		Fields    []byte `xml:",innerxml"`
	}{envelope.Name, namespace, requestID, fields})
	if err != nil {
		return nil, err
	}
	return append([]byte(xml.Header), text...), nil
}

// inner returns the elements of a shape's members without one around them.
func inner(shape any) ([]byte, error) {
	const open, end = "<x>", "</x>"
	var b strings.Builder
	if err := xml.NewEncoder(&b).EncodeElement(shape, xml.StartElement{Name: xml.Name{Local: "x"}}); err != nil {
		return nil, err
	}
	return []byte(strings.TrimSuffix(strings.TrimPrefix(b.String(), open), end)), nil
}
