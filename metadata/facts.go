package metadata

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/vpcsim/vpcsim/wire"
)

// Facts is what the service tells of an instance. What is empty is not there: its
// path is a 404.
type Facts struct {
	// InstanceID, InstanceType and ImageID are the paths instance-id,
	// instance-type and ami-id.
	InstanceID, InstanceType, ImageID string
	// Zone and Region are below placement/.
	Zone, Region string
	// UserData is the path user-data beside meta-data.
	UserData string
	// Interfaces are the attached interfaces; the one of device number 0 is the
	// instance's primary, which mac, local-ipv4 and their like tell of.
	Interfaces []Interface
}

// Interface is what the service tells of a network interface.
type Interface struct {
	// MAC is the interface's address, by which its path is named.
	MAC wire.MAC
	// DeviceNumber and NetworkCard say where it is attached.
	DeviceNumber, NetworkCard int
	// InterfaceID, SubnetID, VPCID and OwnerID name the interface and whose it is.
	InterfaceID, SubnetID, VPCID, OwnerID string
	// LocalHostname and PublicHostname are its DNS names.
	LocalHostname, PublicHostname string
	// LocalIPv4s are its private addresses, the primary first.
	LocalIPv4s []netip.Addr
	// IPv6s are its IPv6 addresses.
	IPv6s []netip.Addr
	// Associations are its public addresses and what they stand for, in the order of
	// the private ones.
	Associations []Association
	// IPv4Prefixes and IPv6Prefixes are the prefixes assigned to it.
	IPv4Prefixes, IPv6Prefixes []netip.Prefix
	// SecurityGroups and SecurityGroupIDs are its groups' names and ids, in one order.
	SecurityGroups, SecurityGroupIDs []string
	// SubnetIPv4 is the subnet's CIDR, SubnetIPv6s are its IPv6 CIDRs.
	SubnetIPv4  netip.Prefix
	SubnetIPv6s []netip.Prefix
	// VPCIPv4s are the VPC's CIDRs, the primary first; VPCIPv6s its IPv6 CIDRs.
	VPCIPv4s, VPCIPv6s []netip.Prefix
}

// Association is a public address of a private one.
type Association struct {
	Public, Private netip.Addr
}

// tree is what can be read, by path below the version.
type tree map[string]string

func (t tree) put(path, value string) {
	if value != "" {
		t[path] = value
	}
}

// tree returns the facts by their paths.
func (f Facts) tree() tree {
	t := tree{}
	t.put("user-data", f.UserData)
	t.put("meta-data/ami-id", f.ImageID)
	t.put("meta-data/instance-id", f.InstanceID)
	t.put("meta-data/instance-type", f.InstanceType)
	t.put("meta-data/placement/availability-zone", f.Zone)
	t.put("meta-data/placement/region", f.Region)
	for _, i := range f.Interfaces {
		i.put(t, "meta-data/network/interfaces/macs/"+i.MAC.String()+"/")
		if i.DeviceNumber == 0 {
			i.putPrimary(t)
		}
	}
	return t
}

// putPrimary puts what the top level tells of the primary interface.
func (i Interface) putPrimary(t tree) {
	t.put("meta-data/mac", i.MAC.String())
	t.put("meta-data/hostname", i.LocalHostname)
	t.put("meta-data/local-hostname", i.LocalHostname)
	t.put("meta-data/public-hostname", i.PublicHostname)
	t.put("meta-data/local-ipv4", first(i.LocalIPv4s))
	t.put("meta-data/ipv6", first(i.IPv6s))
	t.put("meta-data/public-ipv4", first(i.publicIPv4s()))
	t.put("meta-data/security-groups", strings.Join(i.SecurityGroups, "\n"))
}

// put puts the categories of an interface (EC2 guide, "Instance metadata
// categories", network/interfaces/macs/mac/…).
func (i Interface) put(t tree, at string) {
	t.put(at+"mac", i.MAC.String())
	t.put(at+"device-number", strconv.Itoa(i.DeviceNumber))
	t.put(at+"network-card", strconv.Itoa(i.NetworkCard))
	t.put(at+"interface-id", i.InterfaceID)
	t.put(at+"subnet-id", i.SubnetID)
	t.put(at+"vpc-id", i.VPCID)
	t.put(at+"owner-id", i.OwnerID)
	t.put(at+"local-hostname", i.LocalHostname)
	t.put(at+"public-hostname", i.PublicHostname)
	t.put(at+"local-ipv4s", lines(i.LocalIPv4s))
	t.put(at+"public-ipv4s", lines(i.publicIPv4s()))
	t.put(at+"ipv6s", lines(i.IPv6s))
	t.put(at+"ipv4-prefix", lines(i.IPv4Prefixes))
	t.put(at+"ipv6-prefix", lines(i.IPv6Prefixes))
	t.put(at+"security-groups", strings.Join(i.SecurityGroups, "\n"))
	t.put(at+"security-group-ids", strings.Join(i.SecurityGroupIDs, "\n"))
	if i.SubnetIPv4.IsValid() {
		t.put(at+"subnet-ipv4-cidr-block", i.SubnetIPv4.String())
	}
	t.put(at+"subnet-ipv6-cidr-blocks", lines(i.SubnetIPv6s))
	t.put(at+"vpc-ipv4-cidr-block", first(i.VPCIPv4s))
	t.put(at+"vpc-ipv4-cidr-blocks", lines(i.VPCIPv4s))
	t.put(at+"vpc-ipv6-cidr-blocks", lines(i.VPCIPv6s))
	for _, a := range i.Associations {
		path := at + "ipv4-associations/" + a.Public.String()
		t.put(path, strings.TrimPrefix(t[path]+"\n"+a.Private.String(), "\n"))
	}
}

func (i Interface) publicIPv4s() []netip.Addr {
	var all []netip.Addr
	for _, a := range i.Associations {
		all = append(all, a.Public)
	}
	return all
}

func lines[T fmt.Stringer](all []T) string {
	words := make([]string, len(all))
	for i, v := range all {
		words[i] = v.String()
	}
	return strings.Join(words, "\n")
}

func first[T fmt.Stringer](all []T) string {
	if len(all) == 0 {
		return ""
	}
	return all[0].String()
}
