package reach_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/reach"
)

// Whatever is asked has an answer: never a panic, and unknown is never reachable.
func FuzzAsk(f *testing.F) {
	for _, s := range []reach.Spec{
		{From: "web", To: "app"}, {From: "10.0.0.5", To: "8.8.8.8", Proto: "tcp", Port: 443}, {From: "internet", To: "web", Proto: "udp", Port: 53},
		{From: "app", To: "::1", Proto: "icmpv6"}, {From: "0.0.0.0", To: "255.255.255.255", Proto: "255"}, {From: "web/1.2.3.4", To: "fe80::1%eth0"},
		{From: "app", To: "169.254.169.254", Proto: "tcp", Port: 80}, {From: "app", To: "224.0.0.1"}, {From: "::ffff:10.0.0.5", To: "app", Size: 9000},
		{From: "app", To: "10.0.0.2", Proto: "udp", Port: 53}, {From: "app", To: "web", Proto: "tcp", Port: 22, Size: 100},
	} {
		f.Add(s.From, s.To, s.Proto, s.Port, s.Size)
	}
	o := newOffice(f)
	p := prober(f, o.World.World, reach.Config{})
	f.Fuzz(func(t *testing.T, from, to, proto string, port, size int) {
		s := reach.Spec{From: from, To: to, Proto: proto, Port: port, Size: size}
		v := p.Explain(s)
		require.NotEmpty(t, v.Observed)
		require.NotEmpty(t, v.Reason)
		require.Equal(t, v.RoundTrip == nil, v.Unknown != "", "%+v", v)
		if v.Unknown != "" {
			require.False(t, v.Reachable)
			require.Equal(t, reach.Unknown, v.Observed)
		}
		if v.Reachable {
			require.Empty(t, v.Blockers)
		}
		require.NotEmpty(t, v.String())
	})
}

// Whatever is set is refused or set: never a panic, and the network can still be asked.
func FuzzOverlay(f *testing.F) {
	for _, c := range []string{
		"app/state=stopped", "web/source-dest-check=off", "web/groups=servers", "rtb/0.0.0.0/0=nat", "sg/ingress/tcp/22/0.0.0.0/0=none", "a/b=c", "=", "app/groups=",
		"aws ec2 create-route --route-table-id 'rtb' --gateway-id \"nat\" --destination-cidr-block ::/0 # so",
		"aws ec2 stop-instances --instance-ids web app", "arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/net/a/b/x.y=true", "web/address=new",
		"sg/ingress/icmpv6/::/0=allow", "sg/egress/all/10.0.0.0/8=allow", "acl/ingress/7=deny tcp/1-2 10.0.0.0/8", "acl/egress/0=allow all ::/0", "acl/ingress/100=none",
	} {
		f.Add(c)
	}
	f.Fuzz(func(t *testing.T, text string) {
		overlay, err := reach.ParseOverlay(text)
		if err != nil {
			return
		}
		require.NotEmpty(t, overlay)
		for _, c := range overlay {
			again, err := reach.ParseOverlay(c.String())
			require.NoError(t, err)
			require.Equal(t, reach.Overlay{c}, again)
		}
		o := newOffice(t)
		for name, id := range map[string]string{"rtb": o.public.RouteTable().ID(), "sg": o.group.ID(), "acl": o.vpc.DefaultNetworkACL().ID()} {
			if overlay[0].Object == name {
				overlay[0].Object = id
			}
		}
		_ = overlay.Apply(o.World.World) // refused or not
		require.NotEmpty(t, prober(t, o.World.World, reach.Config{}).Ask(reach.Spec{From: "web", To: "app"}).Observed)
	})
}
