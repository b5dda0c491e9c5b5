package lint

// Rules are the rules, in the order of the catalogue.
func Rules() []Rule { return catalogue }

// RuleOf returns the rule with an id.
func RuleOf(id string) (Rule, bool) {
	for _, r := range catalogue {
		if r.ID == id {
			return r, true
		}
	}
	return Rule{}, false
}

// checks look at a network, one after another.
var checks = []func(*linter){
	(*linter).expectedFlows, (*linter).waysOut, (*linter).waysIn, (*linter).deadRoutes, (*linter).mainTable, (*linter).shadowedRoutes,
	(*linter).narrowRoutes, (*linter).applianceRoutes, (*linter).linkLocalRoutes, (*linter).drift, (*linter).gateways, (*linter).edgeTables,
	(*linter).interfaces, (*linter).natGateways, (*linter).staleReferences, (*linter).listOrder, (*linter).ephemeralPorts, (*linter).sixIsOpen, (*linter).peeringStates,
	(*linter).peerRoutes, (*linter).transitGateways, (*linter).applianceMode, (*linter).environments, (*linter).serviceEndpoints,
	(*linter).dns, (*linter).sixRoutes, (*linter).overlaps, (*linter).hairpins, (*linter).balancers, (*linter).balancedFlows, (*linter).firewallZones, (*linter).foreignEndpoints,
}

var catalogue = []Rule{
	{"RT01", Error, "no route to the destination", "add the route", "NO_ROUTE_TO_DESTINATION", false},
	{"RT02", Error, "the request arrives, the reply has no route back", "add the reverse route in the destination's subnet", "NO_ROUTE_TO_DESTINATION", false},
	{"RT03", Error, "a route's target is gone: a black hole", "give the route a target that is there, or delete it", "BAD_STATE_ROUTE", false},
	{"RT04", Warning, "a subnet falls back to a main route table that is not local only", "associate a table of its own; keep the main table local", "", true},
	{"RT05", Warning, "a longer prefix takes the traffic from the route that was meant", "remove the more specific route, or align the two", "MORE_SPECIFIC_ROUTE", false},
	{"RT06", Warning, "a static route hides the propagated one of the same prefix", "delete the static route", "HIGHER_PRIORITY_ROUTE", true},
	{"RT07", Error, "a route inside the VPC that is no subnet's CIDR, or has a target that is not allowed there", "use the exact CIDR of a subnet and an interface, a NAT gateway or a GWLB endpoint", "CANNOT_ROUTE", true},
	{"RT08", Error, "an appliance between two subnets sees one direction only", "set the more specific route in both subnets", "", false},
	{"RT09", Error, "the appliance's own subnet routes to the appliance: packets loop", "give the appliance's subnet a table of its own", "SIM_LOOP", true},
	{"RT10", Warning, "a route or a VPC covers link-local or a host's own container network", "change the range", "", true},
	{"RT11", Warning, "the tables of one tier's zones have drifted apart", "generate the tables of all zones from one source", "", false},
	{"IG01", Warning, "the way out is an internet gateway, and the sender has no public address", "associate an Elastic IP, or route through a NAT gateway", "IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS", false},
	{"IG02", Error, "an Elastic IP leads to an interface that is attached to nothing that runs", "associate it with an interface in use", "IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS", false},
	{"IG03", Warning, "an internet gateway is attached to no VPC, or a route names one of another VPC", "attach it, or delete it", "BAD_STATE_ATTACHMENT", true},
	{"IG04", Error, "a private destination goes to the internet gateway", "add a route to the peering connection or transit gateway", "IGW_DESTINATION_ADDRESS_NOT_IN_RFC1918_EGRESS", false},
	{"IG05", Note, "a neighbour's public name is called: the group reference does not match behind the internet gateway", "call the private name, or allow the Elastic IP", "IGW_NAT_REFLECTION", false},
	{"IG06", Error, "what comes in from the internet goes past the appliance that what goes out passes", "associate a gateway route table that leads to the appliance", "INGRESS_RTB_TRAFFIC_REDIRECTION", false},
	{"IG07", Error, "what comes in passes the appliance, the reply goes past it", "route the subnet's 0.0.0.0/0 to the appliance", "INGRESS_RTB_TRAFFIC_REDIRECTION", false},
	{"IG08", Error, "a subnet is missing from the gateway route table: what comes in for it is not inspected", "add the subnet's CIDR", "", false},
	{"IG09", Error, "a gateway route table holds a route that it must not", "use the CIDR of a subnet and an interface or a GWLB endpoint", "", true},
	{"IG10", Error, "the appliance of the gateway route table has no public address", "associate an Elastic IP with it", "INGRESS_RTB_NO_PUBLIC_IP", false},
	{"IG11", Warning, "VPC Block Public Access is on where a route or a rule expects the internet", "exclude the VPC or the subnet, or remove the route", "VPC_BLOCK_PUBLIC_ACCESS_ENABLED", false},
	{"EN01", Error, "source/dest check is on at an interface that is to forward", "turn source/dest check off there", "ENI_SOURCE_DEST_CHECK_RESTRICTION", false},
	{"EN05", Error, "a NAT instance's group lets in fewer senders than are routed to it", "widen the group", "ENI_SG_RULES_MISMATCH", false},
	{"EN07", Warning, "source/dest check is off at the first interface and on at a further one", "turn it off at each interface that forwards", "ENI_SOURCE_DEST_CHECK_RESTRICTION", true},
	{"NG01", Error, "a public NAT gateway stands in a subnet without a route to the internet gateway", "move it to a public subnet, or add the route", "NO_ROUTE_TO_DESTINATION", false},
	{"NG02", Error, "the NAT gateway's own subnet routes to the NAT gateway", "give it a subnet of its own", "SIM_LOOP", false},
	{"NG03", Error, "a NAT gateway is used through a peering connection or a VPN", "use a transit gateway, or a NAT gateway in the VPC", "NGW_REQUIRES_SOURCE_IN_VPC", false},
	{"NG04", Error, "a private NAT gateway is to lead to the internet", "use a public NAT gateway", "IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS", false},
	{"NG08", Warning, "a protocol that is neither TCP, UDP nor ICMP goes to a NAT gateway", "use an appliance, or a public address", "PROTOCOL_RESTRICTION", false},
	{"NG09", Error, "the target's group allows the client, but the packet comes from a translated address", "allow the translated address", "ENI_SG_RULES_MISMATCH", false},
	{"NG12", Warning, "subnets use a NAT gateway in another zone", "a NAT gateway in each zone, and routes to it", "AVAILABILITY_ZONE_CROSSED", true},
	{"AC01", Error, "the network ACL lets the request in and drops the reply", "allow the ephemeral ports 1024-65535 back", "SUBNET_ACL_RESTRICTION", false},
	{"AC02", Warning, "a network ACL's rule has no effect: one with a lower number decides before it", "reorder the rules", "SUBNET_ACL_RESTRICTION", true},
	{"AC03", Warning, "a network ACL allows only part of the ephemeral ports", "allow 1024-65535", "REMAP_EPHEMERAL_PORT", true},
	{"AC04", Error, "a network ACL denies the addresses of the gateway endpoint", "allow the ranges of the service's prefix list", "SUBNET_ACL_RESTRICTION", false},
	{"AC06", Error, "the network ACL of a transit gateway's subnet denies the flow", "give the attachment subnets of their own with an open ACL", "SUBNET_ACL_RESTRICTION", false},
	{"AC07", Error, "the network ACL denies what the security group allows", "add a rule for the protocol", "SUBNET_ACL_RESTRICTION", false},
	{"SG01", Error, "no ingress rule for a flow that the sender's group names", "add the ingress rule", "ENI_SG_RULES_MISMATCH", false},
	{"SG02", Error, "the ingress rule is there, the sender's egress rule is not", "add the egress rule", "ENI_SG_RULES_MISMATCH", false},
	{"SG04", Error, "a group reference is lost behind an appliance, a load balancer or a NAT", "name a CIDR", "SG_REFERENCES_NOT_PRESERVED", false},
	{"SG05", Warning, "a rule names a security group that is not there", "remove the rule", "UNKNOWN_PEERED_SGS", true},
	{"SG08", Error, "a rule is open to the world, and a packet from there arrives", "narrow the rule", "", false},
	{"SG09", Error, "IPv6 is open where IPv4 is not", "mirror the IPv4 rules", "", false},
	{"PX01", Error, "a route leads through a peer VPC to a third: peering is not transitive", "peer the two, or use a transit gateway", "PCX_REQUIRES_ADDRESS_IN_VPC_CIDR", false},
	{"PX02", Error, "a route uses the gateway of a peer VPC", "use a gateway of the VPC's own", "PCX_REQUIRES_ADDRESS_IN_VPC_CIDR", false},
	{"PX03", Error, "a peering connection has a route on one side only", "add the route on the other side", "NO_ROUTE_TO_DESTINATION", false},
	{"PX04", Warning, "a peering connection is not active", "accept it, or delete it", "BAD_STATE", true},
	{"TG01", Error, "a zone's subnets route to a transit gateway that has no attachment there", "add a subnet of the zone to the attachment", "TGW_ROUTE_AZ_RESTRICTION", false},
	{"TG02", Error, "a transit gateway's attachment is associated with no route table", "associate one", "TGW_ATTACH_MISSING_TGW_RTB_ASSOCIATION", true},
	{"TG03", Error, "the transit gateway has no route to the destination", "propagate the attachment, or add a static route", "TGW_RTB_NO_ROUTE_TO_TGW_ATTACHMENT", false},
	{"TG04", Warning, "two attachments propagate the same CIDR", "a static route, or other addresses", "", true},
	{"TG05", Error, "requests and replies pass appliances of different zones", "turn appliance mode on at the appliances' attachment", "TGW_ATTACH_VPC_AZ_RESTRICTION", false},
	{"TG06", Error, "answers from the internet do not find back to the spoke", "route the spokes' CIDRs to the transit gateway in the egress VPC's public table", "NO_ROUTE_TO_DESTINATION", false},
	{"TG07", Error, "a development network reaches a production one", "separate route tables of the transit gateway", "", false},
	{"GL01", Warning, "a subnet routes to a Gateway Load Balancer endpoint of another zone", "an endpoint in each zone, and routes to it", "", true},
	{"LB01", Warning, "a target calls its own load balancer and is chosen itself: its address is preserved, and the connection times out", "turn client address preservation off", "ELBV2_SOURCE_ADDRESS_PRESERVATION", false},
	{"LB03", Error, "a target's group allows the load balancer, and the packet comes from the client, whose address is preserved", "allow the clients", "ENI_SG_RULES_MISMATCH", false},
	{"LB04", Error, "no target of a load balancer is healthy", "let the health checks in: port and group", "", true},
	{"LB05", Warning, "a load balancer's zone has no target, and cross-zone is off", "turn cross-zone on, or add a target", "ELBV2_NO_TARGETS_IN_AZ", true},
	{"LB06", Error, "an internet-facing load balancer stands in a subnet without a route to the internet gateway", "use public subnets", "NO_ROUTE_TO_DESTINATION", false},
	{"EP01", Error, "an interface endpoint's group does not let port 443 in from its VPC", "add the rule", "ENI_SG_RULES_MISMATCH", false},
	{"EP02", Warning, "a subnet's table lacks the gateway endpoint that its VPC has", "associate the table with the endpoint", "NO_ROUTE_TO_DESTINATION", true},
	{"EP03", Error, "a group's egress rules leave out the service behind the gateway endpoint", "allow the service's prefix list", "ENI_SG_RULES_MISMATCH", false},
	{"EP04", Error, "a gateway endpoint is used from outside of its VPC", "use an interface endpoint", "VPCE_GATEWAY_EGRESS_SOURCE_ADDRESS_RESTRICTION", false},
	{"DN01", Warning, "private names do not resolve: enableDnsSupport or enableDnsHostnames is off", "turn both on", "", true},
	{"V601", Warning, "interfaces have IPv6 addresses, and their subnet no IPv6 route out", "route ::/0 to the internet gateway or an egress-only one", "", false},
	{"V602", Warning, "a rule lets IPv6 in from the world where an egress-only gateway is the way", "route ::/0 to an internet gateway, or remove the rule", "SIM_EGRESS_ONLY", false},
	{"OV01", Error, "VPCs that are to be joined have overlapping CIDRs", "renumber, a private NAT gateway, or PrivateLink", "", true},
	{"CO01", Note, "traffic to S3 or DynamoDB is paid for at a NAT gateway", "add a gateway endpoint", "", true},
}
