package capture

import (
	"strconv"

	"github.com/vpcsim/vpcsim/wire"
)

// protoAuth is IPsec's authentication header (RFC 4302).
const protoAuth wire.Proto = 51

func itoa(n uint16) string { return strconv.Itoa(int(n)) }

// services are the names of ports as tcpdump finds them in a Linux machine's
// /etc/services, which follows IANA's registry of service names: those that are
// usual in a VPC. Without -n any other port is printed as a number, which is how
// traceroute's 33434 and up look on Amazon Linux (measured: S002).
var services = map[uint16]struct{ tcp, udp string }{
	20:    {tcp: "ftp-data"},
	21:    {"ftp", "fsp"},
	22:    {tcp: "ssh"},
	23:    {tcp: "telnet"},
	25:    {tcp: "smtp"},
	53:    {"domain", "domain"},
	67:    {udp: "bootps"},
	68:    {udp: "bootpc"},
	69:    {udp: "tftp"},
	80:    {tcp: "http"},
	88:    {"kerberos", "kerberos"},
	110:   {tcp: "pop3"},
	111:   {"sunrpc", "sunrpc"},
	123:   {udp: "ntp"},
	143:   {tcp: "imap2"},
	161:   {"snmp", "snmp"},
	179:   {tcp: "bgp"},
	389:   {"ldap", "ldap"},
	443:   {"https", "https"},
	445:   {tcp: "microsoft-ds"},
	465:   {tcp: "submissions"},
	500:   {udp: "isakmp"},
	514:   {"shell", "syslog"},
	546:   {udp: "dhcpv6-client"},
	547:   {udp: "dhcpv6-server"},
	587:   {tcp: "submission"},
	636:   {"ldaps", "ldaps"},
	853:   {"domain-s", "domain-s"},
	993:   {tcp: "imaps"},
	995:   {tcp: "pop3s"},
	1194:  {"openvpn", "openvpn"},
	1433:  {tcp: "ms-sql-s"},
	2049:  {"nfs", "nfs"},
	3260:  {tcp: "iscsi-target"},
	3306:  {tcp: "mysql"},
	3389:  {tcp: "ms-wbt-server"},
	4500:  {udp: "ipsec-nat-t"},
	5353:  {udp: "mdns"},
	5432:  {tcp: "postgresql"},
	5671:  {tcp: "amqps"},
	5672:  {tcp: "amqp"},
	6379:  {tcp: "redis"},
	8080:  {tcp: "http-alt"},
	10050: {tcp: "zabbix-agent"},
}

// service returns the name of a port, or "".
func service(p wire.Proto, port uint16) string {
	if p == wire.ProtoTCP {
		return services[port].tcp
	}
	return services[port].udp
}

// protocolNames are the names of IP protocols as tcpdump prints them for those
// that it does not look into (IANA protocol numbers): those that a VPC may carry.
var protocolNames = map[wire.Proto]string{
	0: "hopopt", 1: "icmp", 2: "igmp", 4: "ipencap", 6: "tcp", 8: "egp", 9: "igp", 17: "udp",
	27: "rdp", 33: "dccp", 41: "ipv6", 43: "ipv6-route", 44: "ipv6-frag", 46: "rsvp", 47: "gre",
	50: "esp", 51: "ah", 58: "ipv6-icmp", 59: "ipv6-nonxt", 60: "ipv6-opts", 88: "eigrp",
	89: "ospf", 94: "ipip", 97: "etherip", 103: "pim", 108: "ipcomp", 112: "vrrp", 115: "l2tp",
	132: "sctp", 136: "udplite", 137: "mpls-in-ip",
}
