package resolver

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/vpcsim/vpcsim/dns"
	"github.com/vpcsim/vpcsim/vpc"
)

// HostedZone is a private hosted zone of Route 53: names that the resolvers of its VPCs
// know. What the zone does not have does not exist for them, though the internet has it.
// Its VPCs need DNS host names and DNS support (Route 53 guide, "Considerations when
// working with a private hosted zone").
type HostedZone struct {
	vpc.Base
	name  string
	vpcs  []*vpc.VPC
	names map[string]vpc.DNSName
}

// CreateHostedZone makes a private hosted zone of the name for VPCs of the region, at
// least one. Several zones may have one name where their VPCs differ.
func CreateHostedZone(name string, vpcs ...*vpc.VPC) (*HostedZone, error) {
	if len(vpcs) == 0 || vpcs[0] == nil {
		return nil, vpc.Refuse("InvalidInput", "When you're creating a private hosted zone (when you specify true for PrivateZone), you must also specify values for VPCId and VPCRegion.")
	}
	name = dns.Canonical(name)
	if _, err := dns.Query(0, name, dns.A).Append(nil); name == "" || err != nil {
		return nil, vpc.Refuse("InvalidDomainName", "%s is not a valid domain name", name)
	}
	var z *HostedZone
	err := vpcs[0].Change(func(tx *vpc.Tx) error {
		for _, v := range vpcs {
			if err := tx.Needs("VPCId", v); err != nil {
				return err
			}
			if z := zoneOf(tx, name, v); z != nil {
				return vpc.Refuse("ConflictingDomainExists", "The VPC %s in region %s has already been associated with the hosted zone %s with the same domain name.", v.ID(), tx.Region().Name(), z.ID())
			}
		}
		b, err := tx.NewNamed("Z"+fmt.Sprintf("%016X", len(vpc.Resources[*HostedZone](tx))+1)+tx.NewSuffix(), "")
		if err != nil {
			return err
		}
		z = &HostedZone{Base: b, name: name, vpcs: slices.Clone(vpcs), names: map[string]vpc.DNSName{}}
		tx.Add(z)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return z, nil
}

func zoneOf(tx *vpc.Tx, name string, v *vpc.VPC) *HostedZone {
	for _, z := range vpc.Resources[*HostedZone](tx) {
		if z.name == name && slices.Contains(z.vpcs, v) {
			return z
		}
	}
	return nil
}

// Name returns the zone's name.
func (z *HostedZone) Name() string { return z.name }

// Set gives a name of the zone its addresses, of both families; "*." in front stands for
// all names below. It replaces what the name had. A name outside of the zone is refused.
func (z *HostedZone) Set(name string, ttl time.Duration, addrs ...netip.Addr) error {
	return z.set(vpc.DNSName{Name: name, TTL: ttl, Addrs: slices.Clone(addrs)})
}

// SetAlias has a name of the zone stand for another one, as a CNAME record does.
func (z *HostedZone) SetAlias(name string, ttl time.Duration, target string) error {
	return z.set(vpc.DNSName{Name: name, TTL: ttl, Alias: target})
}

func (z *HostedZone) set(n vpc.DNSName) error {
	n.Name = dns.Canonical(n.Name)
	if _, below := under(n.Name, z.name); !below && n.Name != z.name {
		return vpc.Refuse("InvalidChangeBatch", "[RRSet with DNS name %s. is not permitted in zone %s.]", n.Name, z.name)
	}
	return z.Change(func(*vpc.Tx) error {
		if n.Alias == "" && len(n.Addrs) == 0 {
			delete(z.names, n.Name)
			return nil
		}
		z.names[n.Name] = n
		return nil
	})
}

// Delete deletes the zone with its names.
func (z *HostedZone) Delete() error {
	return z.Change(func(tx *vpc.Tx) error {
		tx.Remove(z)
		return nil
	})
}

// DNSNames returns the zone's names, by name.
func (z *HostedZone) DNSNames(*vpc.Tx) []vpc.DNSName {
	var all []vpc.DNSName
	for _, n := range z.names {
		n.Within = z.vpcs
		all = append(all, n)
	}
	slices.SortFunc(all, func(a, b vpc.DNSName) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return all
}

// compiled returns a copy of the zone for a book.
func (z *HostedZone) compiled() zone {
	c := zone{name: z.name, vpcs: slices.Clone(z.vpcs), names: map[string]vpc.DNSName{}}
	for name, n := range z.names {
		c.names[name] = n
	}
	return c
}
