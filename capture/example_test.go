package capture_test

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/vpcsim/vpcsim/capture"
	"github.com/vpcsim/vpcsim/wire"
)

// A probe of a traceroute that came through a NAT gateway, as tcpdump at the
// destination shows it where a filter lets it through.
func ExampleTcpdump() {
	dump := capture.Tcpdump{
		Base: time.Date(2021, 9, 12, 5, 6, 7, 0, time.UTC),
		Names: func(a netip.Addr) string {
			if a != netip.MustParseAddr("10.0.1.55") {
				return ""
			}
			return "ip-" + strings.ReplaceAll(a.String(), ".", "-") + ".ap-northeast-3.compute.internal"
		},
	}
	filter, err := capture.ParseFilter("host 10.0.2.149")
	if err != nil {
		fmt.Println(err)
		return
	}
	h := wire.Header{Src: wire.MustParseAddr("10.0.2.149"), Dst: wire.MustParseAddr("10.0.1.55"), TTL: 1}
	probe := capture.Frame{
		At:    3200 * time.Microsecond,
		Link:  capture.LinkRaw,
		Bytes: wire.AppendUDP(nil, h, 59743, 33437, make([]byte, 32)),
	}
	if filter.Match(probe) {
		fmt.Println(dump.Line(probe))
	}
	// Output:
	// 05:06:07.003200 IP 10.0.2.149.59743 > ip-10-0-1-55.ap-northeast-3.compute.internal.33437: UDP, length 32
}
