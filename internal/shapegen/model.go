package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// model is AWS's service model ("C2J"), as far as shapes need it.
type model struct {
	Operations map[string]operation `json:"operations"`
	Shapes     map[string]shape     `json:"shapes"`
}

// operation is one action: its shapes by name, empty where it has none.
type operation struct {
	Input  reference `json:"input,omitzero"`
	Output reference `json:"output,omitzero"`
}

// shape is one type of the model. Members is a structure's, Member a list's.
type shape struct {
	Type    string    `json:"type"`
	Members members   `json:"members,omitempty"`
	Member  reference `json:"member,omitzero"`
	Enum    []string  `json:"enum,omitempty"`
}

// reference is the use of a shape, with its names on the wire.
type reference struct {
	Shape        string `json:"shape,omitempty"`
	LocationName string `json:"locationName,omitempty"`
	QueryName    string `json:"queryName,omitempty"`
}

// query is the name of member in a request, by the rule of the EC2 protocol:
// queryName as it is, else locationName with its first letter capital.
func (r reference) query(member string) string {
	switch {
	case r.QueryName != "":
		return r.QueryName
	case r.LocationName != "":
		return capital(r.LocationName)
	}
	return member
}

// element is the name of member in an answer.
func (r reference) element(member string) string {
	if r.LocationName != "" {
		return r.LocationName
	}
	return member
}

// members are a structure's members in the model's order, which a Go map would
// lose and in which the aws CLI prints them.
type members []member

type member struct {
	Name string
	reference
}

// UnmarshalJSON reads an object and keeps its order.
func (m *members) UnmarshalJSON(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if _, err := d.Token(); err != nil {
		return err
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		next := member{Name: fmt.Sprint(name)}
		if err := d.Decode(&next.reference); err != nil {
			return err
		}
		*m = append(*m, next)
	}
	return nil
}

// MarshalJSON writes the members as an object in their order.
func (m members) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, each := range m {
		if i > 0 {
			b.WriteByte(',')
		}
		text, err := json.Marshal(each.reference)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "%q:%s", each.Name, text)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// mostValues is the longest enumeration that becomes Go constants. Beyond it
// stands InstanceType alone, 1,200 names that no rule of a VPC asks for.
const mostValues = 120

// readModel reads a service model. Enumerations too long to be written out lose their values.
func readModel(text []byte) (model, error) {
	var m model
	if err := json.Unmarshal(text, &m); err != nil {
		return model{}, err
	}
	for name, s := range m.Shapes {
		if len(s.Enum) > mostValues {
			s.Enum = nil
			m.Shapes[name] = s
		}
	}
	return m, nil
}

// replace puts newer's operations and shapes in place of m's.
func (m model) replace(newer model) {
	for name, op := range newer.Operations {
		m.Operations[name] = op
	}
	for name, s := range newer.Shapes {
		m.Shapes[name] = s
	}
}

// reach adds to seen the names of the shapes that name refers to, itself included.
func (m model) reach(name string, seen map[string]bool) error {
	if name == "" || seen[name] {
		return nil
	}
	s, ok := m.Shapes[name]
	if !ok {
		return fmt.Errorf("the model has no shape %q", name)
	}
	seen[name] = true
	for _, each := range s.Members {
		if err := m.reach(each.Shape, seen); err != nil {
			return err
		}
	}
	return m.reach(s.Member.Shape, seen)
}

// equal reports whether two shapes would be generated alike.
func (s shape) equal(t shape) bool {
	return s.Type == t.Type && s.Member == t.Member && slices.Equal(s.Members, t.Members) && slices.Equal(s.Enum, t.Enum)
}
