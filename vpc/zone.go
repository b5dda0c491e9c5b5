package vpc

import (
	"hash/fnv"
	"slices"
	"strconv"
	"strings"

	"github.com/vpcsim/vpcsim/ec2"
)

// zone is an availability zone: a name, which each account has for itself, and an
// id, which is the same for all (EC2 guide, "AZ IDs").
type zone struct{ name, id string }

// newZones gives the names of zones the region's ids. Which name has which id
// depends on the account and nothing else.
func newZones(c RegionConfig) []zone {
	short := shortRegion(c.Name)
	h := fnv.New32a()
	h.Write([]byte(c.Account))
	shift := int(h.Sum32() % uint32(max(len(c.Zones), 1)))
	zones := make([]zone, len(c.Zones))
	for i, name := range c.Zones {
		zones[i] = zone{name, short + "-az" + strconv.Itoa((i+shift)%len(c.Zones)+1)}
		if i < len(c.ZoneIDs) && c.ZoneIDs[i] != "" {
			zones[i].id = c.ZoneIDs[i]
		}
	}
	return zones
}

// shortRegion returns the region's part of zone ids: use1 of us-east-1, apne3 of
// ap-northeast-3.
func shortRegion(region string) string {
	short := ""
	for i, word := range strings.Split(region, "-") {
		switch {
		case i == 0 || word == "gov" || word == "iso" || word == "isob":
			short += word
		case len(word) > 5 && (strings.HasPrefix(word, "north") || strings.HasPrefix(word, "south")):
			short += word[:1] + word[5:6]
		case word != "":
			short += word[:1]
		}
	}
	return short
}

// zoneNamed returns the zone of that name or id and whether there is one.
func (r *Region) zoneNamed(s string) (zone, bool) {
	i := slices.IndexFunc(r.zones, func(z zone) bool { return z.name == s || z.id == s })
	if i < 0 {
		return zone{}, false
	}
	return r.zones[i], true
}

// Zones returns the names of the availability zones.
func (r *Region) Zones() []string {
	names := make([]string, len(r.zones))
	for i, z := range r.zones {
		names[i] = z.name
	}
	return names
}

// ZoneID returns the id of the zone with the given name, such as use1-az2; "" where
// the region has none of that name.
func (r *Region) ZoneID(name string) string {
	z, _ := r.zoneNamed(name)
	return z.id
}

// DescribeAvailabilityZones lists the region's zones.
func (r *Region) DescribeAvailabilityZones() *ec2.DescribeAvailabilityZonesResult {
	list := make([]ec2.AvailabilityZone, len(r.zones))
	for i, z := range r.zones {
		list[i] = ec2.AvailabilityZone{
			State: new(ec2.AvailabilityZoneStateAvailable), OptInStatus: new(ec2.AvailabilityZoneOptInStatusOptInNotRequired),
			Messages: []ec2.AvailabilityZoneMessage{}, RegionName: new(r.name), ZoneName: new(z.name), ZoneId: new(z.id),
			GroupName: new(r.name), NetworkBorderGroup: new(r.name), ZoneType: new("availability-zone"),
		}
	}
	return &ec2.DescribeAvailabilityZonesResult{AvailabilityZones: list}
}

func itoa(n int) string { return strconv.Itoa(n) }
