package endpoint

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/vpc"
)

// Restore makes an endpoint as described, with the interfaces that were restored
// before, or the routes of a gateway endpoint in tables that were. See the Restore
// methods of [vpc.Tx].
func Restore(tx *vpc.Tx, s ec2.VpcEndpoint) (*Endpoint, error) {
	b, err := tx.RestoreBase("VpcEndpointId", s.VpcEndpointId, s.OwnerId, s.Tags)
	if err != nil {
		return nil, err
	}
	v, err := vpc.Named[*vpc.VPC](tx, "VpcId", s.VpcId)
	if err != nil {
		return nil, err
	}
	e := &Endpoint{
		Base: b, vpc: v, kind: Kind(ec2.Value(s.VpcEndpointType)), service: ec2.Value(s.ServiceName), created: tx.RestoreTime(s.CreationTimestamp),
		families: ec2.Value(s.IpAddressType), account: b.OwnerID(), private: ec2.Value(s.PrivateDnsEnabled), state: restoredState(s.State),
	}
	tx.Add(e)
	tx.Attach(v, e)
	if e.kind == Interface && e.private { // which is refused to a VPC without: checkPrivateDNS
		tx.RestoreVPCAttributes(v, nil, &ec2.AttributeBooleanValue{Value: new(true)})
	}
	var absent []error
	for i, id := range s.SubnetIds {
		sub, err := vpc.Named[*vpc.Subnet](tx, fmt.Sprintf("SubnetIds[%d]", i), &id)
		if absent = append(absent, err); err == nil {
			e.subnets = append(e.subnets, sub)
		}
	}
	for i, id := range s.NetworkInterfaceIds {
		n, err := tx.Adopt(e, fmt.Sprintf("NetworkInterfaceIds[%d]", i), &id)
		if absent = append(absent, err); err == nil {
			e.nics = append(e.nics, n)
		}
	}
	e.unseen(tx)
	for i, g := range s.Groups {
		group, err := vpc.Named[*vpc.SecurityGroup](tx, fmt.Sprintf("Groups[%d].GroupId", i), g.GroupId)
		if absent = append(absent, err); err == nil {
			e.groups = append(e.groups, group)
		}
	}
	if e.kind == Gateway {
		absent = append(absent, e.restoreTables(tx, s))
	}
	return e, errors.Join(absent...)
}

// unseen says of the subnets in which the endpoint has an interface that was not restored
// that somebody has another address there.
func (e *Endpoint) unseen(tx *vpc.Tx) {
	for _, sub := range e.subnets {
		if !slices.ContainsFunc(e.nics, func(n *vpc.NetworkInterface) bool { return n.Subnet() == sub }) {
			tx.RestoreUnseenIn(sub, e.ID(), "its interface in "+sub.ID()+", whose address this may be, is "+tx.Missing("eni"))
		}
	}
}

// restoredState reads a state, which is written in two ways (EC2 API, VpcEndpoint): one
// that is neither available nor on the way to it takes no packets.
func restoredState(s *ec2.State) state {
	switch strings.ToLower(string(ec2.Value(s))) {
	case "available", "":
		return available
	case "pendingacceptance", "pending":
		return pending
	}
	return rejected
}

// restoreTables puts a gateway endpoint's routes into its tables. The service's prefix
// list is known by the service's name; one that was not restored is made, of which nobody
// knows the entries, and told.
func (e *Endpoint) restoreTables(tx *vpc.Tx, s ec2.VpcEndpoint) error {
	var absent []error
	there := tx.HasServiceList(e.service)
	if !there {
		absent = append(absent, vpc.Absent("ServiceName", e.service))
	}
	short, err := checkGatewayService(tx.Region(), e.service)
	if err != nil && !there {
		return errors.Join(absent...)
	}
	e.list = tx.ServiceList(e.service, ranges[short])
	if !there {
		e.list.RestoreUntold(tx)
	}
	for i, id := range s.RouteTableIds {
		t, err := vpc.Named[*vpc.RouteTable](tx, fmt.Sprintf("RouteTableIds[%d]", i), &id)
		if err != nil {
			absent = append(absent, err)
			continue
		}
		absent = append(absent, e.route(tx, []*vpc.RouteTable{t}))
	}
	return errors.Join(absent...)
}
