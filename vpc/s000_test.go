package vpc_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/vpc"
)

// S000's table, row by row: each kind of interface, what describe says of it, and
// whether each kind of table takes it as a target.
func TestEachKindOfInterfaceIsATargetWhereS000FoundIt(t *testing.T) {
	rows := []struct {
		kind                string
		groups, check, edge bool
		becomes             string // prefix of what the subnet table stores
		state               vpc.RouteState
	}{
		{"Classic LB", true, true, true, "eni", vpc.Active},
		{"Application LB", true, true, true, "eni", vpc.Active},
		{"Network LB", false, false, false, "eni", vpc.Active},
		{"RDS instance", true, true, true, "eni", vpc.Active},
		{"NAT gateway", false, false, false, "nat", vpc.Active},
		{"nothing", true, true, true, "eni", vpc.Blackhole},
		{"interface endpoint", true, true, false, "eni", vpc.Active},
	}
	for _, row := range rows {
		t.Run("C042 C043 C044 C051 "+row.kind, func(t *testing.T) {
			l := newLab(t)
			n := l.kinds()[row.kind]
			shape := l.describe(n)
			require.Equal(t, row.groups, len(shape.Groups) > 0)
			require.Equal(t, row.check, *shape.SourceDestCheck)

			require.NoError(t, l.table.CreateRoute("198.51.100.0/24", n))
			r := l.route(l.table, "198.51.100.0/24")
			require.Equal(t, row.becomes, strings.Split(r.Target.ID(), "-")[0])
			require.Equal(t, row.state, r.State)

			if row.edge {
				require.NoError(t, l.edge.CreateRoute("10.0.1.0/24", n))
				return
			}
			l.refused("RouteNotSupported", "Route table contains routes targeting unsupported network interface "+n.ID(), func() error {
				return l.edge.CreateRoute("10.0.1.0/24", n)
			})
		})
	}
}

func (l *lab) describe(n *vpc.NetworkInterface) ec2.NetworkInterface {
	l.t.Helper()
	for _, s := range l.region.DescribeNetworkInterfaces().NetworkInterfaces {
		if *s.NetworkInterfaceId == n.ID() {
			return s
		}
	}
	l.t.Fatalf("%s is not described", n.ID())
	return ec2.NetworkInterface{}
}

func TestAnUnattachedInterfaceIsATargetAtTheEdgeWithTheCheckOnOrOff(t *testing.T) {
	l := newLab(t)
	n := l.nic()
	require.NoError(t, l.edge.CreateRoute("10.0.1.0/24", n))
	require.NoError(t, n.SetSourceDestCheck(false))
	require.NoError(t, l.edge.ReplaceRoute("10.0.1.0/24", n))
	require.Equal(t, vpc.Blackhole, l.route(l.edge, "10.0.1.0/24").State)
}

// What describe-network-interfaces says of a service's interface. Those of NAT
// gateway and NLB are recorded answers of AWS.
func TestServicesInterfacesAreDescribedAsAWSDoes(t *testing.T) {
	l := newLab(t)
	kinds := l.kinds()
	rows := []struct {
		kind, description, interfaceType, requester, owner, attachment string
		managed                                                        bool
	}{
		{"Classic LB", "ELB classic", "interface", "amazon-elb", "amazon-elb", "eni-attach-", true},
		{"Application LB", "ELB app/web/", "interface", "amazon-elb", "amazon-elb", "eni-attach-", true},
		{"Network LB", "ELB net/net/", "network_load_balancer", "762112775527", "amazon-aws", "ela-attach-", true},
		{"RDS instance", "RDSNetworkInterface", "interface", "amazon-rds", "amazon-rds", "eni-attach-", true},
		{"NAT gateway", "Interface for NAT Gateway nat-", "nat_gateway", "583328430953", "amazon-aws", "ela-attach-", true},
		{"interface endpoint", "VPC Endpoint Interface vpce-", "vpc_endpoint", "727180483921", "amazon-aws", "ela-attach-", true},
	}
	for _, row := range rows {
		t.Run(row.kind, func(t *testing.T) {
			s := l.describe(kinds[row.kind])
			require.Contains(t, *s.Description, row.description)
			require.Equal(t, row.interfaceType, string(*s.InterfaceType))
			require.Equal(t, row.requester, *s.RequesterId)
			require.Equal(t, row.managed, *s.RequesterManaged)
			require.Equal(t, "in-use", string(*s.Status))
			require.Equal(t, row.owner, *s.Attachment.InstanceOwnerId)
			require.Contains(t, *s.Attachment.AttachmentId, row.attachment)
			require.Nil(t, s.Attachment.InstanceId)
			require.True(t, l.a.CIDR().Contains(ip(*s.PrivateIpAddress)))
		})
	}
	own := l.describe(kinds["nothing"])
	require.Nil(t, own.RequesterId)
	require.Nil(t, own.Attachment)
	require.False(t, *own.RequesterManaged)
	require.Equal(t, "available", string(*own.Status))
}

func TestAServicesInterfaceRefusesEveryEdit(t *testing.T) {
	l := newLab(t)
	kinds := l.kinds()
	delete(kinds, "nothing")
	spare := l.eip()
	for kind, n := range kinds {
		t.Run("C050 "+kind, func(t *testing.T) {
			l.t = t
			for name, edit := range map[string]func() error{
				"source/dest check": func() error { return n.SetSourceDestCheck(false) },
				"description":       func() error { return n.SetDescription("mine") },
				"groups":            func() error { return n.SetGroups(l.vpc.DefaultSecurityGroup()) },
				"secondary address": func() error { return only(n.AssignPrivateIP(ip("10.0.0.99"))) },
				"prefix":            func() error { return only(n.AssignPrefix(cidr("10.0.0.64/28"))) },
				"IPv6 address":      func() error { return only(n.AssignIPv6(ip("2001:db8::99"))) },
				"unassigning":       func() error { return n.UnassignPrivateIP(n.PrivateIP()) },
				"attaching":         func() error { return l.instance().Attach(n) },
				"termination":       func() error { return n.SetDeleteOnTermination(true) },
				"Elastic IP":        func() error { return spare.Associate(n) },
			} {
				if name == "attaching" {
					i := l.instance()
					edit = func() error { return i.Attach(n) }
				}
				l.refused("AuthFailure", "You do not have permission to access the specified resource.", edit)
			}
			require.NoError(t, n.Tag("Name", "tags are allowed"))
			l.refused("InvalidParameterValue", "Network interface '"+n.ID()+"' is currently in use.", n.Delete)
		})
	}
}

func TestDetachingAServicesInterfaceIsRefused(t *testing.T) {
	l := newLab(t)
	kinds := l.kinds()
	detach := func(kind string) func() error {
		return func() error { return l.region.DetachNetworkInterface(kinds[kind].AttachmentID()) }
	}
	for _, kind := range []string{"Network LB", "NAT gateway", "interface endpoint"} {
		l.refused("OperationNotPermitted", "You are not allowed to manage 'ela-attach' attachments.", detach(kind))
	}
	for _, kind := range []string{"Classic LB", "Application LB", "RDS instance"} {
		l.refused("AuthFailure", "You do not have permission to access the specified resource.", detach(kind))
	}
	require.NoError(t, l.region.Change(func(tx *vpc.Tx) error {
		n, err := tx.NewManagedInterface(l.a, l.vpc, vpc.ManagedInterface{Type: vpc.InterfaceLambda, Description: "AWS Lambda VPC ENI-f", SourceDestCheck: true})
		kinds["Lambda"] = n
		return err
	}))
	t.Run("C084 of a Lambda function", func(t *testing.T) {
		l.t = t
		l.refused("OperationNotPermitted", "You are not allowed to manage 'ela-attach' attachments.", detach("Lambda"))
		require.False(t, *l.describe(kinds["Lambda"]).RequesterManaged)
		require.True(t, *l.describe(kinds["Lambda"]).SourceDestCheck)
	})
}

// Until August 2021 no subnet route table took a destination inside the VPC, whatever
// the target; gateway route tables did.
func TestBefore2021SubnetTablesRefuseDestinationsInsideTheVPC(t *testing.T) {
	l := newLabIn(t, vpc.RegionConfig{Before2021: true})
	kinds := l.kinds()
	t.Run("C049", func(t *testing.T) {
		l.t = t
		for _, target := range kinds {
			for _, destination := range []string{"10.0.1.0/24", "10.0.9.0/24"} {
				l.refused("InvalidParameterValue", "This route table is used by a subnet, and doesn't support route destination which are more specific than VPC local CIDR.",
					func() error { return l.table.CreateRoute(destination, target) })
			}
		}
		l.refused("InvalidParameterValue", "This route table is used by a subnet, and doesn't support route destination which are more specific than VPC local CIDR.",
			func() error { return l.table.ReplaceRoute("10.0.0.0/16", kinds["nothing"]) })
	})
	require.NoError(t, l.table.CreateRoute("0.0.0.0/0", l.igw))
	require.NoError(t, l.edge.CreateRoute("10.0.1.0/24", kinds["nothing"]))
}
