package trace

import "fmt"

// Reason says why a walk ended: where a packet was delivered, or what it died of.
// It is a closed list. The zero Reason is none: a walk that has not ended.
type Reason uint8

// The ends of a walk. Where AWS's Reachability Analyzer has an explanation code
// of the same meaning, [Reason.Code] gives it.
const (
	None Reason = iota

	// Delivered: the guest behind an interface took the packet for its own.
	Delivered
	// Forwarded: the guest took the packet and sent it on, on a walk of its own.
	Forwarded
	// Answered: the platform itself answered (ARP, neighbour discovery, metadata).
	Answered
	// Fragmented: the packet was cut into fragments, each of which goes on, on a walk
	// of its own.
	Fragmented
	// Encapsulated: the packet goes on inside another, on a walk of that one's own.
	Encapsulated
	// Decapsulated: the packet inside it goes on, on a walk of its own.
	Decapsulated

	// Malformed: the bytes are no packet; the wire.Fault says what is wrong.
	Malformed
	// BadChecksum: the guest found the transport checksum wrong.
	BadChecksum
	// UnknownEtherType: a frame that is neither IPv4, IPv6 nor ARP. A VPC carries
	// nothing else (VPC guide, "Subnets").
	UnknownEtherType
	// UnknownMAC: the frame's destination is one station, and neither the router nor
	// an interface of the subnet.
	UnknownMAC
	// NotAttached: the interface is attached to nothing that could take the packet.
	NotAttached
	// InstanceStopped: the instance behind the interface is not running.
	InstanceStopped

	// SourceCheck: source/dest check is on and the source is not the interface's.
	SourceCheck
	// DestinationCheck: source/dest check is on and the destination is not the interface's.
	DestinationCheck
	// GroupEgress: no egress rule of the interface's security groups allows it.
	GroupEgress
	// GroupIngress: no ingress rule of the interface's security groups allows it.
	GroupIngress
	// GroupReference: rules that name a group would allow it, but an appliance has sent
	// it on, and behind one such rules do not hold.
	GroupReference
	// TransitReference: rules that name a group would allow it, but it has come by a
	// transit gateway that does not support references to groups.
	TransitReference
	// TrackingFull: the interface's connection tracking allowance is used up.
	TrackingFull
	// ACLEgress: the network ACL denies it on its way out of the subnet.
	ACLEgress
	// ACLIngress: the network ACL denies it on its way into the subnet.
	ACLIngress

	// NoRoute: no route of the table matches the destination.
	NoRoute
	// Blackhole: the matching route's target is gone or not attached.
	Blackhole
	// NoSuchAddress: the local route matches, but no interface of the VPC has the address.
	NoSuchAddress
	// LinkLocal: a link-local destination, which is never routed (RFC 3927 section 7).
	LinkLocal
	// Multicast: a multicast or broadcast destination, of the packet or of its
	// frame, which a VPC does not carry.
	Multicast
	// NoResolver: a question to the VPC's resolver, which the VPC has switched off.
	NoResolver
	// NotInSubnet: a local delivery to an address that lies in no subnet of the VPC.
	NotInSubnet

	// NoPublicAddress: an internet gateway has no public address for the source.
	NoPublicAddress
	// NoPrivateAddress: an internet gateway knows no interface with that public address.
	NoPrivateAddress
	// PrivateDestination: a destination of RFC 1918 at an internet gateway.
	PrivateDestination
	// SharedDestination: a destination of RFC 6598 at an internet gateway.
	SharedDestination
	// PrivateSource: a source of RFC 1918 coming in at an internet gateway.
	PrivateSource
	// SharedSource: a source of RFC 6598 coming in at an internet gateway.
	SharedSource
	// SpoofedSource: a source at a gateway that belongs to no interface of the VPC.
	SpoofedSource
	// InternetDenied: an IPv6 address at an internet gateway, of an interface that denies
	// all traffic by internet gateways.
	InternetDenied
	// ApplianceNotPublic: a gateway route table sends what comes from the internet to
	// an appliance whose interface has no public address.
	ApplianceNotPublic
	// PublicAccessBlocked: VPC Block Public Access lets nothing of the subnet pass the
	// internet gateway, or nothing that comes in.
	PublicAccessBlocked
	// PastAppliance: a subnet that a gateway route table has behind an appliance sends
	// to the internet gateway past it.
	PastAppliance
	// OutsidePeer: a packet at a peering connection that is not for the other VPC. It
	// leads neither to a third VPC nor to the other's gateways.
	OutsidePeer
	// TransitZone: the VPC's attachment to the transit gateway has no subnet in the zone
	// of the packet.
	TransitZone
	// TransitUnassociated: the attachment by which the packet came to the transit gateway
	// is associated with no route table.
	TransitUnassociated
	// TransitNoRoute: no route of the transit gateway's table matches the destination.
	TransitNoRoute
	// TransitBlackhole: the matching route of the transit gateway's table is a black hole,
	// or its attachment is gone.
	TransitBlackhole
	// TransitAddress: a destination that is the address of a transit gateway's interface,
	// which takes nothing for itself.
	TransitAddress
	// BalancerPort: no listener of the load balancer takes the packet's protocol and port.
	BalancerPort
	// BalancerForeign: a destination that is not the load balancer's, which forwards
	// nothing that is for others (S000).
	BalancerForeign
	// BalancerNoGroup: the listener forwards to no target group.
	BalancerNoGroup
	// BalancerNoTarget: no target is registered that the load balancer could send to.
	BalancerNoTarget
	// BalancerZone: targets are registered, none of them in the node's zone, and
	// cross-zone load balancing is off.
	BalancerZone
	// Hairpin: the client is the target itself, and gets a packet from its own address.
	Hairpin
	// ForeignSource: a source at a private gateway that is no interface's private address.
	ForeignSource
	// ForeignDestination: a destination from a private gateway that is no interface's private address.
	ForeignDestination
	// UnknownPrefix: a private gateway knows no prefix beyond it that holds the destination.
	UnknownPrefix
	// VPNDown: no tunnel of the VPN connection that leads to the destination is up.
	VPNDown
	// TransitVPNDown: the same of a transit gateway's VPN attachment.
	TransitVPNDown
	// VPNSelector: an address outside of the networks that the VPN connection carries
	// packets between.
	VPNSelector
	// DirectConnectDown: no virtual interface of the Direct Connect gateway that leads to the
	// destination is up, or the association with it carries nothing.
	DirectConnectDown
	// EgressOnly: an egress-only internet gateway lets in only what answers.
	EgressOnly
	// EndpointForeign: a source at a gateway endpoint that is no interface's of its VPC.
	EndpointForeign
	// EndpointSource: a gateway endpoint lets into the VPC what is of its prefix list.
	EndpointSource
	// EndpointProtocol: a gateway endpoint carries TCP and ICMP echo.
	EndpointProtocol
	// EndpointPending: the connection of the endpoint to its service is not accepted.
	EndpointPending
	// EndpointInitiates: what comes from an interface endpoint's service answers nothing:
	// the consumer alone opens connections.
	EndpointInitiates
	// EndpointZone: the service behind the endpoint is not in the endpoint's zone.
	EndpointZone
	// ServicePort: the service behind the endpoint does not serve the port.
	ServicePort
	// GeneveProtocol: a packet for a Gateway Load Balancer's own address that is not UDP.
	GeneveProtocol
	// GenevePort: a datagram for a Gateway Load Balancer's own address that is not for
	// port 6081.
	GenevePort
	// GeneveUnknown: an appliance sent back what its Gateway Load Balancer did not hand
	// it: another endpoint's, with a changed cookie or without the options.
	GeneveUnknown
	// FirewallRule: a rule, or the default action, of a network firewall drops it.
	FirewallRule
	// FirewallMidstream: a network firewall has not seen the connection begin.
	FirewallMidstream
	// NoFamily: the component does not carry packets of this address family.
	NoFamily
	// NoSuchHost: nobody on the internet, or at the remote site, has the address.
	NoSuchHost

	// TTLExpired: the time to live was used up; an ICMP error went back.
	TTLExpired
	// TooBig: it does not fit the next link and must not be fragmented; an ICMP error
	// went back.
	TooBig
	// NoPort: a NAT has no port left for the destination (ErrorPortAllocation).
	NoPort
	// NoSession: a packet from outside that answers nothing a NAT knows.
	NoSession
	// IdleSession: a segment of a connection that a NAT has forgotten; RST went back.
	IdleSession
	// ProtocolNotSupported: the component carries other protocols only.
	ProtocolNotSupported
	// FragmentNotSupported: the component does not carry such fragments.
	FragmentNotSupported
	// SourceNotInVPC: a NAT gateway's packet came by a peering or a private gateway.
	SourceNotInVPC

	// NotForwarding: the guest's ip_forward is off and the packet is not for it.
	NotForwarding
	// ReversePath: the guest's rp_filter found the packet on the wrong interface (RFC 3704).
	ReversePath
	// HostNoRoute: the guest has no route to the destination.
	HostNoRoute
	// HostFilter: a rule of the guest's own packet filter dropped it.
	HostFilter
	// NoListener: nothing on the guest has that port; it answered so.
	NoListener
	// Reassembling: a fragment that the guest keeps until the others come.
	Reassembling
	// NoNeighbor: nobody answered the guest's ARP or neighbour solicitation.
	NoNeighbor

	// TooManyHops: the walk passed more nodes than any network needs: a loop.
	TooManyHops
	// Lost: a fault that was asked for took the packet.
	Lost
	// Unmodelled: the packet met an object that this version does not model; the
	// step names it. It is never delivery.
	Unmodelled

	reasonCount
)

type words struct{ text, code string }

var reasonWords = [reasonCount]words{
	None:                 {"no end", ""},
	Delivered:            {"delivered", ""},
	Forwarded:            {"forwarded by the guest", ""},
	Answered:             {"answered by the platform", ""},
	Fragmented:           {"cut into fragments", ""},
	Encapsulated:         {"goes on inside another packet", ""},
	Decapsulated:         {"the packet inside goes on", ""},
	Malformed:            {"malformed packet", "SIM_MALFORMED"},
	BadChecksum:          {"bad transport checksum", "SIM_BAD_CHECKSUM"},
	UnknownEtherType:     {"EtherType not carried by a VPC", "SIM_ETHERTYPE"},
	UnknownMAC:           {"no such MAC address in the subnet", "SIM_UNKNOWN_MAC"},
	NotAttached:          {"interface not attached", "BAD_STATE_ATTACHMENT"},
	InstanceStopped:      {"instance not running", "BAD_STATE"},
	SourceCheck:          {"source/dest check: source is not the interface's", "ENI_SOURCE_DEST_CHECK_RESTRICTION"},
	DestinationCheck:     {"source/dest check: destination is not the interface's", "ENI_SOURCE_DEST_CHECK_RESTRICTION"},
	GroupEgress:          {"no security group egress rule allows it", "ENI_SG_RULES_MISMATCH"},
	GroupIngress:         {"no security group ingress rule allows it", "ENI_SG_RULES_MISMATCH"},
	GroupReference:       {"security group reference does not hold behind an appliance", "SG_REFERENCES_NOT_PRESERVED"},
	TransitReference:     {"security group reference does not hold behind this transit gateway", "SG_REFERENCING_SUPPORT"},
	TrackingFull:         {"connection tracking allowance exceeded", "SIM_CONNTRACK_ALLOWANCE_EXCEEDED"},
	ACLEgress:            {"network ACL denies it outbound", "SUBNET_ACL_RESTRICTION"},
	ACLIngress:           {"network ACL denies it inbound", "SUBNET_ACL_RESTRICTION"},
	NoRoute:              {"no route", "NO_ROUTE_TO_DESTINATION"},
	Blackhole:            {"route is a black hole", "BAD_STATE_ROUTE"},
	NoSuchAddress:        {"no interface has the destination address", "NO_POSSIBLE_DESTINATION"},
	LinkLocal:            {"link-local destination is not routed", "SIM_LINK_LOCAL"},
	Multicast:            {"multicast and broadcast are not carried", "SIM_MULTICAST"},
	NoResolver:           {"DNS support is off in the VPC", "SIM_NO_DNS_SUPPORT"},
	NotInSubnet:          {"destination lies in no subnet of the VPC", "NO_POSSIBLE_DESTINATION"},
	NoPublicAddress:      {"source has no public address", "IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS"},
	NoPrivateAddress:     {"no interface has the public address", "IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS"},
	PrivateDestination:   {"RFC 1918 destination at an internet gateway", "IGW_DESTINATION_ADDRESS_NOT_IN_RFC1918_EGRESS"},
	SharedDestination:    {"RFC 6598 destination at an internet gateway", "IGW_DESTINATION_ADDRESS_NOT_IN_RFC6598_EGRESS"},
	PrivateSource:        {"RFC 1918 source from the internet", "IGW_SOURCE_ADDRESS_NOT_IN_RFC1918_INGRESS"},
	SharedSource:         {"RFC 6598 source from the internet", "IGW_SOURCE_ADDRESS_NOT_IN_RFC6598_INGRESS"},
	InternetDenied:       {"interface denies traffic by internet gateways", "SIM_DENY_ALL_IGW_TRAFFIC"},
	SpoofedSource:        {"source belongs to no interface of the VPC", "GATEWAY_REJECTS_SPOOFED_TRAFFIC"},
	ApplianceNotPublic:   {"gateway route table leads to an appliance without a public address", "INGRESS_RTB_NO_PUBLIC_IP"},
	PublicAccessBlocked:  {"VPC Block Public Access blocks it", "VPC_BLOCK_PUBLIC_ACCESS_ENABLED"},
	PastAppliance:        {"gateway route table has the subnet behind an appliance, which this passes by", "INGRESS_RTB_TRAFFIC_REDIRECTION"},
	OutsidePeer:          {"destination is not in the peer VPC", "PCX_REQUIRES_ADDRESS_IN_VPC_CIDR"},
	TransitZone:          {"transit gateway is not attached in the zone of the packet", "TGW_ROUTE_AZ_RESTRICTION"},
	TransitUnassociated:  {"transit gateway attachment is associated with no route table", "TGW_ATTACH_MISSING_TGW_RTB_ASSOCIATION"},
	TransitNoRoute:       {"transit gateway has no route", "TGW_RTB_NO_ROUTE_TO_TGW_ATTACHMENT"},
	TransitBlackhole:     {"route of the transit gateway is a black hole", "TGW_RTB_BAD_STATE_ROUTE"},
	TransitAddress:       {"transit gateway takes nothing for its own address", "SIM_TRANSIT_GATEWAY_ADDRESS"},
	BalancerPort:         {"load balancer has no listener for the port", "ELBV2_LISTENER_PORT_RESTRICTION"},
	BalancerForeign:      {"load balancer forwards nothing that is not addressed to it", "SIM_BALANCER_NOT_FORWARDING"},
	BalancerNoGroup:      {"listener forwards to no target group", "ELBV2_LISTENER_HAS_NO_TG"},
	BalancerNoTarget:     {"load balancer has no target to send to", "SIM_NO_TARGET"},
	BalancerZone:         {"load balancer has no target in the zone, and does not cross zones", "ELBV2_NO_TARGETS_IN_AZ"},
	Hairpin:              {"client is the target, whose address is preserved", "ELBV2_SOURCE_ADDRESS_PRESERVATION"},
	ForeignSource:        {"source is no interface's private address", "VGW_PRIVATE_IP_ASSOCIATION_FOR_EGRESS"},
	ForeignDestination:   {"destination is no interface's private address", "VGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS"},
	UnknownPrefix:        {"gateway knows no prefix that holds the destination", "NO_ROUTE_TO_DESTINATION"},
	VPNDown:              {"no tunnel of the VPN connection is up", "BAD_STATE_VPN"},
	TransitVPNDown:       {"no tunnel of the transit gateway's VPN attachment is up", "TGW_BAD_STATE_VPN"},
	VPNSelector:          {"outside of the networks that the VPN connection carries packets between", "SIM_VPN_NETWORKS"},
	DirectConnectDown:    {"no virtual interface of the Direct Connect gateway is up", "SIM_BAD_STATE_DIRECT_CONNECT"},
	EgressOnly:           {"egress-only internet gateway lets in answers only", "SIM_EGRESS_ONLY"},
	EndpointForeign:      {"gateway endpoint serves its own VPC alone", "VPCE_GATEWAY_EGRESS_SOURCE_ADDRESS_RESTRICTION"},
	EndpointSource:       {"source is not in the gateway endpoint's prefix list", "VPCE_GATEWAY_EGRESS_SOURCE_ADDRESS_RESTRICTION"},
	EndpointProtocol:     {"gateway endpoint carries TCP and ICMP echo alone", "VPCE_GATEWAY_PROTOCOL_RESTRICTION"},
	EndpointPending:      {"endpoint is not accepted by its service", "BAD_STATE"},
	EndpointInitiates:    {"an endpoint's service opens no connections", "VPCE_INTRA_VPC_TRAFFIC"},
	EndpointZone:         {"service behind the endpoint is not in the zone", "VPCE_SERVICE_NOT_INSTALLED_IN_AZ"},
	ServicePort:          {"service behind the endpoint does not serve the port", "SIM_SERVICE_PORT"},
	GeneveProtocol:       {"Gateway Load Balancer's address takes UDP alone", "GWLB_PROTOCOL_RESTRICTION"},
	GenevePort:           {"Gateway Load Balancer's address takes port 6081 alone", "GWLB_DESTINATION_PORT_RESTRICTION"},
	GeneveUnknown:        {"appliance sent back what it was not handed", "SIM_GENEVE"},
	FirewallRule:         {"network firewall drops it", "FIREWALL_RULES_RESTRICTION"},
	FirewallMidstream:    {"network firewall has not seen the connection begin", "SIM_FIREWALL_MIDSTREAM"},
	NoFamily:             {"address family not carried here", "PROTOCOL_RESTRICTION"},
	NoSuchHost:           {"nobody has the destination address", "UNKNOWN_DESTINATION"},
	TTLExpired:           {"TTL expired", "SIM_TTL_EXPIRED"},
	TooBig:               {"too big for the next link, not to be fragmented", "SIM_TOO_BIG"},
	NoPort:               {"NAT gateway has no source port left (ErrorPortAllocation)", "SIM_ERROR_PORT_ALLOCATION"},
	NoSession:            {"answers no known session", "SIM_NO_SESSION"},
	IdleSession:          {"session idled out; RST sent", "SIM_IDLE_SESSION"},
	ProtocolNotSupported: {"protocol not supported here", "PROTOCOL_RESTRICTION"},
	FragmentNotSupported: {"fragment not supported here", "SIM_FRAGMENT"},
	SourceNotInVPC:       {"NAT gateway requires a source in the VPC", "NGW_REQUIRES_SOURCE_IN_VPC"},
	NotForwarding:        {"IP forwarding is off in the guest", "SIM_GUEST_NOT_FORWARDING"},
	ReversePath:          {"reverse path filter in the guest", "SIM_GUEST_RP_FILTER"},
	HostNoRoute:          {"guest has no route", "SIM_GUEST_NO_ROUTE"},
	HostFilter:           {"dropped by the guest's own filter", "SIM_GUEST_FILTER"},
	NoListener:           {"no listener on the guest", "SIM_NO_LISTENER"},
	Reassembling:         {"fragment kept for reassembly", ""},
	NoNeighbor:           {"no answer to ARP or neighbour solicitation", "SIM_NO_NEIGHBOR"},
	TooManyHops:          {"loop: too many hops", "SIM_LOOP"},
	Lost:                 {"lost by a fault", "SIM_FAULT"},
	Unmodelled:           {"not modelled", "SIM_UNMODELLED"},
}

// Reasons returns every Reason but None, in the order of the list.
func Reasons() []Reason {
	all := make([]Reason, 0, reasonCount-1)
	for r := None + 1; r < reasonCount; r++ {
		all = append(all, r)
	}
	return all
}

// String returns the reason in words.
func (r Reason) String() string {
	if r >= reasonCount {
		return fmt.Sprintf("Reason(%d)", uint8(r))
	}
	return reasonWords[r].text
}

// Code returns the explanation code of AWS's Reachability Analyzer whose meaning
// is the same (VPC Reachability Analyzer guide, "Explanation codes"), or one of
// ours, which begins with SIM_. It is empty for ends that are no drop.
func (r Reason) Code() string {
	if r >= reasonCount {
		return ""
	}
	return reasonWords[r].code
}

// IsDrop reports whether the packet died.
func (r Reason) IsDrop() bool { return r > Decapsulated && r != Reassembling }

// MarshalText gives the reason in words, for JSON.
func (r Reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }
