package plan

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/elbv2"
)

// TargetHealth are the targets of a target group.
type TargetHealth struct {
	TargetGroupArn string
	Targets        []elbv2.TargetHealthDescription
}

// BalancerAttributes are the attributes of a load balancer.
type BalancerAttributes struct {
	LoadBalancerArn string
	Attributes      []elbv2.LoadBalancerAttribute
}

// GroupAttributes are the attributes of a target group.
type GroupAttributes struct {
	TargetGroupArn string
	Attributes     []elbv2.TargetGroupAttribute
}

// paths are what the ARN and the interfaces of a load balancer of a type have in them.
var paths = map[string]string{"application": "app", "network": "net", "gateway": "gwy"}

// newARN is the ARN of a resource of Elastic Load Balancing that apply makes.
func (b *builder) newARN(r *resource) string {
	n, hash := r.root(), newID("", r.address, "arn")[1:]
	name := cmp.Or(n.get("name").text(), n.get("name_prefix").text()+"plan")
	arn := func(rest string) string {
		account := cmp.Or(b.account(), "000000000000")
		return fmt.Sprintf("arn:aws:elasticloadbalancing:%s:%s:%s/%s", r.region, account, rest, hash)
	}
	switch r.kind {
	case "aws_lb", "aws_alb":
		return arn("loadbalancer/" + cmp.Or(paths[n.get("load_balancer_type").text()], "app") + "/" + name)
	case "aws_lb_target_group", "aws_alb_target_group":
		return arn("targetgroup/" + name)
	case "aws_lb_listener", "aws_alb_listener":
		of, _ := b.find(n.get("load_balancer_arn"))
		return strings.Replace(of, ":loadbalancer/", ":listener/", 1) + "/" + hash
	}
	return ""
}

// account returns the account that the plan's resources are of, "" where none tells.
func (b *builder) account() string {
	if b.theirs == nil {
		b.theirs = new(b.findAccount())
	}
	return *b.theirs
}

func (b *builder) findAccount() string {
	for _, r := range b.all {
		if o := owner(r); !r.data && o != nil && len(*o) == 12 {
			return *o
		}
		if id := r.root().get("account_id").text(); r.data && r.kind == "aws_caller_identity" && id != "" {
			return id
		}
	}
	return ""
}

// balancers describes load balancers, their listeners and rules, target groups and targets.
func (b *builder) balancers() {
	for _, r := range b.of(balancerKinds...) {
		b.balancer(r)
	}
	registered := b.registered()
	for _, r := range b.of(groupKinds...) {
		b.targetGroup(r, registered)
	}
	for _, r := range b.of(listenerKinds...) {
		n, id := r.root(), b.identify(r)
		b.call(r, id)
		of, _ := b.id(n.get("load_balancer_arn"))
		s := elbv2.Listener{ListenerArn: &id, LoadBalancerArn: &of, DefaultActions: b.actions(n.get("default_action"))}
		if port, ok := n.get("port").number(); ok {
			s.Port = new(int(port))
		}
		protocol := n.get("protocol").text()
		if protocol == "" && n.get("port").text() != "" {
			protocol = "HTTP" // aws_lb_listener: the default of Application Load Balancers
		}
		if protocol != "" {
			s.Protocol = new(elbv2.Protocol(protocol))
		}
		b.add(r, s)
	}
	for _, r := range b.of("aws_lb_listener_rule", "aws_alb_listener_rule") {
		b.listenerRule(r)
	}
	for _, r := range b.of("aws_lb_listener_certificate", "aws_alb_listener_certificate") {
		r.used = true
	}
}

// balancer describes a load balancer with an interface in each of its subnets.
func (b *builder) balancer(r *resource) {
	n, id := r.root(), b.identify(r)
	b.call(r, id)
	_, full, _ := strings.Cut(id, ":loadbalancer/")
	kind := cmp.Or(n.get("load_balancer_type").text(), "application")
	s := elbv2.LoadBalancer{
		LoadBalancerArn: &id, LoadBalancerName: some(strings.Split(full+"//", "/")[1]), DNSName: some(n.get("dns_name").text()), Type: new(elbv2.LoadBalancerType(kind)),
		Scheme: new(elbv2.SchemeInternetFacing), State: &elbv2.LoadBalancerState{Code: new("active")}, IpAddressType: new(elbv2.IPAddressType(cmp.Or(n.get("ip_address_type").text(), "ipv4"))),
	}
	if s.DNSName == nil {
		s.DNSName = new(strings.ToLower(fmt.Sprintf("%s-%s.elb.%s.amazonaws.com", *s.LoadBalancerName, id[strings.LastIndexByte(id, '/')+1:], r.region)))
	}
	if n.get("internal").bool() || kind == "gateway" {
		s.Scheme = new(elbv2.SchemeInternal)
	}
	groups, _ := b.groupIDs(n.get("security_groups"))
	for _, sub := range b.balancerSubnets(n) {
		p := b.balancerNode(r, sub, kind, "ELB "+full, *s.Scheme == elbv2.SchemeInternetFacing)
		if p == nil {
			continue
		}
		in := b.subnets.byID[sub.id].shape
		if s.VpcId = in.VpcId; len(groups) == 0 && kind == "application" {
			groups = b.defaultGroup(*s.VpcId)
		}
		for _, g := range groups {
			p.shape.Groups = with(p.shape.Groups, g)
		}
		s.AvailabilityZones = append(s.AvailabilityZones, elbv2.AvailabilityZone{SubnetId: &sub.id, ZoneName: in.AvailabilityZone})
	}
	if s.VpcId == nil {
		b.leave(r, "subnets", "none of its subnets is a resource of the plan: the load balancer is left out")
		return
	}
	s.SecurityGroups = groups
	b.add(r, s)
	if cross := n.get("enable_cross_zone_load_balancing"); cross.value != nil && kind != "application" {
		b.add(r, BalancerAttributes{id, []elbv2.LoadBalancerAttribute{{Key: new("load_balancing.cross_zone.enabled"), Value: new(strconv.FormatBool(cross.bool()))}}})
	}
}

// balancerSubnet is a subnet of a load balancer, and the addresses that were asked for there.
type balancerSubnet struct {
	id      string
	private node
	address string // the id of an Elastic IP address, "" for none
}

func (b *builder) balancerSubnets(n node) (all []balancerSubnet) {
	mappings := n.get("subnet_mapping").list()
	for _, m := range mappings {
		if id, ok := b.id(m.get("subnet_id")); ok {
			s := balancerSubnet{id: id, private: m.get("private_ipv4_address")}
			if a := m.get("allocation_id"); !a.null() && (a.text() != "" || len(references(a.expr)) > 0) {
				s.address, _ = b.id(a)
			}
			all = append(all, s)
		}
	}
	if len(mappings) > 0 {
		return all
	}
	ids, _ := b.groupIDs(n.get("subnets"))
	for _, id := range ids {
		all = append(all, balancerSubnet{id: id, private: node{r: n.r, path: "private address in " + id}})
	}
	return all
}

// balancerNode makes the interface of a load balancer in a subnet (measured: labs, S000 and
// S021, for their descriptions).
func (b *builder) balancerNode(r *resource, sub balancerSubnet, kind, description string, public bool) *part[ec2.NetworkInterface] {
	api := map[string]ec2.NetworkInterfaceType{"network": ec2.NetworkInterfaceTypeNetworkLoadBalancer, "gateway": ec2.NetworkInterfaceTypeGatewayLoadBalancer}[kind]
	p := b.serviceWith(r, sub.id, cmp.Or(api, ec2.NetworkInterfaceTypeInterface), description, sub.private)
	if p == nil {
		return nil
	}
	if kind == "application" {
		p.shape.RequesterId, p.shape.SourceDestCheck = new("amazon-elb"), new(true)
		p.shape.Attachment.InstanceOwnerId = new("amazon-elb")
	}
	switch a := b.addresses.byID[sub.address]; {
	case a != nil:
		b.own(p, a, "")
	case public:
		text := b.publicAddress()
		b.assume(r, "public address in "+b.subnetName(sub.id), "AWS gives the address on apply: "+text+" stands in for it")
		p.shape.Association = &ec2.NetworkInterfaceAssociation{PublicIp: &text, IpOwnerId: new("amazon-elb")}
		p.shape.PrivateIpAddresses[0].Association = p.shape.Association
	}
	return p
}

// targetGroup describes a target group and its targets, which are taken to be healthy.
func (b *builder) targetGroup(r *resource, registered map[string][]*resource) {
	n, id := r.root(), b.identify(r)
	b.call(r, id)
	_, full, _ := strings.Cut(id, ":targetgroup/")
	s := elbv2.TargetGroup{TargetGroupArn: &id, TargetGroupName: some(strings.Split(full, "/")[0]), TargetType: new(elbv2.TargetType(cmp.Or(n.get("target_type").text(), "instance")))}
	if protocol := n.get("protocol").text(); protocol != "" {
		s.Protocol = new(elbv2.Protocol(protocol))
	}
	if port, ok := n.get("port").number(); ok {
		s.Port = new(int(port))
	}
	if in := n.get("vpc_id"); in.text() != "" || in.expr != nil {
		v, _ := b.id(in)
		s.VpcId = &v
	}
	b.healthCheck(&s, n)
	b.add(r, s)
	var attributes []elbv2.TargetGroupAttribute
	for _, a := range [][2]string{{"preserve_client_ip", "preserve_client_ip.enabled"}, {"proxy_protocol_v2", "proxy_protocol_v2.enabled"}, {"load_balancing_cross_zone_enabled", "load_balancing.cross_zone.enabled"}} {
		if v := n.get(a[0]); v.value != nil && (a[0] != "load_balancing_cross_zone_enabled" || v.text() != "use_load_balancer_configuration") {
			attributes = append(attributes, elbv2.TargetGroupAttribute{Key: &a[1], Value: new(strconv.FormatBool(v.bool()))})
		}
	}
	if attributes != nil {
		b.add(r, GroupAttributes{id, attributes})
	}
	if health := b.targets(registered[id], s.Port); len(health) > 0 {
		b.add(r, TargetHealth{id, health})
		b.assume(r, "", "its targets are taken to be healthy: plans do not tell")
	} else {
		b.note(r, "", "no resource of the plan registers targets: whatever else does (Auto Scaling, ECS, EKS) is not in the network")
	}
}

func (b *builder) healthCheck(s *elbv2.TargetGroup, n node) {
	for _, h := range n.get("health_check").list() {
		if p := h.get("protocol").text(); p != "" {
			s.HealthCheckProtocol = new(elbv2.Protocol(p))
		}
		s.HealthCheckPort, s.HealthCheckPath = some(h.get("port").text()), some(h.get("path").text())
		if on := h.get("enabled"); on.value != nil {
			s.HealthCheckEnabled = new(on.bool())
		}
	}
}

// registered returns the resources that register targets, by the target group's ARN.
func (b *builder) registered() map[string][]*resource {
	all := map[string][]*resource{}
	for _, a := range b.of("aws_lb_target_group_attachment", "aws_alb_target_group_attachment") {
		if arn, ok := b.id(a.root().get("target_group_arn")); ok {
			all[arn] = append(all[arn], a)
		}
	}
	return all
}

// targets returns the targets that resources register with a target group.
func (b *builder) targets(registered []*resource, port *int) (health []elbv2.TargetHealthDescription) {
	for _, a := range registered {
		a.used = true
		target, _ := b.id(a.root().get("target_id"))
		d := &elbv2.TargetDescription{Id: &target, Port: port, AvailabilityZone: some(a.root().get("availability_zone").text())}
		if p, ok := a.root().get("port").number(); ok {
			d.Port = new(int(p))
		}
		health = append(health, elbv2.TargetHealthDescription{Target: d, TargetHealth: &elbv2.TargetHealth{State: new(elbv2.StateHealthy)}})
	}
	return health
}

// actions describes what a listener or a rule does.
func (b *builder) actions(n node) (all []elbv2.Action) {
	for _, a := range n.list() {
		s := elbv2.Action{Type: new(elbv2.ActionType(a.get("type").text()))}
		if g := a.get("target_group_arn"); g.text() != "" || !g.known() && len(references(g.expr)) > 0 {
			arn, _ := b.id(g)
			s.TargetGroupArn = &arn
		}
		for _, f := range a.get("forward").list() {
			s.ForwardConfig = &elbv2.ForwardActionConfig{}
			for _, g := range f.get("target_group").list() {
				arn, _ := b.id(g.get("arn"))
				weight, ok := g.get("weight").number()
				if !ok {
					weight = 1
				}
				s.ForwardConfig.TargetGroups = append(s.ForwardConfig.TargetGroups, elbv2.TargetGroupTuple{TargetGroupArn: &arn, Weight: new(int(weight))})
			}
		}
		for _, x := range a.get("redirect").list() {
			s.RedirectConfig = &elbv2.RedirectActionConfig{
				Protocol: some(x.get("protocol").text()), Port: some(x.get("port").text()), Host: some(x.get("host").text()), Path: some(x.get("path").text()), Query: some(x.get("query").text()),
				StatusCode: some(x.get("status_code").text()),
			}
		}
		for _, x := range a.get("fixed_response").list() {
			s.FixedResponseConfig = &elbv2.FixedResponseActionConfig{StatusCode: some(x.get("status_code").text()), ContentType: some(x.get("content_type").text()), MessageBody: some(x.get("message_body").text())}
		}
		all = append(all, s)
	}
	return all
}

// listenerRule describes a rule of a listener. Rules without a priority come after the
// others, in the order of the plan.
func (b *builder) listenerRule(r *resource) {
	n := r.root()
	of, ok := b.id(n.get("listener_arn"))
	if !ok {
		b.leave(r, "listener_arn", "which listener it is of is not known before apply: the rule is left out")
		return
	}
	arn := strings.Replace(of, ":listener/", ":listener-rule/", 1) + "/" + newID("", r.address, "arn")[1:]
	if v := n.get("arn").text(); v != "" {
		arn = v
	}
	b.call(r, arn)
	priority := n.get("priority").text()
	if priority == "" {
		b.ruleNumber++
		priority = strconv.Itoa(50000 - 1000 + b.ruleNumber%1000)
		b.assume(r, "priority", "AWS gives the priority on apply: "+priority+" stands in for it")
	}
	s := elbv2.Rule{RuleArn: &arn, Priority: &priority, IsDefault: new(false), Actions: b.actions(n.get("action"))}
	for _, c := range n.get("condition").list() {
		for _, kind := range []string{"host_header", "path_pattern", "http_request_method", "source_ip"} {
			for _, x := range c.get(kind).list() {
				var values []string
				for _, v := range x.get("values").list() {
					values = append(values, v.text())
				}
				s.Conditions = append(s.Conditions, elbv2.RuleCondition{Field: new(strings.ReplaceAll(kind, "_", "-")), Values: values})
			}
		}
		for _, x := range c.get("http_header").list() {
			var values []string
			for _, v := range x.get("values").list() {
				values = append(values, v.text())
			}
			s.Conditions = append(s.Conditions, elbv2.RuleCondition{Field: new("http-header"), HttpHeaderConfig: &elbv2.HttpHeaderConfig{HttpHeaderName: some(x.get("http_header_name").text()), Values: values}})
		}
	}
	b.add(r, s)
}
