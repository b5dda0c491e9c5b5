#!/bin/sh
# Writes what a network is made of into a folder that vpcsim loads: sh collect.sh [FOLDER]
# It calls describe-, get-, search- and list- commands only, and changes nothing. What a call is not
# permitted or not known is reported and left out.
set -u
folder=${1:-snapshot}@below@

# get FILE ARGUMENTS...: one answer into one file.
get() {
	file=$1
	shift
	if ! @aws@ --region "$region" --output json "$@" >"$out/$file.json.new"; then
		echo "collect: $region: aws $* failed, left out" >&2
		rm -f "$out/$file.json.new"
		return 0
	fi
	mv "$out/$file.json.new" "$out/$file.json"
}

# ids QUERY ARGUMENTS...: what a call lists, as words.
ids() {
	query=$1
	shift
	@aws@ --region "$region" --output text "$@" --query "$query" 2>/dev/null | grep -v '^None$'
}

regions="@regions@"
if [ -z "$regions" ]; then
	echo "collect: expected --region REGION, or a region that the aws CLI is configured with" >&2
	exit 1
fi
for region in $regions; do
	out=$folder/$region
	mkdir -p "$out" || exit 1

	get AvailabilityZones ec2 describe-availability-zones
	get Vpcs ec2 describe-vpcs
	get Subnets ec2 describe-subnets
	get RouteTables ec2 describe-route-tables
	get NetworkAcls ec2 describe-network-acls
	get SecurityGroups ec2 describe-security-groups
	get NetworkInterfaces ec2 describe-network-interfaces
	get Reservations ec2 describe-instances
	get Addresses ec2 describe-addresses
	get DhcpOptions ec2 describe-dhcp-options
	get PrefixLists ec2 describe-managed-prefix-lists
	get InternetGateways ec2 describe-internet-gateways
	get EgressOnlyInternetGateways ec2 describe-egress-only-internet-gateways
	get NatGateways ec2 describe-nat-gateways
	get VpnGateways ec2 describe-vpn-gateways
	get CarrierGateways ec2 describe-carrier-gateways
	get LocalGateways ec2 describe-local-gateways
	get LocalGatewayRouteTables ec2 describe-local-gateway-route-tables
	get LocalGatewayRouteTableVpcAssociations ec2 describe-local-gateway-route-table-vpc-associations
	get CustomerGateways ec2 describe-customer-gateways
	get VpnConnections ec2 describe-vpn-connections
	get VpcPeeringConnections ec2 describe-vpc-peering-connections
	get VpcEndpoints ec2 describe-vpc-endpoints
	get ServiceConfigurations ec2 describe-vpc-endpoint-service-configurations
	get TransitGateways ec2 describe-transit-gateways
	get TransitGatewayRouteTables ec2 describe-transit-gateway-route-tables
	get TransitGatewayAttachments ec2 describe-transit-gateway-attachments
	get TransitGatewayVpcAttachments ec2 describe-transit-gateway-vpc-attachments
	get TransitGatewayPeeringAttachments ec2 describe-transit-gateway-peering-attachments
	get TransitGatewayConnects ec2 describe-transit-gateway-connects
	get TransitGatewayConnectPeers ec2 describe-transit-gateway-connect-peers
	get DirectConnectGateways directconnect describe-direct-connect-gateways
	get VirtualInterfaces directconnect describe-virtual-interfaces
	get DirectConnectConnections directconnect describe-connections
	get Lags directconnect describe-lags
	get FlowLogs ec2 describe-flow-logs
	get VpcBlockPublicAccessOptions ec2 describe-vpc-block-public-access-options
	get VpcBlockPublicAccessExclusions ec2 describe-vpc-block-public-access-exclusions
	get LoadBalancers elbv2 describe-load-balancers
	get ClassicLoadBalancers elb describe-load-balancers
	get TargetGroups elbv2 describe-target-groups
	get DBInstances rds describe-db-instances

	for id in $(ids 'Vpcs[].VpcId' ec2 describe-vpcs); do
		for name in enableDnsSupport enableDnsHostnames; do
			get "VpcAttributes-$id-$name" ec2 describe-vpc-attribute --vpc-id "$id" --attribute $name --query '{VpcAttributes: [@]}'
		done
	done
	for id in $(ids 'PrefixLists[].PrefixListId' ec2 describe-managed-prefix-lists); do
		get "PrefixListEntries-$id" ec2 get-managed-prefix-list-entries --prefix-list-id "$id" \
			--query "{PrefixListEntries: [{PrefixListId: '$id', Entries: Entries}]}"
	done
	for id in $(ids 'TransitGatewayRouteTables[].TransitGatewayRouteTableId' ec2 describe-transit-gateway-route-tables); do
		get "TransitGatewayPropagations-$id" ec2 get-transit-gateway-route-table-propagations --transit-gateway-route-table-id "$id" \
			--query "{TransitGatewayPropagations: [{TransitGatewayRouteTableId: '$id', TransitGatewayRouteTablePropagations: TransitGatewayRouteTablePropagations}]}"
		get "TransitGatewayRouteTableAssociations-$id" ec2 get-transit-gateway-route-table-associations --transit-gateway-route-table-id "$id" \
			--query "{TransitGatewayRouteTableAssociations: [{TransitGatewayRouteTableId: '$id', Associations: Associations}]}"
		get "TransitGatewayPrefixListReferences-$id" ec2 get-transit-gateway-prefix-list-references --transit-gateway-route-table-id "$id"
		get "TransitGatewayStaticRoutes-$id" ec2 search-transit-gateway-routes --transit-gateway-route-table-id "$id" --filters Name=type,Values=static,propagated \
			--query "{TransitGatewayStaticRoutes: [{TransitGatewayRouteTableId: '$id', Routes: Routes}]}"
	done
	for id in $(ids 'directConnectGateways[].directConnectGatewayId' directconnect describe-direct-connect-gateways); do
		get "DirectConnectGatewayAssociations-$id" directconnect describe-direct-connect-gateway-associations --direct-connect-gateway-id "$id"
		get "DirectConnectGatewayAttachments-$id" directconnect describe-direct-connect-gateway-attachments --direct-connect-gateway-id "$id"
	done
	# Those with another account's Direct Connect gateway are known by the gateway of this one.
	for id in $(ids 'VpnGateways[].VpnGatewayId' ec2 describe-vpn-gateways) $(ids 'TransitGateways[].TransitGatewayId' ec2 describe-transit-gateways); do
		get "DirectConnectGatewayAssociations-$id" directconnect describe-direct-connect-gateway-associations --associated-gateway-id "$id"
	done
	for id in $(ids 'LocalGatewayRouteTables[].LocalGatewayRouteTableId' ec2 describe-local-gateway-route-tables); do
		get "LocalGatewayRoutes-$id" ec2 search-local-gateway-routes --local-gateway-route-table-id "$id" --filters Name=type,Values=static \
			--query "{LocalGatewayRoutes: [{LocalGatewayRouteTableId: '$id', Routes: Routes}]}"
	done
	number=0
	for arn in $(ids 'LoadBalancers[].LoadBalancerArn' elbv2 describe-load-balancers); do
		number=$((number + 1))
		get "LoadBalancerListeners-$number" elbv2 describe-listeners --load-balancer-arn "$arn" \
			--query "{LoadBalancerListeners: [{LoadBalancerArn: '$arn', Listeners: Listeners}]}"
		get "LoadBalancerAttributes-$number" elbv2 describe-load-balancer-attributes --load-balancer-arn "$arn" \
			--query "{LoadBalancerAttributes: [{LoadBalancerArn: '$arn', Attributes: Attributes}]}"
		for listener in $(ids 'Listeners[].ListenerArn' elbv2 describe-listeners --load-balancer-arn "$arn"); do
			number=$((number + 1))
			get "ListenerRules-$number" elbv2 describe-rules --listener-arn "$listener" \
				--query "{ListenerRules: [{ListenerArn: '$listener', Rules: Rules}]}"
		done
	done
	for arn in $(ids 'TargetGroups[].TargetGroupArn' elbv2 describe-target-groups); do
		number=$((number + 1))
		get "LoadBalancerTargetHealth-$number" elbv2 describe-target-health --target-group-arn "$arn" \
			--query "{LoadBalancerTargetHealth: [{TargetGroupArn: '$arn', TargetHealthDescriptions: TargetHealthDescriptions}]}"
		get "TargetGroupAttributes-$number" elbv2 describe-target-group-attributes --target-group-arn "$arn" \
			--query "{TargetGroupAttributes: [{TargetGroupArn: '$arn', Attributes: Attributes}]}"
	done
	for name in $(ids 'DomainNames[].DomainName' opensearch list-domain-names); do
		get "DomainStatusList-$name" opensearch describe-domains --domain-names "$name"
	done
	for arn in $(ids 'Firewalls[].FirewallArn' network-firewall list-firewalls); do
		number=$((number + 1))
		get "FirewallDescriptions-$number" network-firewall describe-firewall --firewall-arn "$arn" --query '{FirewallDescriptions: [@]}'
	done
	for arn in $(ids 'FirewallPolicies[].Arn' network-firewall list-firewall-policies); do
		number=$((number + 1))
		get "FirewallPolicyDescriptions-$number" network-firewall describe-firewall-policy --firewall-policy-arn "$arn" --query '{FirewallPolicyDescriptions: [@]}'
	done
	for arn in $(ids 'RuleGroups[].Arn' network-firewall list-rule-groups); do
		number=$((number + 1))
		get "RuleGroupDescriptions-$number" network-firewall describe-rule-group --rule-group-arn "$arn" --query '{RuleGroupDescriptions: [@]}'
	done
done
files=$(find "$folder" -name '*.json' | wc -l)
echo "collect: $((files)) files below $folder" >&2
[ "$files" -gt 0 ]
