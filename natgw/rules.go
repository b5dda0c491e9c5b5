package natgw

import (
	"net/netip"
	"slices"

	"github.com/vpcsim/vpcsim/vpc"
)

// checkCreate is what AWS refuses at once.
func checkCreate(tx *vpc.Tx, s *vpc.Subnet, c Config) error {
	used := 0
	for _, g := range vpc.Gateways[*NATGateway](tx) {
		if g.state == Available && g.subnet.Zone() == s.Zone() {
			used++
		}
	}
	if err := tx.Within(vpc.QuotaNATGateways, used, s.Zone()); err != nil {
		return err
	}
	if c.Address != nil && c.Private {
		return vpc.Refuse("InvalidParameterValue", "AllocationId cannot be specified for a private NAT gateway.")
	}
	if c.Address != nil {
		return tx.Needs("allocationId", c.Address)
	}
	return nil
}

// checkLater is what AWS finds after it has answered: code and message of the failed
// gateway, or "".
func checkLater(tx *vpc.Tx, s *vpc.Subnet, c Config) (code, message string) {
	switch {
	case !c.Private && tx.Attached(s.VPC(), "igw") == nil:
		return "Gateway.NotAttached", "Network " + s.VPC().ID() + " has no Internet gateway attached"
	case c.Address != nil && tx.Associated(c.Address):
		return "Resource.AlreadyAssociated", "Elastic IP address " + c.Address.ID() + " is already associated"
	case !c.PrivateIP.IsValid() && tx.Free(s) == 0:
		return "InsufficientFreeAddressesInSubnet", "Subnet has insufficient free addresses to create this NAT gateway"
	}
	return "", ""
}

// checkAvailable refuses changes to a gateway that is failed or deleted (code and
// sentence are inferred).
func checkAvailable(g *NATGateway) error {
	if g.state != Available {
		return vpc.Refuse("IncorrectState", "NatGateway %s is not in the available state", g.ID())
	}
	return nil
}

// checkAssociate holds a further Elastic IP address to the gateway's kind (the
// sentence is inferred) and quotas.
func checkAssociate(tx *vpc.Tx, g *NATGateway, e *vpc.Address) error {
	if err := checkAvailable(g); err != nil {
		return err
	}
	if err := tx.Needs("allocationId", e); err != nil {
		return err
	}
	if g.private {
		return vpc.Refuse("InvalidParameterValue", "NatGateway %s is private and can't have Elastic IP addresses", g.ID())
	}
	if tx.Associated(e) {
		return vpc.Refuse("Resource.AlreadyAssociated", "Elastic IP address %s is already associated", e.ID())
	}
	return tx.Within(vpc.QuotaNATGatewayPublicAddresses, len(g.addresses), g.ID())
}

// checkAssign holds a further private address to the gateway's kind (the sentence is
// inferred) and quota.
func checkAssign(tx *vpc.Tx, g *NATGateway) error {
	if err := checkAvailable(g); err != nil {
		return err
	}
	if !g.private {
		return vpc.Refuse("InvalidParameterValue", "NatGateway %s is public: a private address comes with an Elastic IP address", g.ID())
	}
	return tx.Within(vpc.QuotaNATGatewayAddresses, len(g.addresses), g.ID())
}

// checkRemove refuses the primary address, which stays for life, and one that the
// gateway does not have (both sentences are inferred).
func checkRemove(g *NATGateway, private netip.Addr) (int, error) {
	if err := checkAvailable(g); err != nil {
		return 0, err
	}
	i := slices.IndexFunc(g.addresses, func(a address) bool { return a.private == private })
	switch {
	case i < 0:
		return i, vpc.Refuse("InvalidParameterValue", "The private IP address %s is not assigned to NatGateway %s", private, g.ID())
	case i == 0:
		return i, vpc.Refuse("InvalidParameterValue", "The primary private IP address %s of NatGateway %s cannot be removed", private, g.ID())
	}
	return i, nil
}
