package vpc

import (
	"reflect"
	"strings"
)

// idWords are the codes and sentences of AWS's answers about ids that it does not
// know, by the ids' prefix. Those of route tables, NAT gateways, transit gateways
// and interfaces have been seen; the others are as an emulator has them, or follow
// the pattern of those seen: The {type} ID '{id}' does not exist.
var idWords = map[string]struct{ code, sentence string }{
	"acl":           {"InvalidNetworkAclID.NotFound", "The network acl ID '%s' does not exist"},
	"dopt":          {"InvalidDhcpOptionID.NotFound", "The dhcpOption ID '%s' does not exist"},
	"eigw":          {"InvalidGatewayID.NotFound", "The eigw ID '%s' does not exist"},
	"eipalloc":      {"InvalidAllocationID.NotFound", "The allocation ID '%s' does not exist"},
	"eni":           {"InvalidNetworkInterfaceID.NotFound", "The networkInterface ID '%s' does not exist"},
	"fl":            {"InvalidFlowLogId.NotFound", "These flow log ids in the input list are not found: [TotalCount: 1] %s"},
	"i":             {"InvalidInstanceID.NotFound", "The instance ID '%s' does not exist"},
	"igw":           {"InvalidInternetGatewayID.NotFound", "The internetGateway ID '%s' does not exist"},
	"nat":           {"NatGatewayNotFound", "NatGateway %s was not found"},
	"pcx":           {"InvalidVpcPeeringConnectionID.NotFound", "VpcPeeringConnectionID %s does not exist."},
	"pl":            {"InvalidPrefixListID.NotFound", "The prefix list ID '%s' does not exist"},
	"rtb":           {"InvalidRouteTableID.NotFound", "The routeTable ID '%s' does not exist"},
	"sg":            {"InvalidGroup.NotFound", "The security group '%s' does not exist"},
	"subnet":        {"InvalidSubnetID.NotFound", "The subnet ID '%s' does not exist"},
	"tgw":           {"InvalidTransitGatewayID.NotFound", "Transit Gateway %s was deleted or does not exist."},
	"tgw-attach":    {"InvalidTransitGatewayAttachmentID.NotFound", "Transit Gateway Attachment %s was deleted or does not exist."},
	"tgw-rtb":       {"InvalidRouteTableID.NotFound", "Transit Gateway Route Table %s was deleted or does not exist."},
	"cagw":          {"InvalidCarrierGatewayID.NotFound", "The carrierGateway ID '%s' does not exist"},
	"lgw":           {"InvalidLocalGatewayID.NotFound", "The localGateway ID '%s' does not exist"},
	"lgw-rtb":       {"InvalidLocalGatewayRouteTableID.NotFound", "The localGatewayRouteTable ID '%s' does not exist"},
	"lgw-vpc-assoc": {"InvalidLocalGatewayRouteTableVpcAssociationID.NotFound", "The localGatewayRouteTableVpcAssociation ID '%s' does not exist"},
	"cgw":           {"InvalidCustomerGatewayID.NotFound", "The customerGateway ID '%s' does not exist"},
	"vpn":           {"InvalidVpnConnectionID.NotFound", "The vpnConnection ID '%s' does not exist"},
	"vgw":           {"InvalidVpnGatewayID.NotFound", "The virtual private gateway ID '%s' does not exist"},
	"vpcbpa":        {"InvalidVpcBlockPublicAccessExclusionId.NotFound", "The exclusion ID '%s' does not exist"},
	"vpc":           {"InvalidVpcID.NotFound", "The vpc ID '%s' does not exist"},
	"vpce":          {"InvalidVpcEndpointId.NotFound", "The VpcEndPoint ID '%s' does not exist"},
	"vpce-svc":      {"InvalidVpcEndpointServiceId.NotFound", "The VpcEndpointService Id '%s' does not exist"},
}

// targetWords are the same for what a route names, where AWS has other words for
// it than elsewhere. The sentences of both have been seen.
var targetWords = map[string]struct{ code, sentence string }{
	"nat": {"InvalidNatGatewayID.NotFound", "The natGateway ID '%s' does not exist"},
	"tgw": {"InvalidTransitGatewayID.NotFound", "The transitGateway ID '%s' does not exist"},
	"igw": {"InvalidGatewayID.NotFound", "The gateway ID '%s' does not exist"},
	"vgw": {"InvalidGatewayID.NotFound", "The gateway ID '%s' does not exist"},
}

// prefixOf returns what stands before an id's first hyphen, of a transit gateway's
// attachments and route tables, and of endpoint services, before the second (of
// associations of local gateways' route tables before the third).
func prefixOf(id string) string {
	for _, p := range []string{"tgw-attach", "tgw-rtb", "vpce-svc", "lgw-rtb", "lgw-vpc-assoc"} {
		if hasPrefix(id, p) {
			return p
		}
	}
	p, _, _ := strings.Cut(id, "-")
	return p
}

// notFound is AWS's answer about an id that it does not know.
func notFound(id string) error {
	if w, ok := idWords[prefixOf(id)]; ok {
		return Refuse(w.code, w.sentence, id)
	}
	switch {
	case strings.HasPrefix(id, "arn:aws:elasticloadbalancing:"):
		return Refuse("LoadBalancerNotFound", "One or more load balancers not found")
	case strings.HasPrefix(id, "arn:aws:network-firewall:"):
		return Refuse("ResourceNotFoundException", "Unable to fulfill request because the following entity doesn't exist: %s", id)
	case strings.HasPrefix(id, "arn:aws:rds:"):
		return Refuse("DBInstanceNotFound", "DBInstance %s not found.", id[strings.LastIndexByte(id, ':')+1:])
	}
	return Refuse("InvalidID", "The ID '%s' is not valid", id)
}

// TargetNotFound is AWS's answer to a route that names a gateway which it does not
// know, or which the table's VPC has nothing to do with.
func TargetNotFound(id string) error {
	if w, ok := targetWords[prefixOf(id)]; ok {
		return Refuse(w.code, w.sentence, id)
	}
	return notFound(id)
}

// malformedCodes are the codes that do not end as the others do.
var malformedCodes = map[string]string{
	"i": "InvalidInstanceID.Malformed", "nat": "NatGatewayMalformed", "sg": "InvalidGroupId.Malformed",
}

// malformed is AWS's answer to an id that is none of the kind. The pattern has been
// seen for two kinds.
func malformed(prefix, id string) error {
	code, ok := malformedCodes[prefix]
	if !ok {
		code = strings.TrimSuffix(idWords[prefix].code, "NotFound") + "Malformed"
	}
	return Refuse(code, `Invalid id: "%s" (expecting "%s-...")`, id, prefix)
}

// Lookup returns the resource with the given id, which must begin with the prefix
// and a hyphen, such as subnet. It refuses others with …Malformed and ids that are
// unknown with …NotFound, in the words of the prefix's kind.
func (r *Region) Lookup(prefix, id string) (Resource, error) {
	if !hasPrefix(id, prefix) {
		return nil, malformed(prefix, id)
	}
	if x := r.Find(id); x != nil {
		return x, nil
	}
	return nil, notFound(id)
}

// Needs refuses a resource that a call was given as the named parameter: none at
// all with MissingParameter (an emulator's sentence), and one that is deleted or
// of another region as one that AWS does not know.
func (tx *Tx) Needs(parameter string, x Resource) error {
	if isNil(x) {
		return Refuse("MissingParameter", "The request must contain the parameter %s", parameter)
	}
	if tx.r.byID[x.ID()] != x {
		return notFound(x.ID())
	}
	return nil
}

// isNil reports whether there is no resource in x: nil, or a nil pointer to one.
func isNil(x Resource) bool {
	if x == nil {
		return true
	}
	v := reflect.ValueOf(x)
	return v.Kind() == reflect.Pointer && v.IsNil()
}
