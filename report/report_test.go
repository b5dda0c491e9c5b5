package report_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/intent"
	"github.com/vpcsim/vpcsim/picture"
	"github.com/vpcsim/vpcsim/reach"
	"github.com/vpcsim/vpcsim/report"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

// pair is two hosts in two subnets, of which the second lets tcp/443 in.
func pair(t *testing.T) (*vpctest.World, *reach.Prober) {
	w := vpctest.New(t)
	v := w.VPC("10.0.0.0/16")
	a, b := v.Subnet("10.0.0.0/24"), v.Subnet("10.0.1.0/24")
	g, err := v.CreateSecurityGroup("db", vpc.SecurityGroupConfig{})
	require.NoError(t, err)
	require.NoError(t, g.AuthorizeIngress(vpc.TCPPort(443, "10.0.0.0/24")))
	_, err = a.RunInstance(vpc.InstanceConfig{Name: "app"})
	require.NoError(t, err)
	_, err = b.RunInstance(vpc.InstanceConfig{Name: "db", Interface: vpc.NetworkInterfaceConfig{Groups: []*vpc.SecurityGroup{g}}})
	require.NoError(t, err)
	p, err := reach.New(w.World, reach.Config{})
	require.NoError(t, err)
	return w, p
}

func TestTheFirstLineSaysAllByItself(t *testing.T) {
	w, p := pair(t)
	for _, c := range []struct{ proto, first string }{
		{"tcp", "PASS app -> db: open, ttl 255"},
		{"icmp", "FAIL app -> db: no answer  (request dropped)"},
	} {
		v := p.Explain(reach.Spec{From: "app", To: "db", Proto: c.proto, Port: 443})
		b := report.Block("app -> db", &v, picture.Places(w.Region))
		first, rest, _ := strings.Cut(b.String(), "\n")
		require.Equal(t, c.first, first)
		require.Equal(t, len(v.Blockers) > 0, strings.Contains(rest, " why   ENI_SG_RULES_MISMATCH: request: "))
		require.Equal(t, len(v.Blockers) > 0, strings.Contains(rest, " fix   aws ec2 authorize-security-group-ingress "))
	}
	no := false
	require.Equal(t, "connects, and the data gets no answer", report.Observed(&reach.Result{RoundTrip: &no, Observed: reach.NoReply, Connected: true}))
	v := p.Explain(reach.Spec{From: "10.9.9.9", To: "db"})
	b := report.Block("x -> db", &v, picture.Places(w.Region))
	require.Equal(t, "UNKNOWN", b.Word)
	require.Contains(t, b.String(), "why   unknown: 10.9.9.9: no interface of the network has the address")
}

func TestQuestionsLeadToTheSameEndsAgain(t *testing.T) {
	_, p := pair(t)
	for _, s := range []reach.Spec{
		{From: "app", To: "db", Proto: "tcp", Port: 443}, {From: "app", To: "8.8.8.8", Proto: "icmp"}, {From: "internet", To: "db", Proto: "udp", Port: 53},
		{From: "app", To: "db", Proto: "47"}, {From: "app", To: "db", Proto: "50"}, {From: "app", To: "db", Size: 2000, Fragment: true},
	} {
		q, err := p.Question(s)
		require.NoError(t, err)
		again, err := p.Question(report.Spec(q))
		require.NoError(t, err)
		require.Equal(t, q.From.Addr, again.From.Addr)
		require.Equal(t, q.To.Interface(), again.To.Interface())
		require.Equal(t, q.Proto, again.Proto)
		require.Equal(t, q.Port, again.Port)
		require.Equal(t, q.Size, again.Size)
		require.Equal(t, q.Fragment, again.Fragment)
	}
}

func TestABlockerSaysWhatThePacketWas(t *testing.T) {
	r := report.Reason(&reach.Blocker{Direction: "reply", Code: "X", Text: "denied", At: "subnet-1", Object: "acl-1", Rule: "outbound rule *",
		Packet: "a > b", Fix: "allow", Share: 0.5, Supposed: true})
	require.Equal(t, picture.Reason{Code: "X", Fix: "allow",
		Text: "reply: denied at subnet-1 by acl-1, outbound rule *; the packet there: a > b (in 50 % of the cases) (as if it had come there as it was sent)"}, r)
}

func TestAnIntentSaysHowManyProbesFail(t *testing.T) {
	w, p := pair(t)
	i, err := intent.ParseLine("app -> db any blocked")
	require.NoError(t, err)
	o := intent.NewChecker(p, intent.NewNames(w.Region), intent.NewPorts(nil, w.Region)).Check(intent.Line{Number: 3, Intent: &i})
	b := report.Intent("f", &o, p, picture.Places(w.Region))
	first, _, _ := strings.Cut(b.String(), "\n")
	require.Regexp(t, `^FAIL f:3: app -> db any blocked: open, want blocked  \(app -> db tcp/443\)  1 of \d+ probes fail$`, first)
}
