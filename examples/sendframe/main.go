// Sendframe sends frames made of gopacket layers from one interface and reads
// gopacket packets at another: what a Go test of a network begins with.
//
//	go run ./examples/sendframe
package main

import (
	"fmt"
	"io"
	"net"
	"os"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

func main() { run(vpctest.Program, os.Stdout) }

// run is what a test would be: hand it the test's *testing.T.
func run(t vpctest.TB, out io.Writer) {
	v := vpctest.New(t).VPC("10.0.0.0/16")
	a, b := v.Subnet("10.0.0.0/24").Card("a"), v.Subnet("10.0.1.0/24").Card("b")
	b.Allow(vpc.UDPPort(7000, "10.0.0.0/24"))

	for _, port := range []layers.UDPPort{7000, 7001} {
		end := a.Send( // Ethernet, source address and TTL are filled in
			&layers.IPv4{DstIP: net.IP(b.Addr.AsSlice()), Protocol: layers.IPProtocolUDP},
			&layers.UDP{SrcPort: 4000, DstPort: port},
			gopacket.Payload("hello"))
		fmt.Fprintf(out, "UDP to port %d: %s\n", port, end)
	}
	for _, packet := range b.Received() {
		fmt.Fprintln(out, packet)
	}
}
