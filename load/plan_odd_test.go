package load_test

import (
	"encoding/json"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/load"
	"github.com/vpcsim/vpcsim/reach"
)

type object = map[string]any

// draft is a plan of odd things, of one region and module. Its zero value plans nothing.
type draft struct{ planned, prior, changes, config []object }

func resource(kind, name string, values object) object {
	return object{"address": kind + "." + name, "mode": "managed", "type": kind, "name": name, "values": values}
}

func changed(address string, unknown any, actions ...string) object {
	return object{"address": address, "change": object{"actions": actions, "after_unknown": unknown}}
}

// drawn says of attributes of a resource what their expressions refer to.
func drawn(address string, references map[string]string) object {
	expressions := object{}
	for attr, of := range references {
		expressions[attr] = object{"references": []string{of + ".id", of}}
	}
	return object{"address": address, "expressions": expressions}
}

func arnOf(kind, id string) string { return "arn:aws:ec2:eu-west-1:111122223333:" + kind + "/" + id }

// street is a draft of a VPC with an internet gateway, a subnet, a public table and an open
// security group, which are there already.
func street() *draft {
	open := []object{{"protocol": "-1", "from_port": 0, "to_port": 0, "cidr_blocks": []string{"0.0.0.0/0"}}}
	d := &draft{}
	d.keep(resource("aws_vpc", "v", object{
		"id": "vpc-1", "arn": arnOf("vpc", "vpc-1"), "cidr_block": "10.0.0.0/16", "default_route_table_id": "rtb-d", "main_route_table_id": "rtb-d",
		"default_network_acl_id": "acl-d", "default_security_group_id": "sg-d",
	}))
	d.keep(resource("aws_internet_gateway", "g", object{"id": "igw-1", "arn": arnOf("internet-gateway", "igw-1"), "vpc_id": "vpc-1"}))
	d.keep(resource("aws_subnet", "s", object{
		"id": "subnet-1", "arn": arnOf("subnet", "subnet-1"), "vpc_id": "vpc-1", "cidr_block": "10.0.1.0/24", "availability_zone": "eu-west-1a",
	}))
	d.keep(resource("aws_route_table", "p", object{
		"id": "rtb-p", "arn": arnOf("route-table", "rtb-p"), "vpc_id": "vpc-1", "route": []object{{"cidr_block": "0.0.0.0/0", "gateway_id": "igw-1"}},
	}))
	d.keep(resource("aws_security_group", "o", object{
		"id": "sg-o", "arn": arnOf("security-group", "sg-o"), "name": "o", "vpc_id": "vpc-1", "ingress": open, "egress": open,
	}))
	return d
}

// public associates the subnet with the public table.
func (d *draft) public() *draft {
	d.keep(resource("aws_route_table_association", "a", object{"id": "rtbassoc-1", "route_table_id": "rtb-p", "subnet_id": "subnet-1"}))
	return d
}

// keep has a resource before the plan and after it.
func (d *draft) keep(r object) { d.planned, d.prior = append(d.planned, r), append(d.prior, r) }

func (d *draft) load(t *testing.T, before bool) *load.Network {
	t.Helper()
	has := map[any]bool{}
	for _, c := range d.config {
		has[c["address"]] = true
	}
	for _, r := range d.planned {
		if !has[r["address"]] {
			d.config = append(d.config, object{"address": r["address"]})
		}
	}
	for _, c := range d.config {
		c["provider_config_key"] = "aws"
	}
	text, err := json.Marshal(object{
		"format_version": "1.2", "planned_values": object{"root_module": object{"resources": d.planned}},
		"prior_state":      object{"values": object{"root_module": object{"resources": d.prior}}},
		"resource_changes": d.changes,
		"configuration": object{
			"provider_config": object{"aws": object{"expressions": object{"region": object{"constant_value": "eu-west-1"}}}},
			"root_module":     object{"resources": d.config},
		},
	})
	require.NoError(t, err)
	n, err := load.PlanText("plan.json", text, load.Config{Before: before})
	require.NoError(t, err)
	return n
}

func (d *draft) ask(t *testing.T, before bool, from, to string, port int) reach.Result {
	t.Helper()
	n := d.load(t, before)
	l, err := reach.Sweep(n.World, []reach.Spec{{From: from, To: to, Proto: "tcp", Port: port}}, reach.Config{LeftOut: n.Lacks})
	require.NoError(t, err)
	return l[0]
}

// server is an instance in the subnet.
func server(public string) object {
	return resource("aws_instance", "i", object{
		"id": "i-1", "arn": arnOf("instance", "i-1"), "instance_state": "running", "primary_network_interface_id": "eni-1", "private_ip": "10.0.1.10",
		"subnet_id": "subnet-1", "vpc_security_group_ids": []string{"sg-o"}, "public_ip": public,
	})
}

// A failed apply leaves an object that is to be deleted under the address of the resource
// that is made in its place; its change stands behind the resource's own.
func TestPlanWithAnObjectThatAFailedApplyHasLeft(t *testing.T) {
	d := street().public()
	const i = "aws_instance.i"
	d.planned = append(d.planned, resource("aws_instance", "i", object{"ami": "x", "associate_public_ip_address": true}))
	left := changed(i, false, "delete")
	left["deposed"] = "00000001"
	unknown := object{"id": true, "arn": true, "subnet_id": true, "private_ip": true, "public_ip": true, "primary_network_interface_id": true, "vpc_security_group_ids": true}
	d.changes = append(d.changes, changed(i, unknown, "create"), left)
	d.config = append(d.config, drawn(i, map[string]string{"subnet_id": "aws_subnet.s", "vpc_security_group_ids": "aws_security_group.o"}))
	r := d.ask(t, false, "internet", i, 22)
	require.True(t, r.Reachable(), r.Reason)
}

// A VPC whose main table is not its default one has both; where the plan takes the
// association away, the table that was the main one before is it again.
func TestPlanThatTakesTheMainTableAway(t *testing.T) {
	d := street()
	d.planned[0]["values"].(object)["main_route_table_id"] = "rtb-p"
	d.keep(server("198.51.100.7"))
	d.prior = append(d.prior, resource("aws_main_route_table_association", "m", object{
		"id": "rtbassoc-m", "vpc_id": "vpc-1", "route_table_id": "rtb-p", "original_route_table_id": "rtb-d",
	}))
	d.changes = append(d.changes, changed("aws_main_route_table_association.m", false, "delete"))
	before, after := d.ask(t, true, "internet", "aws_instance.i", 22), d.ask(t, false, "internet", "aws_instance.i", 22)
	require.True(t, before.Reachable(), before.Reason)
	require.Equal(t, reach.Filtered, after.Observed, after.Reason)
	d.changes = nil // made otherwise, and not of this configuration
	d.prior = d.prior[:len(d.prior)-1]
	after = d.ask(t, false, "internet", "aws_instance.i", 22)
	require.True(t, after.Reachable(), after.Reason)
}

// The provider leaves the private address of before in the plan of an Elastic IP address
// whose instance is replaced.
func TestPlanThatReplacesTheInstanceOfAnAddress(t *testing.T) {
	d := street().public()
	d.planned = append(d.planned, resource("aws_instance", "i", object{"subnet_id": "subnet-1", "vpc_security_group_ids": []string{"sg-o"}}),
		resource("aws_eip", "e", object{"id": "eipalloc-1", "arn": arnOf("elastic-ip", "eipalloc-1"), "public_ip": "198.51.100.7", "private_ip": "10.0.1.10", "network_interface": "eni-1", "domain": "vpc"}))
	d.prior = append(d.prior, server(""), resource("aws_eip", "e", object{"id": "eipalloc-1", "public_ip": "198.51.100.7", "instance": "i-1", "private_ip": "10.0.1.10", "network_interface": "eni-1"}))
	d.changes = append(d.changes, changed("aws_instance.i", object{"id": true, "arn": true, "private_ip": true, "public_ip": true, "primary_network_interface_id": true}, "delete", "create"),
		changed("aws_eip.e", object{"instance": true}, "update"))
	d.config = append(d.config, drawn("aws_eip.e", map[string]string{"instance": "aws_instance.i"}))
	r := d.ask(t, false, "internet", "aws_instance.i", 22)
	require.True(t, r.Reachable(), r.Reason)
}

func TestPlanWithEmptyIDs(t *testing.T) {
	d := street()
	d.keep(resource("aws_nat_gateway", "n", object{"id": "nat-1", "subnet_id": "subnet-1", "network_interface_id": "", "connectivity_type": "private"}))
	d.keep(resource("aws_ec2_transit_gateway", "t", object{
		"id": "tgw-1", "default_route_table_association": "enable", "default_route_table_propagation": "enable", "association_default_route_table_id": "",
	}))
	require.Len(t, d.load(t, false).Find("aws_nat_gateway.n"), 1)
	require.Len(t, d.load(t, false).Find("aws_ec2_transit_gateway.t"), 1)
}

// What an Auto Scaling group registers stands in no plan.
func TestPlanOfTargetsThatAreRegisteredOtherwise(t *testing.T) {
	const elb = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:"
	balancer, group := elb+"loadbalancer/net/n/0123456789abcdef", elb+"targetgroup/t/0123456789abcdef"
	listener := elb + "listener/net/n/0123456789abcdef/1"
	d := street().public()
	d.keep(resource("aws_lb", "n", object{"id": balancer, "arn": balancer, "name": "n", "load_balancer_type": "network", "internal": false, "subnets": []string{"subnet-1"}}))
	d.keep(resource("aws_lb_target_group", "t", object{"id": group, "arn": group, "name": "t", "port": 80, "protocol": "TCP", "vpc_id": "vpc-1", "target_type": "instance"}))
	d.keep(resource("aws_lb_listener", "l", object{
		"id": listener, "arn": listener, "load_balancer_arn": balancer, "port": 80, "protocol": "TCP", "default_action": []object{{"type": "forward", "target_group_arn": group}},
	}))
	d.keep(resource("aws_autoscaling_group", "g", object{"id": "g", "name": "g", "target_group_arns": []string{group}}))
	r := d.ask(t, false, "internet", "aws_lb.n", 80)
	require.Equal(t, reach.Unknown, r.Observed, r.Reason)
	require.Contains(t, r.Unknown, "its targets are not in the plan")
}

// shared is a flat folder of a VPC that 111111111111 shares, as 222222222222 is told of it:
// the subnet that it may use, and what is its own.
func shared() map[string]any {
	const owner, user = "111111111111", "222222222222"
	open := []object{{"IpProtocol": "-1", "IpRanges": []object{{"CidrIp": "0.0.0.0/0"}}}}
	entry := func(egress bool) object {
		return object{"CidrBlock": "0.0.0.0/0", "Egress": egress, "Protocol": "-1", "RuleAction": "allow", "RuleNumber": 100}
	}
	return map[string]any{
		"Vpcs":    []object{{"VpcId": "vpc-1", "OwnerId": owner, "CidrBlock": "10.0.0.0/16"}},
		"Subnets": []object{{"SubnetId": "subnet-1", "OwnerId": owner, "VpcId": "vpc-1", "CidrBlock": "10.0.1.0/24", "AvailabilityZone": "eu-west-1a"}},
		"RouteTables": []object{{
			"RouteTableId": "rtb-1", "OwnerId": owner, "VpcId": "vpc-1", "Associations": []object{{"SubnetId": "subnet-1", "RouteTableAssociationId": "rtbassoc-1"}},
			"Routes": []object{{"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active", "Origin": "CreateRouteTable"}},
		}},
		"NetworkAcls": []object{{
			"NetworkAclId": "acl-1", "OwnerId": owner, "VpcId": "vpc-1", "Associations": []object{{"SubnetId": "subnet-1", "NetworkAclAssociationId": "aclassoc-1"}},
			"Entries": []object{entry(true), entry(false)},
		}},
		"SecurityGroups": []object{{"GroupId": "sg-1", "OwnerId": user, "VpcId": "vpc-1", "GroupName": "mine", "IpPermissions": open, "IpPermissionsEgress": open}},
		"NetworkInterfaces": []object{{
			"NetworkInterfaceId": "eni-1", "OwnerId": user, "VpcId": "vpc-1", "SubnetId": "subnet-1", "PrivateIpAddress": "10.0.1.10", "Status": "in-use",
			"PrivateIpAddresses": []object{{"Primary": true, "PrivateIpAddress": "10.0.1.10"}}, "Groups": []object{{"GroupId": "sg-1"}}, "MacAddress": "0a:00:00:00:00:01",
			"Attachment": object{"InstanceId": "i-1", "DeviceIndex": 0, "Status": "attached", "AttachmentId": "eni-attach-1"},
		}},
		"Reservations": []object{{"OwnerId": user, "ReservationId": "r-1", "Instances": []object{{"InstanceId": "i-1", "State": object{"Name": "running"}, "VpcId": "vpc-1", "SubnetId": "subnet-1"}}}},
	}
}

// A participant of a shared VPC is not told of others' interfaces in it, nor of subnets
// that it may not use (VPC guide, "Share your VPC subnets with other accounts"): a folder
// without accounts is of those that own its default security groups.
func TestAFlatFolderOfAParticipantOfASharedVPC(t *testing.T) {
	ask := func(answers map[string]any, to string) reach.Result {
		fsys := fstest.MapFS{}
		for key, list := range answers {
			fsys[key+".json"] = &fstest.MapFile{Data: got(json.Marshal(object{key: list})).or(t)}
		}
		n := got(load.FS(fsys, load.Config{})).or(t)
		return got(reach.Sweep(n.World, []reach.Spec{{From: "i-1", To: to, Proto: "tcp", Port: 443}}, reach.Config{LeftOut: n.Lacks})).or(t)[0]
	}
	for to, unknown := range map[string]string{"10.0.1.99": "whether an interface has the address", "10.0.7.99": "whether a subnet has the address"} {
		r := ask(shared(), to)
		require.Equal(t, reach.Unknown, r.Observed, r.Reason)
		require.Contains(t, r.Unknown, unknown)
		require.Contains(t, r.Unknown, "of 111111111111)")
		whole := shared() // the owner is told of its default security group, and of all
		whole["SecurityGroups"] = append(whole["SecurityGroups"].([]object), object{"GroupId": "sg-d", "OwnerId": "111111111111", "VpcId": "vpc-1", "GroupName": "default"})
		require.Equal(t, reach.Filtered, ask(whole, to).Observed)
	}
}
