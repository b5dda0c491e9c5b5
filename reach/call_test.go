package reach_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/reach"
)

func TestCallsOfTheCLIAreChanges(t *testing.T) {
	for call, want := range map[string][]string{
		"aws ec2 create-route --route-table-id rtb-1 --destination-cidr-block 0.0.0.0/0 --gateway-id igw-1":                                                                          {"rtb-1/0.0.0.0/0=igw-1"},
		"aws --region eu-west-1 ec2 replace-route --route-table-id rtb-1":                                                                                                            nil,
		"aws ec2 replace-route --region eu-west-1 --route-table-id=rtb-1 --destination-ipv6-cidr-block ::/0 --egress-only-internet-gateway-id eigw-1  # nat-1 is gone":               {"rtb-1/::/0=eigw-1"},
		"aws ec2 delete-route --route-table-id rtb-1 --destination-prefix-list-id pl-1":                                                                                              {"rtb-1/pl-1=none"},
		"aws ec2 authorize-security-group-ingress --group-id sg-1 --ip-permissions 'IpProtocol=tcp,FromPort=22,ToPort=22,IpRanges=[{CidrIp=10.0.0.1/32}]'":                           {"sg-1/ingress/tcp/22/10.0.0.1/32=allow"},
		"aws ec2 authorize-security-group-egress --group-id sg-1 --ip-permissions IpProtocol=icmpv6,FromPort=-1,ToPort=-1,Ipv6Ranges=[{CidrIpv6=::/0}]":                              {"sg-1/egress/icmpv6/::/0=allow"},
		"aws ec2 revoke-security-group-ingress --group-id sg-1 --protocol udp --port 80-90 --source-group sg-2":                                                                      {"sg-1/ingress/udp/80-90/sg-2=none"},
		"aws ec2 authorize-security-group-ingress --group-id sg-1 --protocol -1 --cidr 10.0.0.0/8":                                                                                   {"sg-1/ingress/all/10.0.0.0/8=allow"},
		"aws ec2 create-network-acl-entry --network-acl-id acl-1 --egress --rule-number 90 --protocol 6 --port-range From=1024,To=65535 --cidr-block 10.0.0.0/8 --rule-action allow": {"acl-1/egress/90=allow tcp/1024-65535 10.0.0.0/8"},
		"aws ec2 create-network-acl-entry --network-acl-id acl-1 --ingress --rule-number 9 --protocol 1 --icmp-type-code Type=-1,Code=-1 --cidr-block 10.0.0.0/8 --rule-action deny": {"acl-1/ingress/9=deny icmp 10.0.0.0/8"},
		"aws ec2 create-network-acl-entry --network-acl-id acl-1 --ingress --rule-number 9 --protocol 1 --icmp-type-code Type=3,Code=4 --cidr-block 0.0.0.0/0 --rule-action allow":   {"acl-1/ingress/9=allow icmp/3-4 0.0.0.0/0"},
		"aws ec2 authorize-security-group-ingress --group-id sg-1 --ip-permissions IpProtocol=icmp,FromPort=8,ToPort=-1,IpRanges=[{CidrIp=10.0.0.0/8}]":                              {"sg-1/ingress/icmp/8/10.0.0.0/8=allow"},
		"aws ec2 delete-network-acl-entry --network-acl-id acl-1 --ingress --rule-number 9":                                                                                          {"acl-1/ingress/9=none"},
		"aws ec2 modify-network-interface-attribute --network-interface-id eni-1 --no-source-dest-check":                                                                             {"eni-1/source-dest-check=off"},
		"aws ec2 modify-network-interface-attribute --network-interface-id eni-1 --groups sg-1 sg-2":                                                                                 {"eni-1/groups=sg-1,sg-2"},
		"aws ec2 associate-address --allocation-id <eipalloc> --network-interface-id eni-1":                                                                                          {"eni-1/address=new"},
		"aws ec2 start-instances --instance-ids i-1 i-2":                                                                                                                             {"i-1/state=running", "i-2/state=running"},
		"aws ec2 create-transit-gateway-route --transit-gateway-route-table-id tgw-rtb-1 --destination-cidr-block 10.0.0.0/8 --blackhole":                                            {"tgw-rtb-1/10.0.0.0/8=blackhole"},
		"aws ec2 associate-transit-gateway-route-table --transit-gateway-route-table-id tgw-rtb-1 --transit-gateway-attachment-id tgw-attach-1":                                      {"tgw-attach-1/route-table=tgw-rtb-1"},
		"aws ec2 enable-transit-gateway-route-table-propagation --transit-gateway-route-table-id tgw-rtb-1 --transit-gateway-attachment-id tgw-attach-1":                             {"tgw-rtb-1/propagation/tgw-attach-1=on"},
		"aws ec2 modify-transit-gateway-vpc-attachment --transit-gateway-attachment-id tgw-attach-1 --add-subnet-ids subnet-1 --options ApplianceModeSupport=enable":                 {"tgw-attach-1/subnet/subnet-1=on", "tgw-attach-1/appliance-mode=on"},
		"aws ec2 accept-vpc-endpoint-connections --service-id vpce-svc-1 --vpc-endpoint-ids vpce-1":                                                                                  {"vpce-1/state=available"},
		"aws elbv2 modify-target-group-attributes --target-group-arn arn:x --attributes Key=preserve_client_ip.enabled,Value=false":                                                  {"arn:x/preserve_client_ip.enabled=false"},
		"aws elbv2 register-targets --target-group-arn arn:x --targets Id=i-1,Port=80 Id=i-2":                                                                                        {"arn:x/target/i-1:80=on", "arn:x/target/i-2=on"},
	} {
		o, err := reach.ParseOverlay(call)
		if want == nil {
			require.Error(t, err, call)
			continue
		}
		require.NoError(t, err, call)
		var got []string
		for _, c := range o {
			got = append(got, c.String())
		}
		require.Equal(t, want, got, call)
	}
	for call, want := range map[string]string{
		"aws ec2":                                        `reach: change "aws ec2": expected a call such as aws ec2 create-route …`,
		"aws ec2 delete-vpc --vpc-id vpc-1":              "aws ec2 delete-vpc can't be tried; expected one of ec2 accept-vpc-endpoint-connections, ",
		"aws ec2 create-route rtb-1":                     `"rtb-1": expected an option`,
		"aws ec2 create-route --route-table-id 'rtb-1":   "expected another ': a quote is open",
		"aws ec2 create-route --route-table-id rtb-1":    "aws ec2 create-route: an option is missing that says which object, or what becomes of it",
		"aws ec2 start-instances --instance-ids a/b":     `"a/b": expected an id`,
		"aws ec2 start-instances":                        "expected --instance-ids",
		"aws ec2 start-instances --instance-ids i-1 --x": "--x is not understood here",
		"aws ec2 create-route --route-table-id rtb-1 --destination-cidr-block ::/0 --gateway-id <target>": "<target> is for you to choose",
		"aws ec2 authorize-security-group-ingress --group-id sg-1 --ip-permissions IpProtocol=tcp":        "expected --ip-permissions with one peer, such as IpProtocol=tcp,FromPort=22,ToPort=22,IpRanges=[{CidrIp=10.0.0.0/8}]",
		"aws elbv2 modify-target-group-attributes --target-group-arn a --attributes preserve":             `--attributes "preserve": expected Key=…,Value=…`,
		"aws ec2 modify-transit-gateway-vpc-attachment --transit-gateway-attachment-id tgw-attach-1":      "expected --add-subnet-ids, --remove-subnet-ids or --options ApplianceModeSupport=enable",
		"arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/b5b1461ad985b3e8=1":          "expected <object>/<what>=<value>",
	} {
		_, err := reach.ParseOverlay(call)
		require.ErrorContains(t, err, want, call)
	}
}
