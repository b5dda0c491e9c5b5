package vpc

import "strings"

// Quota is one of AWS's limits. The zero Quota is none.
type Quota int

// The quotas, in the order of the table.
const (
	_ Quota = iota
	QuotaVPCs
	QuotaIPv4CIDRs
	QuotaIPv6CIDRs
	QuotaSubnets
	QuotaRouteTables
	QuotaRoutes
	QuotaInternetGateways
	QuotaEgressOnlyInternetGateways
	QuotaNATGateways
	QuotaNATGatewayPublicAddresses
	QuotaNATGatewayAddresses
	QuotaAddresses
	QuotaInterfaces
	QuotaInterfacesPerInstance
	QuotaAddressesPerInterface
	QuotaSecurityGroups
	QuotaSecurityGroupRules
	QuotaGroupsPerInterface
	QuotaNetworkACLs
	QuotaNetworkACLEntries
	QuotaPrefixLists
	QuotaPrefixListEntries
	QuotaPeerings
	QuotaPendingPeerings
	QuotaGatewayEndpoints
	QuotaInterfaceEndpoints
	QuotaVPNGateways
	QuotaTransitGateways
	QuotaTransitGatewaysPerVPC
	QuotaTransitGatewayAttachments
	QuotaTransitGatewayRouteTables
	QuotaTransitGatewayRoutes
	QuotaTransitGatewayPeerings
	QuotaPendingTransitGatewayPeerings
	QuotaCustomerGateways
	QuotaPublicAccessExclusions
	QuotaVPNConnections
	QuotaVPNConnectionsPerGateway
	QuotaVPNRoutes
	QuotaTags
	QuotaFlowLogs
	quotas
)

// limits is the one table of quotas: what is counted, AWS's default, code and
// sentence of the refusal (VPC guide, "Amazon VPC quotas"; Transit Gateway guide,
// "Quotas"). A sentence names the limit as {n} and what has reached it as {id}.
// Those of addresses, CIDRs, NAT gateways and rules of a group have been seen, the
// others are inferred from them, transit gateways' codes too; instance types are not
// modelled: their limits are those of the largest.
var limits = [quotas]struct {
	what           string
	n              int
	code, sentence string
}{
	QuotaVPCs:                          {"VPCs per region", 5, "VpcLimitExceeded", "The maximum number of VPCs has been reached."},
	QuotaIPv4CIDRs:                     {"IPv4 CIDRs per VPC", 5, "CidrLimitExceeded", "This network {id} has met its maximum number of allowed CIDRs: {n}"},
	QuotaIPv6CIDRs:                     {"IPv6 CIDRs per VPC", 5, "CidrLimitExceeded", "This network {id} has met its maximum number of allowed CIDRs: {n}"},
	QuotaSubnets:                       {"subnets per VPC", 200, "SubnetLimitExceeded", "The maximum number of subnets has been reached."},
	QuotaRouteTables:                   {"route tables per VPC", 200, "RouteTableLimitExceeded", "The maximum number of route tables has been reached."},
	QuotaRoutes:                        {"routes per route table and family, propagated ones apart", 500, "RouteLimitExceeded", "The maximum number of routes has been reached."},
	QuotaInternetGateways:              {"internet gateways per region", 5, "InternetGatewayLimitExceeded", "The maximum number of internet gateways has been reached."},
	QuotaEgressOnlyInternetGateways:    {"egress-only internet gateways per region", 5, "InternetGatewayLimitExceeded", "The maximum number of egress-only internet gateways has been reached."},
	QuotaNATGateways:                   {"NAT gateways per zone", 5, "NatGatewayLimitExceeded", "Performing this operation would exceed the limit of {n} NAT gateways"},
	QuotaNATGatewayPublicAddresses:     {"Elastic IP addresses per public NAT gateway", 2, "InvalidParameterValue", "The maximum number of Elastic IP addresses for NAT gateway {id} has been reached."},
	QuotaNATGatewayAddresses:           {"private addresses per NAT gateway", 8, "PrivateIpAddressLimitExceeded", "The maximum number of private IP addresses for NAT gateway {id} has been reached."},
	QuotaAddresses:                     {"Elastic IP addresses per region", 5, "AddressLimitExceeded", "The maximum number of addresses has been reached."},
	QuotaInterfaces:                    {"network interfaces per region", 5000, "NetworkInterfaceLimitExceeded", "The maximum number of network interfaces has been reached."},
	QuotaInterfacesPerInstance:         {"network interfaces per instance", 15, "AttachmentLimitExceeded", "Interface count exceeds the limit for {id}"},
	QuotaAddressesPerInterface:         {"private IPv4 addresses and prefixes per interface", 50, "PrivateIpAddressLimitExceeded", "Number of private addresses will exceed limit."},
	QuotaSecurityGroups:                {"security groups per region", 2500, "SecurityGroupLimitExceeded", "The maximum number of security groups has been reached."},
	QuotaSecurityGroupRules:            {"rules per security group, direction and family", 60, "RulesPerSecurityGroupLimitExceeded", "The maximum number of rules per security group has been reached."},
	QuotaGroupsPerInterface:            {"security groups per interface", 5, "SecurityGroupsPerInterfaceLimitExceeded", "The maximum number of security groups per interface has been reached."},
	QuotaNetworkACLs:                   {"network ACLs per VPC", 200, "NetworkAclLimitExceeded", "The maximum number of network ACLs has been reached."},
	QuotaNetworkACLEntries:             {"entries per network ACL, direction and family", 20, "NetworkAclEntryLimitExceeded", "The maximum number of network ACL entries has been reached."},
	QuotaPrefixLists:                   {"prefix lists per region", 100, "PrefixListLimitExceeded", "The maximum number of prefix lists has been reached."},
	QuotaPrefixListEntries:             {"entries per prefix list", 1000, "PrefixListMaxEntriesExceeded", "You've reached the maximum number of entries for the prefix list."},
	QuotaPeerings:                      {"active peering connections per VPC", 50, "VpcPeeringConnectionsPerVpcLimitExceeded", "The maximum number of VPC peering connections per VPC has been reached."},
	QuotaPendingPeerings:               {"outstanding peering requests per region", 25, "OutstandingVpcPeeringConnectionLimitExceeded", "The maximum number of outstanding VPC peering connection requests has been reached."},
	QuotaGatewayEndpoints:              {"gateway endpoints per region", 20, "VpcEndpointLimitExceeded", "The maximum number of VPC endpoints has been reached."},
	QuotaInterfaceEndpoints:            {"interface and Gateway Load Balancer endpoints per VPC", 50, "VpcEndpointLimitExceeded", "The maximum number of VPC endpoints has been reached."},
	QuotaVPNGateways:                   {"virtual private gateways per region", 5, "VpnGatewayLimitExceeded", "The maximum number of virtual private gateways has been reached."},
	QuotaTransitGateways:               {"transit gateways per region", 5, "TransitGatewayLimitExceeded", "The maximum number of transit gateways has been reached."},
	QuotaTransitGatewaysPerVPC:         {"transit gateways per VPC", 5, "TransitGatewaysPerVpcLimitExceeded", "The maximum number of transit gateways per VPC has been reached."},
	QuotaTransitGatewayAttachments:     {"attachments per transit gateway", 5000, "TransitGatewayAttachmentLimitExceeded", "The maximum number of transit gateway attachments has been reached."},
	QuotaTransitGatewayRouteTables:     {"route tables per transit gateway", 20, "TransitGatewayRouteTableLimitExceeded", "The maximum number of transit gateway route tables has been reached."},
	QuotaTransitGatewayRoutes:          {"static routes per transit gateway", 10000, "TransitGatewayRouteLimitExceeded", "The maximum number of transit gateway routes has been reached."},
	QuotaTags:                          {"tags per resource", 50, "TagLimitExceeded", "The maximum number of Tags for a resource has been reached."},
	QuotaFlowLogs:                      {"flow logs per VPC, subnet or network interface", 2, "FlowLogsLimitExceeded", "You've reached the limit on the number of flow logs you can create."},
	QuotaPublicAccessExclusions:        {"exclusions from VPC Block Public Access per region", 50, "ExclusionLimitExceeded", "The maximum number of exclusions has been reached."},
	QuotaCustomerGateways:              {"customer gateways per region", 50, "CustomerGatewayLimitExceeded", "The maximum number of customer gateways has been reached."},
	QuotaVPNConnections:                {"VPN connections per region", 50, "VpnConnectionLimitExceeded", "The maximum number of VPN connections has been reached."},
	QuotaVPNConnectionsPerGateway:      {"VPN connections per virtual private gateway", 10, "VpnConnectionLimitExceeded", "The maximum number of VPN connections per virtual private gateway has been reached."},
	QuotaVPNRoutes:                     {"static routes per VPN connection", 100, "VpnConnectionRouteLimitExceeded", "The maximum number of static routes per VPN connection has been reached."},
	QuotaTransitGatewayPeerings:        {"peering attachments per transit gateway", 50, "TransitGatewayAttachmentLimitExceeded", "The maximum number of transit gateway peering attachments has been reached."},
	QuotaPendingTransitGatewayPeerings: {"pending peering attachments per transit gateway", 10, "TransitGatewayAttachmentLimitExceeded", "The maximum number of pending transit gateway peering attachments has been reached."},
}

// String returns what the quota counts.
func (q Quota) String() string {
	if q <= 0 || q >= quotas {
		return "no quota"
	}
	return limits[q].what
}

// Default returns AWS's default, 0 of no quota.
func (q Quota) Default() int {
	if q <= 0 || q >= quotas {
		return 0
	}
	return limits[q].n
}

// limit returns the quota in force, or -1 where there is none.
func (r *Region) limit(q Quota) int {
	if n, ok := r.quotas[q]; ok {
		return n
	}
	if r.unlimited {
		return -1
	}
	return limits[q].n
}

// Quota returns the quota in force, -1 where the region has no limit.
func (r *Region) Quota(q Quota) int {
	var n int
	r.read(func() { n = r.limit(q) })
	return n
}

// SetQuota changes a quota, as a granted request does; a negative n is no limit.
// What exists beyond it stays.
func (r *Region) SetQuota(q Quota, n int) {
	r.read(func() { r.quotas[q] = max(n, -1) })
}

// Within refuses one more of what the quota counts where used of them are there
// already. id is what they belong to, for sentences that name it.
func (tx *Tx) Within(q Quota, used int, id string) error {
	n := tx.r.limit(q)
	if n < 0 || used < n {
		return nil
	}
	sentence := strings.NewReplacer("{n}", itoa(n), "{id}", id).Replace(limits[q].sentence)
	return &Error{Code: limits[q].code, Message: sentence}
}
