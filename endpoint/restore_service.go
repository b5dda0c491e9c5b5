package endpoint

import (
	"errors"
	"fmt"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/vpc"
)

// RestoreService makes an endpoint service as described, on the load balancers that
// were restored before. One that is not there is told: what comes by endpoints in a
// zone where no other stands is unknown. See the Restore methods of [vpc.Tx].
func RestoreService(tx *vpc.Tx, d ec2.ServiceConfiguration) (*Service, error) {
	b, err := tx.RestoreBase("ServiceId", d.ServiceId, nil, d.Tags)
	if err != nil {
		return nil, err
	}
	s := &Service{
		Base: b, kind: Interface, acceptance: ec2.Value(d.AcceptanceRequired), private: ec2.Value(d.PrivateDnsName), created: tx.RestoreTime(nil),
		types: d.SupportedIpAddressTypes,
	}
	if len(d.GatewayLoadBalancerArns) > 0 {
		s.kind = GatewayLoadBalancer
	}
	var absent []error
	for _, list := range []struct {
		field string
		arns  []string
	}{{"NetworkLoadBalancerArns", d.NetworkLoadBalancerArns}, {"GatewayLoadBalancerArns", d.GatewayLoadBalancerArns}} {
		for i, arn := range list.arns {
			p, ok := tx.Find(arn).(Provider)
			if !ok {
				s.partial = true
				absent = append(absent, vpc.Absent(fmt.Sprintf("%s[%d]", list.field, i), arn))
				continue
			}
			s.providers = append(s.providers, p)
		}
	}
	tx.Add(s)
	return s, errors.Join(absent...)
}
