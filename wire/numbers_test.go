package wire

import (
	"testing"

	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/require"
)

// Numbers are typed in from the RFCs; gopacket's tables are the second opinion.
func TestProtocolNumbersAreGopackets(t *testing.T) {
	for own, theirs := range map[Proto]layers.IPProtocol{
		ProtoICMP: layers.IPProtocolICMPv4, ProtoTCP: layers.IPProtocolTCP, ProtoUDP: layers.IPProtocolUDP,
		ProtoICMPv6: layers.IPProtocolICMPv6, extHopByHop: layers.IPProtocolIPv6HopByHop,
		extRouting: layers.IPProtocolIPv6Routing, extFragment: layers.IPProtocolIPv6Fragment,
		extAuth: layers.IPProtocolAH, extNone: layers.IPProtocolNoNextHeader, extDestination: layers.IPProtocolIPv6Destination,
	} {
		require.Equal(t, uint8(theirs), uint8(own), theirs)
	}
	for own, theirs := range map[EtherType]layers.EthernetType{
		EtherTypeIPv4: layers.EthernetTypeIPv4, EtherTypeIPv6: layers.EthernetTypeIPv6, EtherTypeARP: layers.EthernetTypeARP,
	} {
		require.Equal(t, uint16(theirs), uint16(own), theirs)
	}
	require.EqualValues(t, layers.ARPRequest, ARPRequest)
	require.EqualValues(t, layers.ARPReply, ARPReply)
}

func TestICMPNumbersAreGopackets(t *testing.T) {
	for own, theirs := range map[uint8]uint8{
		ICMPEchoReply: layers.ICMPv4TypeEchoReply, ICMPUnreachable: layers.ICMPv4TypeDestinationUnreachable,
		ICMPSourceQuench: layers.ICMPv4TypeSourceQuench, ICMPRedirect: layers.ICMPv4TypeRedirect,
		ICMPEcho: layers.ICMPv4TypeEchoRequest, ICMPTimeExceeded: layers.ICMPv4TypeTimeExceeded,
		ICMPParameter: layers.ICMPv4TypeParameterProblem, ICMPTimestamp: layers.ICMPv4TypeTimestampRequest,
		ICMPTimestampReply: layers.ICMPv4TypeTimestampReply, ICMPInformation: layers.ICMPv4TypeInfoRequest,
		ICMPInformationBack: layers.ICMPv4TypeInfoReply, ICMPAddressMask: layers.ICMPv4TypeAddressMaskRequest,
		ICMPAddressMaskBack: layers.ICMPv4TypeAddressMaskReply,
	} {
		require.Equal(t, theirs, own)
	}
	for own, theirs := range map[uint8]uint8{
		NetUnreachable: layers.ICMPv4CodeNet, HostUnreachable: layers.ICMPv4CodeHost, ProtoUnreachable: layers.ICMPv4CodeProtocol,
		PortUnreachable: layers.ICMPv4CodePort, FragNeeded: layers.ICMPv4CodeFragmentationNeeded,
		AdminProhibited: layers.ICMPv4CodeCommAdminProhibited,
	} {
		require.Equal(t, theirs, own)
	}
}

func TestICMPv6NumbersAreGopackets(t *testing.T) {
	for own, theirs := range map[uint8]uint8{
		ICMPv6Unreachable: layers.ICMPv6TypeDestinationUnreachable, ICMPv6TooBig: layers.ICMPv6TypePacketTooBig,
		ICMPv6TimeExceeded: layers.ICMPv6TypeTimeExceeded, ICMPv6Parameter: layers.ICMPv6TypeParameterProblem,
		ICMPv6Echo: layers.ICMPv6TypeEchoRequest, ICMPv6EchoReply: layers.ICMPv6TypeEchoReply,
		ICMPv6RouterSolicitation: layers.ICMPv6TypeRouterSolicitation, ICMPv6RouterAdvertisement: layers.ICMPv6TypeRouterAdvertisement,
		ICMPv6NeighborSolicitation: layers.ICMPv6TypeNeighborSolicitation, ICMPv6NeighborAdvertisement: layers.ICMPv6TypeNeighborAdvertisement,
		ICMPv6Redirect: layers.ICMPv6TypeRedirect,
	} {
		require.Equal(t, theirs, own)
	}
	for own, theirs := range map[uint8]uint8{
		V6NoRoute: layers.ICMPv6CodeNoRouteToDst, V6AdminProhibited: layers.ICMPv6CodeAdminProhibited,
		V6AddressUnreachable: layers.ICMPv6CodeAddressUnreachable, V6PortUnreachable: layers.ICMPv6CodePortUnreachable,
	} {
		require.Equal(t, theirs, own)
	}
	require.EqualValues(t, layers.ICMPv6CodeUnrecognizedIPv6Option, V6UnrecognizedOption)
	for own, theirs := range map[uint8]layers.ICMPv6Opt{
		SourceLinkAddr: layers.ICMPv6OptSourceAddress, TargetLinkAddr: layers.ICMPv6OptTargetAddress,
		PrefixOption: layers.ICMPv6OptPrefixInfo, RedirectedPart: layers.ICMPv6OptRedirectedHeader, MTUOption: layers.ICMPv6OptMTU,
	} {
		require.EqualValues(t, theirs, own)
	}
}
