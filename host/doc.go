// Package host is a Linux-like guest on simulated time: interfaces, addresses,
// routes, neighbours (ARP, neighbour discovery), forwarding, ICMP, UDP and TCP,
// and the tools that field reports quote: ping, traceroute, sysctl, iptables.
//
//	h := host.New(engine, host.Config{Name: "a"})
//	eth0, err := h.AddNIC(host.NICConfig{Link: port, MAC: mac, Addrs: …, Gateway: …})
//	port.Plug(eth0)
//	fmt.Print(h.Ping(dst, host.PingConfig{Count: 3}).Text)
//
// A host knows no AWS. It sends frames into a [Link] and takes them with
// [NIC.Frame], which says what became of the packet: trace.Delivered,
// trace.NotForwarding, trace.NoListener. Where walks are kept, the kernel's own
// decisions stand in them as steps.
//
// # Time
//
// A host has no goroutine. What it does, it does in events of the engine's clock.
// Calls that wait, such as [Host.Ping] and [Conn.Read], run the clock until they
// have what they wait for, so a test reads from top to bottom; servers and
// controllers use callbacks. A kernel's own work takes no time. Same calls, same
// seeds: same packets, byte for byte.
//
// # Where it is Linux
//
// Initial TTL, reverse path filter, the order of forwarding's checks, what an
// ICMP error quotes and from which address, the rate limit of ICMP errors,
// identification and don't-fragment of own packets, states and timers of
// neighbours, retries of TCP, formats of the tools: as kernel 6 and the tools
// print them, compared with these where a test says so.
//
// # What it is not
//
// There are no policy routing tables (ip rule), so a host with several interfaces
// answers by its one table. An interface has the addresses it is given and no
// link-local one besides. ICMP redirects are sent and not followed; the limit of
// ICMP errors over all destinations (icmp_msgs_per_sec) is left out. Router
// advertisements and DHCP are not read: addresses and gateways are configured. TCP
// sends as much as the peer's window lets it: there is no congestion control, no
// selective acknowledgment and no urgent data.
package host
