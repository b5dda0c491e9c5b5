package capture

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/vpcsim/vpcsim/wire"
)

// ParseFilter reads the part of pcap-filter(7)'s language that looks at addresses,
// ports and protocols:
//
//	[src|dst] host ADDRESS     [src|dst] ADDRESS     [src|dst] net PREFIX
//	[tcp|udp] [src|dst] port NUMBER
//	icmp  icmp6  tcp  udp  arp  ip  ip6
//	not  and  or  ( )     or  !  &&  ||
//
// As there, not binds closest, and and or bind alike, from left to right. The
// empty string wants all. An error quotes the filter and says at which word
// something else was expected.
func ParseFilter(s string) (Filter, error) {
	p := filterParser{words: filterWords(s)}
	if len(p.words) == 0 {
		return nil, nil
	}
	f, err := p.expression(0)
	if err == nil && p.at < len(p.words) {
		err = p.expected("and or or")
	}
	if err != nil {
		return nil, fmt.Errorf("capture: filter %q: %w", s, err)
	}
	return f, nil
}

func filterWords(s string) []string {
	for _, mark := range []string{"(", ")", "!", "&&", "||"} {
		s = strings.ReplaceAll(s, mark, " "+mark+" ")
	}
	return strings.Fields(s)
}

type filterParser struct {
	words []string
	at    int
}

// word returns the next word without taking it, "" at the end.
func (p *filterParser) word() string {
	if p.at < len(p.words) {
		return p.words[p.at]
	}
	return ""
}

// take takes the next word where it is one of those.
func (p *filterParser) take(words ...string) string {
	for _, w := range words {
		if w == p.word() {
			p.at++
			return w
		}
	}
	return ""
}

func (p *filterParser) expected(what string) error {
	if p.at >= len(p.words) {
		return fmt.Errorf("it ends: expected %s", what)
	}
	return fmt.Errorf("word %d is %q: expected %s", p.at+1, p.words[p.at], what)
}

// depthMax bounds how deep parentheses and negations may nest.
const depthMax = 64

func (p *filterParser) expression(depth int) (Filter, error) {
	f, err := p.term(depth)
	for err == nil {
		var g Filter
		switch p.take("and", "&&", "or", "||") {
		case "and", "&&":
			g, err = p.term(depth)
			f = f.And(g)
		case "or", "||":
			g, err = p.term(depth)
			f = f.Or(g)
		default:
			return f, nil
		}
	}
	return nil, err
}

func (p *filterParser) term(depth int) (Filter, error) {
	if depth > depthMax {
		return nil, fmt.Errorf("word %d is over %d levels deep", p.at+1, depthMax)
	}
	switch {
	case p.take("not", "!") != "":
		f, err := p.term(depth + 1)
		if err != nil {
			return nil, err
		}
		return f.Not(), nil
	case p.take("(") != "":
		f, err := p.expression(depth + 1)
		if err != nil {
			return nil, err
		}
		if p.take(")") == "" {
			return nil, p.expected("a closing parenthesis")
		}
		return f, nil
	}
	return p.primitive()
}

var filterProtocols = map[string]Filter{
	"icmp":  Protocol(wire.ProtoICMP),
	"icmp6": Protocol(wire.ProtoICMPv6),
	"tcp":   Protocol(wire.ProtoTCP),
	"udp":   Protocol(wire.ProtoUDP),
	"arp":   Type(wire.EtherTypeARP),
	"ip":    Type(wire.EtherTypeIPv4),
	"ip6":   Type(wire.EtherTypeIPv6),
}

func (p *filterParser) primitive() (Filter, error) {
	proto := p.word()
	f, ok := filterProtocols[proto]
	if ok {
		p.at++
		if next := p.word(); next == "" || proto != "tcp" && proto != "udp" || next != "port" && next != "src" && next != "dst" {
			return f, nil
		}
	}
	side := p.take("src", "dst")
	if p.take("port") != "" {
		g, err := p.port(side)
		return f.And(g), err
	}
	switch {
	case ok:
		return nil, p.expected("port")
	case p.take("net") != "":
		return p.net(side)
	}
	p.take("host")
	return p.host(side)
}

// sided picks what a direction asks for.
func sided(side string, src, dst Filter) Filter {
	switch side {
	case "src":
		return src
	case "dst":
		return dst
	}
	return src.Or(dst)
}

func (p *filterParser) host(side string) (Filter, error) {
	a, err := netip.ParseAddr(p.word())
	if err != nil || a.Zone() != "" {
		return nil, p.expected("an address, a protocol, host, net, port, src or dst")
	}
	p.at++
	return sided(side, Src(a), Dst(a)), nil
}

func (p *filterParser) net(side string) (Filter, error) {
	n, err := netip.ParsePrefix(p.word())
	if err != nil || n != n.Masked() {
		return nil, p.expected("a prefix without host bits, such as 10.0.0.0/24")
	}
	p.at++
	return sided(side, SrcNet(n), DstNet(n)), nil
}

func (p *filterParser) port(side string) (Filter, error) {
	n, err := strconv.ParseUint(p.word(), 10, 16)
	if err != nil {
		return nil, p.expected("a port's number, from 0 to 65535")
	}
	p.at++
	return sided(side, SrcPort(uint16(n)), DstPort(uint16(n))), nil
}
