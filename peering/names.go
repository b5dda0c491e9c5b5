package peering

import (
	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/vpc"
)

// SetDNSResolution has the public names of instances in v, one of the two VPCs, lead
// those in the other to private addresses (ModifyVpcPeeringConnectionOptions,
// AllowDnsResolutionFromRemoteVpc). Between regions it is the Connection of v's region
// that takes it. It is refused with InvalidStateTransition while the connection is not
// active and with InvalidVpcPeeringConnectionState.DnsHostnamesDisabled where v has no
// DNS host names (the code is AWS's, the sentence inferred).
func (p *Connection) SetDNSResolution(v *vpc.VPC, on bool) error {
	return p.Change(func(tx *vpc.Tx) error {
		if err := tx.Needs("vpcId", v); err != nil {
			return err
		}
		e := p.endOf(v)
		switch {
		case e == nil:
			return vpc.Refuse("InvalidVpcID.NotFound", "The vpc ID '%s' does not exist", v.ID())
		case p.now(tx) != Active:
			return refuseState(p)
		case on && !tx.Attributes(v).EnableDNSHostnames:
			return vpc.Refuse("InvalidVpcPeeringConnectionState.DnsHostnamesDisabled", "DNS hostnames are disabled for the VPC %s.", v.ID())
		}
		e.options = &ec2.VpcPeeringConnectionOptionsDescription{
			AllowDnsResolutionFromRemoteVpc: new(on), AllowEgressFromLocalClassicLinkToRemoteVpc: new(false), AllowEgressFromLocalVpcToRemoteClassicLink: new(false),
		}
		return nil
	})
}

// BetweenRegions reports whether the two VPCs are in different regions.
func (p *Connection) BetweenRegions() bool { return p.requester.region != p.accepter.region }

// endOf returns the end that is the VPC, or nil.
func (p *Connection) endOf(v *vpc.VPC) *end {
	switch {
	case v == nil:
	case p.requester.vpc == v:
		return &p.requester
	case p.accepter.vpc == v:
		return &p.accepter
	}
	return nil
}

// SharesNames reports whether the connection has names of instances in of lead those in
// with to private addresses.
func (p *Connection) SharesNames(tx *vpc.Tx, of, with *vpc.VPC) bool {
	e := p.endOf(of)
	if e == nil || p.endOf(with) == nil || of == with || p.now(tx) != Active || e.options == nil {
		return false
	}
	return ec2.Value(e.options.AllowDnsResolutionFromRemoteVpc)
}
