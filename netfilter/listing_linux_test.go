package netfilter_test

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/internal/kernel"
	"github.com/vpcsim/vpcsim/netfilter"
)

// commands are run one after another by this package and by the real iptables; some
// are refused by both.
var commands = []string{
	"iptables -t nat -A POSTROUTING -o eth0 -s 10.0.0.0/16 -j MASQUERADE",
	"iptables -t nat -P PREROUTING DROP",
	"iptables -t nat -A POSTROUTING -j DROP",
	"iptables -t nat -A PREROUTING -j MASQUERADE",
	"iptables -t nat -A PREROUTING -j SNAT --to-source 1.2.3.4",
	"iptables -t nat -A INPUT -j SNAT --to-source 1.2.3.4",
	"iptables -t nat -A POSTROUTING -j DNAT --to-destination 1.2.3.4",
	"iptables -t nat -A OUTPUT -p tcp --dport 80 -j DNAT --to-destination 1.2.3.4:8080",
	"iptables -t nat -A POSTROUTING -i eth0 -j MASQUERADE",
	"iptables -t nat -A PREROUTING -o eth0 -j ACCEPT",
	"iptables -A INPUT -o eth0 -j ACCEPT",
	"iptables -A OUTPUT -i eth0 -j ACCEPT",
	"iptables -A OUTPUT -o eth0 -j ACCEPT",
	"iptables -A FORWARD -s 10.0.0.300 -j ACCEPT",
	"iptables -A FORWARD -s 10.0.0.0/33 -j ACCEPT",
	"iptables -A FORWARD -s 10.0.0.1,10.0.0.2 -d 10.1.0.1,10.1.0.2 -j ACCEPT",
	"iptables -I FORWARD 2 -s 10.0.0.3,10.0.0.4 -j DROP",
	"iptables -I FORWARD -s 10.0.0.5,10.0.0.6 -j DROP",
	"iptables -A FORWARD ! -s 10.0.0.1,10.0.0.2 -j ACCEPT",
	"iptables -A FORWARD -p tcp --dport 99999 -j ACCEPT",
	"iptables -A FORWARD -p tcp --dport 90:80 -j ACCEPT",
	"iptables -A FORWARD -p tcp --dport 80: --sport :1023 -j ACCEPT",
	"iptables -A FORWARD -p udp ! --dport 53 -j ACCEPT",
	"iptables -A FORWARD -p udp --dport 53:54 ! --sport 1:2 -j ACCEPT",
	"iptables -A FORWARD --dport 80 -j ACCEPT",
	"iptables -A FORWARD -p tcp -m tcp -j ACCEPT",
	"iptables -A FORWARD -m tcp --dport 80 -j ACCEPT",
	"iptables -A FORWARD -j MASQUERADE",
	"iptables -t nat -A POSTROUTING -j SNAT",
	"iptables -t nat -A POSTROUTING -j SNAT --to-source 1.2.3.4:80",
	"iptables -t nat -A POSTROUTING -p udp -j SNAT --to-source 1.2.3.4-1.2.3.9:80-90",
	"iptables -t nat -A POSTROUTING -p udp -j SNAT --to-source 1.2.3.4 --persistent",
	"iptables -t nat -A POSTROUTING -p udp -j MASQUERADE --to-ports 80-90 --random",
	"iptables -t nat -A POSTROUTING -p udp -j MASQUERADE --to-ports 80",
	"iptables -t nat -A POSTROUTING -j MASQUERADE --random-fully",
	"iptables -t nat -A POSTROUTING -j MASQUERADE --to-ports 80-90",
	"iptables -t nat -A POSTROUTING -p udp -j SNAT --to-source :80-90",
	"iptables -t nat -A PREROUTING -p udp -j DNAT --to-destination :80",
	"iptables -t nat -A PREROUTING -p udp -j DNAT --to-destination 1.2.3.4:90-80",
	"iptables -t nat -A PREROUTING -p udp -j DNAT --to-destination 1.2.3.4 --random --persistent",
	"iptables -t nat -A PREROUTING -d 10.0.0.0/255.255.0.0 -j NETMAP --to 10.1.0.0/16",
	"iptables -t nat -A PREROUTING -d 10.0.0.0/16 -j NETMAP",
	"iptables -t nat -A PREROUTING -d 10.0.0.5/16 -j NETMAP --to 10.1.2.3",
	"iptables -t nat -A FORWARD -j ACCEPT",
	"iptables -A PREROUTING -j ACCEPT",
	"iptables -A NOWHERE -j ACCEPT",
	"iptables -A FORWARD -p tcp",
	"iptables -A FORWARD",
	"iptables -A FORWARD -j NONE",
	"iptables -A FORWARD -j REJECT --reject-with tcp-reset",
	"iptables -A FORWARD -j REJECT --reject-with nonsense",
	"iptables -A FORWARD -p tcp -j REJECT --reject-with tcp-reset",
	"iptables -A FORWARD -j REJECT",
	"iptables -A FORWARD -j REJECT --reject-with icmp-host-prohibited",
	"iptables -A FORWARD -j REJECT --reject-with admin-prohib",
	"iptables -t nat -A POSTROUTING -j REJECT",
	"iptables -A FORWARD ! -s 1.2.3.4 ! -i eth+ ! -p tcp -j RETURN",
	"iptables -A FORWARD ! -d 1.2.0.0/16 ! -o eth1 -j RETURN",
	"iptables -A FORWARD -i lo -o veth-a+ -j ACCEPT",
	"iptables -A FORWARD ! -p all -j ACCEPT",
	"iptables -A FORWARD -p icmp --icmp-type echo-request -j ACCEPT",
	"iptables -A FORWARD -p icmp ! --icmp-type echo-reply -j ACCEPT",
	"iptables -A FORWARD -p icmp --icmp-type 3/4 -j ACCEPT",
	"iptables -A FORWARD -p icmp --icmp-type fragmentation-needed -j ACCEPT",
	"iptables -A FORWARD -p icmp --icmp-type 300 -j ACCEPT",
	"iptables -A FORWARD -p tcp --syn -j ACCEPT",
	"iptables -A FORWARD -p tcp ! --syn --dport 22 -j DROP",
	"iptables -A FORWARD -p udp --syn -j ACCEPT",
	"iptables -A FORWARD -p tcp --tcp-flags SYN,ACK SYN -j ACCEPT",
	"iptables -A FORWARD -p tcp --tcp-flags ALL NONE -j DROP",
	"iptables -A FORWARD -p tcp --tcp-flags SYN,FOO SYN -j ACCEPT",
	"iptables -A FORWARD -p tcp -m multiport --dports 80,443,1000:2000 -j ACCEPT",
	"iptables -A FORWARD -p tcp -m multiport --ports 80,443 -j ACCEPT",
	"iptables -A FORWARD -p udp -m multiport ! --sports 80,443 -j ACCEPT",
	"iptables -A FORWARD -p udp -m multiport --sports 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16 -j ACCEPT",
	"iptables -A FORWARD -m multiport --dports 80 -j ACCEPT",
	"iptables -A FORWARD -p tcp -m multiport -j ACCEPT",
	"iptables -A FORWARD -m state --state RELATED,ESTABLISHED -j ACCEPT",
	"iptables -A FORWARD -m state --state SNAT -j ACCEPT",
	"iptables -A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED,NEW -j ACCEPT",
	"iptables -A FORWARD -m conntrack ! --ctstate INVALID -j ACCEPT",
	"iptables -A FORWARD -m conntrack --ctstate DNAT -j ACCEPT",
	"iptables -A FORWARD -m conntrack --ctstate ODD -j ACCEPT",
	"iptables -A FORWARD -m conntrack -j ACCEPT",
	"iptables -A FORWARD -p tcp -m conntrack --ctstate NEW --dport 80 -j ACCEPT",
	"iptables -A FORWARD -m comment --comment plain -j ACCEPT",
	"iptables -A FORWARD -m comment --comment 'two words' -j ACCEPT",
	"iptables -A FORWARD -m nonsense -j ACCEPT",
	"iptables -I FORWARD 9 -p 47 -j ACCEPT",
	"iptables -I FORWARD 999 -p 47 -j ACCEPT",
	"iptables -I FORWARD 0 -p 47 -j ACCEPT",
	"iptables -D FORWARD 999",
	"iptables -D FORWARD -p 48 -j ACCEPT",
	"iptables -D FORWARD -p 47 -j ACCEPT",
	"iptables -C FORWARD -p 47 -j ACCEPT",
	"iptables -C FORWARD -m state --state ESTABLISHED,RELATED -j ACCEPT",
	"iptables -D FORWARD 3",
	"iptables -A FORWARD -p all -s 0.0.0.0/0 -j ACCEPT",
	"iptables -A FORWARD -p 300 -j ACCEPT",
	"iptables -A FORWARD -p esp -j ACCEPT",
	"iptables -A FORWARD -p gre -j ACCEPT",
	"iptables -A FORWARD -p 253 -j ACCEPT",
	"iptables -A FORWARD -s 2001:db8::/32 -j ACCEPT",
	"iptables -P FORWARD REJECT",
	"iptables -P FORWARD DROP",
	"iptables -P INPUT DROP",
	"iptables -t foo -L",
	"iptables -A FORWARD -A INPUT",
	"iptables",
	"iptables -A",
	"iptables -A FORWARD -s",
	"iptables -A FORWARD --frob -j ACCEPT",
	"iptables -A FORWARD frob -j ACCEPT",
	"iptables -A FORWARD ! -j ACCEPT",
	"iptables -A FORWARD -i averyveryverylongname -j ACCEPT",
	"iptables -L -s 10.0.0.1",
	"iptables -Z FORWARD 2",
	"iptables -F OUTPUT",
	"iptables -4 -A OUTPUT -j ACCEPT",
	"iptables -6 -A OUTPUT -j ACCEPT",
	"ip6tables -t nat -A POSTROUTING -s 2001:db8::/32 -o eth0 -j MASQUERADE",
	"ip6tables -t nat -A POSTROUTING -p udp -j SNAT --to-source [2001:db8::1]:80-90",
	"ip6tables -t nat -A POSTROUTING -p udp -j SNAT --to-source 2001:db8::1-2001:db8::9",
	"ip6tables -t nat -A PREROUTING -p udp -j DNAT --to-destination 2001:db8::1",
	"ip6tables -t nat -A PREROUTING -p udp -j DNAT --to-destination 1.2.3.4",
	"ip6tables -t nat -A PREROUTING -d 2001:db8::/64 -j NETMAP --to 2001:db9::/64",
	"ip6tables -A FORWARD -p icmpv6 --icmpv6-type echo-request -j REJECT",
	"ip6tables -A FORWARD -p icmpv6 --icmpv6-type 1/4 -j REJECT --reject-with no-route",
	"ip6tables -A FORWARD -p ipv6-icmp -j DROP",
	"ip6tables -A FORWARD -d 2001:db8::5 -p tcp --dport 443 -j ACCEPT",
	"ip6tables -A FORWARD -s 10.0.0.0/8 -j ACCEPT",
}

// listings are compared after the commands.
var listings = []string{
	"iptables -t nat -L -v -n", "iptables -t nat -nvL POSTROUTING", "iptables -t nat -S",
	"iptables -L -n", "iptables -L -n -v --line-numbers", "iptables -L FORWARD -n -v -x",
	"iptables -S", "iptables -S FORWARD", "iptables -S FORWARD 3", "iptables -L FORWARD 3 -n", "iptables -v -S FORWARD",
	"ip6tables -t nat -L -v -n", "ip6tables -L -n -v", "ip6tables -S", "ip6tables -t nat -S",
}

// protocols are what iptables 1.8.9 prints as numbers and this package by name.
var protocols = regexp.MustCompile(`(?m)^((?:\d+ +)?(?: *\d+[KMGT]? +\d+[KMGT]? )?(?:MASQUERADE |[A-Z ]{10})[ !])(all|tcp|udp|icmp|icmpv6|esp)( +)--`)

var numbers = map[string]string{"all": "0", "tcp": "6", "udp": "17", "icmp": "1", "icmpv6": "58", "esp": "50"}

// numbered prints a listing's protocols as iptables 1.8.9 does.
func numbered(listing string) string {
	return protocols.ReplaceAllStringFunc(listing, func(s string) string {
		m := protocols.FindStringSubmatch(s)
		n := numbers[m[2]]
		return m[1] + n + strings.Repeat(" ", max(5-len(n), 1)) + "--"
	})
}

func TestTheRealIptablesAcceptsRefusesAndListsTheSame(t *testing.T) {
	ns := kernel.NewNamespace(t, "rules")
	tables := netfilter.New(netfilter.Config{})
	for _, line := range commands {
		out, err := ns.Exec("sh", "-c", line)
		_, ours := tables.Command(line)
		assert.Equal(t, err == nil, ours == nil, "%s\nreal: %v %s\nours: %v", line, err, out, ours)
	}
	for _, line := range listings {
		real, err := exec.Command("ip", append([]string{"netns", "exec", ns.Name}, strings.Fields(line)...)...).Output()
		require.NoError(t, err, line)
		ours, err := tables.Command(line)
		require.NoError(t, err)
		assert.Equal(t, string(real), numbered(ours), line)
	}
}
