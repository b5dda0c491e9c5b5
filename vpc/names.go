package vpc

import (
	"net/netip"
	"strings"
)

// PrivateDNSName returns the name that the VPC's resolver gives a private IPv4
// address: ip-10-0-1-55.ap-northeast-3.compute.internal, in us-east-1
// ip-10-0-1-55.ec2.internal (EC2 guide, "Hostname types"; seen in S002). It is
// empty for IPv6.
func (r *Region) PrivateDNSName(a netip.Addr) string {
	if !a.Is4() {
		return ""
	}
	domain := r.name + ".compute.internal"
	if r.name == "us-east-1" {
		domain = "ec2.internal"
	}
	return "ip-" + strings.ReplaceAll(a.String(), ".", "-") + "." + domain
}
