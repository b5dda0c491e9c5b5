package reach_test

import (
	"fmt"
	"log"

	"github.com/vpcsim/vpcsim/load"
	"github.com/vpcsim/vpcsim/reach"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/world"
)

// twoHosts is two instances in one subnet, whose group lets ssh in from the web server.
func twoHosts() *world.World {
	w := world.New(world.Config{})
	r := w.Region(vpc.RegionConfig{Seed: 1})
	v, err := r.CreateVPC("10.0.0.0/16", vpc.VPCConfig{})
	if err != nil {
		log.Fatal(err)
	}
	s, err := v.CreateSubnet("10.0.0.0/24", vpc.SubnetConfig{})
	if err != nil {
		log.Fatal(err)
	}
	g, err := v.CreateSecurityGroup("db", vpc.SecurityGroupConfig{ID: "sg-00000000000000db0"})
	if err != nil {
		log.Fatal(err)
	}
	if err := g.AuthorizeIngress(vpc.TCPPort(22, "10.0.0.0/24")); err != nil {
		log.Fatal(err)
	}
	for _, name := range []string{"web", "db"} {
		c := vpc.InstanceConfig{Name: name, Interface: vpc.NetworkInterfaceConfig{ID: "eni-000000000000000" + name[:1] + "0", Groups: []*vpc.SecurityGroup{g}}}
		if _, err := s.RunInstance(c); err != nil {
			log.Fatal(err)
		}
	}
	return w
}

// A probe says what the tool in the sender's hands would print.
func ExampleProber_Ask() {
	p, err := reach.New(twoHosts(), reach.Config{})
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range []reach.Spec{
		{From: "web", To: "db", Proto: "tcp", Port: 22}, {From: "web", To: "db", Proto: "tcp", Port: 5432}, {From: "web", To: "db", Proto: "icmp"},
	} {
		r := p.Ask(s)
		fmt.Printf("%s: %s (%s)\n", s, r.Observed, r.Reason)
	}
	// Output:
	// web -> db tcp/22: open (answered)
	// web -> db tcp/5432: filtered (no security group ingress rule allows it)
	// web -> db icmp: no-reply (no security group ingress rule allows it)
}

// A verdict tells every blocker, and the change that removes it.
func ExampleProber_Explain() {
	p, err := reach.New(twoHosts(), reach.Config{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(p.Explain(reach.Spec{From: "web", To: "db", Proto: "tcp", Port: 5432}))
	// Output:
	// not reachable: filtered (no security group ingress rule allows it)
	//   1 request: no security group ingress rule allows it (ENI_SG_RULES_MISMATCH) at db (eni-000000000000000d0)
	//       by db (sg-00000000000000db0), no ingress rule
	//       packet 10.0.0.4:40000 > 10.0.0.5:5432 tcp, TTL 255
	//       fix    aws ec2 authorize-security-group-ingress --group-id sg-00000000000000db0 --ip-permissions 'IpProtocol=tcp,FromPort=5432,ToPort=5432,IpRanges=[{CidrIp=10.0.0.4/32}]'
}

// An overlay is a change to try on a copy of the network.
func ExampleDiff() {
	before, err := load.Of(twoHosts(), load.Config{})
	if err != nil {
		log.Fatal(err)
	}
	o, err := reach.ParseOverlay("sg-00000000000000db0/ingress/tcp/22/10.0.0.0/24=none")
	if err != nil {
		log.Fatal(err)
	}
	after, err := before.With(o)
	if err != nil {
		log.Fatal(err)
	}
	ssh := reach.AllPairs(before.World, reach.Port{Proto: "tcp", Number: 22})
	found, err := reach.Diff(reach.Side{World: before.World}, reach.Side{World: after.World}, ssh)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(found)
	// Output:
	// lost    db (eni-000000000000000d0) -> web (eni-000000000000000w0) tcp/22: open -> filtered (no security group ingress rule allows it at web (eni-000000000000000w0))
	// lost    web (eni-000000000000000w0) -> db (eni-000000000000000d0) tcp/22: open -> filtered (no security group ingress rule allows it at db (eni-000000000000000d0))
	// 2 lost, of 2 asked
}
