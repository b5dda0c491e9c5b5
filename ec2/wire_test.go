package ec2_test

import (
	"encoding/json"
	"encoding/xml"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/ec2"
)

// The answer in the API reference's example of DescribeNatGateways, its
// private gateway's addresses as measured: S002.
const natGateways = xml.Header +
	`<DescribeNatGatewaysResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>req-1</requestId>` +
	`<natGatewaySet><item><createTime>2021-06-20T14:10:02.000Z</createTime><natGatewayAddressSet><item>` +
	`<networkInterfaceId>eni-0a</networkInterfaceId><privateIp>10.0.2.149</privateIp></item></natGatewayAddressSet>` +
	`<natGatewayId>nat-0b</natGatewayId><state>available</state><subnetId>subnet-0c</subnetId><vpcId>vpc-0d</vpcId>` +
	`<tagSet></tagSet><connectivityType>private</connectivityType></item></natGatewaySet></DescribeNatGatewaysResponse>`

func privateNATGateway() *ec2.DescribeNatGatewaysResult {
	return &ec2.DescribeNatGatewaysResult{NatGateways: []ec2.NatGateway{{
		ConnectivityType: new(ec2.ConnectivityTypePrivate),
		CreateTime:       new(ec2.TimestampOf(time.Date(2021, 6, 20, 14, 10, 2, 0, time.UTC))),
		NatGatewayAddresses: []ec2.NatGatewayAddress{{
			NetworkInterfaceId: new("eni-0a"),
			PrivateIp:          new("10.0.2.149"),
		}},
		NatGatewayId: new("nat-0b"),
		State:        new(ec2.NatGatewayStateAvailable),
		SubnetId:     new("subnet-0c"),
		VpcId:        new("vpc-0d"),
		Tags:         []ec2.Tag{},
	}}}
}

func TestAnAnswerIsWrittenAndReadAsEC2sXML(t *testing.T) {
	text, err := ec2.MarshalResponse("DescribeNatGateways", "req-1", privateNATGateway())
	require.NoError(t, err)
	require.Equal(t, natGateways, string(text))

	read := new(ec2.DescribeNatGatewaysResult)
	require.NoError(t, xml.Unmarshal(text, read))
	require.Equal(t, privateNATGateway(), read)
}

func TestAnActionWithoutAResultAnswersThatItWasDone(t *testing.T) {
	a, ok := ec2.ActionNamed("DeleteRoute")
	require.True(t, ok)
	require.Nil(t, a.Result)
	text, err := ec2.MarshalResponse(a.Name, "req-1", nil)
	require.NoError(t, err)
	require.Equal(t, xml.Header+`<DeleteRouteResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">`+
		`<requestId>req-1</requestId><return>true</return></DeleteRouteResponse>`, string(text))
}

func TestAbsentEmptyAndZeroStayApart(t *testing.T) {
	for _, c := range []struct {
		name  string
		shape ec2.Subnet
		json  string
		xml   string
	}{
		{"absent", ec2.Subnet{}, `{}`, `<s></s>`},
		{"empty list", ec2.Subnet{Tags: []ec2.Tag{}}, `{"Tags":[]}`, `<s><tagSet></tagSet></s>`},
		{"empty text", ec2.Subnet{OutpostArn: new("")}, `{"OutpostArn":""}`, `<s><outpostArn></outpostArn></s>`},
		{"false", ec2.Subnet{DefaultForAz: new(false)}, `{"DefaultForAz":false}`, `<s><defaultForAz>false</defaultForAz></s>`},
		{"zero", ec2.Subnet{AvailableIpAddressCount: new(int32(0))}, `{"AvailableIpAddressCount":0}`, `<s><availableIpAddressCount>0</availableIpAddressCount></s>`},
	} {
		t.Run(c.name, func(t *testing.T) {
			text, err := json.Marshal(c.shape)
			require.NoError(t, err)
			require.Equal(t, c.json, string(text))
			var read ec2.Subnet
			require.NoError(t, json.Unmarshal(text, &read))
			require.Equal(t, c.shape, read)

			wire := struct {
				XMLName xml.Name `xml:"s"`
				ec2.Subnet
			}{Subnet: c.shape}
			text, err = xml.Marshal(wire)
			require.NoError(t, err)
			require.Equal(t, c.xml, string(text))
			read = ec2.Subnet{}
			require.NoError(t, xml.Unmarshal(text, &read))
			require.Equal(t, c.shape, read)
		})
	}
}

func TestUnknownMembersAreIgnored(t *testing.T) {
	var read ec2.Vpc
	require.NoError(t, json.Unmarshal([]byte(`{"VpcId":"vpc-1","Later":{"X":[1]}}`), &read))
	require.Equal(t, ec2.Vpc{VpcId: new("vpc-1")}, read)
	read = ec2.Vpc{}
	require.NoError(t, xml.Unmarshal([]byte(`<item><later><item/></later><vpcId>vpc-1</vpcId></item>`), &read))
	require.Equal(t, ec2.Vpc{VpcId: new("vpc-1")}, read)
}

func TestABrokenListIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		`<r><vpcSet><item></r>`: "XML syntax error on line 1: element <item> closed by </r>",
		`<r><vpcSet>`:           "XML syntax error on line 1: unexpected EOF",
		`<r><vpcSet><item><isDefault>maybe</isDefault></item>`: `strconv.ParseBool: parsing "maybe": invalid syntax`,
	} {
		require.EqualError(t, xml.Unmarshal([]byte(text), new(ec2.DescribeVpcsResult)), want, text)
	}
}

func TestEveryFormOfTimestampIsUnderstood(t *testing.T) {
	want := time.Date(2020, 2, 12, 18, 0, 16, 0, time.UTC)
	for _, text := range []ec2.Timestamp{
		"2020-02-12T18:00:16.000Z", "2020-02-12T18:00:16Z", "2020-02-12T18:00:16+00:00", "2020-02-12 18:00:16+00:00", "2020-02-12 19:00:16+01:00",
	} {
		got, err := text.Time()
		require.NoError(t, err)
		require.True(t, want.Equal(got), text)
	}
	require.Equal(t, ec2.Timestamp("2020-02-12T18:00:16.000Z"), ec2.TimestampOf(want.In(time.FixedZone("", 3600))))
	_, err := ec2.Timestamp("12 Feb 2020").Time()
	require.EqualError(t, err, `ec2: timestamp "12 Feb 2020": expected a form such as "2006-01-02T15:04:05.000Z"`)
}

func TestActionsAreFoundByTheirExactName(t *testing.T) {
	for _, a := range ec2.Actions {
		found, ok := ec2.ActionNamed(a.Name)
		require.True(t, ok, a.Name)
		require.Equal(t, a.Name, found.Name)
		require.NotNil(t, a.Request(), a.Name)
	}
	for _, name := range []string{"", "describeVpcs", "DescribeVpc", "Zzz"} {
		_, ok := ec2.ActionNamed(name)
		require.False(t, ok, name)
	}
}

func FuzzWhatIsReadAsXMLIsWrittenTheSame(f *testing.F) {
	f.Add(natGateways)
	f.Add(`<r><natGatewaySet/></r>`)
	f.Add(`<r><natGatewaySet><item><tagSet><member><key>&lt;</key></member></tagSet></item></natGatewaySet></r>`)
	f.Fuzz(func(t *testing.T, text string) {
		read := new(ec2.DescribeNatGatewaysResult)
		if xml.Unmarshal([]byte(text), read) != nil {
			return
		}
		wire, err := ec2.MarshalResponse("DescribeNatGateways", "req-1", read)
		require.NoError(t, err)
		again := new(ec2.DescribeNatGatewaysResult)
		require.NoError(t, xml.Unmarshal(wire, again))
		require.Equal(t, read, again)
	})
}
