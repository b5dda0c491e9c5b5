package load

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/world"
)

// Change is a change to a network, by calls of the control plane; package reach has those
// that text says.
type Change interface {
	// Apply makes the change. Where it returns an error some of it may have been made.
	Apply(w *world.World) error
}

// With returns the network as it is after the changes, made in order; without any it is a
// copy. n stays as it was, and may be asked meanwhile from other goroutines. The regions of
// both have the same ids. It costs what loading does without the reading of files.
//
// It returns an error where a change can't be made, and where n's regions have been changed
// since by other calls than this: those it does not know.
func (n *Network) With(changes ...Change) (*Network, error) {
	for i, age := range n.age() {
		if age != n.changes[i] {
			return nil, fmt.Errorf("load: %s was changed after it was loaded, by other calls than With: expected a network as it was loaded", n.Regions[i].Name())
		}
	}
	out, err := n.read.restore()
	if err != nil {
		return nil, err
	}
	out.made = append(slices.Clone(n.made), changes...)
	for _, c := range out.made {
		if err := c.Apply(out.World); err != nil {
			return nil, err
		}
	}
	out.changes = out.age()
	return out, nil
}

// age returns how many changes each region has seen.
func (n *Network) age() []uint64 {
	ages := make([]uint64, len(n.Regions))
	for i, r := range n.Regions {
		ages[i] = r.Changes()
	}
	return ages
}

// Of returns the regions of a world that was built as a network of its own: described as
// [Answers] does and loaded. w stays as it is. Hosts, sites beyond gateways and packets on
// their way are not taken along. It returns an error where a region holds what no
// description tells, naming it, or where two regions have one name.
func Of(w *world.World, c Config) (*Network, error) {
	read := reading{config: c}
	names := map[string]bool{}
	for _, r := range w.Regions() {
		if names[r.Name()] {
			return nil, fmt.Errorf("load: two regions are called %s: expected one", r.Name())
		}
		names[r.Name()] = true
		for _, a := range Answers(r) {
			f := newFile(a.Key + ".json")
			f.name, f.region = r.Name()+"/"+f.name, r.Name()
			skips, err := f.read(a.JSON)
			if err != nil {
				return nil, err
			}
			read.skipped = append(read.skipped, skips...)
			read.files = append(read.files, f)
		}
	}
	n, err := read.restore()
	if err != nil {
		return nil, err
	}
	for _, r := range w.Regions() {
		if err := alike(r, n.Region(r.Name())); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// alike returns what the copy of a region lacks.
func alike(r, of *vpc.Region) error {
	if of == nil {
		return fmt.Errorf("load: %s: expected a region with resources, found none", r.Name())
	}
	for _, x := range resources[vpc.Resource](r) {
		if of.Find(x.ID()) == nil {
			return fmt.Errorf("load: %s: %s, a %T, can't be copied: no describe-… answer holds it", r.Name(), x.ID(), x)
		}
	}
	again := Answers(of)
	for i, a := range Answers(r) {
		if !bytes.Equal(a.JSON, again[i].JSON) {
			was, is := firstDifference(a.JSON, again[i].JSON)
			return fmt.Errorf("load: %s: %s can't be copied: %s became %s", r.Name(), a.Key, was, is)
		}
	}
	return nil
}

// firstDifference returns the first lines of two texts that differ.
func firstDifference(a, b []byte) (string, string) {
	x, y := strings.Split(string(a), "\n"), strings.Split(string(b), "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return strings.TrimSpace(x[i]), strings.TrimSpace(y[i])
		}
	}
	return fmt.Sprint(len(x)) + " lines", fmt.Sprint(len(y)) + " lines"
}
