package reach

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/peering"
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/wire"
)

// fix returns the change that would let a blocker's packet pass: a call of the aws CLI,
// or words where none does. What stands in <> is for the reader to choose.
func (p *Prober) fix(b *Blocker) string {
	switch b.reason {
	case trace.GroupIngress, trace.GroupReference:
		return p.fixGroup(b, "ingress", b.flow.Src)
	case trace.GroupEgress:
		return p.fixGroup(b, "egress", b.flow.Dst)
	case trace.ACLIngress:
		return p.fixACL(b, "ingress", b.flow.Src)
	case trace.ACLEgress:
		return p.fixACL(b, "egress", b.flow.Dst)
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
		return "aws ec2 associate-transit-gateway-route-table --transit-gateway-route-table-id <table> --transit-gateway-attachment-id <the attachment of the sender's VPC>"
	case trace.TransitZone:
		return fmt.Sprintf("aws ec2 modify-transit-gateway-vpc-attachment --transit-gateway-attachment-id %s --add-subnet-ids %s", b.At, p.subnet(b.flow.Src))
	case trace.ApplianceNotPublic:
		return "aws ec2 associate-address --allocation-id <eipalloc> --network-interface-id " + b.step.MatchID
	case trace.PrivateDestination, trace.SharedDestination:
		return p.newRoute(b.table, b)
	case trace.NoSuchHost:
		if of := p.find().byAddr[b.flow.Dst.Netip()]; len(of) == 1 {
			return "aws ec2 associate-address --allocation-id <eipalloc> --network-interface-id " + of[0].ID()
		}
	case trace.NoSuchAddress, trace.NotInSubnet, trace.NoPrivateAddress:
		return "nothing to change on the way: nobody has " + b.flow.Dst.String()
	}
	return strings.NewReplacer("{at}", b.At, "{port}", fmt.Sprint(b.flow.DstPort), "{proto}", strings.ToUpper(b.flow.Proto.String()),
		"{dst}", alone(b.flow.Dst)).Replace(fixes[b.reason])
}

// fixes are the changes that need no look at the network.
var fixes = map[trace.Reason]string{
	trace.OutsidePeer:       "peer the two VPCs with each other, or join them by a transit gateway: a peering connection leads to the peer's own addresses alone",
	trace.SourceNotInVPC:    "give the sender's VPC a NAT gateway of its own: one is not reached through a peering connection or a VPN",
	trace.PastAppliance:     "route the subnet's way out through the appliance that the gateway route table names",
	trace.UnknownPrefix:     "aws ec2 create-vpn-connection-route --vpn-connection-id <vpn> --destination-cidr-block {dst}  # or have the site announce it by BGP",
	trace.VPNDown:           "bring a tunnel of {at} up at the customer gateway",
	trace.TransitVPNDown:    "bring a tunnel of {at} up at the customer gateway",
	trace.DirectConnectDown: "bring the BGP session of {at} up at the site's router, or have a VPN connection announce the prefix too",
	trace.NoSession:         "nothing to change: {at} takes answers alone, and listens on nothing",
	trace.BalancerPort:      "aws elbv2 create-listener --load-balancer-arn {at} --protocol {proto} --port {port} --default-actions Type=forward,TargetGroupArn=<target group>",
	trace.BalancerNoTarget:  "aws elbv2 register-targets --target-group-arn <target group> --targets Id=<target>",
	trace.BalancerZone:      "aws elbv2 modify-load-balancer-attributes --load-balancer-arn {at} --attributes Key=load_balancing.cross_zone.enabled,Value=true",
	trace.Hairpin:           "aws elbv2 modify-target-group-attributes --target-group-arn <target group> --attributes Key=preserve_client_ip.enabled,Value=false",
	trace.EndpointPending:   "aws ec2 accept-vpc-endpoint-connections --service-id <service> --vpc-endpoint-ids {at}",
	trace.EndpointInitiates: "have the VPC ask: what is behind an endpoint opens no connections",
	trace.FirewallRule:      "add a rule that passes {proto} to {dst} to the firewall's policy",
	trace.FirewallMidstream: "lead both directions of the flow through one firewall endpoint: appliance mode, or symmetric routes",
	trace.EgressOnly:        "route the subnet's ::/0 to an internet gateway: an egress-only one lets in answers alone",
	trace.TooManyHops:       "break the loop: the routes lead the packet in circles",
	trace.NoFamily:          "nothing to change: {at} does not carry packets of this address family",
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
// that does not.
func (p *Prober) fixACL(b *Blocker, direction string, peer wire.Addr) string {
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
		b.Object, direction, p.freeNumber(b, direction), f.Proto, ports, block, alone(peer))
}

// freeNumber returns the highest number before the deciding rule that the ACL has no
// rule of.
func (p *Prober) freeNumber(b *Blocker, direction string) int {
	acl, ok := p.resource(b.Object).(*vpc.NetworkACL)
	if !ok {
		return 1
	}
	list := acl.Ingress()
	if direction == "egress" {
		list = acl.Egress()
	}
	taken := func(n int) bool { return slices.ContainsFunc(list, func(e vpc.ACLEntry) bool { return e.Number == n }) }
	n := b.number - 1
	if b.number > 32766 { // behind all the others there is room
		n = 100
		for _, e := range list {
			n = max(n, e.Number+10)
		}
		n = min(n, 32766)
	}
	for n > 1 && taken(n) {
		n--
	}
	return max(n, 1)
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

// newRoute is the route of a table that would lead to the packet's destination: to all of
// its VPC, or to the internet.
func (p *Prober) newRoute(table string, b *Blocker) string {
	dst := alone(b.flow.Dst)
	if of := p.find().byAddr[b.flow.Dst.Netip()]; len(of) == 1 {
		for _, c := range of[0].Subnet().VPC().CIDRs() {
			if c.Contains(b.flow.Dst.Netip()) {
				dst = c.String()
			}
		}
	} else if !isPrivate(b.flow.Dst.Netip()) {
		dst = map[bool]string{true: "0.0.0.0/0", false: "::/0"}[b.flow.Dst.Is4()]
	}
	return fmt.Sprintf("aws ec2 create-route --route-table-id %s --%s %s %s", table, destinationFlag(b.flow.Dst), dst, p.target(table, b))
}

// target returns the flag of a route's target that would lead to the packet's
// destination: an internet gateway, a peering connection or a transit gateway that is there.
func (p *Prober) target(table string, b *Blocker) string {
	t, ok := p.resource(table).(*vpc.RouteTable)
	if !ok {
		return "<target>"
	}
	v, dst, flag := t.VPC(), b.flow.Dst.Netip(), ""
	t.Region().View(func(tx *vpc.Tx) {
		if !isPrivate(dst) {
			for _, g := range vpc.Gateways[*igw.InternetGateway](tx) {
				if g.AttachedTo(tx) == v {
					flag = "--gateway-id " + g.ID()
				}
			}
			return
		}
		for _, c := range vpc.Gateways[*peering.Connection](tx) {
			if other := peerOf(c, v); other != nil && c.Available(tx, v) && covers(tx, other, dst) {
				flag = "--vpc-peering-connection-id " + c.ID()
				return
			}
		}
		for _, g := range vpc.Gateways[*tgw.TransitGateway](tx) {
			if g.Available(tx, v) {
				flag = "--transit-gateway-id " + g.ID()
				return
			}
		}
	})
	if flag == "" && len(p.find().byAddr[dst]) > 0 {
		return "<a target that leads there; the two VPCs are not connected (DISCONNECTED_VPCS): peer them, or join them by a transit gateway>"
	}
	if flag == "" {
		return "<a target that leads there>"
	}
	return flag
}

// peerOf returns the VPC at the other end of a connection, nil where v is at neither.
func peerOf(c *peering.Connection, v *vpc.VPC) *vpc.VPC {
	switch v {
	case c.Requester():
		return c.Accepter()
	case c.Accepter():
		return c.Requester()
	}
	return nil
}

func covers(tx *vpc.Tx, v *vpc.VPC, a netip.Addr) bool {
	return slices.ContainsFunc(tx.CIDRs(v), func(c netip.Prefix) bool { return c.Contains(a) })
}

// attachment returns the id of the transit gateway's attachment whose VPC has the
// packet's destination.
func (p *Prober) attachment(b *Blocker) string {
	found := "<attachment>"
	for _, l := range p.lives {
		l.Region().View(func(tx *vpc.Tx) {
			for _, a := range vpc.Resources[*tgw.Attachment](tx) {
				if a.Gateway().ID() == b.At && a.VPC() != nil && covers(tx, a.VPC(), b.flow.Dst.Netip()) {
					found = a.ID()
				}
			}
		})
	}
	return found
}
