package vpc

import (
	"net/netip"
	"strings"
)

// domain returns the region's domain of private names.
func (r *Region) domain() string {
	if r.name == "us-east-1" {
		return "ec2.internal"
	}
	return r.name + ".compute.internal"
}

// PrivateDNSName returns the name that the VPC's resolver gives a private IPv4
// address: ip-10-0-1-55.ap-northeast-3.compute.internal, in us-east-1
// ip-10-0-1-55.ec2.internal (EC2 guide, "Hostname types"; seen in S002). It is
// empty for IPv6.
func (r *Region) PrivateDNSName(a netip.Addr) string {
	if !a.Is4() {
		return ""
	}
	return "ip-" + dashed(a) + "." + r.domain()
}

// PublicDNSName returns the public name of a public IPv4 address, such as
// ec2-203-0-113-25.compute-1.amazonaws.com of us-east-1 (VPC guide, "DNS attributes").
// It is empty for IPv6.
func (r *Region) PublicDNSName(a netip.Addr) string {
	if !a.Is4() {
		return ""
	}
	domain := r.name + ".compute.amazonaws.com"
	if r.name == "us-east-1" {
		domain = "compute-1.amazonaws.com"
	}
	return "ec2-" + dashed(a) + "." + domain
}

func dashed(a netip.Addr) string { return strings.ReplaceAll(a.String(), ".", "-") }
