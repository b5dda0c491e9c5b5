package plan

// The kinds of resources that an attribute of the name may be of.
var (
	vpcs           = []string{"aws_vpc", "aws_default_vpc"}
	subnets        = []string{"aws_subnet", "aws_default_subnet"}
	tables         = []string{"aws_route_table", "aws_default_route_table"}
	groups         = []string{"aws_security_group", "aws_default_security_group"}
	acls           = []string{"aws_network_acl", "aws_default_network_acl"}
	transitKinds   = []string{"aws_ec2_transit_gateway_vpc_attachment", "aws_ec2_transit_gateway_peering_attachment", "aws_vpn_connection"}
	balancerKinds  = []string{"aws_lb", "aws_alb"}
	listenerKinds  = []string{"aws_lb_listener", "aws_alb_listener"}
	groupKinds     = []string{"aws_lb_target_group", "aws_alb_target_group"}
	interfaceKinds = []string{"aws_network_interface"}
)

var wanted = map[string][]string{
	"vpc_id": vpcs, "peer_vpc_id": vpcs,
	"subnet_id": subnets, "subnet_ids": subnets, "subnets": subnets,
	"route_table_id": tables, "route_table_ids": tables,
	"security_group_id": groups, "security_groups": groups, "vpc_security_group_ids": groups, "security_group_ids": groups,
	"source_security_group_id": groups, "referenced_security_group_id": groups,
	"network_acl_id": acls,
	"gateway_id":     {"aws_internet_gateway", "aws_vpn_gateway"}, "internet_gateway_id": {"aws_internet_gateway"},
	"nat_gateway_id": {"aws_nat_gateway"}, "egress_only_gateway_id": {"aws_egress_only_internet_gateway"},
	"carrier_gateway_id": {"aws_ec2_carrier_gateway"}, "vpn_gateway_id": {"aws_vpn_gateway"}, "propagating_vgws": {"aws_vpn_gateway"},
	"network_interface_id": interfaceKinds, "network_interface": interfaceKinds,
	"instance_id": {"aws_instance"}, "instance": {"aws_instance"},
	"target_id": {"aws_instance", "aws_lb", "aws_alb"}, "private_ip": {"aws_instance", "aws_network_interface"},
	"allocation_id": {"aws_eip"}, "secondary_allocation_ids": {"aws_eip"},
	"transit_gateway_id": {"aws_ec2_transit_gateway"}, "peer_transit_gateway_id": {"aws_ec2_transit_gateway"},
	"transit_gateway_attachment_id": transitKinds, "transit_gateway_route_table_id": {"aws_ec2_transit_gateway_route_table"},
	"vpc_endpoint_id": {"aws_vpc_endpoint"}, "vpc_peering_connection_id": {"aws_vpc_peering_connection"},
	"dhcp_options_id": {"aws_vpc_dhcp_options"}, "customer_gateway_id": {"aws_customer_gateway"}, "vpn_connection_id": {"aws_vpn_connection"},
	"prefix_list_id": {"aws_ec2_managed_prefix_list"}, "prefix_list_ids": {"aws_ec2_managed_prefix_list"},
	"destination_prefix_list_id": {"aws_ec2_managed_prefix_list"},
	"load_balancer_arn":          balancerKinds, "listener_arn": listenerKinds, "target_group_arn": groupKinds, "arn": groupKinds,
	"db_subnet_group_name":               {"aws_db_subnet_group"},
	"default_route_table_id":             tables,
	"default_security_group_id":          groups,
	"default_network_acl_id":             acls,
	"primary_network_interface_id":       interfaceKinds,
	"association_default_route_table_id": {"aws_ec2_transit_gateway_route_table"},
}

// identity is the attribute by which other resources name one of the kind; id of those
// that are not here.
var identity = map[string]string{
	"aws_lb": "arn", "aws_alb": "arn", "aws_lb_listener": "arn", "aws_alb_listener": "arn", "aws_lb_target_group": "arn", "aws_alb_target_group": "arn",
	"aws_db_subnet_group": "name",
}

// prefixes are those of the ids that AWS gives.
var prefixes = map[string]string{
	"aws_vpc": "vpc", "aws_default_vpc": "vpc", "aws_subnet": "subnet", "aws_default_subnet": "subnet", "aws_route_table": "rtb",
	"aws_security_group": "sg", "aws_network_acl": "acl", "aws_internet_gateway": "igw", "aws_egress_only_internet_gateway": "eigw",
	"aws_nat_gateway": "nat", "aws_vpn_gateway": "vgw", "aws_ec2_carrier_gateway": "cagw", "aws_network_interface": "eni", "aws_instance": "i", "aws_eip": "eipalloc",
	"aws_vpc_peering_connection": "pcx", "aws_vpc_endpoint": "vpce", "aws_ec2_transit_gateway": "tgw",
	"aws_ec2_transit_gateway_vpc_attachment": "tgw-attach", "aws_ec2_transit_gateway_peering_attachment": "tgw-attach",
	"aws_ec2_transit_gateway_route_table": "tgw-rtb", "aws_customer_gateway": "cgw", "aws_vpn_connection": "vpn",
	"aws_ec2_managed_prefix_list": "pl", "aws_vpc_dhcp_options": "dopt",
}

// made are the attributes whose values AWS gives with a resource: the prefix of the id.
var made = map[[2]string]string{
	{"aws_vpc", "default_route_table_id"}: "rtb", {"aws_vpc", "default_network_acl_id"}: "acl", {"aws_vpc", "default_security_group_id"}: "sg",
	{"aws_default_vpc", "default_route_table_id"}: "rtb", {"aws_default_vpc", "default_network_acl_id"}: "acl", {"aws_default_vpc", "default_security_group_id"}: "sg",
	{"aws_instance", "primary_network_interface_id"}: "eni", {"aws_nat_gateway", "network_interface_id"}: "eni",
	{"aws_ec2_transit_gateway", "association_default_route_table_id"}: "tgw-rtb",
	{"aws_vpn_connection", "transit_gateway_attachment_id"}:           "tgw-attach",
}

// alias are attributes that have the value of another one.
var alias = map[[2]string]string{
	{"aws_vpc", "main_route_table_id"}: "default_route_table_id", {"aws_default_vpc", "main_route_table_id"}: "default_route_table_id",
	{"aws_eip", "allocation_id"}: "id", {"aws_lb", "id"}: "arn", {"aws_alb", "id"}: "arn", {"aws_lb_listener", "id"}: "arn", {"aws_alb_listener", "id"}: "arn",
	{"aws_lb_target_group", "id"}: "arn", {"aws_alb_target_group", "id"}: "arn", {"aws_default_route_table", "id"}: "default_route_table_id",
	{"aws_default_network_acl", "id"}: "default_network_acl_id", {"aws_db_subnet_group", "id"}: "name",
	{"aws_ec2_transit_gateway", "propagation_default_route_table_id"}: "association_default_route_table_id",
	{"aws_ec2_transit_gateway_peering_attachment_accepter", "id"}:     "transit_gateway_attachment_id",
	{"aws_vpc_peering_connection_accepter", "id"}:                     "vpc_peering_connection_id",
}
