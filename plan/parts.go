package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vpcsim/vpcsim/ec2"
)

// part is a shape that several resources add to.
type part[T any] struct {
	r     *resource
	id    string
	shape T
}

// list is parts in the order of the plan.
type list[T any] struct {
	all  []*part[T]
	byID map[string]*part[T]
}

// put adds a part, unless one of the id is there, and returns the one of the id.
func (l *list[T]) put(r *resource, id string, shape T) *part[T] {
	if l.byID == nil {
		l.byID = map[string]*part[T]{}
	}
	p := l.byID[id]
	if p == nil {
		p = &part[T]{r, id, shape}
		l.all = append(l.all, p)
		l.byID[id] = p
	}
	return p
}

// parts are the shapes that more than one resource tells of.
type parts struct {
	dhcp       list[ec2.DhcpOptions]
	vpcs       list[ec2.Vpc]
	subnets    list[ec2.Subnet]
	tables     list[ec2.RouteTable]
	acls       list[ec2.NetworkAcl]
	groups     list[ec2.SecurityGroup]
	instances  list[ec2.Instance]
	interfaces list[ec2.NetworkInterface]
	addresses  list[ec2.Address]
	internet   list[ec2.InternetGateway]
	peerings   list[ec2.VpcPeeringConnection]
	regional   []regional
	transitParts
	ruleNumber int                             // of listener rules that AWS has yet to number
	given      map[*resource]map[string]string // values that apply will give, as they were picked here
	public     int                             // how many public addresses were picked
	taken      map[string]bool                 // public addresses that are known
}

// build makes the network.
func (b *builder) build() *Network {
	b.given, b.taken = map[*resource]map[string]string{}, map[string]bool{}
	for _, step := range []func(){
		b.places, b.hosts, b.prefixLists, b.routeTables, b.securityGroups, b.networkACLs, b.gateways, b.joins, b.distant, b.transit, b.endpoints, b.balancers, b.databases,
	} {
		step()
	}
	b.emit()
	for _, r := range b.all {
		if !r.used && !r.data && strings.HasPrefix(r.kind, "aws_") && network(r.kind) {
			b.leave(r, "", "resources of the kind "+r.kind+" are not read: the network is without it")
		}
	}
	return b.network()
}

// network reports whether resources of the kind are about the network: of others there is
// nothing to tell.
func network(kind string) bool {
	for _, part := range networkKinds {
		if strings.HasPrefix(kind, part) {
			return true
		}
	}
	return false
}

// networkKinds begin the names of kinds that have a part in what becomes of packets.
var networkKinds = []string{
	"aws_vpc", "aws_default_", "aws_subnet", "aws_route", "aws_main_route", "aws_security_group", "aws_network", "aws_internet_gateway", "aws_egress_only",
	"aws_nat_gateway", "aws_eip", "aws_instance", "aws_spot_instance", "aws_vpn", "aws_customer_gateway", "aws_ec2_transit", "aws_ec2_managed_prefix", "aws_ec2_carrier",
	"aws_ec2_local_gateway", "aws_lb", "aws_alb", "aws_elb", "aws_dx_", "aws_db_instance", "aws_rds_cluster", "aws_networkfirewall", "aws_networkmanager",
	"aws_vpclattice", "aws_ec2_client_vpn", "aws_autoscaling_group", "aws_eks_cluster", "aws_ecs_service", "aws_elasticache", "aws_redshift_cluster", "aws_opensearch_domain",
	"aws_efs_mount_target", "aws_globalaccelerator", "aws_route53_resolver",
}

// emit describes what was put together.
func (b *builder) emit() {
	emit(b, &b.dhcp)
	emit(b, &b.vpcs)
	emit(b, &b.subnets)
	emit(b, &b.tables)
	emit(b, &b.acls)
	emit(b, &b.groups)
	for _, p := range b.instances.all {
		b.add(p.r, ec2.Reservation{ReservationId: new(newID("r", p.r.address, "reservation")), Instances: ec2.List[ec2.Instance]{p.shape}})
	}
	emit(b, &b.interfaces)
	emit(b, &b.addresses)
	emit(b, &b.internet)
}

func emit[T any](b *builder, l *list[T]) {
	for _, p := range l.all {
		b.add(p.r, p.shape)
	}
}

// network gathers the regions.
func (b *builder) network() *Network {
	n := &Network{Names: b.names, Notes: b.notes}
	for name, entries := range b.entries {
		n.Regions = append(n.Regions, Region{name, entries})
	}
	slices.SortFunc(n.Regions, func(x, y Region) int { return strings.Compare(x.Name, y.Name) })
	return n
}

// tags returns a resource's tags, those that its provider gives to all among them.
func tags(r *resource) ec2.List[ec2.Tag] {
	all, _ := r.values["tags_all"].(map[string]any)
	if len(all) == 0 {
		all, _ = r.values["tags"].(map[string]any)
	}
	var keys []string
	for k := range all {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	var list ec2.List[ec2.Tag]
	for _, k := range keys {
		if v, ok := all[k].(string); ok {
			list = append(list, ec2.Tag{Key: new(k), Value: new(v)})
		}
	}
	return list
}

// some returns a pointer to a text, nil for an empty one.
func some(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// owner returns the account of a resource, nil where it is not told.
func owner(r *resource) *string {
	if s, ok := r.values["owner_id"].(string); ok && s != "" {
		return &s
	}
	if arn, ok := r.values["arn"].(string); ok {
		if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 {
			return some(parts[4])
		}
	}
	return nil
}

// give remembers a value that was picked for an attribute that apply gives.
func (b *builder) give(r *resource, attr, value string) {
	if b.parts.given[r] == nil {
		b.parts.given[r] = map[string]string{}
	}
	b.parts.given[r][attr] = value
}

// picked returns the value that was picked for an attribute, "" for none.
func (b *builder) picked(r *resource, attr string) string { return b.parts.given[r][attr] }

// attachment returns the id of an attachment or association that nobody names.
func attachment(prefix string, r *resource, i int) *string {
	return new(newID(prefix, r.address, fmt.Sprint(prefix, i)))
}
