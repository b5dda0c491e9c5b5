// Ingress shows VPC ingress routing: an appliance that sees what comes from the
// internet for another subnet, and what goes back (S001).
//
//	go run ./examples/ingress
package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net/netip"
	"os"

	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vgw"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/world"
)

func main() {
	if err := run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// lab is an application server behind an appliance, both in one VPC, and a user on
// the internet.
type lab struct {
	world     *world.World
	vpc       *vpc.VPC
	gateway   *igw.InternetGateway
	user      *host.Host
	server    *host.Host
	appliance *host.Host
	nic       *vpc.NetworkInterface // the appliance's
	edge      *vpc.RouteTable
	nat       *natgw.NATGateway
	vpn       *vgw.VirtualPrivateGateway
	public    netip.Addr // the application server's
}

func run(out io.Writer) error {
	l, err := build()
	if err != nil {
		return err
	}
	l.show(out, "1. No gateway route table: the implied one, 10.0.0.0/16 -> local. The request reaches the server directly;\n"+
		"   its answer leaves by the appliance, which is what its subnet's route table says.")
	if err := l.redirect(); err != nil {
		return err
	}
	l.show(out, "2. A gateway route table, associated with the internet gateway: 10.0.1.0/24 -> the appliance's interface.\n"+
		"   The table is looked up with the private address: the translation comes first.")
	l.outbound(out)
	if err := l.nic.SetSourceDestCheck(true); err != nil {
		return err
	}
	l.show(out, "3. The appliance's source/dest check is on: its interface takes only what is addressed to it.")
	if err := errors.Join(l.nic.SetSourceDestCheck(false), l.appliance.Sysctl("net.ipv4.ip_forward", "0")); err != nil {
		return err
	}
	l.show(out, "4. The check is off again, but the appliance does not forward.")
	return l.refusals(out)
}

// show pings the server's public address from the internet and tells every packet's way.
func (l *lab) show(out io.Writer, title string) {
	walks := l.world.Trace()
	walks.Clear()
	r := l.user.Ping(l.public, host.PingConfig{Count: 1})
	fmt.Fprintf(out, "%s\n\n", title)
	fmt.Fprintln(out, walks.Story(walks.Walks()[0].ID))
	answer := "no answer"
	if r.Received == 1 {
		answer = "answered"
	}
	fmt.Fprintf(out, "=> ping %s from the internet: %s\n\n", l.public, answer)
}

// outbound pings the user from the server: what the application itself begins goes
// by the appliance too, out and back.
func (l *lab) outbound(out io.Writer) {
	walks := l.world.Trace()
	walks.Clear()
	r := l.server.Ping(l.user.Addr(), host.PingConfig{Count: 1})
	fmt.Fprintf(out, "   And outbound: the server pings the user, by its subnet's 0.0.0.0/0 -> the appliance's interface.\n\n%s\n", walks.Story(walks.Walks()[0].ID))
	fmt.Fprintf(out, "=> ping %s from the server: %d received\n\n", l.user.Addr(), r.Received)
}

// redirect gives the internet gateway a route table that sends the application's
// subnet to the appliance.
func (l *lab) redirect() error {
	table, err := l.vpc.CreateRouteTable(vpc.RouteTableConfig{Name: "gateway table"})
	if err != nil {
		return err
	}
	l.edge = table
	return errors.Join(table.CreateRoute("10.0.1.0/24", l.nic), table.AssociateGateway(l.gateway))
}

// refusals tries what a gateway route table may not hold.
func (l *lab) refusals(out io.Writer) error {
	fmt.Fprintln(out, "5. What AWS refuses in a gateway route table:")
	for _, try := range []struct {
		what string
		err  error
	}{
		{"a destination outside the VPC", l.edge.CreateRoute("192.168.0.0/16", l.nic)},
		{"a destination that is no subnet's CIDR", l.edge.CreateRoute("10.0.9.0/24", l.nic)},
		{"the gateway itself as the target", l.edge.CreateRoute("10.0.2.0/24", l.gateway)},
		{"a target that is no network interface", l.edge.CreateRoute("10.0.2.0/24", l.nat)},
		{"route propagation", l.edge.EnablePropagation(l.vpn)},
	} {
		var refusal *vpc.Error
		if !errors.As(try.err, &refusal) {
			return fmt.Errorf("%s: expected AWS's refusal, got %v", try.what, try.err)
		}
		fmt.Fprintf(out, "   %-40s %s\n", try.what+":", refusal)
	}
	return nil
}

// verdict returns why the last packet of a log ended.
func verdict(l *trace.Log) trace.Reason {
	walks := l.Walks()
	return walks[len(walks)-1].End()
}
