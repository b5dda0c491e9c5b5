package load_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/reach"
)

// The provider leaves interface and private address of before in the plan of an Elastic IP
// address that moves to another instance.
func TestPlanThatMovesAnAddressBetweenInstances(t *testing.T) {
	d := street().public()
	second := resource("aws_instance", "k", object{
		"id": "i-2", "arn": arnOf("instance", "i-2"), "instance_state": "running", "primary_network_interface_id": "eni-2", "private_ip": "10.0.1.11",
		"subnet_id": "subnet-1", "vpc_security_group_ids": []string{"sg-o"},
	})
	d.keep(server(""))
	d.keep(second)
	eip := func(instance string) object {
		return resource("aws_eip", "e", object{
			"id": "eipalloc-1", "public_ip": "198.51.100.7", "instance": instance, "private_ip": "10.0.1.10", "network_interface": "eni-1", "domain": "vpc",
		})
	}
	d.planned, d.prior = append(d.planned, eip("i-2")), append(d.prior, eip("i-1"))
	d.changes = append(d.changes, changed("aws_eip.e", object{}, "update"))
	d.config = append(d.config, drawn("aws_eip.e", map[string]string{"instance": "aws_instance.k"}))
	for _, c := range []struct {
		before   bool
		to       string
		observed reach.Observed
	}{
		{true, "aws_instance.i", reach.Open}, {true, "aws_instance.k", reach.Filtered},
		{false, "aws_instance.k", reach.Open}, {false, "aws_instance.i", reach.Filtered},
	} {
		r := d.ask(t, c.before, c.to, "internet", 22)
		require.Equal(t, c.observed, r.Observed, "%+v: %s", c, r.Reason)
	}
	said(t, d, "aws_eip.e.instance", "the address moves")
}

// said holds a network to a skip of a path that says so.
func said(t *testing.T, d *draft, path, reason string) {
	t.Helper()
	var all []string
	for _, s := range d.load(t, false).Skipped {
		if all = append(all, s.String()); s.Path == path && strings.Contains(s.Reason, reason) {
			return
		}
	}
	require.Failf(t, "not told", "%s: %s, of %s", path, reason, strings.Join(all, "\n"))
}

// A peering connection that waits is accepted by an update that sets auto_accept; the status
// in the plan is that of before.
func TestPlanThatAcceptsAPeeringConnectionThatWaits(t *testing.T) {
	build := func(actions ...string) *draft {
		d := street()
		d.keep(resource("aws_vpc", "w", object{"id": "vpc-2", "arn": arnOf("vpc", "vpc-2"), "cidr_block": "10.1.0.0/16"}))
		d.keep(resource("aws_subnet", "w", object{"id": "subnet-2", "arn": arnOf("subnet", "subnet-2"), "vpc_id": "vpc-2", "cidr_block": "10.1.1.0/24", "availability_zone": "eu-west-1a"}))
		open := []object{{"protocol": "-1", "from_port": 0, "to_port": 0, "cidr_blocks": []string{"0.0.0.0/0"}}}
		d.keep(resource("aws_security_group", "w", object{"id": "sg-w", "arn": arnOf("security-group", "sg-w"), "name": "w", "vpc_id": "vpc-2", "ingress": open, "egress": open}))
		d.keep(resource("aws_default_route_table", "v", object{"id": "rtb-d", "default_route_table_id": "rtb-d", "route": []object{{"cidr_block": "10.1.0.0/16", "vpc_peering_connection_id": "pcx-1"}}}))
		d.keep(resource("aws_route_table", "w", object{"id": "rtb-w", "vpc_id": "vpc-2", "arn": arnOf("route-table", "rtb-w"), "route": []object{{"cidr_block": "10.0.0.0/16", "vpc_peering_connection_id": "pcx-1"}}}))
		d.keep(resource("aws_route_table_association", "w", object{"id": "rtbassoc-w", "route_table_id": "rtb-w", "subnet_id": "subnet-2"}))
		d.keep(server(""))
		d.keep(resource("aws_instance", "w", object{
			"id": "i-2", "arn": arnOf("instance", "i-2"), "instance_state": "running", "primary_network_interface_id": "eni-2", "private_ip": "10.1.1.10",
			"subnet_id": "subnet-2", "vpc_security_group_ids": []string{"sg-w"},
		}))
		peering := func(auto bool) object {
			return resource("aws_vpc_peering_connection", "p", object{"id": "pcx-1", "vpc_id": "vpc-1", "peer_vpc_id": "vpc-2", "accept_status": "pending-acceptance", "auto_accept": auto})
		}
		d.planned, d.prior = append(d.planned, peering(true)), append(d.prior, peering(false))
		d.changes = append(d.changes, changed("aws_vpc_peering_connection.p", object{}, actions...))
		return d
	}
	d := build("update")
	before, after := d.ask(t, true, "aws_instance.i", "aws_instance.w", 22), d.ask(t, false, "aws_instance.i", "aws_instance.w", 22)
	require.False(t, before.Reachable(), before.Reason)
	require.True(t, after.Reachable(), after.Reason)
	after = build("no-op").ask(t, false, "aws_instance.i", "aws_instance.w", 22)
	require.False(t, after.Reachable(), after.Reason)
}

// A rule's block that comes of one that Amazon has yet to give: a subnet's is the subnet's
// and not its VPC's, and that a part of a block is not told of by plans is said.
func TestPlanOfRulesOfBlocksThatAreKnownAfterApply(t *testing.T) {
	d := &draft{}
	d.planned = []object{
		resource("aws_vpc", "v", object{"cidr_block": "10.0.0.0/16", "assign_generated_ipv6_cidr_block": true}),
		resource("aws_subnet", "s", object{"cidr_block": "10.0.1.0/24", "availability_zone": "eu-west-1a"}),
		resource("aws_security_group", "g", object{"name": "g"}),
	}
	block := object{"id": true, "arn": true, "ipv6_cidr_block": true}
	d.changes = []object{changed("aws_vpc.v", block, "create"), changed("aws_subnet.s", object{"id": true, "ipv6_cidr_block": true, "vpc_id": true}, "create"), changed("aws_security_group.g", object{"id": true, "vpc_id": true}, "create")}
	subnet := object{"address": "aws_subnet.s", "expressions": object{"vpc_id": object{"references": []string{"aws_vpc.v.id"}}, "ipv6_cidr_block": object{"references": []string{"aws_vpc.v.ipv6_cidr_block"}}}}
	d.config = []object{subnet, drawn("aws_security_group.g", map[string]string{"vpc_id": "aws_vpc.v"})}
	for name, ref := range map[string]string{"part": "aws_vpc.v.ipv6_cidr_block", "subnet": "aws_subnet.s.ipv6_cidr_block"} {
		address := "aws_vpc_security_group_ingress_rule." + name
		d.planned = append(d.planned, resource("aws_vpc_security_group_ingress_rule", name, object{"ip_protocol": "tcp", "from_port": 22, "to_port": 22}))
		d.changes = append(d.changes, changed(address, object{"id": true, "security_group_id": true, "cidr_ipv6": true}, "create"))
		c := drawn(address, map[string]string{"security_group_id": "aws_security_group.g"})
		c["expressions"].(object)["cidr_ipv6"] = object{"references": []string{ref}}
		d.config = append(d.config, c)
	}
	said(t, d, "aws_vpc_security_group_ingress_rule.part.cidr_ipv6", "/56")
	said(t, d, "aws_vpc_security_group_ingress_rule.subnet.cidr_ipv6", "/64")
}
