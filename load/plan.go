package load

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/plan"
	"github.com/vpcsim/vpcsim/rds"
	"github.com/vpcsim/vpcsim/vpc"
)

// Plan loads what "terraform show -json" printed of a plan or of a state: the network that
// there is once the plan is applied, or before it where the configuration says so. Its
// resources are found by their addresses too, such as module.net.aws_subnet.private["a"].
// See docs/loading.md, "Terraform plans". The error is a *Error where the file can't be read
// as a plan.
func Plan(path string, c Config) (*Network, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return PlanText(filepath.Base(path), data, c)
}

// PlanText is Plan of a text; name is what it is called in errors and in Network.Skipped.
func PlanText(name string, data []byte, c Config) (*Network, error) {
	p, err := plan.Read(data)
	if err != nil {
		return nil, planError(name, data, err)
	}
	if c.Region == "" {
		c.Region = "us-east-1"
	}
	if c.Before && p.State() {
		return nil, &Error{File: name, Msg: "expected a plan: a state has no network before it"}
	}
	told := p.After()
	if c.Before {
		told = p.Before()
	}
	read := reading{plan: &planned{newFile(name), told, map[string]bool{}}, config: c}
	for _, note := range told.Notes {
		place := strings.TrimSuffix(note.Address+"."+note.Path, ".")
		read.plan.noted[place] = true
		read.skipped = append(read.skipped, Skip{File: name, Path: place, Reason: note.Reason, ID: note.ID, Assumed: note.Assumed})
	}
	return read.restore()
}

// planned is what a plan tells of a network.
type planned struct {
	file *file
	*plan.Network
	noted map[string]bool // places; what is not known there has the place as its id
}

// snapshots puts a plan's resources together by region.
func (p *planned) snapshots(c Config) []*snapshot {
	var all []*snapshot
	for _, r := range p.Regions {
		name := cmp.Or(r.Name, c.Region)
		i := slices.IndexFunc(all, func(o *snapshot) bool { return o.region == name })
		if i < 0 {
			i, all = len(all), append(all, &snapshot{region: name, fresh: true})
		}
		for _, e := range r.Entries {
			all[i].take(p.file, e)
		}
	}
	return all
}

func nothing(before bool) string {
	if before {
		return "expected a network in the plan's prior_state, found none: the plan makes everything anew"
	}
	return "expected resources of a VPC's network in the plan, found none"
}

// planError gives an error of package plan its place in the text.
func planError(name string, data []byte, err error) error {
	var e *plan.Error
	if !errors.As(err, &e) {
		return err
	}
	out := &Error{File: name, Msg: e.Msg}
	if e.Offset > 0 {
		out.Path = trimDot(pathAt(data, e.Offset))
	}
	return out
}

// take adds a resource of a plan.
func (s *snapshot) take(f *file, e plan.Entry) {
	switch x := e.Shape.(type) {
	case ec2.Vpc:
		put(&s.Vpcs, f, e.Address, x)
	case plan.Attributes:
		put(&s.Attributes, f, e.Address, vpcAttributes{&x.VpcId, &ec2.AttributeBooleanValue{Value: &x.EnableDnsSupport}, &ec2.AttributeBooleanValue{Value: &x.EnableDnsHostnames}})
	case ec2.DhcpOptions:
		put(&s.Dhcp, f, e.Address, x)
	case ec2.Subnet:
		put(&s.Subnets, f, e.Address, x)
	case ec2.RouteTable:
		put(&s.Tables, f, e.Address, x)
	case ec2.NetworkAcl:
		put(&s.Acls, f, e.Address, x)
	case ec2.SecurityGroup:
		put(&s.Groups, f, e.Address, x)
	case ec2.NetworkInterface:
		put(&s.Interfaces, f, e.Address, x)
	case ec2.Reservation:
		put(&s.Reservations, f, e.Address, x)
	case ec2.Address:
		put(&s.Addresses, f, e.Address, x)
	case ec2.InternetGateway:
		put(&s.Internet, f, e.Address, x)
	case ec2.EgressOnlyInternetGateway:
		put(&s.EgressOnly, f, e.Address, x)
	case ec2.NatGateway:
		put(&s.Nats, f, e.Address, x)
	default:
		s.takeMore(f, e)
	}
}

// takeMore is take of what joins VPCs and of services.
func (s *snapshot) takeMore(f *file, e plan.Entry) {
	switch x := e.Shape.(type) {
	case ec2.VpcPeeringConnection:
		put(&s.Peerings, f, e.Address, x)
	case ec2.VpnGateway:
		put(&s.VpnGateways, f, e.Address, x)
	case ec2.CarrierGateway:
		put(&s.Carriers, f, e.Address, x)
	case ec2.CustomerGateway:
		put(&s.CustomerGateways, f, e.Address, x)
	case ec2.VpnConnection:
		put(&s.Vpns, f, e.Address, x)
	case ec2.TransitGateway:
		put(&s.Transits, f, e.Address, x)
	case ec2.TransitGatewayRouteTable:
		put(&s.TransitTables, f, e.Address, x)
	case ec2.TransitGatewayVpcAttachment:
		put(&s.VpcAttachments, f, e.Address, x)
	case ec2.TransitGatewayAttachment:
		put(&s.Attachments, f, e.Address, x)
	case ec2.TransitGatewayPeeringAttachment:
		put(&s.PeerAttachments, f, e.Address, x)
	case plan.Propagations:
		put(&s.Propagations, f, e.Address, propagations{&x.Table, x.List})
	case plan.TransitRoutes:
		put(&s.TransitRoutes, f, e.Address, transitRoutes{TransitGatewayRouteTableId: &x.Table, Routes: x.Routes})
	case ec2.ManagedPrefixList:
		put(&s.ManagedLists, f, e.Address, x)
	case plan.ListEntries:
		put(&s.ListEntries, f, e.Address, listEntries{&x.PrefixListId, x.Entries})
	case ec2.VpcEndpoint:
		put(&s.Endpoints, f, e.Address, x)
	case elbv2.LoadBalancer:
		put(&s.Balancers, f, e.Address, x)
	case plan.BalancerAttributes:
		put(&s.BalancerAttributes, f, e.Address, balancerAttributes{&x.LoadBalancerArn, x.Attributes})
	case elbv2.TargetGroup:
		put(&s.TargetGroups, f, e.Address, x)
	case plan.GroupAttributes:
		put(&s.GroupAttributes, f, e.Address, groupAttributes{&x.TargetGroupArn, x.Attributes})
	case elbv2.Listener:
		put(&s.Listeners, f, e.Address, x)
	case elbv2.Rule:
		put(&s.Rules, f, e.Address, x)
	case plan.TargetHealth:
		put(&s.GroupHealth, f, e.Address, groupHealth{&x.TargetGroupArn, x.Targets})
	case rds.Shape:
		put(&s.Databases, f, e.Address, x)
	}
}

func put[T any](list *[]item[T], f *file, address string, shape T) {
	*list = append(*list, item[T]{shape: shape, file: f, at: address})
}

// call gives the resources of a plan their addresses, by which they are found and called.
func (n *Network) call(p *planned) {
	for _, s := range n.Skipped {
		if s.ID != "" {
			n.left[s.ID] = s
		}
	}
	for _, name := range p.Names {
		for _, r := range n.Regions {
			x := r.Find(name.ID)
			if x == nil {
				continue
			}
			n.names.add(name.Address, x)
			r.Change(func(tx *vpc.Tx) error {
				tx.RestoreCalled(x, name.Address)
				return nil
			})
		}
	}
}
