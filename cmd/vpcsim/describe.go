package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vpcsim/vpcsim/awscli"
	"github.com/vpcsim/vpcsim/cagw"
	"github.com/vpcsim/vpcsim/directconnect"
	"github.com/vpcsim/vpcsim/endpoint"
	"github.com/vpcsim/vpcsim/flowlog"
	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/lgw"
	"github.com/vpcsim/vpcsim/load"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/peering"
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/vgw"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpn"
)

// calls are the describe calls of the EC2 API and of Direct Connect's, by the CLI's names.
var calls = map[string]func(r *vpc.Region) any{
	"describe-vpcs":                                       func(r *vpc.Region) any { return r.DescribeVpcs() },
	"describe-subnets":                                    func(r *vpc.Region) any { return r.DescribeSubnets() },
	"describe-route-tables":                               func(r *vpc.Region) any { return r.DescribeRouteTables() },
	"describe-network-acls":                               func(r *vpc.Region) any { return r.DescribeNetworkAcls() },
	"describe-security-groups":                            func(r *vpc.Region) any { return r.DescribeSecurityGroups() },
	"describe-security-group-rules":                       func(r *vpc.Region) any { return r.DescribeSecurityGroupRules() },
	"describe-network-interfaces":                         func(r *vpc.Region) any { return r.DescribeNetworkInterfaces() },
	"describe-instances":                                  func(r *vpc.Region) any { return r.DescribeInstances() },
	"describe-addresses":                                  func(r *vpc.Region) any { return r.DescribeAddresses() },
	"describe-dhcp-options":                               func(r *vpc.Region) any { return r.DescribeDhcpOptions() },
	"describe-managed-prefix-lists":                       func(r *vpc.Region) any { return r.DescribeManagedPrefixLists() },
	"describe-availability-zones":                         func(r *vpc.Region) any { return r.DescribeAvailabilityZones() },
	"describe-internet-gateways":                          func(r *vpc.Region) any { return igw.Describe(r) },
	"describe-egress-only-internet-gateways":              func(r *vpc.Region) any { return igw.DescribeEgressOnly(r) },
	"describe-nat-gateways":                               func(r *vpc.Region) any { return natgw.Describe(r) },
	"describe-vpn-gateways":                               func(r *vpc.Region) any { return vgw.Describe(r) },
	"describe-carrier-gateways":                           func(r *vpc.Region) any { return cagw.Describe(r) },
	"describe-local-gateways":                             func(r *vpc.Region) any { return lgw.Describe(r) },
	"describe-local-gateway-route-tables":                 func(r *vpc.Region) any { return lgw.DescribeRouteTables(r) },
	"describe-local-gateway-route-table-vpc-associations": func(r *vpc.Region) any { return lgw.DescribeAssociations(r) },
	"describe-customer-gateways":                          func(r *vpc.Region) any { return vpn.DescribeCustomerGateways(r) },
	"describe-vpn-connections":                            func(r *vpc.Region) any { return vpn.Describe(r) },
	"describe-direct-connect-gateways":                    func(r *vpc.Region) any { return directconnect.Describe(r) },
	"describe-direct-connect-gateway-associations":        func(r *vpc.Region) any { return directconnect.DescribeAssociations(r) },
	"describe-direct-connect-gateway-attachments":         func(r *vpc.Region) any { return directconnect.DescribeAttachments(r) },
	"describe-virtual-interfaces":                         func(r *vpc.Region) any { return directconnect.DescribeInterfaces(r) },
	"describe-connections":                                func(r *vpc.Region) any { return directconnect.DescribeConnections(r) },
	"describe-lags":                                       func(r *vpc.Region) any { return directconnect.DescribeLags(r) },
	"describe-vpc-peering-connections":                    func(r *vpc.Region) any { return peering.Describe(r) },
	"describe-vpc-endpoints":                              func(r *vpc.Region) any { return endpoint.Describe(r) },
	"describe-vpc-endpoint-service-configurations":        func(r *vpc.Region) any { return endpoint.DescribeServices(r) },
	"describe-vpc-endpoint-connections":                   func(r *vpc.Region) any { return endpoint.DescribeConnections(r) },
	"describe-vpc-block-public-access-options":            func(r *vpc.Region) any { return r.DescribeVpcBlockPublicAccessOptions() },
	"describe-vpc-block-public-access-exclusions":         func(r *vpc.Region) any { return r.DescribeVpcBlockPublicAccessExclusions() },
	"describe-flow-logs":                                  func(r *vpc.Region) any { return flowlog.Describe(r) },
	"describe-tags":                                       func(r *vpc.Region) any { return r.DescribeTags() },
	"describe-transit-gateways":                           func(r *vpc.Region) any { return tgw.Describe(r) },
	"describe-transit-gateway-attachments":                func(r *vpc.Region) any { return tgw.DescribeAttachments(r) },
	"describe-transit-gateway-vpc-attachments":            func(r *vpc.Region) any { return tgw.DescribeVPCAttachments(r) },
	"describe-transit-gateway-peering-attachments":        func(r *vpc.Region) any { return tgw.DescribePeeringAttachments(r) },
	"describe-transit-gateway-connects":                   func(r *vpc.Region) any { return tgw.DescribeConnects(r) },
	"describe-transit-gateway-connect-peers":              func(r *vpc.Region) any { return tgw.DescribeConnectPeers(r) },
	"describe-transit-gateway-route-tables":               func(r *vpc.Region) any { return tgw.DescribeRouteTables(r) },
}

func describeCommand(s *session) *cobra.Command {
	var d describer
	c := &cobra.Command{
		Use:   "describe DIR [NAME]",
		Short: "Say what is in a network, or print it as the aws CLI does",
		Long: `describe lists the regions, VPCs, subnets and interfaces of a network, and what of the
files was left out. With a NAME (a Name tag, id or address) it prints what is called so, in AWS's
shape. --aws prints what that call of the aws CLI would, --set changes included.`,
		Example: `  vpcsim describe lab
  vpcsim describe lab web
  vpcsim describe lab --aws describe-route-tables --output table
  vpcsim describe lab --aws describe-vpcs --query 'Vpcs[].CidrBlock' --output text`,
		Args: arguments(1, 2),
		RunE: func(_ *cobra.Command, args []string) error {
			n, err := s.load(args[0])
			switch {
			case err != nil:
				return err
			case d.aws != "":
				if s.json {
					d.output = "json"
				}
				return d.call(s, n)
			case len(args) == 2:
				return d.name(s, n, args[1])
			}
			return d.inventory(s, n)
		},
	}
	c.Flags().StringVar(&d.aws, "aws", "", "a call, such as describe-route-tables")
	c.Flags().StringVar(&d.output, "output", "json", "of --aws: json, table or text")
	c.Flags().StringVar(&d.query, "query", "", "of --aws: a JMESPath expression")
	c.Flags().StringVar(&d.region, "region", "", "of --aws: the region, if there are several")
	c.ValidArgsFunction = s.names(2)
	words(c, "output", "json", "table", "text")
	words(c, "aws", slices.Sorted(maps.Keys(calls))...)
	return c
}

type describer struct{ aws, output, query, region string }

// call prints what the aws CLI would.
func (d *describer) call(s *session, n *network) error {
	f := calls[d.aws]
	if f == nil {
		return fmt.Errorf("--aws %q: expected one of %s", d.aws, strings.Join(slices.Sorted(maps.Keys(calls)), ", "))
	}
	r := n.Regions[0]
	if d.region != "" || len(n.Regions) > 1 {
		if r = n.Region(d.region); r == nil {
			return fmt.Errorf("--region %q: expected one of %s", d.region, strings.Join(regionNames(n), ", "))
		}
	}
	v := f(r)
	if d.query != "" {
		var err error
		if v, err = awscli.Query(v, d.query); err != nil {
			return err
		}
	}
	switch d.output {
	case "json":
		return awscli.JSON(s.out, v)
	case "table":
		return awscli.Table(s.out, operation(d.aws), v)
	case "text":
		return awscli.Text(s.out, v)
	}
	return fmt.Errorf("--output %q: expected json, table or text", d.output)
}

// operation is the API's name of a call: DescribeRouteTables.
func operation(call string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(call, "-") {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}

func regionNames(n *network) []string {
	var names []string
	for _, r := range n.Regions {
		names = append(names, r.Name())
	}
	return names
}

// described is one resource, in AWS's shape.
type described struct {
	ID     string          `json:"id"`
	Region string          `json:"region"`
	File   string          `json:"file,omitempty"`
	Path   string          `json:"path,omitempty"`
	Shape  json.RawMessage `json:"shape"`
}

// name prints what is called so.
func (d *describer) name(s *session, n *network, name string) error {
	found := n.Find(name)
	if len(found) == 0 {
		if why, whole := n.Lacks(name); whole {
			return fmt.Errorf("%q was left out of the network: %s", name, why)
		}
		return fmt.Errorf("%q: nothing in the network is called so; expected a Name tag, an id or an address", name)
	}
	all := []described{}
	for _, x := range found {
		one := described{ID: x.ID(), Shape: json.RawMessage("null")}
		for _, r := range n.Regions {
			if r.Find(x.ID()) != nil {
				one.Region = r.Name()
				if shape := shapeOf(r, x.ID()); shape != nil {
					one.Shape = shape
				}
			}
		}
		if from, ok := n.Source(x.ID()); ok {
			one.File, one.Path = from.File, from.Path
		}
		all = append(all, one)
	}
	if s.json {
		return s.writeJSON(all)
	}
	for _, one := range all {
		shape, err := json.MarshalIndent(one.Shape, "", "    ")
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(s.out, "%s %s  %s\n%s\n", one.ID, one.Region, strings.TrimSpace(one.File+" "+one.Path), shape); err != nil {
			return err
		}
	}
	return nil
}

// shapeOf finds what a describe call says of the resource with the id.
func shapeOf(r *vpc.Region, id string) json.RawMessage {
	for _, a := range load.Answers(r) {
		var lists map[string]json.RawMessage
		if json.Unmarshal(a.JSON, &lists) != nil {
			continue
		}
		for _, key := range slices.Sorted(maps.Keys(lists)) {
			if found := entry(key, lists[key], id); found != nil {
				return found
			}
		}
	}
	return nil
}

// entry returns the object of a list, or of the lists in its objects as in Reservations,
// whose own id it is.
func entry(key string, list json.RawMessage, id string) json.RawMessage {
	var objects []map[string]json.RawMessage
	if json.Unmarshal(list, &objects) != nil {
		return nil
	}
	for _, o := range objects {
		var value string
		if json.Unmarshal(o[ownID[key]], &value) == nil && value == id {
			text, err := json.Marshal(o)
			if err != nil {
				return nil
			}
			return text
		}
		for _, within := range []string{"Instances", "Listeners", "Rules"} {
			if found := entry(within, o[within], id); found != nil {
				return found
			}
		}
	}
	return nil
}

// ownID is the member that holds the own id of a list's entries.
var ownID = map[string]string{
	"Vpcs": "VpcId", "Subnets": "SubnetId", "RouteTables": "RouteTableId", "NetworkAcls": "NetworkAclId", "SecurityGroups": "GroupId",
	"NetworkInterfaces": "NetworkInterfaceId", "Instances": "InstanceId", "Addresses": "AllocationId", "DhcpOptions": "DhcpOptionsId",
	"PrefixLists": "PrefixListId", "InternetGateways": "InternetGatewayId", "EgressOnlyInternetGateways": "EgressOnlyInternetGatewayId",
	"NatGateways": "NatGatewayId", "VpnGateways": "VpnGatewayId", "VpcPeeringConnections": "VpcPeeringConnectionId",
	"VpcEndpoints": "VpcEndpointId", "ServiceConfigurations": "ServiceId", "VpcBlockPublicAccessExclusions": "ExclusionId", "TransitGateways": "TransitGatewayId", "TransitGatewayRouteTables": "TransitGatewayRouteTableId",
	"TransitGatewayAttachments":  "TransitGatewayAttachmentId",
	"TransitGatewayConnectPeers": "TransitGatewayConnectPeerId", "CarrierGateways": "CarrierGatewayId", "LocalGateways": "LocalGatewayId",
	"LocalGatewayRouteTables": "LocalGatewayRouteTableId", "LocalGatewayRouteTableVpcAssociations": "LocalGatewayRouteTableVpcAssociationId",
	"CustomerGateways": "CustomerGatewayId", "VpnConnections": "VpnConnectionId", "directConnectGateways": "directConnectGatewayId",
	"directConnectGatewayAssociations": "associationId", "virtualInterfaces": "virtualInterfaceId", "connections": "connectionId", "lags": "lagId", "LoadBalancers": "LoadBalancerArn", "TargetGroups": "TargetGroupArn",
	"Listeners": "ListenerArn", "Rules": "RuleArn", "FlowLogs": "FlowLogId",
}

// The JSON of an inventory.
type (
	inventory struct {
		Regions []regionItem `json:"regions"`
		Skipped []load.Skip  `json:"skipped"`
	}
	regionItem struct {
		Region    string         `json:"region"`
		Resources map[string]int `json:"resources"`
		VPCs      []vpcItem      `json:"vpcs"`
	}
	vpcItem struct {
		ID      string       `json:"id"`
		Name    string       `json:"name"`
		CIDRs   []string     `json:"cidrs"`
		Subnets []subnetItem `json:"subnets"`
	}
	subnetItem struct {
		ID         string    `json:"id"`
		Name       string    `json:"name"`
		CIDR       string    `json:"cidr"`
		Zone       string    `json:"zone"`
		RouteTable string    `json:"route_table"`
		NetworkACL string    `json:"network_acl"`
		Interfaces []nicItem `json:"interfaces"`
	}
	nicItem struct {
		ID        string   `json:"id"`
		Name      string   `json:"name"`
		Type      string   `json:"type"`
		Instance  string   `json:"instance,omitempty"`
		Addresses []string `json:"addresses"`
	}
)

func (d *describer) inventory(s *session, n *network) error {
	inv := inventory{Skipped: n.Skipped}
	if inv.Skipped == nil {
		inv.Skipped = []load.Skip{}
	}
	for _, r := range n.Regions {
		inv.Regions = append(inv.Regions, regionOf(r))
	}
	if s.json {
		return s.writeJSON(inv)
	}
	var b strings.Builder
	for _, r := range inv.Regions {
		r.write(&b)
	}
	if len(inv.Skipped) > 0 {
		b.WriteString("left out or completed\n")
	}
	for _, x := range inv.Skipped {
		fmt.Fprintf(&b, "  %s\n", x)
	}
	_, err := io.WriteString(s.out, b.String())
	return err
}

func regionOf(r *vpc.Region) regionItem {
	item := regionItem{Region: r.Name(), Resources: map[string]int{}}
	var vpcs []*vpc.VPC
	var subnets []*vpc.Subnet
	var nics []*vpc.NetworkInterface
	r.View(func(tx *vpc.Tx) {
		for _, x := range vpc.Resources[vpc.Resource](tx) {
			item.Resources[kindOf(x)]++
		}
		vpcs, subnets, nics = vpc.Resources[*vpc.VPC](tx), vpc.Resources[*vpc.Subnet](tx), vpc.Resources[*vpc.NetworkInterface](tx)
	})
	of := map[*vpc.Subnet][]nicItem{}
	for _, n := range nics {
		of[n.Subnet()] = append(of[n.Subnet()], nicOf(n))
	}
	for _, v := range vpcs {
		vi := vpcItem{ID: v.ID(), Name: v.Label(), Subnets: []subnetItem{}}
		for _, c := range v.CIDRs() {
			vi.CIDRs = append(vi.CIDRs, c.String())
		}
		for _, x := range subnets {
			if x.VPC() == v {
				vi.Subnets = append(vi.Subnets, subnetItem{
					ID: x.ID(), Name: x.Label(), CIDR: x.CIDR().String(), Zone: x.Zone(), RouteTable: x.RouteTable().ID(),
					NetworkACL: x.NetworkACL().ID(), Interfaces: append([]nicItem{}, of[x]...),
				})
			}
		}
		item.VPCs = append(item.VPCs, vi)
	}
	return item
}

func nicOf(n *vpc.NetworkInterface) nicItem {
	item := nicItem{ID: n.ID(), Name: n.Label(), Type: string(n.Type())}
	if item.Type == "" {
		item.Type = "interface"
	}
	if i := n.Instance(); i != nil {
		item.Instance = i.ID()
		if item.Name == item.ID {
			item.Name = i.Label()
		}
	}
	for _, a := range n.PrivateAddresses() {
		item.Addresses = append(item.Addresses, a.IP.String())
		if a.Public.IsValid() {
			item.Addresses = append(item.Addresses, a.Public.String())
		}
	}
	for _, a := range n.IPv6() {
		item.Addresses = append(item.Addresses, a.String())
	}
	return item
}

func (r *regionItem) write(b *strings.Builder) {
	var all []string
	for _, kind := range slices.Sorted(maps.Keys(r.Resources)) {
		all = append(all, count(r.Resources[kind], kind))
	}
	fmt.Fprintf(b, "%s: %s\n", r.Region, strings.Join(all, ", "))
	for _, v := range r.VPCs {
		fmt.Fprintf(b, "  %s  %s\n", named(v.ID, v.Name), strings.Join(v.CIDRs, " "))
		for _, x := range v.Subnets {
			fmt.Fprintf(b, "    %s  %s  %s  %s  %s\n", named(x.ID, x.Name), x.CIDR, x.Zone, x.RouteTable, x.NetworkACL)
			for _, n := range x.Interfaces {
				fmt.Fprintf(b, "      %s  %s  %s\n", named(n.ID, n.Name), n.Type, strings.Join(n.Addresses, " "))
			}
		}
	}
}

func named(id, name string) string {
	if name == id {
		return id
	}
	return id + " (" + name + ")"
}
