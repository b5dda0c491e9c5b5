package reach

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// fix returns the change that would let a blocker's packet pass: a call of the aws CLI,
// or words where none does. What stands in <> is for the reader to choose. The fixes of the
// blockers before go together with it.
func (p *Prober) fix(b *Blocker, before []Blocker) string {
	switch b.reason {
	case trace.GroupIngress, trace.GroupReference, trace.TransitReference:
		return p.fixGroup(b, "ingress", b.flow.Src)
	case trace.GroupEgress:
		return p.fixGroup(b, "egress", b.flow.Dst)
	case trace.ACLIngress:
		return p.fixACL(b, "ingress", b.flow.Src, before)
	case trace.ACLEgress:
		return p.fixACL(b, "egress", b.flow.Dst, before)
	case trace.SourceCheck, trace.DestinationCheck:
		return "aws ec2 modify-network-interface-attribute --network-interface-id " + b.At + " --no-source-dest-check"
	case trace.NoRoute:
		return p.newRoute(b.Object, b)
	case trace.Blackhole:
		return fmt.Sprintf("aws ec2 replace-route --route-table-id %s --%s %s %s  # %s is gone, or not attached",
			b.Object, destinationFlag(b.flow.Dst), b.step.Rule, p.target(b.Object, b), b.step.MatchID)
	case trace.NoPublicAddress:
		return "aws ec2 associate-address --allocation-id <eipalloc> --network-interface-id " + p.owner(b.flow.Src)
	case trace.InstanceStopped:
		return "aws ec2 start-instances --instance-ids " + p.instance(b.At)
	case trace.NotAttached:
		return "aws ec2 attach-network-interface --network-interface-id " + b.At + " --instance-id <instance> --device-index 1"
	case trace.NoSuchAddress, trace.NotInSubnet, trace.NoPrivateAddress:
		return p.nobody(b)
	case trace.NoListener:
		return fmt.Sprintf("have a program listen on %s/%d on %s", b.flow.Proto, b.flow.DstPort, p.instance(b.At))
	}
	return p.fixGateway(b)
}

// fixGateway is fix for what gateways drop for.
func (p *Prober) fixGateway(b *Blocker) string {
	switch b.reason {
	case trace.TransitNoRoute:
		return fmt.Sprintf("aws ec2 create-transit-gateway-route --transit-gateway-route-table-id %s --destination-cidr-block %s --transit-gateway-attachment-id %s",
			b.Object, alone(b.flow.Dst), p.attachment(b))
	case trace.TransitBlackhole:
		return fmt.Sprintf("aws ec2 replace-transit-gateway-route --transit-gateway-route-table-id %s --destination-cidr-block %s --transit-gateway-attachment-id %s",
			b.Object, b.step.Rule, p.attachment(b))
	case trace.TransitUnassociated:
		return "aws ec2 associate-transit-gateway-route-table " + p.association(b)
	case trace.BalancerPort:
		return p.newListener(b)
	case trace.UnknownPrefix:
		return fmt.Sprintf("aws ec2 create-vpn-connection-route --vpn-connection-id %s --destination-cidr-block %s  # or have the site announce it by BGP", p.vpnOf(b.At), alone(b.flow.Dst))
	case trace.TransitZone:
		return fmt.Sprintf("aws ec2 modify-transit-gateway-vpc-attachment --transit-gateway-attachment-id %s --add-subnet-ids %s", b.At, p.subnet(b.flow.Src))
	case trace.ApplianceNotPublic:
		return "aws ec2 associate-address --allocation-id <eipalloc> --network-interface-id " + b.step.MatchID
	case trace.PrivateDestination, trace.SharedDestination:
		return p.newRoute(b.table, b)
	case trace.NoSession:
		if b.Direction == "reply" && len(p.find().byAddr[b.flow.Dst.Netip()]) == 1 { // it should go as the request came
			return p.newRoute(b.table, b)
		}
	case trace.NoSuchHost:
		if of := p.find().byAddr[b.flow.Dst.Netip()]; len(of) == 1 {
			return "aws ec2 associate-address --allocation-id <eipalloc> --network-interface-id " + of[0].ID()
		}
	}
	return strings.NewReplacer("{at}", b.At, "{proto}", strings.ToUpper(b.flow.Proto.String()), "{vpc}", p.vpcOf(b),
		"{src}", b.flow.Src.String(), "{dst}", alone(b.flow.Dst), "{addr}", b.flow.Dst.String()).Replace(fixes[b.reason])
}

// fixes are the changes that need no look at the network.
var fixes = map[trace.Reason]string{
	trace.OutsidePeer:          "peer the two VPCs with each other, or join them by a transit gateway: a peering connection leads to the peer's own addresses alone",
	trace.SourceNotInVPC:       "give the sender's VPC a NAT gateway of its own: one is not reached through a peering connection or a VPN",
	trace.PastAppliance:        "route the subnet's way out through the appliance that the gateway route table names",
	trace.VPNDown:              "bring a tunnel of {at} up at the customer gateway",
	trace.TransitVPNDown:       "bring a tunnel of {at} up at the customer gateway",
	trace.DirectConnectDown:    "bring the BGP session of {at} up at the site's router, or have a VPN connection announce the prefix too",
	trace.NoSession:            "nothing to change: {at} takes answers alone, and listens on nothing",
	trace.BalancerNoGroup:      "have the listener forward: aws elbv2 modify-listener --listener-arn <listener> --default-actions Type=forward,TargetGroupArn=<target group>",
	trace.BalancerForeign:      "route past {at}: a load balancer forwards nothing that is not addressed to it",
	trace.TransitAddress:       "nothing to change: {addr} is {at}'s own interface, which takes nothing for itself",
	trace.ServicePort:          "ask for a port that the service behind {at} serves, such as tcp/443",
	trace.EndpointProtocol:     "ask by TCP: a gateway endpoint carries nothing else but echo",
	trace.EndpointForeign:      "give the sender's VPC a gateway endpoint of its own",
	trace.EndpointSource:       "nothing to change: a gateway endpoint lets in what is of its service alone",
	trace.EndpointZone:         "have the service's load balancer serve the endpoint's zone, or cross zones",
	trace.ProtocolNotSupported: "nothing to change: {at} does not carry {proto}",
	trace.FragmentNotSupported: "send packets that need not be fragmented: {at} does not carry such fragments",
	trace.TooBig:               "send smaller packets, or have the sender heed the ICMP errors (path MTU discovery)",
	trace.TTLExpired:           "begin with a larger TTL",
	trace.NoResolver:           "aws ec2 modify-vpc-attribute --vpc-id {vpc} --enable-dns-support",
	trace.PublicAccessBlocked:  "aws ec2 create-vpc-block-public-access-exclusion --vpc-id {vpc} --internet-gateway-exclusion-mode allow-bidirectional",
	trace.InternetDenied:       "nothing to change: the interface belongs to a service that denies traffic by internet gateways",
	trace.PrivateSource:        "nothing to change: no network on the internet may send from {src} (RFC 1918)",
	trace.SharedSource:         "nothing to change: no network on the internet may send from {src} (RFC 6598)",
	trace.SpoofedSource:        "send from an address of an interface of the VPC: {src} is none",
	trace.ForeignSource:        "send from the private address of an interface of the VPC: {src} is none",
	trace.ForeignDestination:   "nothing to change on the way: no interface of the VPC has {addr}",
	trace.VPNSelector:          "widen the networks of {at} (LocalIpv4NetworkCidr, RemoteIpv4NetworkCidr)",
	trace.LinkLocal:            "nothing to change: link-local destinations are not routed (RFC 3927)",
	trace.Multicast:            "nothing to change: a VPC carries no multicast and no broadcast",
	trace.GenevePort:           "ask a client's way through an endpoint: a Gateway Load Balancer's own address takes GENEVE alone",
	trace.GeneveProtocol:       "ask a client's way through an endpoint: a Gateway Load Balancer's own address takes GENEVE alone",
	trace.NotForwarding:        "have the guest of {at} forward (net.ipv4.ip_forward)",
	trace.TrackingFull:         "wait for flows to end, or take a larger instance: its connection tracking allowance is used up",
	trace.BalancerNoTarget:     "aws elbv2 register-targets --target-group-arn <target group> --targets Id=<target>",
	trace.BalancerZone:         "aws elbv2 modify-load-balancer-attributes --load-balancer-arn {at} --attributes Key=load_balancing.cross_zone.enabled,Value=true",
	trace.Hairpin:              "aws elbv2 modify-target-group-attributes --target-group-arn <target group> --attributes Key=preserve_client_ip.enabled,Value=false",
	trace.EndpointPending:      "aws ec2 accept-vpc-endpoint-connections --service-id <service> --vpc-endpoint-ids {at}",
	trace.EndpointInitiates:    "have the VPC ask: what is behind an endpoint opens no connections",
	trace.FirewallRule:         "add a rule that passes {proto} to {dst} to the firewall's policy",
	trace.FirewallMidstream:    "lead both directions of the flow through one firewall endpoint: appliance mode, or symmetric routes",
	trace.EgressOnly:           "route the subnet's ::/0 to an internet gateway: an egress-only one lets in answers alone",
	trace.TooManyHops:          "break the loop: the routes lead the packet in circles",
	trace.NoFamily:             "nothing to change: {at} does not carry packets of this address family",
}

// alone writes an address as the CIDR of it alone.
func alone(a wire.Addr) string { return netip.PrefixFrom(a.Netip(), a.Netip().BitLen()).String() }

func destinationFlag(a wire.Addr) string {
	if a.Is4() {
		return "destination-cidr-block"
	}
	return "destination-ipv6-cidr-block"
}

// fixGroup is the rule of a security group that would let the packet pass.
func (p *Prober) fixGroup(b *Blocker, direction string, peer wire.Addr) string {
	group, _, _ := strings.Cut(b.Object, ", ")
	if group == "" {
		group = "<group>"
	}
	f, ports := b.flow, ""
	switch f.Proto {
	case wire.ProtoTCP, wire.ProtoUDP:
		ports = fmt.Sprintf(",FromPort=%d,ToPort=%d", f.DstPort, f.DstPort)
	case wire.ProtoICMP, wire.ProtoICMPv6:
		ports = ",FromPort=-1,ToPort=-1"
	}
	ranges := "IpRanges=[{CidrIp="
	if !peer.Is4() {
		ranges = "Ipv6Ranges=[{CidrIpv6="
	}
	return fmt.Sprintf("aws ec2 authorize-security-group-%s --group-id %s --ip-permissions 'IpProtocol=%s%s,%s%s}]'",
		direction, group, f.Proto, ports, ranges, alone(peer))
}

// fixACL is the entry of a network ACL that would let the packet pass, before the one
// that does not; where no number before it is free that one has to go.
func (p *Prober) fixACL(b *Blocker, direction string, peer wire.Addr, before []Blocker) string {
	if b.free = p.freeNumber(b, direction, before); b.free == 0 {
		return fmt.Sprintf("aws ec2 delete-network-acl-entry --network-acl-id %s --%s --rule-number %d  # no number before it is free", b.Object, direction, b.number)
	}
	f, ports := b.flow, ""
	switch f.Proto {
	case wire.ProtoTCP, wire.ProtoUDP:
		from, to := f.DstPort, f.DstPort
		if b.Direction == "reply" { // the client chooses its port (VPC guide, "Ephemeral ports")
			from, to = 1024, 65535
		}
		ports = fmt.Sprintf(" --port-range From=%d,To=%d", from, to)
	case wire.ProtoICMP, wire.ProtoICMPv6:
		ports = " --icmp-type-code Type=-1,Code=-1"
	}
	block := "--cidr-block "
	if !peer.Is4() {
		block = "--ipv6-cidr-block "
	}
	return fmt.Sprintf("aws ec2 create-network-acl-entry --network-acl-id %s --%s --rule-number %d --protocol %d%s %s%s --rule-action allow",
		b.Object, direction, b.free, f.Proto, ports, block, alone(peer))
}

// freeNumber returns the highest number before the deciding rule that the ACL has no rule
// of, and that no fix before gives to one; 0 where none is free.
func (p *Prober) freeNumber(b *Blocker, direction string, before []Blocker) int {
	acl, ok := p.resource(b.Object).(*vpc.NetworkACL)
	if !ok {
		return 1
	}
	list := acl.Ingress()
	if direction == "egress" {
		list = acl.Egress()
	}
	return FreeNumber(list, b.number, func(n int) bool {
		return slices.ContainsFunc(before, func(o Blocker) bool { return o.Object == b.Object && o.reason == b.reason && o.free == n })
	})
}

// FreeNumber returns the highest number before a rule of an ACL's direction that no other
// rule has, nor taken reports; 0 where none is free.
func FreeNumber(rules []vpc.ACLEntry, before int, taken func(int) bool) int {
	n := before - 1
	if before > 32766 { // behind all the others there is room
		n = 100
		for _, e := range rules {
			n = max(n, e.Number+10)
		}
		n = min(n, 32766)
	}
	for n > 0 && (taken(n) || slices.ContainsFunc(rules, func(e vpc.ACLEntry) bool { return e.Number == n })) {
		n--
	}
	return n
}

func (p *Prober) resource(id string) vpc.Resource {
	for _, l := range p.lives {
		if x := l.Region().Find(id); x != nil {
			return x
		}
	}
	return nil
}

// owner returns the id of the interface that has an address.
func (p *Prober) owner(a wire.Addr) string {
	if of := p.find().byAddr[a.Netip()]; len(of) == 1 {
		return of[0].ID()
	}
	return "<the interface of " + a.String() + ">"
}

// instance returns the id of an interface's instance.
func (p *Prober) instance(id string) string {
	if n, ok := p.resource(id).(*vpc.NetworkInterface); ok && n.Instance() != nil {
		return n.Instance().ID()
	}
	return id
}

// subnet returns the id of the subnet that an address lies in.
func (p *Prober) subnet(a wire.Addr) string {
	if of := p.find().byAddr[a.Netip()]; len(of) == 1 {
		return of[0].Subnet().ID()
	}
	return "<a subnet in the sender's zone>"
}
