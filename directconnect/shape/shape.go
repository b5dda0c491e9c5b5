// Package shape is the shapes of Direct Connect's API version 2012-10-25, as far as the
// simulator answers or reads them, as the aws CLI prints them. It is written from the API
// reference; a field that is nil is absent. Unknown fields of what is read are no error.
package shape

// Tag is a tag.
type Tag struct {
	Key   *string `json:"key,omitzero"`
	Value *string `json:"value,omitzero"`
}

// DescribeGateways is what DescribeDirectConnectGateways answers.
type DescribeGateways struct {
	DirectConnectGateways []DirectConnectGateway `json:"directConnectGateways"`
}

// DirectConnectGateway is one gateway.
// https://docs.aws.amazon.com/directconnect/latest/APIReference/API_DirectConnectGateway.html
type DirectConnectGateway struct {
	DirectConnectGatewayID    *string `json:"directConnectGatewayId,omitzero"`
	DirectConnectGatewayName  *string `json:"directConnectGatewayName,omitzero"`
	AmazonSideASN             *int64  `json:"amazonSideAsn,omitzero"`
	OwnerAccount              *string `json:"ownerAccount,omitzero"`
	DirectConnectGatewayState *string `json:"directConnectGatewayState,omitzero"`
	StateChangeError          *string `json:"stateChangeError,omitzero"`
	Tags                      []Tag   `json:"tags,omitzero"`
}

// DescribeAssociations is what DescribeDirectConnectGatewayAssociations answers.
type DescribeAssociations struct {
	DirectConnectGatewayAssociations []DirectConnectGatewayAssociation `json:"directConnectGatewayAssociations"`
}

// DirectConnectGatewayAssociation ties a gateway of a region to one of Direct Connect.
// https://docs.aws.amazon.com/directconnect/latest/APIReference/API_DirectConnectGatewayAssociation.html
type DirectConnectGatewayAssociation struct {
	DirectConnectGatewayID           *string             `json:"directConnectGatewayId,omitzero"`
	DirectConnectGatewayOwnerAccount *string             `json:"directConnectGatewayOwnerAccount,omitzero"`
	AssociationState                 *string             `json:"associationState,omitzero"`
	StateChangeError                 *string             `json:"stateChangeError,omitzero"`
	AssociatedGateway                *AssociatedGateway  `json:"associatedGateway,omitzero"`
	AssociationID                    *string             `json:"associationId,omitzero"`
	AllowedPrefixes                  []RouteFilterPrefix `json:"allowedPrefixesToDirectConnectGateway,omitzero"`
	VirtualGatewayID                 *string             `json:"virtualGatewayId,omitzero"`
	VirtualGatewayRegion             *string             `json:"virtualGatewayRegion,omitzero"`
	VirtualGatewayOwnerAccount       *string             `json:"virtualGatewayOwnerAccount,omitzero"`
}

// The states of a DirectConnectGatewayAssociation.
const (
	Associating    = "associating"
	Associated     = "associated"
	Disassociating = "disassociating"
	Disassociated  = "disassociated"
	Updating       = "updating"
)

// AssociatedGateway is part of DirectConnectGatewayAssociation.
type AssociatedGateway struct {
	ID           *string `json:"id,omitzero"`
	Type         *string `json:"type,omitzero"`
	OwnerAccount *string `json:"ownerAccount,omitzero"`
	Region       *string `json:"region,omitzero"`
}

// The types of an AssociatedGateway.
const (
	VirtualPrivateGateway = "virtualPrivateGateway"
	TransitGateway        = "transitGateway"
)

// RouteFilterPrefix is a prefix that is told to the other side.
type RouteFilterPrefix struct {
	CIDR *string `json:"cidr,omitzero"`
}

// DescribeAttachments is what DescribeDirectConnectGatewayAttachments answers.
type DescribeAttachments struct {
	DirectConnectGatewayAttachments []DirectConnectGatewayAttachment `json:"directConnectGatewayAttachments"`
}

// DirectConnectGatewayAttachment ties a virtual interface to a gateway.
// https://docs.aws.amazon.com/directconnect/latest/APIReference/API_DirectConnectGatewayAttachment.html
type DirectConnectGatewayAttachment struct {
	DirectConnectGatewayID       *string `json:"directConnectGatewayId,omitzero"`
	VirtualInterfaceID           *string `json:"virtualInterfaceId,omitzero"`
	VirtualInterfaceRegion       *string `json:"virtualInterfaceRegion,omitzero"`
	VirtualInterfaceOwnerAccount *string `json:"virtualInterfaceOwnerAccount,omitzero"`
	AttachmentState              *string `json:"attachmentState,omitzero"`
	AttachmentType               *string `json:"attachmentType,omitzero"`
	StateChangeError             *string `json:"stateChangeError,omitzero"`
}

// The states and types of a DirectConnectGatewayAttachment.
const (
	Attaching               = "attaching"
	Attached                = "attached"
	Detaching               = "detaching"
	Detached                = "detached"
	TransitVirtualInterface = "TransitVirtualInterface"
	PrivateVirtualInterface = "PrivateVirtualInterface"
)

// DescribeInterfaces is what DescribeVirtualInterfaces answers.
type DescribeInterfaces struct {
	VirtualInterfaces []VirtualInterface `json:"virtualInterfaces"`
}

// VirtualInterface is a VLAN on a connection, with its BGP peers.
// https://docs.aws.amazon.com/directconnect/latest/APIReference/API_VirtualInterface.html
type VirtualInterface struct {
	OwnerAccount           *string             `json:"ownerAccount,omitzero"`
	VirtualInterfaceID     *string             `json:"virtualInterfaceId,omitzero"`
	Location               *string             `json:"location,omitzero"`
	ConnectionID           *string             `json:"connectionId,omitzero"`
	VirtualInterfaceType   *string             `json:"virtualInterfaceType,omitzero"`
	VirtualInterfaceName   *string             `json:"virtualInterfaceName,omitzero"`
	VLAN                   *int32              `json:"vlan,omitzero"`
	ASN                    *int64              `json:"asn,omitzero"`
	ASNLong                *int64              `json:"asnLong,omitzero"`
	AmazonSideASN          *int64              `json:"amazonSideAsn,omitzero"`
	AuthKey                *string             `json:"authKey,omitzero"`
	AmazonAddress          *string             `json:"amazonAddress,omitzero"`
	CustomerAddress        *string             `json:"customerAddress,omitzero"`
	AddressFamily          *string             `json:"addressFamily,omitzero"`
	VirtualInterfaceState  *string             `json:"virtualInterfaceState,omitzero"`
	CustomerRouterConfig   *string             `json:"customerRouterConfig,omitzero"`
	MTU                    *int32              `json:"mtu,omitzero"`
	JumboFrameCapable      *bool               `json:"jumboFrameCapable,omitzero"`
	VirtualGatewayID       *string             `json:"virtualGatewayId,omitzero"`
	DirectConnectGatewayID *string             `json:"directConnectGatewayId,omitzero"`
	RouteFilterPrefixes    []RouteFilterPrefix `json:"routeFilterPrefixes,omitzero"`
	BGPPeers               []BGPPeer           `json:"bgpPeers,omitzero"`
	Region                 *string             `json:"region,omitzero"`
	AWSDeviceV2            *string             `json:"awsDeviceV2,omitzero"`
	AWSLogicalDeviceID     *string             `json:"awsLogicalDeviceId,omitzero"`
	Tags                   []Tag               `json:"tags,omitzero"`
	SiteLinkEnabled        *bool               `json:"siteLinkEnabled,omitzero"`
}

// The types of a VirtualInterface.
const (
	Private = "private"
	Public  = "public"
	Transit = "transit"
)

// States of virtual interfaces, connections and BGP peers.
const (
	Available = "available"
	Down      = "down"
	Deleting  = "deleting"
	Deleted   = "deleted"
	Rejected  = "rejected"
	Unknown   = "unknown"
)

// BGPPeer is part of VirtualInterface.
// https://docs.aws.amazon.com/directconnect/latest/APIReference/API_BGPPeer.html
type BGPPeer struct {
	BGPPeerID          *string `json:"bgpPeerId,omitzero"`
	ASN                *int64  `json:"asn,omitzero"`
	ASNLong            *int64  `json:"asnLong,omitzero"`
	AuthKey            *string `json:"authKey,omitzero"`
	AddressFamily      *string `json:"addressFamily,omitzero"`
	AmazonAddress      *string `json:"amazonAddress,omitzero"`
	CustomerAddress    *string `json:"customerAddress,omitzero"`
	BGPPeerState       *string `json:"bgpPeerState,omitzero"`
	BGPStatus          *string `json:"bgpStatus,omitzero"`
	AWSDeviceV2        *string `json:"awsDeviceV2,omitzero"`
	AWSLogicalDeviceID *string `json:"awsLogicalDeviceId,omitzero"`
}

// The families and the status of a BGPPeer.
const (
	IPv4 = "ipv4"
	IPv6 = "ipv6"
	Up   = "up"
)

// DescribeConnections is what DescribeConnections answers.
type DescribeConnections struct {
	Connections []Connection `json:"connections"`
}

// Connection is a line to a location.
// https://docs.aws.amazon.com/directconnect/latest/APIReference/API_Connection.html
type Connection struct {
	OwnerAccount       *string `json:"ownerAccount,omitzero"`
	ConnectionID       *string `json:"connectionId,omitzero"`
	ConnectionName     *string `json:"connectionName,omitzero"`
	ConnectionState    *string `json:"connectionState,omitzero"`
	Region             *string `json:"region,omitzero"`
	Location           *string `json:"location,omitzero"`
	Bandwidth          *string `json:"bandwidth,omitzero"`
	VLAN               *int32  `json:"vlan,omitzero"`
	PartnerName        *string `json:"partnerName,omitzero"`
	LagID              *string `json:"lagId,omitzero"`
	AWSDevice          *string `json:"awsDevice,omitzero"`
	JumboFrameCapable  *bool   `json:"jumboFrameCapable,omitzero"`
	AWSDeviceV2        *string `json:"awsDeviceV2,omitzero"`
	AWSLogicalDeviceID *string `json:"awsLogicalDeviceId,omitzero"`
	Tags               []Tag   `json:"tags,omitzero"`
	ProviderName       *string `json:"providerName,omitzero"`
}

// DescribeLags is what DescribeLags answers.
type DescribeLags struct {
	Lags []Lag `json:"lags"`
}

// Lag is a link aggregation group: several connections as one.
// https://docs.aws.amazon.com/directconnect/latest/APIReference/API_Lag.html
type Lag struct {
	LagID        *string      `json:"lagId,omitzero"`
	OwnerAccount *string      `json:"ownerAccount,omitzero"`
	LagName      *string      `json:"lagName,omitzero"`
	LagState     *string      `json:"lagState,omitzero"`
	Location     *string      `json:"location,omitzero"`
	Region       *string      `json:"region,omitzero"`
	MinimumLinks *int32       `json:"minimumLinks,omitzero"`
	Connections  []Connection `json:"connections,omitzero"`
	Tags         []Tag        `json:"tags,omitzero"`
}
