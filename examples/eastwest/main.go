// Eastwest shows traffic between two subnets of one VPC through a private NAT
// gateway: traceroute, ping and tcpdump as they were seen on AWS (S002).
//
//	go run ./examples/eastwest
package main

import (
	"fmt"
	"io"
	"log"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/vpcsim/vpcsim/capture"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/world"
)

func main() {
	if err := run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// lab is the network of the report: three subnets, a private NAT gateway between
// the first and the second.
type lab struct {
	world               *world.World
	region              *vpc.Region
	source, destination *host.Host
	nat                 *natgw.NATGateway
	sourceRoutes        *vpc.RouteTable
	destinationRoutes   *vpc.RouteTable
	natRoutes           *vpc.RouteTable
	group               *vpc.SecurityGroup    // of the destination
	nic                 *vpc.NetworkInterface // of the destination
	instances           [2]*vpc.Instance
}

func run(out io.Writer) error {
	l, err := build()
	if err != nil {
		return err
	}
	dst := netip.MustParseAddr("10.0.1.55")
	seen := l.watch("host 10.0.2.149")
	direct := l.watch("host 10.0.0.11")

	fmt.Fprintf(out, "[ec2-user@ip-10-0-0-11 ~]$ traceroute 10.0.1.55\n%s\n", l.source.Traceroute(dst, host.TracerouteConfig{}).Text)
	fmt.Fprintf(out, "[ec2-user@ip-10-0-1-55 ~]$ sudo tcpdump host 10.0.2.149\n%s\n", seen.output())
	l.world.Run(time.Minute)

	fmt.Fprintf(out, "[ec2-user@ip-10-0-0-11 ~]$ ping 10.0.1.55 -c 3\n%s\n", l.source.Ping(dst, host.PingConfig{Count: 3}).Text)
	fmt.Fprintf(out, "[ec2-user@ip-10-0-1-55 ~]$ sudo tcpdump host 10.0.2.149\n%s\n", seen.output())
	fmt.Fprintf(out, "[ec2-user@ip-10-0-1-55 ~]$ sudo tcpdump host 10.0.0.11\n%s\n", direct.output())

	fmt.Fprintln(out, "One echo request on its way, and its reply:")
	walks := l.world.Trace()
	l.source.Ping(dst, host.PingConfig{Count: 1})
	writeStory(out, walks)

	fmt.Fprintln(out, "The destination's security group is narrowed to the source's subnet, 10.0.0.0/24:")
	if err := l.narrow(); err != nil {
		return err
	}
	l.world.Run(time.Minute)
	walks.Clear()
	fmt.Fprintf(out, "[ec2-user@ip-10-0-0-11 ~]$ ping 10.0.1.55 -c 3\n%s\n", l.source.Ping(dst, host.PingConfig{Count: 3}).Text)
	writeStory(out, walks)

	walks.Clear()
	fmt.Fprintln(out, "The NAT gateway itself answers no ping:")
	fmt.Fprintf(out, "[ec2-user@ip-10-0-0-11 ~]$ ping 10.0.2.149 -c 3\n%s\n", l.source.Ping(netip.MustParseAddr("10.0.2.149"), host.PingConfig{Count: 3}).Text)
	writeStory(out, walks)
	return l.describe(out)
}

// writeStory prints the first packet kept and whatever it caused.
func writeStory(out io.Writer, l *trace.Log) {
	if walks := l.Walks(); len(walks) > 0 {
		fmt.Fprintln(out, l.Story(walks[0].ID))
	}
}

// dump is a running tcpdump.
type dump struct{ lines []string }

// watch runs tcpdump at the destination.
func (l *lab) watch(expression string) *dump {
	filter, err := capture.ParseFilter(expression)
	if err != nil {
		panic(err)
	}
	printer := &capture.Tcpdump{
		Base:  began,
		Names: l.ownName,
	}
	d := &dump{}
	l.world.Live(l.region).Port(l.nic).Tap(func(at time.Duration, _ bool, frame []byte) {
		f := capture.Frame{At: at, Bytes: frame}
		if filter.Match(f) {
			d.lines = append(d.lines, printer.Line(f))
		}
	})
	return d
}

// ownName is the one name that the destination's resolver knows: its own.
func (l *lab) ownName(a netip.Addr) string {
	if a == l.nic.PrivateIP() {
		return l.region.PrivateDNSName(a)
	}
	return ""
}

// take returns the lines printed since it was last called.
func (d *dump) take() string {
	s := ""
	for _, line := range d.lines {
		s += line + "\n"
	}
	d.lines = nil
	return s
}

// output returns what tcpdump prints from start to interrupt.
func (d *dump) output() string {
	lines := d.take()
	count := strings.Count(lines, "\n")
	return "tcpdump: verbose output suppressed, use -v or -vv for full protocol decode\n" +
		"listening on eth0, link-type EN10MB (Ethernet), capture size 262144 bytes\n" +
		lines + fmt.Sprintf("%d packets captured\n%d packets received by filter\n0 packets dropped by kernel\n", count, count)
}

// narrow replaces the destination's ingress rule by one for the source's subnet.
func (l *lab) narrow() error {
	if err := l.group.AuthorizeIngress(vpc.AllTraffic("10.0.0.0/24")); err != nil {
		return err
	}
	return l.group.RevokeIngress(vpc.AllTraffic("10.0.0.0/16"))
}
