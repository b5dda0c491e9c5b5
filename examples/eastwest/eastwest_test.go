package main

import (
	"bytes"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

var (
	destination = netip.MustParseAddr("10.0.1.55")
	translator  = netip.MustParseAddr("10.0.2.149")
)

const name = "ip-10-0-1-55.ap-northeast-3.compute.internal"

func newLab(t *testing.T) *lab {
	t.Helper()
	l, err := build()
	require.NoError(t, err)
	return l
}

// lines returns the lines that match, as their submatches.
func lines(text, pattern string) [][]string {
	return regexp.MustCompile(`(?m)^`+pattern+`$`).FindAllStringSubmatch(text, -1)
}

func TestS002Traceroute(t *testing.T) {
	l := newLab(t)
	seen := l.watch("host 10.0.2.149")
	quoted := l.quotedAtSource()

	r := l.source.Traceroute(destination, host.TracerouteConfig{})
	l.world.Run(time.Second) // traceroute has gone; the last answers still come

	t.Run("C001 the NAT gateway and the destination are the only hops", func(t *testing.T) {
		require.Regexp(t, `\Atraceroute to 10\.0\.1\.55 \(10\.0\.1\.55\), 30 hops max, 60 byte packets
 1  10\.0\.2\.149 \(10\.0\.2\.149\)(  \d+\.\d{3} ms){3}
 2  10\.0\.1\.55 \(10\.0\.1\.55\)(  \d+\.\d{3} ms){3}
\z`, r.Text)
	})
	dump := seen.take()
	probes := lines(dump, `\S+ IP 10\.0\.2\.149\.(\d+) > `+regexp.QuoteMeta(name)+`\.(\d+): UDP, length 32`)
	t.Run("C002 the destination sees the 16 probes to ports 33437 to 33452", func(t *testing.T) {
		require.Len(t, probes, 16)
		for i, p := range probes {
			require.Equal(t, strconv.Itoa(33437+i), p[2])
		}
	})
	t.Run("C003 source ports are translated, in no order and not preserved", func(t *testing.T) {
		var ports []int
		outside := false
		for _, p := range probes {
			n, err := strconv.Atoi(p[1])
			require.NoError(t, err)
			require.GreaterOrEqual(t, n, 1024)
			require.NotContains(t, ports, n)
			ports = append(ports, n)
			outside = outside || n < 32768 || n > 60999
		}
		require.False(t, slices.IsSorted(ports))
		require.True(t, outside, "all within the range that the source's kernel chooses from: %v", ports)
	})
	unreachable := lines(dump, `\S+ IP `+regexp.QuoteMeta(name)+` > 10\.0\.2\.149: ICMP `+regexp.QuoteMeta(name)+` udp port (\d+) unreachable, length 68`)
	t.Run("C004 C005 the first six probes are answered with port unreachable, 68 bytes", func(t *testing.T) {
		require.Len(t, unreachable, 6)
		for i, u := range unreachable {
			require.Equal(t, strconv.Itoa(33437+i), u[1])
		}
		require.Len(t, strings.Split(strings.TrimSpace(dump), "\n"), 16+6)
	})
	t.Run("C006 C007 errors quote the source's own packet", func(t *testing.T) {
		require.Len(t, *quoted, 3+6)
		for i, q := range *quoted {
			from := translator
			if i >= 3 {
				from = destination
			}
			require.Equal(t, from, q.from.Netip())
			require.Equal(t, "10.0.0.11", q.inner.Src.String())
			require.Equal(t, destination, q.inner.Dst.Netip())
			require.True(t, q.inner.DstPort >= 33434 && q.inner.DstPort <= 33442)
		}
	})
}

type quotation struct {
	from  wire.Addr
	inner wire.Flow
}

// quotedAtSource keeps what the ICMP errors that reach the source quote.
func (l *lab) quotedAtSource() *[]quotation {
	var all []quotation
	for _, n := range l.instances[0].Interfaces() {
		l.world.Live(l.region).Port(n).Tap(func(_ time.Duration, out bool, frame []byte) {
			var p wire.Packet
			if out || wire.Ethernet(frame).Type() != wire.EtherTypeIPv4 || p.Read(wire.Ethernet(frame).Payload()) != nil {
				return
			}
			if in, ok := p.Inner(); ok {
				all = append(all, quotation{p.Flow.Src, in.Flow})
			}
		})
	}
	return &all
}

func TestS002Ping(t *testing.T) {
	l := newLab(t)
	seen, direct := l.watch("host 10.0.2.149"), l.watch("host 10.0.0.11")
	r := l.source.Ping(destination, host.PingConfig{Count: 3})
	t.Run("C008 three replies with TTL 254", func(t *testing.T) {
		require.Len(t, lines(r.Text, `64 bytes from 10\.0\.1\.55: icmp_seq=[123] ttl=254 time=\S+ ms`), 3)
		require.Contains(t, r.Text, "3 packets transmitted, 3 received, 0% packet loss")
	})
	t.Run("C009 one translated identifier, sequence 1 to 3", func(t *testing.T) {
		dump := seen.take()
		requests := lines(dump, `\S+ IP 10\.0\.2\.149 > `+regexp.QuoteMeta(name)+`: ICMP echo request, id (\d+), seq (\d), length 64`)
		replies := lines(dump, `\S+ IP `+regexp.QuoteMeta(name)+` > 10\.0\.2\.149: ICMP echo reply, id (\d+), seq (\d), length 64`)
		require.Len(t, requests, 3)
		require.Len(t, replies, 3)
		for i := range 3 {
			require.Equal(t, requests[0][1], requests[i][1])
			require.Equal(t, strconv.Itoa(i+1), requests[i][2])
			require.Equal(t, requests[i][1:], replies[i][1:])
		}
	})
	t.Run("C010 nothing of the source's own address arrives", func(t *testing.T) {
		require.Empty(t, direct.take())
	})
}

func TestS002NarrowedGroup(t *testing.T) {
	t.Run("C011 the packet that arrives has the NAT gateway's address", func(t *testing.T) {
		l := newLab(t)
		require.NoError(t, l.narrow())
		walks := l.world.Trace()
		r := l.source.Ping(destination, host.PingConfig{Count: 3})
		require.Contains(t, r.Text, "3 packets transmitted, 0 received, 100% packet loss")
		for _, w := range walks.Walks() {
			require.Equal(t, trace.GroupIngress, w.End())
			require.Equal(t, translator, w.Last.Src.Netip())
			require.Contains(t, w.String(), l.group.ID())
			require.Regexp(t, `no ingress rule.* 10\.0\.2\.149`, w.String())
		}
		require.Len(t, walks.Walks(), 3)
	})
	t.Run("C013 the NAT gateway answers no ping", func(t *testing.T) {
		l := newLab(t)
		walks := l.world.Trace()
		r := l.source.Ping(translator, host.PingConfig{Count: 3})
		require.Contains(t, r.Text, "3 packets transmitted, 0 received, 100% packet loss")
		require.Equal(t, trace.NoSession, walks.Walks()[0].End())
	})
	t.Run("C016 without the row the packet goes directly", func(t *testing.T) {
		l := newLab(t)
		require.NoError(t, l.sourceRoutes.DeleteRoute("10.0.1.0/24"))
		r := l.source.Traceroute(destination, host.TracerouteConfig{})
		require.Len(t, r.Hops, 1)
		require.Equal(t, uint8(255), l.source.Ping(destination, host.PingConfig{}).Replies[0].TTL)
	})
}

func TestRunTellsTheStoryTheSameWayTwice(t *testing.T) {
	var first, second bytes.Buffer
	require.NoError(t, run(&first))
	require.NoError(t, run(&second))
	require.Equal(t, first.String(), second.String())
	for _, want := range []string{
		"traceroute to 10.0.1.55 (10.0.1.55), 30 hops max, 60 byte packets\n 1  10.0.2.149 (10.0.2.149)  ",
		"\n 2  10.0.1.55 (10.0.1.55)  ",
		"64 bytes from 10.0.1.55: icmp_seq=1 ttl=254 time=",
		"3 packets transmitted, 3 received, 0% packet loss",
		"3 packets transmitted, 0 received, 100% packet loss",
	} {
		require.Contains(t, first.String(), want)
	}
}

func TestS002Tables(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, newLab(t).describe(&out))
	for _, want := range []string{
		`----------------------------------------------------------------------------------------------------------
|                                           DescribeRouteTables                                          |
+----------------------+------------------------+------------------------+--------------------+----------+
| DestinationCidrBlock |       GatewayId        |     NatGatewayId       |      Origin        |  State   |
+----------------------+------------------------+------------------------+--------------------+----------+
|  10.0.1.0/24         |                        |  nat-0efd1351c899a1d4b |  CreateRoute       |  active  |
|  10.0.0.0/16         |  local                 |                        |  CreateRouteTable  |  active  |
|  0.0.0.0/0           |  igw-09e9571aa689c8066 |                        |  CreateRoute       |  active  |
+----------------------+------------------------+------------------------+--------------------+----------+
`,
		`|  10.0.0.0/16         |  local                  |  CreateRouteTable  |  active |
|  0.0.0.0/0           |  igw-09e9571aa689c8066  |  CreateRoute       |  active |
`,
		`|  10.0.0.0/16          |  local     |  CreateRouteTable  |  active |
`,
		"||  ConnectivityType |  private                    ||\n",
		"|||  NetworkInterfaceId |  eni-0f62ab5dbbe7cffb5  |||\n|||  PrivateIp          |  10.0.2.149             |||\n",
	} {
		require.Contains(t, out.String(), want)
	}
	require.NotContains(t, out.String(), "AllocationId")
}
