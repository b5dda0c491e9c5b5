package flowlog

import (
	"net/netip"
	"time"

	"github.com/vpcsim/vpcsim/wire"
)

// Action is what became of a flow's packets.
type Action string

// The actions. What groups and ACLs let pass is accepted, though it die later.
const (
	Accepted Action = "ACCEPT"
	Rejected Action = "REJECT"
)

// Status says whether a record has data.
type Status string

// The statuses.
const (
	OK       Status = "OK"
	NoData   Status = "NODATA"
	SkipData Status = "SKIPDATA"
)

// Direction is seen from the interface.
type Direction string

// The directions.
const (
	Ingress Direction = "ingress"
	Egress  Direction = "egress"
)

// Record is one flow of one interface in one window; one with a Status other than OK
// has no flow. Empty strings and zero numbers stand for what it does not have.
type Record struct {
	// Account, Region, VPC, Subnet and ZoneID say where the interface is.
	Account, Region, VPC, Subnet, ZoneID string
	// Interface is its id, InterfaceType what the EC2 API calls it; Instance is the id
	// of the instance that it is attached to.
	Interface, InterfaceType, Instance string
	// InstanceTags and InterfaceTags are the values of the tags that the log names.
	InstanceTags, InterfaceTags [2]string
	// Direction says whether the packets came to the interface or left it.
	Direction Direction
	// Src and Dst are the addresses with the interface's primary private one on its own
	// side, PktSrc and PktDst those that stand in the packets.
	Src, Dst, PktSrc, PktDst netip.Addr
	// SrcPort and DstPort are 0 where there are none, as of ICMP.
	SrcPort, DstPort uint16
	// Protocol is IP's number.
	Protocol wire.Proto
	// Packets and Bytes count whole IP packets.
	Packets, Bytes uint64
	// TCPFlags are FIN 1, SYN 2, RST 4 and, with SYN, ACK 16 of all packets.
	TCPFlags uint8
	// Start and End are when the first packet and the last one went by, or the window's
	// of a record without data.
	Start, End time.Time
	// Action is what became of the packets.
	Action Action
	// Status says whether there are any.
	Status Status
	// RejectReason is why, of what neither group nor ACL refused.
	RejectReason string
	// SrcService and DstService are the AWS services that have PktSrc and PktDst.
	SrcService, DstService string
	// TrafficPath is by what egress traffic left, 1 to 8.
	TrafficPath int
	// NextHop is the interface that took the packets, of ingress the one they came from.
	NextHop NextHop

	ended time.Duration // when its window did
}

// NextHop is an interface beside the logged one, where it is known.
type NextHop struct {
	// Interface is its id, Type what the EC2 API calls it.
	Interface, Type string
	// Subnet, ZoneID and VPC say where it is.
	Subnet, ZoneID, VPC string
}
