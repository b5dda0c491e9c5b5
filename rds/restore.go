package rds

import (
	"slices"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/vpc"
)

// Shape is what DescribeDBInstances of the RDS API says of a database instance, as far
// as it is read here.
// https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBInstance.html
type Shape struct {
	DBInstanceIdentifier *string
	DBInstanceArn        *string
	DBInstanceStatus     *string
	AvailabilityZone     *string
	DBSubnetGroup        *SubnetGroup
	VpcSecurityGroups    []GroupMembership
	Endpoint             *Endpoint
	TagList              []ec2.Tag
	NetworkInterfaceId   *string // no member of the API's: the interface, where something else tells it
}

// SubnetGroup is where a database instance may have its interfaces.
type SubnetGroup struct {
	VpcId   *string
	Subnets []struct{ SubnetIdentifier *string }
}

// Endpoint is where a database instance is connected to.
type Endpoint struct{ Port *int32 }

// GroupMembership is a security group of a database instance.
type GroupMembership struct{ VpcSecurityGroupId *string }

// Restore makes a database instance as described. The API does not tell its interface:
// it is the only one of RDS in a subnet of the group, in the instance's zone, with the
// instance's security groups, that belongs to no other. Where there are several, or
// none, that is told, and there is no instance. See the Restore methods of [vpc.Tx].
func Restore(tx *vpc.Tx, s Shape) (*DBInstance, error) {
	b, err := tx.RestoreBase("DBInstanceArn", s.DBInstanceArn, nil, s.TagList)
	if err != nil {
		return nil, err
	}
	d := &DBInstance{Base: b, name: ec2.Value(s.DBInstanceIdentifier)}
	if port := s.listens(); port > 0 && port < 1<<16 {
		d.port = uint16(port)
	}
	if s.NetworkInterfaceId != nil {
		if d.nic, err = tx.Adopt(d, "NetworkInterfaceId", s.NetworkInterfaceId); err == nil {
			tx.Add(d)
			return d, nil
		}
		return nil, err
	}
	var own []*vpc.NetworkInterface
	for _, n := range tx.Described("RDSNetworkInterface") {
		if tx.OwnerOf(n) == nil && s.suits(tx, n) {
			own = append(own, n)
		}
	}
	if len(own) != 1 {
		return nil, &vpc.ShapeError{Field: "DBSubnetGroup", Value: d.name, Want: "one interface of RDS that is this instance's alone", Absent: true}
	}
	d.nic, err = tx.Adopt(d, "DBInstanceArn", new(own[0].ID()))
	if err != nil {
		return nil, err
	}
	tx.Add(d)
	return d, nil
}

// listens returns the port of an instance that is up, else 0.
func (s *Shape) listens() int32 {
	switch ec2.Value(s.DBInstanceStatus) {
	case "stopped", "stopping", "starting", "creating", "deleting", "failed", "inaccessible-encryption-credentials":
		return 0
	}
	if s.Endpoint == nil {
		return 0
	}
	return ec2.Value(s.Endpoint.Port)
}

// suits reports whether the interface may be the instance's.
func (s *Shape) suits(tx *vpc.Tx, n *vpc.NetworkInterface) bool {
	if s.DBSubnetGroup == nil || s.AvailabilityZone != nil && n.Subnet().OwnersZone() != *s.AvailabilityZone {
		return false
	}
	var groups, subnets []string
	for _, g := range s.VpcSecurityGroups {
		groups = append(groups, ec2.Value(g.VpcSecurityGroupId))
	}
	for _, sub := range s.DBSubnetGroup.Subnets {
		subnets = append(subnets, ec2.Value(sub.SubnetIdentifier))
	}
	var has []string
	for _, g := range tx.GroupsOf(n) {
		has = append(has, g.ID())
	}
	slices.Sort(groups)
	slices.Sort(has)
	return slices.Equal(groups, has) && slices.Contains(subnets, n.Subnet().ID())
}
