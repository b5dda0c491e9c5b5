package host

import (
	"fmt"
	"strconv"
	"strings"
)

// sysctls are the kernel's settings, as Linux numbers them.
type sysctls struct {
	ttl, hopLimit              int
	all, def                   conf
	forward6                   int
	rateLimit, rateLimit6      int // milliseconds between ICMP errors to one destination
	rateMask                   int // ICMP types that the limit holds
	echoIgnore                 int
	errorsUseInbound           int
	portFirst, portLast        int
	synRetries, synackRetries  int
	retries2                   int
	keepIdle, keepIntvl, keeps int
}

// conf is what Linux keeps for each interface, in net.ipv4.conf.
type conf struct {
	forwarding, rpFilter, sendRedirects int
}

// defaultSysctls are the kernel's own, but for what the distribution sets.
func defaultSysctls(c Config) sysctls {
	ttl := 255
	if c.DefaultTTL != 0 {
		ttl = int(c.DefaultTTL)
	}
	forward := 0
	if c.Forwarding {
		forward = 1
	}
	each := conf{forwarding: forward, rpFilter: c.RPFilter.sysctl(), sendRedirects: 1}
	return sysctls{
		ttl: ttl, hopLimit: 64, all: each, def: each, forward6: forward,
		rateLimit: 1000, rateLimit6: 1000, rateMask: 0x1818,
		portFirst: 32768, portLast: 60999,
		synRetries: 6, synackRetries: 5, retries2: 15,
		keepIdle: 7200, keepIntvl: 75, keeps: 9,
	}
}

// knob is a setting with its range.
type knob struct {
	at       *int
	min, max int
}

// Sysctl sets a kernel parameter by Linux's name, with dots or slashes, as
// "sysctl -w" does: net.ipv4.ip_forward, net.ipv4.conf.eth0.send_redirects. It
// refuses names that this guest does not model and values out of range.
func (h *Host) Sysctl(name, value string) error {
	dotted := strings.ReplaceAll(name, "/", ".")
	if dotted == "net.ipv4.ip_local_port_range" {
		return h.sysctlPorts(value)
	}
	k := h.knob(dotted)
	if k.at == nil {
		return fmt.Errorf("sysctl: cannot stat %q: no such parameter is modelled", name)
	}
	v, err := strconv.Atoi(strings.TrimSpace(value))
	if err != nil || v < k.min || v > k.max {
		return fmt.Errorf("sysctl: setting key %q: %q is not a number in %d-%d", name, value, k.min, k.max)
	}
	*k.at = v
	if dotted == "net.ipv4.ip_forward" || dotted == "net.ipv4.conf.all.forwarding" {
		h.setForwarding(v)
	}
	return nil
}

// SysctlValue returns a kernel parameter as "sysctl -n" prints it. It refuses
// names that this guest does not model.
func (h *Host) SysctlValue(name string) (string, error) {
	dotted := strings.ReplaceAll(name, "/", ".")
	if dotted == "net.ipv4.ip_local_port_range" {
		return fmt.Sprintf("%d\t%d", h.sys.portFirst, h.sys.portLast), nil
	}
	k := h.knob(dotted)
	if k.at == nil {
		return "", fmt.Errorf("sysctl: cannot stat %q: no such parameter is modelled", name)
	}
	return strconv.Itoa(*k.at), nil
}

// setForwarding does what ip_forward does in Linux: it is conf.all's, and setting
// it sets every interface's.
func (h *Host) setForwarding(v int) {
	h.sys.all.forwarding, h.sys.def.forwarding = v, v
	for _, n := range h.nics {
		n.conf.forwarding = v
	}
}

func (h *Host) sysctlPorts(value string) error {
	var first, last int
	if f := strings.Fields(value); len(f) == 2 {
		first, _ = strconv.Atoi(f[0])
		last, _ = strconv.Atoi(f[1])
	}
	if first < 1 || last > 65535 || first > last {
		return fmt.Errorf("sysctl: setting key %q: %q is not two ports in order", "net.ipv4.ip_local_port_range", value)
	}
	h.sys.portFirst, h.sys.portLast = first, last
	return nil
}

func (h *Host) knob(name string) knob {
	s := &h.sys
	switch name {
	case "net.ipv4.ip_forward":
		return knob{&s.all.forwarding, 0, 1}
	case "net.ipv4.ip_default_ttl":
		return knob{&s.ttl, 1, 255}
	case "net.ipv4.icmp_ratelimit":
		return knob{&s.rateLimit, 0, 1 << 30}
	case "net.ipv4.icmp_ratemask":
		return knob{&s.rateMask, 0, 1<<32 - 1}
	case "net.ipv4.icmp_echo_ignore_all":
		return knob{&s.echoIgnore, 0, 1}
	case "net.ipv4.icmp_errors_use_inbound_ifaddr":
		return knob{&s.errorsUseInbound, 0, 1}
	case "net.ipv4.tcp_syn_retries":
		return knob{&s.synRetries, 1, 127}
	case "net.ipv4.tcp_synack_retries":
		return knob{&s.synackRetries, 0, 255}
	case "net.ipv4.tcp_retries2":
		return knob{&s.retries2, 0, 255}
	case "net.ipv4.tcp_keepalive_time":
		return knob{&s.keepIdle, 1, 1 << 20}
	case "net.ipv4.tcp_keepalive_intvl":
		return knob{&s.keepIntvl, 1, 1 << 20}
	case "net.ipv4.tcp_keepalive_probes":
		return knob{&s.keeps, 1, 255}
	case "net.ipv6.conf.all.forwarding":
		return knob{&s.forward6, 0, 1}
	case "net.ipv6.conf.all.hop_limit":
		return knob{&s.hopLimit, 1, 255}
	case "net.ipv6.icmp.ratelimit":
		return knob{&s.rateLimit6, 0, 1 << 30}
	}
	rest, ok := strings.CutPrefix(name, "net.ipv4.conf.")
	if !ok {
		return knob{}
	}
	return h.confKnob(rest)
}

// confKnob finds "eth0.rp_filter" and its like; interfaces' names may hold dots.
func (h *Host) confKnob(name string) knob {
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 {
		return knob{}
	}
	c := h.confOf(name[:dot])
	if c == nil {
		return knob{}
	}
	switch name[dot+1:] {
	case "forwarding":
		return knob{&c.forwarding, 0, 1}
	case "rp_filter":
		return knob{&c.rpFilter, 0, 2}
	case "send_redirects":
		return knob{&c.sendRedirects, 0, 1}
	}
	return knob{}
}

func (h *Host) confOf(dev string) *conf {
	switch dev {
	case "all":
		return &h.sys.all
	case "default":
		return &h.sys.def
	}
	if n := h.NIC(dev); n != nil {
		return &n.conf
	}
	return nil
}

// rpFilter returns the filter in force: the stricter number of all's and the
// interface's (ip-sysctl: "the max value from conf/{all,interface}/rp_filter").
func (n *NIC) rpFilter() int { return max(n.host.sys.all.rpFilter, n.conf.rpFilter) }

// forwards reports whether packets that came in here may be forwarded.
func (n *NIC) forwards(v4 bool) bool {
	if v4 {
		return n.conf.forwarding == 1
	}
	return n.host.sys.forward6 == 1
}

// sendsRedirects reports whether redirects are sent: conf.all or the interface
// says so, so that switching one off does not switch it off.
func (n *NIC) sendsRedirects() bool {
	return n.host.sys.all.sendRedirects == 1 || n.conf.sendRedirects == 1
}
