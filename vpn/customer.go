// Package vpn is AWS Site-to-Site VPN: customer gateways, and VPN connections of two
// tunnels each from one to a virtual private gateway or a transit gateway, with static
// routes or with what the site's BGP announces as given.
//
// The site itself is a network of hosts that the caller connects. There is no IPsec
// and no IKE on the wire: a tunnel is up or down.
package vpn

import (
	"net/netip"
	"time"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/vpc"
)

// DefaultASN is the autonomous system number of a customer gateway that is given none
// (EC2 API, CreateCustomerGateway).
const DefaultASN = 65000

// listed is how long a deleted gateway or connection stays listed (inferred).
const listed = time.Hour

// CustomerGateway is the customer's end of VPN connections, as AWS knows it.
type CustomerGateway struct {
	vpc.Base
	asn    int64
	ip     netip.Addr
	device string
}

// CustomerGatewayConfig says how a customer gateway is made.
type CustomerGatewayConfig struct {
	// ID is the id to use; "" makes one.
	ID string
	// Name is the Name tag.
	Name string
	// ASN is the autonomous system number of the customer's side; 0 is DefaultASN.
	ASN int64
	// DeviceName is free text.
	DeviceName string
}

// CreateCustomerGateway makes a customer gateway at an address outside of AWS, which
// must be an IPv4 address that is no private one (CreateCustomerGateway; the sentences
// are inferred). One with the same address and number is not made twice: the first is
// returned, as AWS does (seen).
func CreateCustomerGateway(r *vpc.Region, outside netip.Addr, c CustomerGatewayConfig) (*CustomerGateway, error) {
	var g *CustomerGateway
	err := r.Change(func(tx *vpc.Tx) error {
		if c.ASN == 0 {
			c.ASN = DefaultASN
		}
		if err := checkCustomer(outside, c.ASN); err != nil {
			return err
		}
		all := vpc.Resources[*CustomerGateway](tx)
		for _, o := range all {
			if c.ID == "" && o.ip == outside && o.asn == c.ASN {
				g = o
				return nil
			}
		}
		if err := tx.Within(vpc.QuotaCustomerGateways, len(all), r.Name()); err != nil {
			return err
		}
		b, err := tx.NewBase("cgw", c.ID, c.Name)
		if err != nil {
			return err
		}
		g = &CustomerGateway{Base: b, asn: c.ASN, ip: outside, device: c.DeviceName}
		tx.Add(g)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return g, nil
}

// Delete deletes a customer gateway that no connection has (DeleteCustomerGateway).
func (g *CustomerGateway) Delete() error {
	return g.Change(func(tx *vpc.Tx) error {
		for _, o := range vpc.Gateways[*Connection](tx) {
			if o.customer == g && o.ended.IsZero() {
				return vpc.Refuse("IncorrectState", "The customer gateway is in use.")
			}
		}
		tx.Remove(g)
		return nil
	})
}

// Address returns the address outside of AWS.
func (g *CustomerGateway) Address() netip.Addr { return g.ip }

// DescribeCustomerGateways lists the region's customer gateways
// (DescribeCustomerGateways), by id.
func DescribeCustomerGateways(r *vpc.Region) *ec2.DescribeCustomerGatewaysResult {
	list := []ec2.CustomerGateway{}
	r.View(func(tx *vpc.Tx) {
		for _, g := range vpc.Resources[*CustomerGateway](tx) {
			s := ec2.CustomerGateway{
				CustomerGatewayId: new(g.ID()), BgpAsn: new(decimal(g.asn)), IpAddress: new(g.ip.String()),
				State: new("available"), Type: new(ipsec), Tags: tx.TagShapes(g),
			}
			if g.device != "" {
				s.DeviceName = new(g.device)
			}
			list = append(list, s)
		}
	})
	return &ec2.DescribeCustomerGatewaysResult{CustomerGateways: list}
}
