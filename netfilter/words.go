package netfilter

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/vpcsim/vpcsim/wire"
)

// The words within options: addresses, ports, protocols, ICMP types.

func parseAddr(word string, f family) (netip.Addr, error) {
	a, err := netip.ParseAddr(word)
	if err != nil || a.Is4() != (f == ipv4) || a.Zone() != "" {
		return netip.Addr{}, fmt.Errorf("%q is no %s address", word, f.version())
	}
	return a, nil
}

func (f family) version() string {
	if f == ipv6 {
		return "IPv6"
	}
	return "IPv4"
}

// parsePrefix reads an address, a CIDR or an address with a netmask; host bits are dropped.
func parsePrefix(word string, f family) (netip.Prefix, error) {
	bad := fmt.Errorf("%q is no %s address or network", word, f.version())
	host, mask, hasMask := strings.Cut(word, "/")
	a, err := parseAddr(host, f)
	if err != nil {
		return netip.Prefix{}, bad
	}
	bits := a.BitLen()
	if hasMask {
		if bits, err = strconv.Atoi(mask); err != nil {
			bits = maskBits(mask, f)
		}
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{}, bad
	}
	return p, nil
}

// maskBits returns how many bits a netmask such as 255.255.0.0 sets, or -1.
func maskBits(mask string, f family) int {
	m, err := parseAddr(mask, f)
	if err != nil {
		return -1
	}
	for bits := 0; bits <= m.BitLen(); bits++ {
		ones := netip.PrefixFrom(allOnes(f), bits).Masked()
		if ones.Addr() == m {
			return bits
		}
	}
	return -1
}

func allOnes(f family) netip.Addr {
	if f == ipv4 {
		return netip.AddrFrom4([4]byte{255, 255, 255, 255})
	}
	var b [16]byte
	for i := range b {
		b[i] = 255
	}
	return netip.AddrFrom16(b)
}

// parsePorts reads a port or a range of ports with between in the middle. An end
// that is left out is 0 or 65535, where between is ":".
func parsePorts(opt, word, between string) (portRange, error) {
	first, last, ranged := strings.Cut(word, between)
	if !ranged {
		last = first
	}
	if between == ":" && ranged {
		if first == "" {
			first = "0"
		}
		if last == "" {
			last = "65535"
		}
	}
	lo, err := strconv.ParseUint(first, 10, 16)
	if err != nil {
		return portRange{}, fmt.Errorf("option %q: %q is no port number, expected 0 to 65535", opt, first)
	}
	hi, err := strconv.ParseUint(last, 10, 16)
	if err != nil {
		return portRange{}, fmt.Errorf("option %q: %q is no port number, expected 0 to 65535", opt, last)
	}
	if lo > hi {
		return portRange{}, fmt.Errorf("option %q: range %q: the last port is below the first", opt, word)
	}
	return portRange{lo: uint16(lo), hi: uint16(hi), given: true}, nil
}

// protoNames are the names that iptables prints; the first of a number is what a listing shows.
var protoNames = [...]struct {
	name  string
	proto wire.Proto
}{
	{"all", 0}, {"tcp", wire.ProtoTCP}, {"udp", wire.ProtoUDP}, {"udplite", 136},
	{"icmp", wire.ProtoICMP}, {"icmpv6", wire.ProtoICMPv6}, {"ipv6-icmp", wire.ProtoICMPv6},
	{"esp", 50}, {"ah", 51}, {"sctp", 132},
}

// gre is a name for /etc/protocols, which a numeric listing doesn't ask.
const gre wire.Proto = 47

func parseProto(word string) (wire.Proto, error) {
	for _, n := range protoNames {
		if strings.EqualFold(n.name, word) {
			return n.proto, nil
		}
	}
	if strings.EqualFold(word, "gre") {
		return gre, nil
	}
	n, err := strconv.ParseUint(word, 10, 8)
	if err != nil {
		return 0, fmt.Errorf("protocol %q: expected tcp, udp, icmp, icmpv6, esp, ah, gre, sctp, udplite, all or a number to 255", word)
	}
	return wire.Proto(n), nil
}

func protoListed(p wire.Proto) string {
	for _, n := range protoNames {
		if n.proto == p {
			return n.name
		}
	}
	return strconv.Itoa(int(p))
}

// protoOption is protoListed in the words of -S.
func protoOption(p wire.Proto) string {
	switch p {
	case wire.ProtoICMPv6:
		return "ipv6-icmp"
	case gre:
		return "gre"
	}
	return protoListed(p)
}

// icmpNames are iptables' names of types; code -1 is every code.
var icmpNames = [...]struct {
	family family
	name   string
	typ    uint8
	code   int
}{
	{ipv4, "echo-reply", 0, -1}, {ipv4, "pong", 0, -1},
	{ipv4, "destination-unreachable", 3, -1},
	{ipv4, "network-unreachable", 3, 0}, {ipv4, "host-unreachable", 3, 1},
	{ipv4, "protocol-unreachable", 3, 2}, {ipv4, "port-unreachable", 3, 3},
	{ipv4, "fragmentation-needed", 3, 4}, {ipv4, "source-quench", 4, -1},
	{ipv4, "redirect", 5, -1}, {ipv4, "echo-request", 8, -1}, {ipv4, "ping", 8, -1},
	{ipv4, "time-exceeded", 11, -1}, {ipv4, "ttl-exceeded", 11, -1},
	{ipv4, "parameter-problem", 12, -1},
	{ipv4, "timestamp-request", 13, -1}, {ipv4, "timestamp-reply", 14, -1},
	{ipv6, "destination-unreachable", 1, -1}, {ipv6, "port-unreachable", 1, 4},
	{ipv6, "packet-too-big", 2, -1}, {ipv6, "time-exceeded", 3, -1},
	{ipv6, "ttl-exceeded", 3, -1}, {ipv6, "parameter-problem", 4, -1},
	{ipv6, "echo-request", 128, -1}, {ipv6, "ping", 128, -1},
	{ipv6, "echo-reply", 129, -1}, {ipv6, "pong", 129, -1},
	{ipv6, "router-solicitation", 133, -1}, {ipv6, "router-advertisement", 134, -1},
	{ipv6, "neighbor-solicitation", 135, -1}, {ipv6, "neighbour-solicitation", 135, -1},
	{ipv6, "neighbor-advertisement", 136, -1}, {ipv6, "neighbour-advertisement", 136, -1},
	{ipv6, "redirect", 137, -1},
}

func parseICMPType(word string, f family) (typ uint8, code int, err error) {
	for _, n := range icmpNames {
		if n.family == f && strings.EqualFold(n.name, word) {
			return n.typ, n.code, nil
		}
	}
	bad := fmt.Errorf("%q is no ICMP type, expected a name, type or type/code", word)
	t, c, hasCode := strings.Cut(word, "/")
	n, err := strconv.ParseUint(t, 10, 8)
	if err != nil {
		return 0, 0, bad
	}
	if !hasCode {
		return uint8(n), -1, nil
	}
	k, err := strconv.ParseUint(c, 10, 8)
	if err != nil {
		return 0, 0, bad
	}
	return uint8(n), int(k), nil
}
