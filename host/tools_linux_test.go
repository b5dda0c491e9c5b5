package host

import (
	"net/netip"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/internal/kernel"
	"github.com/vpcsim/vpcsim/wire"
)

// kernelLine is the network of newLine, with network namespaces for hosts.
type kernelLine struct{ a, router, b *kernel.Namespace }

func newKernelLine(t *testing.T) *kernelLine {
	n := &kernelLine{kernel.NewNamespace(t, "a"), kernel.NewNamespace(t, "router"), kernel.NewNamespace(t, "b")}
	n.router.Sysctl("net.ipv4.ip_forward", "1")
	n.router.Sysctl("net.ipv6.conf.all.forwarding", "1")
	for _, ns := range []*kernel.Namespace{n.a, n.router, n.b} {
		ns.Sysctl("net.ipv4.ip_default_ttl", "255")
	}
	n.a.Connect("eth0", n.router, "eth0")
	n.router.Connect("eth1", n.b, "eth0")
	for _, c := range []struct {
		ns    *kernel.Namespace
		lines []string
	}{
		{n.a, []string{"ip addr add 10.0.0.11/24 dev eth0", "ip addr add fd00::11/64 dev eth0 nodad"}},
		{n.router, []string{"ip addr add 10.0.0.1/24 dev eth0", "ip addr add fd00::1/64 dev eth0 nodad",
			"ip addr add 10.0.1.1/24 dev eth1", "ip addr add fd00:1::1/64 dev eth1 nodad",
			// A kernel that forwards asks for neighbours from a link-local address only.
			"ip addr add fe80::1/64 dev eth0 nodad", "ip addr add fe80::1/64 dev eth1 nodad"}},
		{n.b, []string{"ip addr add 10.0.1.55/24 dev eth0", "ip addr add fd00:1::55/64 dev eth0 nodad"}},
		{n.a, []string{"ip route add default via 10.0.0.1", "ip -6 route add default via fd00::1"}},
		{n.b, []string{"ip route add default via 10.0.1.1", "ip -6 route add default via fd00:1::1"}},
	} {
		for _, line := range c.lines {
			c.ns.Run(line)
		}
	}
	return n
}

// sysctl sets a parameter of the three kernels and of the three models.
func (n *kernelLine) sysctl(t *testing.T, model *line, key, value string) {
	for _, ns := range []*kernel.Namespace{n.a, n.router, n.b} {
		ns.Sysctl(key, value)
	}
	for _, h := range []*Host{model.a, model.router, model.b} {
		require.NoError(t, h.Sysctl(key, value))
	}
}

var figures = []struct {
	find    *regexp.Regexp
	replace string
}{
	{regexp.MustCompile(`time=[0-9.]+ ms`), "time=T ms"},
	{regexp.MustCompile(`[0-9.]+ ms`), "T ms"},
	{regexp.MustCompile(`time [0-9]+ms`), "time Tms"},
	{regexp.MustCompile(`= [0-9./]+ T ms`), "= T ms"},
	{regexp.MustCompile(`= [0-9./]+T ms`), "= T ms"},
}

// withoutFigures leaves out what no two runs share.
func withoutFigures(s string) string {
	for _, f := range figures {
		s = f.find.ReplaceAllString(s, f.replace)
	}
	return s
}

// narrow is a kernelLine and a line whose right network has an MTU of 1400, the others
// 1500, and whose errors know no limit.
func narrow(t *testing.T) (*kernelLine, *line) {
	real, model := newKernelLine(t), newLine(t)
	for _, h := range []*Host{model.a, model.router, model.b} {
		for _, n := range h.NICs() {
			require.NoError(t, n.SetMTU(1500))
		}
	}
	real.router.Run("ip link set eth1 mtu 1400")
	real.b.Run("ip link set eth0 mtu 1400")
	require.NoError(t, model.router.NIC("eth1").SetMTU(1400))
	require.NoError(t, model.b.NIC("eth0").SetMTU(1400))
	real.sysctl(t, model, "net.ipv4.icmp_ratelimit", "0")
	real.sysctl(t, model, "net.ipv6.icmp.ratelimit", "0")
	return real, model
}

// toolRun is a command, its destination last, and the same of the model.
type toolRun struct {
	command string
	model   func(*Host, netip.Addr) string
}

func ping(c PingConfig) func(*Host, netip.Addr) string {
	return func(h *Host, a netip.Addr) string { return h.Ping(a, c).Text }
}

func traceroute(c TracerouteConfig) func(*Host, netip.Addr) string {
	return func(h *Host, a netip.Addr) string { return h.Traceroute(a, c).Text }
}

const gap = 200 * time.Millisecond

// toolRuns are groups of commands: those of a group run one after another, each group
// on a network of its own, so that one waits while the others run: the longest first.
var toolRuns = []struct {
	name string
	rule string // the router's
	runs []toolRun
}{
	{"ping to nobody", "", []toolRun{{"ping -c 3 10.0.0.77", ping(PingConfig{Count: 3})}}},
	{"ping to nobody over IPv6", "", []toolRun{{"ping -c 3 fd00::77", ping(PingConfig{Count: 3})}}},
	{"traceroute to nobody", "", []toolRun{{"traceroute -n 10.0.1.77", traceroute(TracerouteConfig{Numeric: true})}}},
	{"masquerade, to nobody", masqueradeRule, []toolRun{{"ping -c 1 10.0.1.77", ping(PingConfig{})}}},
	{"ping", "", []toolRun{
		{"ping -c 2 -i 0.2 10.0.1.55", ping(PingConfig{Count: 2, Interval: gap})},
		{"ping -c 2 -i 0.2 fd00:1::55", ping(PingConfig{Count: 2, Interval: gap})},
		{"ping -c 1 -s 8 10.0.1.55", ping(PingConfig{Size: 8})},
		{"ping -c 1 -s 10000 10.0.1.55", ping(PingConfig{Size: 10000})},
		{"ping -c 1 -s 10000 fd00:1::55", ping(PingConfig{Size: 10000})},
		{"ping -c 2 -i 0.2 -t 1 10.0.1.55", ping(PingConfig{Count: 2, Interval: gap, TTL: 1})},
		{"ping -c 2 -i 0.2 -t 1 fd00:1::55", ping(PingConfig{Count: 2, Interval: gap, TTL: 1})},
		{"ping -c 2 -i 0.2 -M do -s 1450 10.0.1.55", ping(PingConfig{Count: 2, Interval: gap, Size: 1450, DontFragment: true})},
		{"ping -c 2 -i 0.2 -W 1 10.9.0.1", ping(PingConfig{Count: 2, Interval: gap, Wait: time.Second})},
		{"ping -c 2 -i 0.2 fd09::1", ping(PingConfig{Count: 2, Interval: gap})},
		{"ping -c 1 -W 0.2 -i 0.2 10.0.0.11", ping(PingConfig{Wait: gap})},
	}},
	{"traceroute", "", []toolRun{
		{"traceroute -n 10.0.1.55", traceroute(TracerouteConfig{Numeric: true})},
		{"traceroute -n fd00:1::55", traceroute(TracerouteConfig{Numeric: true})},
		{"traceroute -n -I 10.0.1.55", traceroute(TracerouteConfig{Numeric: true, Method: ICMPProbes})},
		{"traceroute -n -I fd00:1::55", traceroute(TracerouteConfig{Numeric: true, Method: ICMPProbes})},
		{"traceroute -n -T 10.0.1.55", traceroute(TracerouteConfig{Numeric: true, Method: TCPProbes})},
		{"traceroute -n -T fd00:1::55", traceroute(TracerouteConfig{Numeric: true, Method: TCPProbes})},
		{"traceroute -n -q 1 -N 1 10.0.1.55", traceroute(TracerouteConfig{Numeric: true, Queries: 1, Simultaneous: 1})},
		{"traceroute -n -f 2 10.0.1.55", traceroute(TracerouteConfig{Numeric: true, FirstHop: 2})},
		{"traceroute -n -w 1 10.9.0.1", traceroute(TracerouteConfig{Numeric: true, Wait: time.Second})},
		{"traceroute -n fd09::1", traceroute(TracerouteConfig{Numeric: true})},
		{"traceroute -n 10.0.0.11", traceroute(TracerouteConfig{Numeric: true})},
	}},
	// It asks for names, and waits a second for nobody's answer.
	{"traceroute with names", "", []toolRun{{"traceroute 10.0.1.55", traceroute(TracerouteConfig{})}}},
	{"masquerade", masqueradeRule, []toolRun{
		{"ping -c 1 -s 9999 10.0.1.55", ping(PingConfig{Size: 9999})},
		{"ping -c 1 -M do -s 1390 10.0.1.55", ping(PingConfig{Size: 1390, DontFragment: true})},
		{"traceroute -n -q 2 10.0.1.55", traceroute(TracerouteConfig{Numeric: true, Queries: 2})},
		{"traceroute -n -T -p 81 10.0.1.55", traceroute(TracerouteConfig{Numeric: true, Method: TCPProbes, Port: 81})},
	}},
}

const masqueradeRule = "-t nat -A POSTROUTING -o eth1 -s 10.0.0.0/16 -j MASQUERADE"

// needs skips the test where a tool that it compares with is missing.
func needs(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("comparing with the real tools needs %s: %v", tool, err)
		}
	}
}

// patience is how often a real tool is asked again: on a busy machine some of the
// answers to raw sockets come too late for it, and it prints a star.
const patience = 5

// run runs the real tool, at the first host of the line.
func run(real *kernelLine, c toolRun) string {
	words := strings.Fields(c.command)
	out, _ := real.a.Exec(words[0], words[1:]...)
	return out
}

func TestToolsPrintWhatTheRealOnesPrint(t *testing.T) {
	if testing.Short() {
		t.Skip("the real tools wait for seconds; not with -short")
	}
	needs(t, "iptables", "ping", "traceroute")
	t.Setenv("RES_OPTIONS", "timeout:1 attempts:1")
	models, reals := make([]*line, len(toolRuns)), make([]*kernelLine, len(toolRuns))
	printed := make([]chan string, len(toolRuns))
	for i, group := range toolRuns {
		real, model := narrow(t)
		if group.rule != "" {
			real.router.Run("iptables " + group.rule)
			iptables(t, model.router, group.rule)
		}
		models[i], reals[i], printed[i] = model, real, make(chan string, len(group.runs))
		go func() {
			for _, c := range group.runs {
				printed[i] <- run(real, c)
			}
		}()
	}
	for i, group := range toolRuns {
		for _, c := range group.runs {
			want := <-printed[i]
			t.Run(group.name+": "+c.command, func(t *testing.T) {
				to := netip.MustParseAddr(c.command[strings.LastIndexByte(c.command, ' ')+1:])
				got := withoutFigures(c.model(models[i].a, to))
				for range patience {
					if withoutFigures(want) == got {
						break
					}
					want = run(reals[i], c)
				}
				require.Equal(t, withoutFigures(want), got)
			})
		}
	}
}

// C005: a burst of 16 probes, 13 of which reach the destination in any case, brings
// six port unreachables.
func TestErrorsOfABurstAreAsManyAsTheRealKernels(t *testing.T) {
	needs(t, "traceroute", "nstat")
	real, model := newKernelLine(t), newLine(t)
	want, err := real.a.Exec("traceroute", "-n", "-w", "1", "10.0.1.55")
	require.NoError(t, err)
	got := model.a.Traceroute(addrB, TracerouteConfig{Numeric: true, Wait: time.Second})
	require.Equal(t, withoutFigures(want), withoutFigures(got.Text))
	snmp, err := real.b.Exec("nstat", "-az", "IcmpOutDestUnreachs")
	require.NoError(t, err)
	require.Contains(t, strings.Join(strings.Fields(snmp), " "), "IcmpOutDestUnreachs 6 ")
	require.Equal(t, 19, got.Sent)
	require.Len(t, model.right.packets(func(p *wire.Packet) bool { return p.IsError() }), 6)
}
