package natgw

import (
	"errors"
	"net/netip"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/vpc"
)

// Restore makes a NAT gateway as described, with the interface that was restored
// before. What is neither available nor pending takes no packets. See the Restore
// methods of [vpc.Tx].
func Restore(tx *vpc.Tx, s ec2.NatGateway) (*NATGateway, error) {
	b, err := tx.RestoreBase("NatGatewayId", s.NatGatewayId, nil, s.Tags)
	if err != nil {
		return nil, err
	}
	sub, err := vpc.Named[*vpc.Subnet](tx, "SubnetId", s.SubnetId)
	if err != nil {
		return nil, err
	}
	g := &NATGateway{
		Base: b, subnet: sub, private: ec2.Value(s.ConnectivityType) == ec2.ConnectivityTypePrivate, state: Available,
		failureCode: ec2.Value(s.FailureCode), failureMessage: ec2.Value(s.FailureMessage),
		created: tx.RestoreTime(s.CreateTime), ended: tx.RestoreTime(s.DeleteTime),
	}
	switch ec2.Value(s.State) {
	case ec2.NatGatewayStateFailed:
		g.state = Failed
	case ec2.NatGatewayStateDeleted, ec2.NatGatewayStateDeleting:
		g.state = Deleted
	default:
		if err := g.adopt(tx, s.NatGatewayAddresses); err != nil {
			return nil, err
		}
	}
	tx.Add(g)
	return g, nil
}

// adopt takes the gateway's interface and the addresses in their order, the primary
// one first.
func (g *NATGateway) adopt(tx *vpc.Tx, shapes []ec2.NatGatewayAddress) (err error) {
	if len(shapes) == 0 {
		return vpc.Absent("NatGatewayAddresses", "")
	}
	if g.nic, err = tx.Adopt(g, "NatGatewayAddresses[0].NetworkInterfaceId", shapes[0].NetworkInterfaceId); err != nil {
		return err
	}
	has := tx.PrivateAddresses(g.nic)
	for _, p := range has {
		g.addresses = append(g.addresses, address{private: p.IP, eip: p.Address})
	}
	for _, s := range shapes {
		if a, e := netip.ParseAddr(ec2.Value(s.PrivateIp)); e != nil || !g.has(a) {
			err = errors.Join(err, vpc.Absent("NatGatewayAddresses", ec2.Value(s.PrivateIp)))
		}
	}
	return err
}

func (g *NATGateway) has(a netip.Addr) bool {
	for _, own := range g.addresses {
		if own.private == a {
			return true
		}
	}
	return false
}
