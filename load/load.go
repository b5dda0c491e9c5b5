// Package load makes regions from what the aws CLI printed of real ones: a folder of
// describe-… answers as JSON, of one region, of several, or of several accounts. The
// top-level key says what a file holds, not its name; keys that are unknown are no
// error.
//
//	n, err := load.Dir("snapshot", load.Config{})
//	…
//	web := n.Find("web-1")
//	for _, s := range n.Skipped {
//		fmt.Println(s)
//	}
//
// All accounts' resources of one region make one [vpc.Region], and the regions share
// one [world.World]. What a description tells of a resource is taken as it is: ids,
// owners, states, addresses, MAC addresses, associations. What is missing, deleted or
// not understood stands in Network.Skipped, and the rest is loaded; a route to something
// that no file holds, or that was left out, leads to a [vpc.UnknownGateway], and no packet
// is delivered by it.
package load

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/vpcsim/vpcsim/directconnect"
	"github.com/vpcsim/vpcsim/peering"
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/world"
)

// Config says how a network is loaded. The zero value will do.
type Config struct {
	// World is the world's configuration. What is made beside the files (ids of
	// associations that no file tells) depends on its seed.
	World world.Config
	// Region is the region of files whose path and contents do not tell; "" is
	// us-east-1.
	Region string
	// Account is the account that owns what the user makes in a loaded region; "" is
	// the one that owns the first VPC.
	Account string
	// Before says of a Terraform plan that the network before it is meant, as its prior
	// state tells, and not the one once it is applied.
	Before bool
}

// Network is a loaded network: regions in one world.
type Network struct {
	// World is where the regions live.
	World *world.World
	// Regions are the regions, by name.
	Regions []*vpc.Region
	// Skipped is what was left out or completed, file by file.
	Skipped []Skip

	sources map[string]Source
	names   index
	left    map[string]Skip     // by id, and by name and addresses
	parts   map[string][]string // by id: what of a resource was left out
	direct  directconnect.Gateways

	read    reading
	made    []Change // by With, in order
	changes []uint64 // of each region, when the network was ready
}

// Source is where a resource was read.
type Source struct {
	// File is the file's path in the folder, Path the resource's place in it, such as
	// Subnets[3].
	File, Path string
}

// Skip is something in the files that the network does not have.
type Skip struct {
	// File is the file's path in the folder; Path is the place in its JSON, such as
	// RouteTables[2].Routes[0].NatGatewayId, "" for all of the file.
	File string `json:"file"`
	Path string `json:"path"`
	// Reason says what was left out or made up, and why.
	Reason string `json:"reason"`
	// ID is the resource's id where the network has nothing of it, else "".
	ID string `json:"id,omitempty"`
	// Assumed says that the network has what is described, as far as the reason says: of
	// a Terraform plan, what is known after apply only.
	Assumed bool `json:"assumed,omitempty"`

	value string // what stands in the file there
}

// String returns file, path and reason on one line.
func (s Skip) String() string { return place(s.File, s.Path) + ": " + s.Reason }

// Error is a file that can't be read: no JSON, or a member that is of the wrong type. A
// value that means nothing is no error: what has it is in Network.Skipped.
type Error struct {
	// File is the file's path in the folder, Path the place in its JSON.
	File, Path string
	// Msg says what is there and what was expected.
	Msg string
}

// Error returns file, path and message.
func (e *Error) Error() string { return "load: " + place(e.File, e.Path) + ": " + e.Msg }

func place(file, path string) string {
	if path == "" {
		return file
	}
	return file + ": " + path
}

// Open loads a folder as Dir does, and a file as [Plan] does.
func Open(path string, c Config) (*Network, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, lost(path, "a folder of describe-… answers, as vpcsim collect makes it, or a Terraform plan", err)
	case !info.IsDir():
		return Plan(path, c)
	case c.Before:
		return nil, &Error{File: path, Msg: "expected a plan: a folder has no network before it"}
	}
	return Dir(path, c)
}

// lost is the error of a path that is not there, or can't be read.
func lost(path, want string, err error) error {
	var why *fs.PathError
	if errors.As(err, &why) {
		err = why.Err
	}
	return fmt.Errorf("load: %s: expected %s: %w", path, want, err)
}

// Dir loads a folder. The error is a *Error where a file can't be read as what it
// should be, and the file system's where it can't be read at all.
func Dir(path string, c Config) (*Network, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, lost(path, "a folder of describe-… answers, as vpcsim collect makes it", err)
	}
	if !info.IsDir() {
		return nil, &Error{File: path, Msg: "expected a folder"}
	}
	n, err := FS(os.DirFS(path), c)
	var e *Error
	if errors.As(err, &e) && e.File == "." {
		e.File = path
	}
	return n, err
}

// FS loads a file system, as Dir does.
func FS(fsys fs.FS, c Config) (*Network, error) {
	if c.Region == "" {
		c.Region = "us-east-1"
	}
	files, skipped, err := readFiles(fsys)
	if err != nil {
		return nil, err
	}
	return reading{files: files, skipped: skipped, config: c}.restore()
}

// reading is what was read of the files, or of a plan. Nothing changes it once it is there.
type reading struct {
	files   []*file
	plan    *planned
	skipped []Skip
	config  Config
}

// restore makes a network of what was read.
func (r reading) restore() (*Network, error) {
	n := &Network{
		World: world.New(r.config.World), Skipped: slices.Clone(r.skipped), sources: map[string]Source{}, names: index{}, left: map[string]Skip{}, read: r,
		direct: directconnect.Gateways{},
	}
	snapshots := group(r.files, r.config)
	if r.plan != nil {
		snapshots = r.plan.snapshots(r.config)
	}
	settle(snapshots)
	for _, s := range snapshots {
		n.Regions = append(n.Regions, n.restore(s, r.config))
	}
	peering.Join(n.Regions...)
	tgw.Join(n.Regions...)
	n.joinTunnels()
	switch {
	case len(n.Regions) > 0:
	case r.plan != nil:
		return nil, &Error{File: r.plan.file.name, Msg: nothing(r.config.Before)}
	default:
		return nil, &Error{File: ".", Msg: fmt.Sprintf("expected files of describe-… answers, found none in its %d JSON files (vpcsim collect prints the commands that make them)", len(r.files))}
	}
	if r.plan != nil {
		n.call(r.plan)
		n.Skipped = slices.DeleteFunc(n.Skipped, func(s Skip) bool { return s.ID == "" && r.plan.noted[s.value] }) // told by the plan
	}
	n.index()
	n.parts = n.partial()
	n.changes = n.age()
	return n, nil
}

// Region returns the region of that name, nil where none was loaded.
func (n *Network) Region(name string) *vpc.Region {
	for _, r := range n.Regions {
		if r.Name() == name {
			return r
		}
	}
	return nil
}

// Source returns where the resource with the id was read, and whether it was: what
// was made up has no source.
func (n *Network) Source(id string) (Source, bool) {
	s, ok := n.sources[id]
	return s, ok
}

// Lacks returns what of a resource, by its id, Name tag or an address, was left out: all of
// it (whole), or parts of it, such as a rule whose peer no file holds; "" where nothing was.
// It is what [reach.Config] takes as LeftOut.
//
// [reach.Config]: https://pkg.go.dev/github.com/vpcsim/vpcsim/reach#Config
func (n *Network) Lacks(name string) (what string, whole bool) {
	found := n.Find(name)
	if s, ok := n.LeftOut(name); ok && len(found) == 0 {
		return s.String(), true
	}
	var all []string
	for _, x := range found {
		all = append(all, n.parts[x.ID()]...)
	}
	return strings.Join(all, "; "), false
}

// partial finds the resources that the skips of parts are about.
func (n *Network) partial() map[string][]string {
	at := make(map[Source]string, len(n.sources))
	for id, s := range n.sources {
		at[s] = id
	}
	if n.read.plan != nil {
		for _, name := range n.read.plan.Names { // a resource may have several parts
			at[Source{n.read.plan.file.name, name.Address}] = name.ID
		}
	}
	parts := map[string][]string{}
	for _, s := range n.Skipped {
		if s.Assumed {
			continue
		}
		for path := s.Path; path != ""; path = path[:max(0, strings.LastIndexAny(path, ".["))] {
			if id := at[Source{s.File, path}]; id != "" && path != s.Path {
				parts[id] = append(parts[id], s.String())
				break
			}
		}
	}
	return parts
}

// LeftOut returns why the network has nothing of what an id, a Name tag or an address
// stands for, and whether a file describes it.
func (n *Network) LeftOut(name string) (Skip, bool) {
	if a, err := netip.ParseAddr(name); err == nil {
		name = a.String()
	}
	s, ok := n.left[name]
	return s, ok
}
