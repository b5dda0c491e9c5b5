package load

import (
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/vpcsim/vpcsim/ec2"
)

// snapshot is what the files say of one region, of all its accounts.
type snapshot struct {
	shapes
	region string
	told   told
	fresh  bool // of a plan: what is not told is as AWS makes it
}

// group puts the files' contents together by region, in the order of the regions'
// names.
func group(files []*file, c Config) []*snapshot {
	byName := map[string]*snapshot{}
	folders := map[string]string{}
	var all []*snapshot
	nameOf := func(f *file) string {
		dir := path.Dir(f.name)
		switch {
		case f.region != "":
			return f.region
		case folders[dir] == "":
			folders[dir] = regionOf(files, dir, c.Region)
		}
		return folders[dir]
	}
	for _, f := range files {
		if f.shapes.empty() {
			continue
		}
		name := nameOf(f)
		if byName[name] == nil {
			byName[name] = &snapshot{region: name, told: told{}}
			all = append(all, byName[name])
		}
		byName[name].add(f.shapes)
	}
	accounts := map[string][]string{}
	for _, f := range files {
		dir := path.Dir(f.name)
		if _, known := accounts[dir]; !known {
			accounts[dir] = accountsOf(files, dir)
		}
		of := accounts[dir]
		if f.account != "" {
			of = []string{f.account}
		}
		if s := byName[nameOf(f)]; s != nil {
			s.told.add(f, of)
		}
	}
	slices.SortFunc(all, func(a, b *snapshot) int { return strings.Compare(a.region, b.region) })
	return all
}

// add appends the contents of a file.
func (s *shapes) add(o *shapes) {
	to, from := reflect.ValueOf(s).Elem(), reflect.ValueOf(o).Elem()
	for i := range to.NumField() {
		to.Field(i).Set(reflect.AppendSlice(to.Field(i), from.Field(i)))
	}
}

func (s *shapes) empty() bool {
	v := reflect.ValueOf(s).Elem()
	for i := range v.NumField() {
		if v.Field(i).Len() > 0 {
			return false
		}
	}
	return true
}

// accountsOf returns the accounts whose answers a folder holds where its path tells of
// none: those that own its default security groups, which nobody is told of but a VPC's
// owner; else those that own any, as a participant of shared VPCs does; else "", which is
// every account.
func accountsOf(files []*file, dir string) []string {
	var owners, others []string
	for _, f := range files {
		if path.Dir(f.name) != dir {
			continue
		}
		for _, g := range f.shapes.Groups {
			if ec2.Value(g.shape.GroupName) == "default" {
				owners = append(owners, ec2.Value(g.shape.OwnerId))
			}
			others = append(others, ec2.Value(g.shape.OwnerId))
		}
	}
	if len(owners) == 0 {
		owners = others
	}
	if len(owners) == 0 || slices.Contains(owners, "") {
		return []string{""}
	}
	slices.Sort(owners)
	return slices.Compact(owners)
}

// regionOf returns the region that a folder's files name where their path does not: in
// a list of zones, or by a subnet's zone.
func regionOf(files []*file, dir, unknown string) string {
	for _, f := range files {
		if path.Dir(f.name) != dir {
			continue
		}
		for _, z := range f.shapes.Zones {
			if name := ec2.Value(z.shape.RegionName); name != "" {
				return name
			}
		}
	}
	for _, f := range files {
		if path.Dir(f.name) != dir {
			continue
		}
		for _, s := range f.shapes.Subnets {
			if name := strings.TrimRight(ec2.Value(s.shape.AvailabilityZone), "abcdefghijklmnopqrstuvwxyz"); regionName.MatchString(name) {
				return name
			}
		}
	}
	return unknown
}
