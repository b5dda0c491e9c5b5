// Natinstance shows a NAT instance, step by step: an instance in a private subnet
// reaches the internet through a Linux guest that masquerades (S003).
//
//	go run ./examples/natinstance
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
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/world"
)

func main() {
	if err := run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// lab is a private instance, a NAT instance and a server on the internet.
type lab struct {
	world        *world.World
	gateway      *igw.InternetGateway
	vm, nat      *host.Host
	server       *host.Host
	nic          *vpc.NetworkInterface // the NAT instance's
	eip          *vpc.Address
	privateTable *vpc.RouteTable
}

var serverAddr = netip.MustParseAddr("198.51.100.7")

func run(out io.Writer) error {
	l, err := build()
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "The NAT instance sets itself up:")
	if err := l.setUp(out); err != nil {
		return err
	}
	fmt.Fprintln(out, "\nAn instance without a public address pings a server on the internet. Its default route leads to\n"+
		"the router, the subnet's route table to the NAT instance; that one masquerades and sends by its own\n"+
		"default route; the internet gateway puts the Elastic IP address in its place. The reply makes the same way back.")
	l.show(out)

	fmt.Fprintln(out, "What the rule has counted, only the first packet of a connection:")
	for range 2 {
		l.vm.Ping(serverAddr, host.PingConfig{Count: 2})
	}
	listing, err := l.nat.IPTables("-t", "nat", "-L", "-v", "-n")
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\n# iptables -t nat -L -v -n\n%s\n", listing)
	return l.spoil(out)
}

// spoil takes away, one after the other, what a NAT instance needs.
func (l *lab) spoil(out io.Writer) error {
	fmt.Fprintln(out, "With source/dest check on, the NAT instance's interface takes nothing that is not addressed to it:")
	if err := l.nic.SetSourceDestCheck(true); err != nil {
		return err
	}
	l.show(out)
	fmt.Fprintln(out, "Without an Elastic IP address the internet gateway has no public source for the NAT instance:")
	if err := errors.Join(l.nic.SetSourceDestCheck(false), l.eip.Disassociate()); err != nil {
		return err
	}
	l.show(out)
	fmt.Fprintln(out, "An instance that sends to the internet gateway directly gets nothing through it: it never masquerades:")
	if err := l.privateTable.ReplaceRoute("0.0.0.0/0", l.gateway); err != nil {
		return err
	}
	l.show(out)
	return nil
}

// show sends one echo request and tells every packet's way.
func (l *lab) show(out io.Writer) {
	walks := l.world.Trace()
	walks.Clear()
	r := l.vm.Ping(serverAddr, host.PingConfig{Count: 1})
	fmt.Fprintln(out)
	fmt.Fprintln(out, walks.Story(walks.Walks()[0].ID))
	answer := "no answer"
	if r.Received == 1 {
		answer = "answered"
	}
	fmt.Fprintf(out, "=> ping %s: %s\n\n", serverAddr, answer)
}
