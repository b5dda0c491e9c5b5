package firewall

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/vpcsim/vpcsim/vpc"
)

// invalid is the refusal of a request that makes no sense. The code is AWS's, the
// sentences are inferred.
func invalid(format string, args ...any) error {
	return vpc.Refuse("InvalidRequestException", "%s", fmt.Sprintf(format, args...))
}

func check(tx *vpc.Tx, name string, c Config) error {
	if name == "" || len(name) > 128 {
		return invalid("firewall name %q is not of 1 to 128 characters", name)
	}
	if len(c.Subnets) == 0 || c.Subnets[0] == nil {
		return invalid("subnet mapping is required")
	}
	return tx.CheckPlaces(c.Subnets, nil)
}

// homeNet is what $HOME_NET and $EXTERNAL_NET stand for (NFW guide, "HOME_NET").
func homeNet(tx *vpc.Tx, v *vpc.VPC, p Policy) variables {
	var in []string
	for _, c := range homeCIDRs(tx, v, p) {
		in = append(in, c.String())
	}
	return variables{ips: map[string][]string{"HOME_NET": in, "EXTERNAL_NET": {"![" + strings.Join(in, ",") + "]"}}}
}

// homeCIDRs returns the CIDRs of $HOME_NET: the policy's, or the IPv4 ones that the VPC has
// now.
func homeCIDRs(tx *vpc.Tx, v *vpc.VPC, p Policy) []netip.Prefix {
	if len(p.HomeNet) > 0 {
		return p.HomeNet
	}
	return slices.DeleteFunc(tx.CIDRs(v), func(c netip.Prefix) bool { return c.Addr().Is6() })
}

// compile checks a policy and makes its rules.
func compile(p Policy, home variables, id string) (*rules, error) {
	r := &rules{
		policy: cmp.Or(p.Name, "firewall policy"), policyID: id, strict: p.Order == StrictOrder,
		whole: cmp.Or(p.StatelessDefault, Pass), fragments: cmp.Or(p.StatelessFragmentDefault, Pass),
		stream: cmp.Or(p.Stream, StreamDrop), tcpIdle: cmp.Or(p.TCPIdle, defaultTCPIdle),
	}
	for _, a := range []Action{r.whole, r.fragments} {
		if a != Pass && a != Drop && a != Forward {
			return nil, invalid("stateless default action %q is none of aws:pass, aws:drop, aws:forward_to_sfe", a)
		}
	}
	switch {
	case p.Order != "" && p.Order != ActionOrder && p.Order != StrictOrder:
		return nil, invalid("rule order %q is neither DEFAULT_ACTION_ORDER nor STRICT_ORDER", p.Order)
	case len(p.StatefulDefault) > 0 && !r.strict:
		return nil, invalid("stateful default actions need the rule order STRICT_ORDER")
	case r.stream != StreamDrop && r.stream != StreamContinue && r.stream != StreamReject:
		return nil, invalid("stream exception policy %q is none of DROP, CONTINUE, REJECT", p.Stream)
	case r.tcpIdle < 60*time.Second || r.tcpIdle > 6000*time.Second:
		return nil, invalid("TCP idle timeout %s is not in 60 to 6000 seconds", p.TCPIdle)
	}
	for _, a := range p.StatefulDefault {
		switch a {
		case "aws:drop_strict":
			r.dropAll = true
		case "aws:drop_established":
			r.dropEstablished = true
		case "aws:alert_strict", "aws:alert_established":
		default:
			return nil, invalid("stateful default action %q is none of aws:drop_strict, aws:drop_established, aws:alert_strict, aws:alert_established", a)
		}
	}
	var err error
	if r.stateless, err = compileStateless(p.Stateless); err != nil {
		return nil, err
	}
	r.stateful, err = compileStateful(p, home)
	return r, err
}

func (f *Firewall) policyID(p Policy) string {
	return f.Region().ARN("network-firewall", "firewall-policy/"+cmp.Or(p.Name, f.name))
}
