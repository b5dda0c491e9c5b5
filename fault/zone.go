package fault

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/vpcsim/vpcsim/eni"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/world"
)

// ZoneCutOff has nothing pass the interfaces in an availability zone: neither into the
// zone nor out of it, nor within it. It is the worst that a zone can do; guests go on,
// each by itself, with their metadata service. Interfaces of services are cut off too,
// so a NAT gateway or load balancer node in the zone is of no use. The API works and
// says nothing; interfaces that it makes in the zone meanwhile are not cut off.
type ZoneCutOff struct {
	// Region holds the zone.
	Region *vpc.Region
	// Zone is its name, such as us-east-1a.
	Zone string
}

// String returns "zone … is cut off".
func (f ZoneCutOff) String() string { return "zone " + f.Zone + " is cut off" }

func (f ZoneCutOff) begin(w *world.World) (func() error, error) {
	switch {
	case f.Region == nil:
		return nil, errors.New("no region is given")
	case !slices.Contains(f.Region.Zones(), f.Zone):
		return nil, fmt.Errorf("region %s has the zones %v", f.Region.Name(), f.Region.Zones())
	}
	var ports []*eni.Port
	for _, d := range f.Region.DescribeNetworkInterfaces().NetworkInterfaces {
		n, ok := f.Region.Find(*d.NetworkInterfaceId).(*vpc.NetworkInterface)
		if !ok || n.Subnet().Zone() != f.Zone {
			continue
		}
		p, err := portOf(w, n)
		if err != nil {
			return nil, err
		}
		ports = append(ports, p)
	}
	heals := make([]func() error, 0, len(ports))
	heal := func() (err error) {
		for _, h := range heals {
			err = errors.Join(err, h())
		}
		return err
	}
	for _, p := range ports {
		h, err := befall(p, severed(f.String()))
		if err != nil {
			return nil, errors.Join(err, heal())
		}
		heals = append(heals, h)
	}
	return heal, nil
}

// severed is a link that loses everything, for a reason in words.
type severed string

// Impair loses the packet.
func (s severed) Impair(time.Duration, bool) eni.Fate { return eni.Fate{Lost: string(s)} }
