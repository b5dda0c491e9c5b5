package vpn_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/tgw"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vgw"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpn"
)

func TestRefusals(t *testing.T) {
	o := byVGW(t)
	v, _ := o.connect("vpn", vpn.Config{Static: true}, "192.168.0.9")
	bgp, _ := o.connect("bgp", vpn.Config{}, "192.168.1.9")
	id := v.ID()
	_, err := vpn.CreateCustomerGateway(o.Region, addr("10.0.0.1"), vpn.CustomerGatewayConfig{})
	require.EqualError(t, err, "InvalidParameterValue: Value (10.0.0.1) for parameter ipAddress is invalid. Invalid IPv4 address.")
	_, err = vpn.CreateCustomerGateway(o.Region, netip.Addr{}, vpn.CustomerGatewayConfig{})
	require.EqualError(t, err, "InvalidParameterValue: Value (invalid IP) for parameter ipAddress is invalid. Invalid IPv4 address.")
	_, err = vpn.CreateCustomerGateway(o.Region, addr("198.51.100.2"), vpn.CustomerGatewayConfig{ASN: -1})
	require.EqualError(t, err, "InvalidParameterValue: Value (-1) for parameter bgpAsn is invalid. Invalid ASN.")
	again, err := vpn.CreateCustomerGateway(o.Region, addr("198.51.100.1"), vpn.CustomerGatewayConfig{})
	o.must(err)
	require.Same(t, o.customer, again)
	require.EqualError(t, o.customer.Delete(), "IncorrectState: The customer gateway is in use.")

	_, err = vpn.Create(o.customer, nil, vpn.Config{})
	require.EqualError(t, err, "MissingParameter: The request must contain the parameter vpnGatewayId")
	for _, inside := range []string{"169.254.0.0/30", "169.254.169.252/30", "10.0.0.0/30", "169.254.9.0/29"} {
		_, err = vpn.Create(o.customer, o.private, vpn.Config{Inside: [2]netip.Prefix{netip.MustParsePrefix(inside)}})
		require.EqualError(t, err, "InvalidParameterValue: Invalid value for parameter tunnelInsideCidr: "+inside)
	}
	require.EqualError(t, bgp.CreateRoute("192.168.0.0/16"), "UnsupportedOperation: Static routes are not supported for the VPN connection "+bgp.ID()+", which uses BGP.")
	require.EqualError(t, v.Announce(0, announce("192.168.0.0/16")...), "UnsupportedOperation: The VPN connection "+id+" has static routes and no BGP session.")
	require.EqualError(t, v.CreateRoute("192.168.0.0"), "InvalidParameterValue: Value (192.168.0.0) for parameter destinationCidrBlock is invalid. This is not a valid CIDR block.")
	require.EqualError(t, v.CreateRoute("2001:db8::/32"), "InvalidParameterValue: Value (2001:db8::/32) for parameter destinationCidrBlock is invalid. This is not a valid CIDR block.")
	require.EqualError(t, bgp.Announce(0, announce("2001:db8::/32")...), "InvalidParameterValue: Value (2001:db8::/32) for parameter destinationCidrBlock is invalid. This is not a valid CIDR block.")
	require.EqualError(t, v.DeleteRoute("192.168.0.0/16"), "InvalidRoute.NotFound: The route 192.168.0.0/16 does not exist in the VPN connection "+id)
	require.EqualError(t, v.SetTunnel(2, true), "InvalidParameterValue: The VPN connection "+id+" has tunnels 0 and 1, not 2")
	require.EqualError(t, o.vpc.MainRouteTable().CreateRoute("192.168.0.0/16", v), "InvalidVpnConnectionID.NotFound: The vpnConnection ID '"+id+"' does not exist")
	o.must(o.private.Detach(o.vpc.VPC))
	require.EqualError(t, o.private.Delete(), "IncorrectState: The vpnGateway '"+o.private.ID()+"' has dependencies and cannot be deleted.")
	o.must(v.Delete(), bgp.Delete())
	require.EqualError(t, v.Delete(), "InvalidVpnConnectionID.NotFound: The vpnConnection ID '"+id+"' does not exist")
	require.EqualError(t, v.SetTunnel(0, true), "InvalidVpnConnectionID.NotFound: The vpnConnection ID '"+id+"' does not exist")
	o.must(o.private.Delete(), o.customer.Delete())

	for quota, call := range map[vpc.Quota]func(o *office) error{
		vpc.QuotaCustomerGateways: func(o *office) error {
			_, err := vpn.CreateCustomerGateway(o.Region, addr("198.51.100.3"), vpn.CustomerGatewayConfig{})
			return err
		},
		vpc.QuotaVPNConnections: func(o *office) error {
			_, err := vpn.Create(o.customer, o.private, vpn.Config{})
			return err
		},
		vpc.QuotaVPNConnectionsPerGateway: func(o *office) error {
			_, err := vpn.Create(o.customer, o.private, vpn.Config{})
			return err
		},
	} {
		o := byVGW(t)
		o.Region.SetQuota(quota, 0)
		require.ErrorContains(t, call(o), "LimitExceeded: The maximum number of ", quota)
	}
	full := byVGW(t)
	few, _ := full.connect("vpn", vpn.Config{Static: true}, "192.168.0.9")
	full.Region.SetQuota(vpc.QuotaVPNRoutes, 1)
	full.must(few.CreateRoute("192.168.0.0/24"), few.CreateRoute("192.168.0.0/24"))
	require.EqualError(t, few.CreateRoute("192.168.1.0/24"), "VpnConnectionRouteLimitExceeded: The maximum number of static routes per VPN connection has been reached.")

	transit := byTGW(t, tgw.Config{})
	at, _ := transit.connect("vpn", vpn.Config{}, "192.168.0.9")
	attachment := transit.transit.Linked(at)
	require.EqualError(t, attachment.Delete(), "IncorrectState: "+attachment.ID()+" is in invalid state")
	transit.must(tgwAttachment(transit).Delete())
	require.EqualError(t, transit.transit.Delete(), "IncorrectState: "+transit.transit.ID()+" has non-deleted VPN Attachments: "+attachment.ID()+".")
	transit.must(at.Delete(), transit.transit.Delete())
}

func TestDescribe(t *testing.T) {
	o := byTGW(t, tgw.Config{})
	v, _ := o.connect("vpn", vpn.Config{}, "192.168.0.9")
	o.must(v.Announce(0, announce("192.168.0.0/16", "192.168.1.0/24")...))
	o.Run(time.Minute)
	o.must(v.SetTunnel(1, false))
	s := vpn.Describe(o.Region).VpnConnections[0]
	require.Equal(t, o.transit.ID(), *s.TransitGatewayId)
	require.Nil(t, s.VpnGatewayId)
	require.False(t, *s.Options.StaticRoutesOnly)
	up, down := s.VgwTelemetry[0], s.VgwTelemetry[1]
	require.Equal(t, ec2.TelemetryStatusUP, *up.Status)
	require.Equal(t, "2 BGP ROUTES", *up.StatusMessage)
	require.Equal(t, int32(2), *up.AcceptedRouteCount)
	require.Equal(t, ec2.TelemetryStatusDOWN, *down.Status)
	require.Equal(t, "IPSEC IS DOWN", *down.StatusMessage)
	at, err := down.LastStatusChange.Time()
	o.must(err)
	require.Equal(t, o.Region.Now(), at)
	require.Equal(t, v.Outside(0).String(), *up.OutsideIpAddress)

	routes := o.transit.DefaultRouteTable().Search().Routes
	require.Equal(t, "192.168.0.0/16", *routes[1].DestinationCidrBlock)
	require.Equal(t, v.ID(), *routes[1].TransitGatewayAttachments[0].ResourceId)
	require.Equal(t, ec2.TransitGatewayAttachmentResourceTypeVpn, *routes[1].TransitGatewayAttachments[0].ResourceType)

	cgw := vpn.DescribeCustomerGateways(o.Region).CustomerGateways[0]
	require.Equal(t, "65000", *cgw.BgpAsn)
	require.Equal(t, "198.51.100.1", *cgw.IpAddress)
	o.must(v.Delete())
	require.Equal(t, ec2.VpnStateDeleted, *vpn.Describe(o.Region).VpnConnections[0].State)
	o.Run(time.Hour + time.Minute)
	require.Empty(t, vpn.Describe(o.Region).VpnConnections)
}

// Inside CIDRs are told apart: those that are chosen do not meet those that are given.
func TestInsideCIDRsAreUsedOnce(t *testing.T) {
	o := byVGW(t)
	first, err := vpn.Create(o.customer, o.private, vpn.Config{Inside: [2]netip.Prefix{1: netip.MustParsePrefix("169.254.6.8/30")}})
	o.must(err)
	_, err = vpn.Create(o.customer, o.private, vpn.Config{Inside: [2]netip.Prefix{netip.MustParsePrefix("169.254.6.10/30")}})
	require.EqualError(t, err, "InvalidParameterValue: Invalid value for parameter tunnelInsideCidr: 169.254.6.10/30")
	same := netip.MustParsePrefix("169.254.9.0/30")
	_, err = vpn.Create(o.customer, o.private, vpn.Config{Inside: [2]netip.Prefix{same, same}})
	require.EqualError(t, err, "InvalidParameterValue: Invalid value for parameter tunnelInsideCidr: 169.254.9.0/30")
	second, err := vpn.Create(o.customer, o.private, vpn.Config{})
	o.must(err)
	used := map[string]bool{}
	for _, s := range vpn.Describe(o.Region).VpnConnections {
		for _, tunnel := range s.Options.TunnelOptions {
			require.False(t, used[*tunnel.TunnelInsideCidr], *tunnel.TunnelInsideCidr)
			used[*tunnel.TunnelInsideCidr] = true
		}
	}
	require.Len(t, used, 4)
	o.must(first.Delete(), second.Delete())
	_, err = vpn.Create(o.customer, o.private, vpn.Config{Inside: [2]netip.Prefix{netip.MustParsePrefix("169.254.6.8/30")}})
	o.must(err)
}

// The form is that of AWS's, which customers' devices are configured from.
func TestTheConfigurationIsXML(t *testing.T) {
	o := byVGW(t)
	v, err := vpn.Create(o.customer, o.private, vpn.Config{ID: "vpn-1", Inside: [2]netip.Prefix{netip.MustParsePrefix("169.254.20.0/30")}})
	o.must(err)
	text := *vpn.Describe(o.Region).VpnConnections[0].CustomerGatewayConfiguration
	for _, part := range []string{
		`<?xml version="1.0" encoding="UTF-8"?>`, `<vpn_connection id="vpn-1">`,
		"<customer_gateway_id>" + o.customer.ID() + "</customer_gateway_id>", "<vpn_gateway_id>" + o.private.ID() + "</vpn_gateway_id>",
		"<ip_address>" + v.Outside(0).String() + "</ip_address>", "<ip_address>169.254.20.1</ip_address>", "<ip_address>169.254.20.2</ip_address>",
		"<network_mask>255.255.255.252</network_mask>", "<network_cidr>30</network_cidr>", "<asn>65000</asn>", "<asn>64512</asn>",
		"<hold_time>30</hold_time>", "<tcp_mss_adjustment>1379</tcp_mss_adjustment>", "<pre_shared_key>",
	} {
		require.Contains(t, text, part)
	}
	require.NotContains(t, text, "NoBGPVPNConnection")
	_, err = vpn.Create(o.customer, o.private, vpn.Config{Static: true})
	o.must(err)
	static := *vpn.Describe(o.Region).VpnConnections[1].CustomerGatewayConfiguration
	require.Contains(t, static, "<vpn_connection_attributes>NoBGPVPNConnection</vpn_connection_attributes>")
	require.NotContains(t, static, "<bgp>")
}

func TestConnectionsAreRestored(t *testing.T) {
	o := byVGW(t)
	static, _ := o.connect("static", vpn.Config{Static: true}, "192.168.0.9")
	bgp, _ := o.connect("bgp", vpn.Config{}, "192.168.1.9")
	o.must(static.CreateRoute("192.168.0.0/24"), bgp.SetTunnel(1, false))
	again := vpc.NewRegion(vpc.RegionConfig{Bare: true, Unlimited: true})
	o.must(again.Change(func(tx *vpc.Tx) error {
		for _, v := range o.Region.DescribeVpcs().Vpcs {
			v.DhcpOptionsId = new("default")
			if _, err := tx.RestoreVPC(v); err != nil {
				return err
			}
		}
		if _, err := vgw.Restore(tx, vgw.Describe(o.Region).VpnGateways[0]); err != nil {
			return err
		}
		if _, err := vpn.RestoreCustomerGateway(tx, vpn.DescribeCustomerGateways(o.Region).CustomerGateways[0]); err != nil {
			return err
		}
		for _, s := range vpn.Describe(o.Region).VpnConnections {
			if _, err := vpn.Restore(tx, s); err != nil {
				return err
			}
		}
		return nil
	}))
	require.Equal(t, vpn.Describe(o.Region), vpn.Describe(again))
	require.Equal(t, vpn.DescribeCustomerGateways(o.Region), vpn.DescribeCustomerGateways(again))
	g := again.Find(o.private.ID()).(*vgw.VirtualPrivateGateway)
	again.View(func(tx *vpc.Tx) {
		require.Equal(t, []netip.Prefix{netip.MustParsePrefix("192.168.0.0/24")}, g.Learned(tx))
	})
}

// A transit gateway's attachments are described by themselves, and its routes tell what
// BGP announced.
func TestAttachmentsOfConnectionsAreRestored(t *testing.T) {
	o := byTGW(t, tgw.Config{})
	v, _ := o.connect("vpn", vpn.Config{}, "192.168.0.9")
	o.must(v.Announce(0, announce("192.168.0.0/16")...))
	again := vpc.NewRegion(vpc.RegionConfig{Bare: true, Unlimited: true})
	o.must(again.Change(func(tx *vpc.Tx) error {
		if _, err := tgw.Restore(tx, tgw.Describe(o.Region).TransitGateways[0]); err != nil {
			return err
		}
		if _, err := vpn.RestoreCustomerGateway(tx, vpn.DescribeCustomerGateways(o.Region).CustomerGateways[0]); err != nil {
			return err
		}
		if _, err := vpn.Restore(tx, vpn.Describe(o.Region).VpnConnections[0]); err != nil {
			return err
		}
		table, err := tgw.RestoreRouteTable(tx, tgw.DescribeRouteTables(o.Region).TransitGatewayRouteTables[0])
		if err != nil {
			return err
		}
		for _, s := range tgw.DescribeAttachments(o.Region).TransitGatewayAttachments[1:] {
			a, err := tgw.RestoreOther(tx, s)
			if err != nil {
				return err
			}
			tgw.RestoreAssociation(tx, a, table)
			tgw.RestorePropagation(tx, table, a)
		}
		return tgw.RestoreRoute(tx, table, o.transit.DefaultRouteTable().Search().Routes[1])
	}))
	g := again.Find(o.transit.ID()).(*tgw.TransitGateway)
	want := o.transit.DefaultRouteTable().Search().Routes[1:]
	require.Equal(t, want, g.DefaultRouteTable().Search().Routes)
}

// What is attached and not modelled takes part in tables, and nothing is delivered by it.
func TestAttachmentsThatAreNotModelledAreRestored(t *testing.T) {
	o := byTGW(t, tgw.Config{})
	const id = "tgw-attach-0dd"
	table := o.transit.DefaultRouteTable()
	o.must(o.Region.Change(func(tx *vpc.Tx) error {
		a, err := tgw.RestoreOther(tx, ec2.TransitGatewayAttachment{
			TransitGatewayAttachmentId: new(id), TransitGatewayId: new(o.transit.ID()), ResourceId: new("8384da05-13ce-4a91-aada-5a1baEXAMPLE"),
			ResourceType: new(ec2.TransitGatewayAttachmentResourceTypeDirectConnectGateway),
		})
		if err == nil {
			tgw.RestorePropagation(tx, table, a)
			err = tgw.RestoreRoute(tx, table, ec2.TransitGatewayRoute{
				DestinationCidrBlock: new("192.168.0.0/16"), Type: new(ec2.TransitGatewayRouteTypePropagated),
				TransitGatewayAttachments: []ec2.TransitGatewayRouteAttachment{{TransitGatewayAttachmentId: new(id)}},
			})
		}
		return err
	}))
	o.app.Ping(addr("192.168.0.9")).Dropped(t, trace.Unmodelled)
}
