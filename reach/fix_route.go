package reach

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/peering"
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpn"
	"github.com/vpcsim/vpcsim/wire"
)

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
	switch {
	case flag == "" && !isPrivate(dst):
		return fmt.Sprintf("--gateway-id <igw>  # %s has no internet gateway: attach one", v.ID())
	case flag == "":
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

// attachment returns the id of the transit gateway's attachment that leads to the packet's
// destination: to the VPC that has it, or to another gateway that such a VPC is attached to.
func (p *Prober) attachment(b *Blocker) string {
	var way string
	reaches := func(tx *vpc.Tx, g *tgw.TransitGateway) string {
		for _, a := range vpc.Resources[*tgw.Attachment](tx) {
			if a.Gateway() == g && a.VPC() != nil && a.VPC().Region() == tx.Region() && covers(tx, a.VPC(), b.flow.Dst.Netip()) {
				return a.ID()
			}
		}
		return ""
	}
	g, ok := p.resource(b.At).(*tgw.TransitGateway)
	if !ok {
		return "<attachment>"
	}
	g.Region().View(func(tx *vpc.Tx) { way = reaches(tx, g) })
	if way != "" {
		return way
	}
	for _, a := range all[*tgw.Attachment](p.world) {
		if a.Gateway() != g || a.Other() == nil {
			continue
		}
		far := a.Other().Gateway()
		far.Region().View(func(tx *vpc.Tx) {
			if reaches(tx, far) != "" {
				way = a.ID()
			}
		})
	}
	if way != "" {
		return way
	}
	return "<attachment: none of " + b.At + " leads to " + b.flow.Dst.String() + ">"
}

// association is the options that name the attachment by which a packet came to a transit
// gateway, and the table that would route it: the one for new attachments, else the only one.
func (p *Prober) association(b *Blocker) string {
	attachment, table := "<attachment of "+b.flow.Src.String()+">", "<table>"
	g, _ := p.resource(b.At).(*tgw.TransitGateway)
	if g == nil {
		return fmt.Sprintf("--transit-gateway-route-table-id %s --transit-gateway-attachment-id %s", table, attachment)
	}
	for _, a := range all[*tgw.Attachment](p.world) {
		if a.Gateway() != g || a.VPC() == nil || a.RouteTable() != nil {
			continue
		}
		g.Region().View(func(tx *vpc.Tx) {
			if covers(tx, a.VPC(), b.flow.Src.Netip()) {
				attachment = a.ID()
			}
		})
	}
	if t := g.DefaultRouteTable(); t != nil {
		table = t.ID()
	} else if of := slices.DeleteFunc(all[*tgw.RouteTable](p.world), func(t *tgw.RouteTable) bool { return t.Gateway() != g }); len(of) == 1 {
		table = of[0].ID()
	}
	return fmt.Sprintf("--transit-gateway-route-table-id %s --transit-gateway-attachment-id %s", table, attachment)
}

// vpnOf returns the id of the one VPN connection of a gateway.
func (p *Prober) vpnOf(gateway string) string {
	var ids []string
	for _, v := range all[*vpn.Connection](p.world) {
		if v.Gateway().ID() == gateway {
			ids = append(ids, v.ID())
		}
	}
	switch len(ids) {
	case 1:
		return ids[0]
	case 0:
		return "<vpn: " + gateway + " has none>"
	}
	return "<vpn>"
}

// vpcOf returns the id of the VPC of whom the packet is from, else of whom it is for.
func (p *Prober) vpcOf(b *Blocker) string {
	for _, a := range []wire.Addr{b.flow.Src, b.flow.Dst} {
		if of := p.find().byAddr[a.Netip()]; len(of) == 1 {
			return of[0].Subnet().VPC().ID()
		}
	}
	return "<vpc>"
}

// nobody says that nobody has the packet's destination, where the packet could come to; of
// an address that another VPC has, that it does not come there.
func (p *Prober) nobody(b *Blocker) string {
	for _, e := range all[*vpc.Address](p.world) {
		if e.PublicIP() == b.flow.Dst.Netip() && e.Interface() == nil {
			return "aws ec2 associate-address --allocation-id " + e.ID() + " --network-interface-id <interface>"
		}
	}
	text := "nothing to change on the way: nobody there has " + b.flow.Dst.String()
	if of := p.find().byAddr[b.flow.Dst.Netip()]; len(of) == 1 {
		text += fmt.Sprintf("; %s of %s has it, whose CIDR the sender's VPC has too, so that it keeps the packet: renumber one of them",
			of[0].ID(), of[0].Subnet().VPC().ID())
	}
	return text
}

// newListener is the listener that would take the packet; a load balancer answers no ping.
func (p *Prober) newListener(b *Blocker) string {
	f := b.flow
	if f.Proto != wire.ProtoTCP && f.Proto != wire.ProtoUDP {
		return "nothing to change: " + b.At + " takes what it has listeners for, TCP and UDP, and answers no ping"
	}
	proto := strings.ToUpper(f.Proto.String())
	if l, ok := p.resource(b.At).(*balancer.LoadBalancer); ok && l.Type() == elbv2.TypeApplication {
		proto = "HTTP"
	}
	return fmt.Sprintf("aws elbv2 create-listener --load-balancer-arn %s --protocol %s --port %d --default-actions Type=forward,TargetGroupArn=<target group>", b.At, proto, f.DstPort)
}
