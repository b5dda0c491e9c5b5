package wire_test

import (
	"fmt"

	"github.com/vpcsim/vpcsim/wire"
)

// A router on the way: it takes one from the time to live, and where none is left
// sends back an ICMP error, which quotes the packet.
func Example() {
	b := wire.AppendUDP(nil, wire.Header{
		Src: wire.MustParseAddr("10.0.0.11"), Dst: wire.MustParseAddr("10.0.1.55"), TTL: 2,
	}, 40000, 33434, []byte("probe"))

	var p wire.Packet
	if err := p.Read(b); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.Flow, "ttl", p.TTL())

	p.SetSrc(wire.MustParseAddr("10.0.2.149"), 1024) // a source NAT
	p.DecTTL()
	fmt.Println(p.Flow, "ttl", p.TTL(), "checksum error:", p.VerifyChecksum())

	if !p.DecTTL() && p.AllowsError(wire.ICMPTimeExceeded, 0) {
		router := wire.Header{Src: wire.MustParseAddr("10.0.1.1"), TTL: 255}
		var e wire.Packet
		if err := e.Read(wire.AppendICMPError(nil, router, wire.ICMPTimeExceeded, 0, 0, &p)); err != nil {
			fmt.Println(err)
			return
		}
		quoted, _ := e.Inner()
		fmt.Println(e.Flow, "about", quoted.Flow)
	}
	fmt.Println(p.Read(b[:19]))
	// Output:
	// 10.0.0.11:40000 > 10.0.1.55:33434 udp ttl 2
	// 10.0.2.149:1024 > 10.0.1.55:33434 udp ttl 1 checksum error: <nil>
	// 10.0.1.1 > 10.0.2.149 icmp about 10.0.2.149:1024 > 10.0.1.55:33434 udp
	// packet shorter than its IP header
}
