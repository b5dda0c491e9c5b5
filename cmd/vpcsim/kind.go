package main

import (
	"fmt"
	"strings"

	"github.com/vpcsim/vpcsim/vpc"
)

// kinds are the words for resources, by Go type, where the type's name alone would not
// say it.
var kinds = map[string]string{
	"*vpc.NetworkInterface":      "interface",
	"*vpc.DHCPOptions":           "DHCP option set",
	"*vpc.Address":               "Elastic IP address",
	"*vpc.UnknownGateway":        "unknown target",
	"*tgw.RouteTable":            "transit gateway route table",
	"*tgw.Attachment":            "transit gateway attachment",
	"*tgw.Connect":               "transit gateway Connect",
	"*peering.Connection":        "peering connection",
	"*vpn.Connection":            "VPN connection",
	"*endpoint.Endpoint":         "VPC endpoint",
	"*endpoint.Service":          "endpoint service",
	"*balancer.Rule":             "listener rule",
	"*directconnect.Gateway":     "Direct Connect gateway",
	"*rds.DBInstance":            "database",
	"*firewall.Firewall":         "network firewall",
	"*igw.InternetGateway":       "internet gateway",
	"*vgw.Association":           "gateway association",
	"*directconnect.Association": "Direct Connect association",
	"*directconnect.Connection":  "Direct Connect connection",
}

// kindOf says in words what kind of resource x is, such as security group.
func kindOf(x vpc.Resource) string {
	name := fmt.Sprintf("%T", x)
	if word := kinds[name]; word != "" {
		return word
	}
	return split(name[strings.LastIndexByte(name, '.')+1:])
}

// split splits a Go name: NATGateway is NAT gateway.
func split(name string) string {
	upper := func(i int) bool { return i < len(name) && name[i] >= 'A' && name[i] <= 'Z' }
	var list []string
	for start, i := 0, 1; i <= len(name); i++ {
		if i == len(name) || upper(i) && (!upper(i-1) || i+1 < len(name) && !upper(i+1)) {
			word := name[start:i]
			if len(word) < 2 || !upper(start+1) {
				word = strings.ToLower(word)
			}
			list, start = append(list, word), i
		}
	}
	return strings.Join(list, " ")
}

// count is a number of things: 1 subnet, 2 subnets, 2 addresses.
func count(n int, kind string) string {
	switch {
	case n == 1:
	case strings.HasSuffix(kind, "s"):
		kind += "es"
	default:
		kind += "s"
	}
	return fmt.Sprintf("%d %s", n, kind)
}
