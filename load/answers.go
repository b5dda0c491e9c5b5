package load

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/clb"
	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/endpoint"
	"github.com/vpcsim/vpcsim/flowlog"
	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/peering"
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/vgw"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpn"
)

// Answer is one of the answers that describe a region.
type Answer struct {
	// Key is its top-level key, such as RouteTables, by which FS knows it.
	Key string
	// JSON is the document, indented, as the aws CLI prints it, or a collector where
	// the answer itself does not tell what it is about.
	JSON []byte
}

// Answers describes a region as the files of a folder do that FS loads, one answer a
// file, in an order that does not change. Loading them gives a region that is described
// alike.
func Answers(r *vpc.Region) []Answer {
	var list []Answer
	add := func(key string, v any) {
		text, err := json.MarshalIndent(v, "", "    ")
		if err != nil {
			panic(fmt.Sprintf("load: %s: %v", key, err)) // shapes are made of strings and numbers
		}
		list = append(list, Answer{key, append(text, '\n')})
	}
	add("AvailabilityZones", r.DescribeAvailabilityZones())
	add("Vpcs", r.DescribeVpcs())
	add("VpcAttributes", map[string]any{"VpcAttributes": attributesOf(r)})
	add("Subnets", r.DescribeSubnets())
	add("RouteTables", r.DescribeRouteTables())
	add("NetworkAcls", r.DescribeNetworkAcls())
	add("SecurityGroups", r.DescribeSecurityGroups())
	add("NetworkInterfaces", r.DescribeNetworkInterfaces())
	add("Reservations", r.DescribeInstances())
	add("Addresses", r.DescribeAddresses())
	add("DhcpOptions", r.DescribeDhcpOptions())
	add("VpcBlockPublicAccessOptions", r.DescribeVpcBlockPublicAccessOptions())
	add("VpcBlockPublicAccessExclusions", r.DescribeVpcBlockPublicAccessExclusions())
	add("PrefixLists", r.DescribeManagedPrefixLists())
	add("PrefixListEntries", map[string]any{"PrefixListEntries": entriesOf(r)})
	add("InternetGateways", igw.Describe(r))
	add("EgressOnlyInternetGateways", igw.DescribeEgressOnly(r))
	add("NatGateways", natgw.Describe(r))
	add("VpnGateways", vgw.Describe(r))
	outpostAnswers(r, add)
	add("CustomerGateways", vpn.DescribeCustomerGateways(r))
	add("VpnConnections", vpn.Describe(r))
	directAnswers(r, add)
	add("VpcPeeringConnections", peering.Describe(r))
	add("VpcEndpoints", endpoint.Describe(r))
	add("TransitGateways", tgw.Describe(r))
	add("TransitGatewayRouteTables", tgw.DescribeRouteTables(r))
	add("TransitGatewayAttachments", tgw.DescribeAttachments(r))
	add("TransitGatewayVpcAttachments", tgw.DescribeVPCAttachments(r))
	add("TransitGatewayPeeringAttachments", tgw.DescribePeeringAttachments(r))
	add("TransitGatewayConnects", tgw.DescribeConnects(r))
	add("TransitGatewayConnectPeers", tgw.DescribeConnectPeers(r))
	add("TransitGatewayPrefixListReferences", map[string]any{"TransitGatewayPrefixListReferences": referencesOf(r)})
	add("TransitGatewayPropagations", map[string]any{"TransitGatewayPropagations": propagationsOf(r)})
	add("TransitGatewayStaticRoutes", map[string]any{"TransitGatewayStaticRoutes": staticRoutesOf(r)})
	add("TransitGatewayRoutes", map[string]any{"TransitGatewayRoutes": learnedRoutesOf(r)})
	balancerAnswers(r, add)
	add("ServiceConfigurations", endpoint.DescribeServices(r))
	add("FlowLogs", flowlog.Describe(r))
	return list
}

// resources returns the region's resources of a type, by id.
func resources[R vpc.Resource](r *vpc.Region) []R {
	var list []R
	r.View(func(tx *vpc.Tx) { list = vpc.Resources[R](tx) })
	return list
}

func attributesOf(r *vpc.Region) []vpcAttributes {
	list := []vpcAttributes{}
	for _, v := range resources[*vpc.VPC](r) {
		a := v.Attributes()
		list = append(list, vpcAttributes{
			new(v.ID()), &ec2.AttributeBooleanValue{Value: new(a.EnableDNSSupport)}, &ec2.AttributeBooleanValue{Value: new(a.EnableDNSHostnames)},
		})
	}
	return list
}

func entriesOf(r *vpc.Region) []listEntries {
	list := []listEntries{}
	for _, l := range resources[*vpc.PrefixList](r) {
		list = append(list, listEntries{new(l.ID()), l.ManagedEntries().Entries})
	}
	return list
}

func propagationsOf(r *vpc.Region) []propagations {
	list := []propagations{}
	for _, t := range resources[*tgw.RouteTable](r) {
		list = append(list, propagations{new(t.ID()), t.Propagations().TransitGatewayRouteTablePropagations})
	}
	return list
}

func referencesOf(r *vpc.Region) []ec2.TransitGatewayPrefixListReference {
	list := []ec2.TransitGatewayPrefixListReference{}
	for _, t := range resources[*tgw.RouteTable](r) {
		list = append(list, t.PrefixListReferences().TransitGatewayPrefixListReferences...)
	}
	return list
}

func staticRoutesOf(r *vpc.Region) []transitRoutes {
	list := []transitRoutes{}
	for _, t := range resources[*tgw.RouteTable](r) {
		rows := slices.DeleteFunc(t.Search().Routes, func(row ec2.TransitGatewayRoute) bool {
			return ec2.Value(row.Type) != ec2.TransitGatewayRouteTypeStatic || row.PrefixListId != nil
		})
		list = append(list, transitRoutes{TransitGatewayRouteTableId: new(t.ID()), Routes: rows})
	}
	return list
}

// learnedRoutesOf are the routes by which sites tell what lies there: those of VPCs follow
// from the VPCs. A table without any is left out.
func learnedRoutesOf(r *vpc.Region) []transitRoutes {
	list := []transitRoutes{}
	for _, t := range resources[*tgw.RouteTable](r) {
		rows := slices.DeleteFunc(t.Search().Routes, func(row ec2.TransitGatewayRoute) bool {
			return ec2.Value(row.Type) != ec2.TransitGatewayRouteTypePropagated || len(row.TransitGatewayAttachments) == 0 ||
				ec2.Value(row.TransitGatewayAttachments[0].ResourceType) == ec2.TransitGatewayAttachmentResourceTypeVpc
		})
		if len(rows) > 0 {
			list = append(list, transitRoutes{TransitGatewayRouteTableId: new(t.ID()), Routes: rows})
		}
	}
	return list
}

// balancerAnswers adds what Elastic Load Balancing answers.
func balancerAnswers(r *vpc.Region, add func(key string, v any)) {
	attributes, listeners, rules := []balancerAttributes{}, []balancerListeners{}, []listenerRules{}
	for _, l := range resources[*balancer.LoadBalancer](r) {
		attributes = append(attributes, balancerAttributes{new(l.ID()), l.DescribeAttributes().Attributes})
		listeners = append(listeners, balancerListeners{new(l.ID()), l.DescribeListeners().Listeners})
	}
	for _, x := range resources[*balancer.Listener](r) {
		rules = append(rules, listenerRules{new(x.ID()), x.DescribeRules().Rules})
	}
	groups, health := []groupAttributes{}, []groupHealth{}
	for _, g := range resources[*balancer.TargetGroup](r) {
		groups = append(groups, groupAttributes{new(g.ID()), g.DescribeAttributes().Attributes})
		health = append(health, groupHealth{new(g.ID()), g.DescribeTargetHealth().TargetHealthDescriptions})
	}
	add("LoadBalancerDescriptions", clb.Describe(r))
	add("LoadBalancers", balancer.Describe(r))
	add("LoadBalancerAttributes", map[string][]balancerAttributes{"LoadBalancerAttributes": attributes})
	add("LoadBalancerListeners", map[string][]balancerListeners{"LoadBalancerListeners": listeners})
	add("ListenerRules", map[string][]listenerRules{"ListenerRules": rules})
	add("TargetGroups", elbv2.DescribeTargetGroupsOutput{TargetGroups: balancer.DescribeTargetGroups(r).TargetGroups})
	add("TargetGroupAttributes", map[string][]groupAttributes{"TargetGroupAttributes": groups})
	add("LoadBalancerTargetHealth", map[string][]groupHealth{"LoadBalancerTargetHealth": health})
}
