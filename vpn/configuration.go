package vpn

import (
	"encoding/xml"
	"net/netip"
)

// The XML of CustomerGatewayConfiguration, in the form of AWS's; what it says of
// encryption and lifetimes are AWS's defaults.
type (
	configuration struct {
		XMLName    xml.Name `xml:"vpn_connection"`
		ID         string   `xml:"id,attr"`
		Customer   string   `xml:"customer_gateway_id"`
		Gateway    string   `xml:"vpn_gateway_id,omitempty"`
		Transit    string   `xml:"transit_gateway_id,omitempty"`
		Type       string   `xml:"vpn_connection_type"`
		Attributes string   `xml:"vpn_connection_attributes,omitempty"`
		Tunnels    [2]both  `xml:"ipsec_tunnel"`
	}
	both struct {
		Customer endpoint `xml:"customer_gateway"`
		Gateway  endpoint `xml:"vpn_gateway"`
		IKE      proposal `xml:"ike"`
		IPsec    proposal `xml:"ipsec"`
	}
	endpoint struct {
		Outside struct {
			Address string `xml:"ip_address"`
		} `xml:"tunnel_outside_address"`
		Inside struct {
			Address string `xml:"ip_address"`
			Mask    string `xml:"network_mask"`
			Bits    int    `xml:"network_cidr"`
		} `xml:"tunnel_inside_address"`
		BGP *session `xml:"bgp"`
	}
	session struct {
		ASN  int64 `xml:"asn"`
		Hold int   `xml:"hold_time"`
	}
	proposal struct {
		Protocol       string    `xml:"protocol,omitempty"`
		Authentication string    `xml:"authentication_protocol"`
		Encryption     string    `xml:"encryption_protocol"`
		Lifetime       int       `xml:"lifetime"`
		PFS            string    `xml:"perfect_forward_secrecy"`
		Mode           string    `xml:"mode"`
		ClearDF        string    `xml:"clear_df_bit,omitempty"`
		Fragment       string    `xml:"fragmentation_before_encryption,omitempty"`
		MSS            int       `xml:"tcp_mss_adjustment,omitempty"`
		DPD            *liveness `xml:"dead_peer_detection"`
		Key            string    `xml:"pre_shared_key,omitempty"`
	}
	liveness struct {
		Interval int `xml:"interval"`
		Retries  int `xml:"retries"`
	}
)

// AWS's defaults.
const (
	holdTime = 30
	mss      = 1379
)

var (
	ike   = proposal{Authentication: "sha1", Encryption: "aes-128-cbc", Lifetime: 28800, PFS: "group2", Mode: "main"}
	inner = proposal{
		Protocol: "esp", Authentication: "hmac-sha1-96", Encryption: "aes-128-cbc", Lifetime: 3600, PFS: "group2", Mode: "tunnel",
		ClearDF: "true", Fragment: "true", MSS: mss, DPD: &liveness{10, 3},
	}
)

// configuration returns the XML.
func (v *Connection) configuration() string {
	c := configuration{ID: v.ID(), Customer: v.customer.ID(), Type: ipsec}
	if v.transit() {
		c.Transit = v.gateway.ID()
	} else {
		c.Gateway = v.gateway.ID()
	}
	if v.static {
		c.Attributes = "NoBGPVPNConnection"
	}
	for i := range v.tunnels {
		t, to := &v.tunnels[i], &c.Tunnels[i]
		own := t.inside.Addr().Next()
		to.Customer = v.endpoint(v.customer.ip, own.Next(), v.customer.asn)
		to.Gateway = v.endpoint(t.outside, own, v.gateway.ASN())
		to.IKE, to.IPsec = ike, inner
		to.IKE.Key = t.key
	}
	b, err := xml.MarshalIndent(c, "", "  ")
	if err != nil {
		panic("vpn: " + err.Error()) // no value of these types fails
	}
	return xml.Header + string(b) + "\n"
}

func (v *Connection) endpoint(outside, inside netip.Addr, asn int64) endpoint {
	var e endpoint
	e.Outside.Address = outside.String()
	e.Inside.Address, e.Inside.Mask, e.Inside.Bits = inside.String(), "255.255.255.252", 30
	if !v.static {
		e.BGP = &session{asn, holdTime}
	}
	return e
}
