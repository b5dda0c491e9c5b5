package load

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/vpcsim/vpcsim/directconnect/shape"
	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/elb"
	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/firewall"
	"github.com/vpcsim/vpcsim/rds"
)

// item is one described resource and where it stands.
type item[T any] struct {
	shape T
	file  *file
	key   string
	index int
	whole bool   // all of its file
	at    string // its address in a plan
}

// path returns the item's place in its file, "" where it is all of the file.
func (i *item[T]) path() string {
	switch {
	case i.at != "":
		return i.at
	case i.whole:
		return ""
	}
	return fmt.Sprintf("%s[%d]", i.key, i.index)
}

// shapes is what the files of a region hold, in the order in which they were
// read. Its fields are exported for reflect.
type shapes struct {
	Zones              []item[ec2.AvailabilityZone]
	Vpcs               []item[ec2.Vpc]
	Attributes         []item[vpcAttributes]
	Subnets            []item[ec2.Subnet]
	Tables             []item[ec2.RouteTable]
	Acls               []item[ec2.NetworkAcl]
	Groups             []item[ec2.SecurityGroup]
	Interfaces         []item[ec2.NetworkInterface]
	Reservations       []item[ec2.Reservation]
	Addresses          []item[ec2.Address]
	ServiceLists       []item[ec2.PrefixList]
	ManagedLists       []item[ec2.ManagedPrefixList]
	ListEntries        []item[listEntries]
	Dhcp               []item[ec2.DhcpOptions]
	PublicAccess       []item[ec2.VpcBlockPublicAccessOptions]
	Exclusions         []item[ec2.VpcBlockPublicAccessExclusion]
	Internet           []item[ec2.InternetGateway]
	EgressOnly         []item[ec2.EgressOnlyInternetGateway]
	Nats               []item[ec2.NatGateway]
	VpnGateways        []item[ec2.VpnGateway]
	Carriers           []item[ec2.CarrierGateway]
	Locals             []item[ec2.LocalGateway]
	LocalTables        []item[ec2.LocalGatewayRouteTable]
	LocalAssociations  []item[ec2.LocalGatewayRouteTableVpcAssociation]
	LocalRoutes        []item[localRoutes]
	CustomerGateways   []item[ec2.CustomerGateway]
	Vpns               []item[ec2.VpnConnection]
	Direct             []item[shape.DirectConnectGateway]
	DirectLinks        []item[shape.DirectConnectGatewayAssociation]
	DirectAttachments  []item[shape.DirectConnectGatewayAttachment]
	VirtualInterfaces  []item[shape.VirtualInterface]
	DirectConnections  []item[shape.Connection]
	Lags               []item[shape.Lag]
	Peerings           []item[ec2.VpcPeeringConnection]
	Endpoints          []item[ec2.VpcEndpoint]
	Transits           []item[ec2.TransitGateway]
	TransitTables      []item[ec2.TransitGatewayRouteTable]
	Attachments        []item[ec2.TransitGatewayAttachment]
	VpcAttachments     []item[ec2.TransitGatewayVpcAttachment]
	PeerAttachments    []item[ec2.TransitGatewayPeeringAttachment]
	Connects           []item[ec2.TransitGatewayConnect]
	ConnectPeers       []item[ec2.TransitGatewayConnectPeer]
	TransitLinks       []item[transitAssociations]
	TransitLists       []item[ec2.TransitGatewayPrefixListReference]
	AttachmentTables   []item[attachmentPropagations]
	Propagations       []item[propagations]
	TransitRoutes      []item[transitRoutes]
	Balancers          []item[elbv2.LoadBalancer]
	BalancerAttributes []item[balancerAttributes]
	Listeners          []item[elbv2.Listener]
	BalancerListeners  []item[balancerListeners]
	Rules              []item[elbv2.Rule]
	ListenerRules      []item[listenerRules]
	Classics           []item[elb.LoadBalancerDescription]
	TargetGroups       []item[elbv2.TargetGroup]
	GroupAttributes    []item[groupAttributes]
	GroupHealth        []item[groupHealth]
	Databases          []item[rds.Shape]
	Domains            []item[domain]
	FlowLogs           []item[ec2.FlowLog]
	EndpointServices   []item[ec2.ServiceConfiguration]
	Firewalls          []item[firewall.DescribeFirewallOutput]
	FirewallPolicies   []item[firewall.DescribePolicyOutput]
	RuleGroups         []item[firewall.DescribeGroupOutput]
}

// vpcAttributes is an answer of DescribeVpcAttribute; VpcAttributes is a list of them.
type vpcAttributes struct {
	VpcId              *string
	EnableDnsSupport   *ec2.AttributeBooleanValue
	EnableDnsHostnames *ec2.AttributeBooleanValue
}

// listEntries are the entries of a managed prefix list; PrefixListEntries is a list of
// them.
type listEntries struct {
	PrefixListId *string
	Entries      []ec2.PrefixListEntry
}

// propagations are an answer of GetTransitGatewayRouteTablePropagations with its table.
type propagations struct {
	TransitGatewayRouteTableId           *string
	TransitGatewayRouteTablePropagations []ec2.TransitGatewayRouteTablePropagation
}

// transitAssociations are an answer of GetTransitGatewayRouteTableAssociations with its
// table.
type transitAssociations struct {
	TransitGatewayRouteTableId *string
	Associations               []ec2.TransitGatewayRouteTableAssociation
}

// attachmentPropagations are an answer of GetTransitGatewayAttachmentPropagations with its
// attachment.
type attachmentPropagations struct {
	TransitGatewayAttachmentId           *string
	TransitGatewayAttachmentPropagations []ec2.TransitGatewayAttachmentPropagation
}

// transitRoutes are an answer of SearchTransitGatewayRoutes with its table.
type transitRoutes struct {
	TransitGatewayRouteTableId *string
	Routes                     []ec2.TransitGatewayRoute
	AdditionalRoutesAvailable  *bool `json:",omitempty"`
}

// localRoutes are an answer of SearchLocalGatewayRoutes with its table.
type localRoutes struct {
	LocalGatewayRouteTableId *string
	Routes                   []ec2.LocalGatewayRoute
}

// kind reads the entries of the lists that stand under a top-level key.
type kind struct {
	one    bool // it is an entry, and no list
	decode func(f *file, dec *json.Decoder, index int) error
}

// into returns the kind whose entries go to a list of shapes.
func into[T any](key string, list func(*shapes) *[]item[T]) *kind {
	return &kind{decode: func(f *file, dec *json.Decoder, index int) error {
		to := list(f.shapes)
		*to = append(*to, item[T]{file: f, key: key, index: index})
		return dec.Decode(&(*to)[len(*to)-1].shape)
	}}
}

// one is into for a key that an entry stands under, and no list.
func one[T any](key string, list func(*shapes) *[]item[T]) *kind {
	k := into(key, list)
	k.one = true
	return k
}

// ours returns the kind without the entries that other services list under the same key:
// those that have none of the members. WAF and EventBridge have Rules too, Global
// Accelerator Listeners, the Snow family Addresses.
func ours(k *kind, members ...string) *kind {
	return &kind{decode: func(f *file, dec *json.Decoder, index int) error {
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return err
		}
		var has map[string]json.RawMessage
		if json.Unmarshal(raw, &has) == nil && !slices.ContainsFunc(members, func(m string) bool { _, ok := has[m]; return ok }) {
			return nil
		}
		return k.decode(f, json.NewDecoder(bytes.NewReader(raw)), index)
	}}
}

// ignored is a kind that is known to say nothing about packets.
var ignored = &kind{decode: func(_ *file, dec *json.Decoder, _ int) error {
	var raw json.RawMessage
	return dec.Decode(&raw)
}}

// kinds are the top-level keys that are read.
var kinds = map[string]*kind{
	"AvailabilityZones":                        into("AvailabilityZones", func(s *shapes) *[]item[ec2.AvailabilityZone] { return &s.Zones }),
	"Vpcs":                                     into("Vpcs", func(s *shapes) *[]item[ec2.Vpc] { return &s.Vpcs }),
	"VpcAttributes":                            into("VpcAttributes", func(s *shapes) *[]item[vpcAttributes] { return &s.Attributes }),
	"Subnets":                                  into("Subnets", func(s *shapes) *[]item[ec2.Subnet] { return &s.Subnets }),
	"RouteTables":                              into("RouteTables", func(s *shapes) *[]item[ec2.RouteTable] { return &s.Tables }),
	"NetworkAcls":                              into("NetworkAcls", func(s *shapes) *[]item[ec2.NetworkAcl] { return &s.Acls }),
	"SecurityGroups":                           into("SecurityGroups", func(s *shapes) *[]item[ec2.SecurityGroup] { return &s.Groups }),
	"NetworkInterfaces":                        into("NetworkInterfaces", func(s *shapes) *[]item[ec2.NetworkInterface] { return &s.Interfaces }),
	"Reservations":                             into("Reservations", func(s *shapes) *[]item[ec2.Reservation] { return &s.Reservations }),
	"Addresses":                                ours(into("Addresses", func(s *shapes) *[]item[ec2.Address] { return &s.Addresses }), "PublicIp", "AllocationId", "CarrierIp", "CustomerOwnedIp"),
	"DhcpOptions":                              into("DhcpOptions", func(s *shapes) *[]item[ec2.DhcpOptions] { return &s.Dhcp }),
	"VpcBlockPublicAccessOptions":              one("VpcBlockPublicAccessOptions", func(s *shapes) *[]item[ec2.VpcBlockPublicAccessOptions] { return &s.PublicAccess }),
	"VpcBlockPublicAccessExclusions":           into("VpcBlockPublicAccessExclusions", func(s *shapes) *[]item[ec2.VpcBlockPublicAccessExclusion] { return &s.Exclusions }),
	"PrefixListEntries":                        into("PrefixListEntries", func(s *shapes) *[]item[listEntries] { return &s.ListEntries }),
	"InternetGateways":                         into("InternetGateways", func(s *shapes) *[]item[ec2.InternetGateway] { return &s.Internet }),
	"EgressOnlyInternetGateways":               into("EgressOnlyInternetGateways", func(s *shapes) *[]item[ec2.EgressOnlyInternetGateway] { return &s.EgressOnly }),
	"NatGateways":                              into("NatGateways", func(s *shapes) *[]item[ec2.NatGateway] { return &s.Nats }),
	"VpnGateways":                              into("VpnGateways", func(s *shapes) *[]item[ec2.VpnGateway] { return &s.VpnGateways }),
	"CarrierGateways":                          into("CarrierGateways", func(s *shapes) *[]item[ec2.CarrierGateway] { return &s.Carriers }),
	"LocalGateways":                            into("LocalGateways", func(s *shapes) *[]item[ec2.LocalGateway] { return &s.Locals }),
	"LocalGatewayRouteTables":                  into("LocalGatewayRouteTables", func(s *shapes) *[]item[ec2.LocalGatewayRouteTable] { return &s.LocalTables }),
	"LocalGatewayRouteTableVpcAssociations":    into("LocalGatewayRouteTableVpcAssociations", func(s *shapes) *[]item[ec2.LocalGatewayRouteTableVpcAssociation] { return &s.LocalAssociations }),
	"LocalGatewayRoutes":                       into("LocalGatewayRoutes", func(s *shapes) *[]item[localRoutes] { return &s.LocalRoutes }),
	"CustomerGateways":                         into("CustomerGateways", func(s *shapes) *[]item[ec2.CustomerGateway] { return &s.CustomerGateways }),
	"VpnConnections":                           into("VpnConnections", func(s *shapes) *[]item[ec2.VpnConnection] { return &s.Vpns }),
	"directConnectGateways":                    into("directConnectGateways", func(s *shapes) *[]item[shape.DirectConnectGateway] { return &s.Direct }),
	"directConnectGatewayAssociations":         into("directConnectGatewayAssociations", func(s *shapes) *[]item[shape.DirectConnectGatewayAssociation] { return &s.DirectLinks }),
	"directConnectGatewayAttachments":          into("directConnectGatewayAttachments", func(s *shapes) *[]item[shape.DirectConnectGatewayAttachment] { return &s.DirectAttachments }),
	"virtualInterfaces":                        into("virtualInterfaces", func(s *shapes) *[]item[shape.VirtualInterface] { return &s.VirtualInterfaces }),
	"connections":                              into("connections", func(s *shapes) *[]item[shape.Connection] { return &s.DirectConnections }),
	"lags":                                     into("lags", func(s *shapes) *[]item[shape.Lag] { return &s.Lags }),
	"VpcPeeringConnections":                    into("VpcPeeringConnections", func(s *shapes) *[]item[ec2.VpcPeeringConnection] { return &s.Peerings }),
	"VpcEndpoints":                             into("VpcEndpoints", func(s *shapes) *[]item[ec2.VpcEndpoint] { return &s.Endpoints }),
	"TransitGateways":                          into("TransitGateways", func(s *shapes) *[]item[ec2.TransitGateway] { return &s.Transits }),
	"TransitGatewayRouteTables":                into("TransitGatewayRouteTables", func(s *shapes) *[]item[ec2.TransitGatewayRouteTable] { return &s.TransitTables }),
	"TransitGatewayAttachments":                into("TransitGatewayAttachments", func(s *shapes) *[]item[ec2.TransitGatewayAttachment] { return &s.Attachments }),
	"TransitGatewayVpcAttachments":             into("TransitGatewayVpcAttachments", func(s *shapes) *[]item[ec2.TransitGatewayVpcAttachment] { return &s.VpcAttachments }),
	"TransitGatewayPeeringAttachments":         into("TransitGatewayPeeringAttachments", func(s *shapes) *[]item[ec2.TransitGatewayPeeringAttachment] { return &s.PeerAttachments }),
	"TransitGatewayConnects":                   into("TransitGatewayConnects", func(s *shapes) *[]item[ec2.TransitGatewayConnect] { return &s.Connects }),
	"TransitGatewayConnectPeers":               into("TransitGatewayConnectPeers", func(s *shapes) *[]item[ec2.TransitGatewayConnectPeer] { return &s.ConnectPeers }),
	"TransitGatewayRouteTableAssociations":     into("TransitGatewayRouteTableAssociations", func(s *shapes) *[]item[transitAssociations] { return &s.TransitLinks }),
	"TransitGatewayPrefixListReferences":       into("TransitGatewayPrefixListReferences", func(s *shapes) *[]item[ec2.TransitGatewayPrefixListReference] { return &s.TransitLists }),
	"TransitGatewayPropagations":               into("TransitGatewayPropagations", func(s *shapes) *[]item[propagations] { return &s.Propagations }),
	"TransitGatewayStaticRoutes":               into("TransitGatewayStaticRoutes", func(s *shapes) *[]item[transitRoutes] { return &s.TransitRoutes }),
	"TransitGatewayRoutes":                     into("TransitGatewayRoutes", func(s *shapes) *[]item[transitRoutes] { return &s.TransitRoutes }),
	"LoadBalancers":                            into("LoadBalancers", func(s *shapes) *[]item[elbv2.LoadBalancer] { return &s.Balancers }),
	"LoadBalancerDescriptions":                 into("LoadBalancerDescriptions", func(s *shapes) *[]item[elb.LoadBalancerDescription] { return &s.Classics }),
	"LoadBalancerAttributes":                   into("LoadBalancerAttributes", func(s *shapes) *[]item[balancerAttributes] { return &s.BalancerAttributes }),
	"Listeners":                                ours(into("Listeners", func(s *shapes) *[]item[elbv2.Listener] { return &s.Listeners }), "LoadBalancerArn"),
	"LoadBalancerListeners":                    into("LoadBalancerListeners", func(s *shapes) *[]item[balancerListeners] { return &s.BalancerListeners }),
	"Rules":                                    ours(into("Rules", func(s *shapes) *[]item[elbv2.Rule] { return &s.Rules }), "RuleArn"),
	"ListenerRules":                            into("ListenerRules", func(s *shapes) *[]item[listenerRules] { return &s.ListenerRules }),
	"TargetGroups":                             into("TargetGroups", func(s *shapes) *[]item[elbv2.TargetGroup] { return &s.TargetGroups }),
	"TargetGroupAttributes":                    into("TargetGroupAttributes", func(s *shapes) *[]item[groupAttributes] { return &s.GroupAttributes }),
	"LoadBalancerTargetHealth":                 into("LoadBalancerTargetHealth", func(s *shapes) *[]item[groupHealth] { return &s.GroupHealth }),
	"DBInstances":                              into("DBInstances", func(s *shapes) *[]item[rds.Shape] { return &s.Databases }),
	"DomainStatusList":                         into("DomainStatusList", func(s *shapes) *[]item[domain] { return &s.Domains }),
	"FlowLogs":                                 into("FlowLogs", func(s *shapes) *[]item[ec2.FlowLog] { return &s.FlowLogs }),
	"ServiceConfigurations":                    into("ServiceConfigurations", func(s *shapes) *[]item[ec2.ServiceConfiguration] { return &s.EndpointServices }),
	"FirewallDescriptions":                     into("FirewallDescriptions", func(s *shapes) *[]item[firewall.DescribeFirewallOutput] { return &s.Firewalls }),
	"FirewallPolicyDescriptions":               into("FirewallPolicyDescriptions", func(s *shapes) *[]item[firewall.DescribePolicyOutput] { return &s.FirewallPolicies }),
	"RuleGroupDescriptions":                    into("RuleGroupDescriptions", func(s *shapes) *[]item[firewall.DescribeGroupOutput] { return &s.RuleGroups }),
	"PrefixLists":                              prefixLists,
	"SecurityGroupRules":                       ignored, // the groups hold them too
	"Tags":                                     ignored, // each resource holds its own
	"VpcEndpointConnections":                   ignored, // the endpoints hold them too
	"ServiceDetails":                           ignored,
	"ServiceNames":                             ignored,
	"TransitGatewayMulticastDomains":           ignored, // multicast is not modelled
	"TransitGatewayRouteTableAnnouncements":    ignored, // of Cloud WAN
	"TransitGatewayMeteringPolicies":           ignored,
	"virtualGateways":                          ignored, // of Direct Connect: VpnGateways tells more
	"locations":                                ignored,
	"directConnectGatewayAssociationProposals": ignored, // an association comes of one that is accepted
}

// prefixLists reads what DescribePrefixLists and DescribeManagedPrefixLists print under
// one key: only the former has CIDRs, only the latter versions.
var prefixLists = &kind{decode: func(f *file, dec *json.Decoder, index int) error {
	var both struct {
		ec2.ManagedPrefixList
		Cidrs ec2.List[string]
	}
	if err := dec.Decode(&both); err != nil {
		return err
	}
	if both.Cidrs != nil {
		l := ec2.PrefixList{PrefixListId: both.PrefixListId, PrefixListName: both.PrefixListName, Cidrs: both.Cidrs}
		f.shapes.ServiceLists = append(f.shapes.ServiceLists, item[ec2.PrefixList]{shape: l, file: f, key: "PrefixLists", index: index})
		return nil
	}
	f.shapes.ManagedLists = append(f.shapes.ManagedLists, item[ec2.ManagedPrefixList]{shape: both.ManagedPrefixList, file: f, key: "PrefixLists", index: index})
	return nil
}}
