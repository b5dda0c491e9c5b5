// Package capture turns frames into what people and their tools read: lines as
// tcpdump prints them ([Tcpdump]), pcapng files that tcpdump and tshark open
// without a warning ([PcapNG]), gopacket packets ([Frame.Packet]). It takes frames
// from such tools too: it reads pcap and pcapng ([Open]), lets frames of gopacket
// layers be made ([Serialize]), and moves a capture to other addresses ([Rewrite]).
//
// It looks at the dataplane from outside: it gets frames and the simulated time,
// and no node knows of it. It formats and allocates freely, so nothing on a
// packet's path may call it unless somebody is watching.
//
// It is no packet analyser: what stands behind TCP and UDP is not dissected, the
// first line of HTTP excepted. See [Tcpdump] for the list of what is printed.
package capture
