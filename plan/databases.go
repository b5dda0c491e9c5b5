package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/rds"
)

// databases describes database instances. In which subnet of its group one is, AWS
// chooses.
func (b *builder) databases() {
	for _, r := range b.of("aws_db_subnet_group") {
		b.call(r, "")
	}
	for _, r := range b.of("aws_db_instance") {
		b.database(r)
	}
}

func (b *builder) database(r *resource) {
	n := r.root()
	name := cmp.Or(n.get("identifier").text(), n.get("identifier_prefix").text()+"plan")
	arn := cmp.Or(n.get("arn").text(), fmt.Sprintf("arn:aws:rds:%s:%s:db:%s", r.region, cmp.Or(b.account(), "000000000000"), name))
	b.call(r, arn)
	group, _ := b.id(n.get("db_subnet_group_name"))
	var subs []string
	for _, g := range b.of("aws_db_subnet_group") {
		if g.region == r.region && b.identify(g) == group {
			subs, _ = b.ids(g.root().get("subnet_ids"))
		}
	}
	zone := n.get("availability_zone").text()
	subs = slices.DeleteFunc(subs, func(id string) bool {
		p := b.subnets.byID[id]
		return p == nil || zone != "" && ec2.Value(p.shape.AvailabilityZone) != zone
	})
	if len(subs) == 0 {
		b.leave(r, "db_subnet_group_name", "no subnet of its group is a resource of the plan: the database is left out")
		return
	}
	slices.Sort(subs)
	sub := subs[0]
	if len(subs) > 1 {
		b.assume(r, "availability_zone", "AWS chooses the subnet: "+b.subnets.byID[sub].r.address+" stands in for it")
	}
	p := b.serviceIn(r, sub, ec2.NetworkInterfaceTypeInterface, "RDSNetworkInterface")
	if p == nil {
		return
	}
	p.shape.RequesterId, p.shape.SourceDestCheck, p.shape.Groups = new("amazon-rds"), new(true), b.groupsOf(n.get("vpc_security_group_ids"), ec2.Value(p.shape.VpcId))
	p.shape.Attachment.InstanceOwnerId = new("amazon-rds")
	if n.get("publicly_accessible").bool() {
		text := b.publicAddress()
		b.assume(r, "publicly_accessible", "AWS gives the address on apply: "+text+" stands in for it")
		p.shape.Association = &ec2.NetworkInterfaceAssociation{PublicIp: &text, IpOwnerId: new("amazon-rds")}
		p.shape.PrivateIpAddresses[0].Association = p.shape.Association
	}
	s := rds.Shape{DBInstanceIdentifier: &name, DBInstanceArn: &arn, DBInstanceStatus: new("available"), TagList: tags(r), NetworkInterfaceId: &p.id}
	port, ok := n.get("port").number()
	if !ok {
		port = defaultPort(n.get("engine").text())
	}
	if port > 0 {
		s.Endpoint = &rds.Endpoint{Port: &port}
	}
	b.add(r, s)
}

// defaultPort is the port of a database engine that is asked for none, 0 of an engine that
// is not known (RDS API, CreateDBInstance, Port).
func defaultPort(engine string) int32 {
	for _, e := range []struct {
		prefix string
		port   int32
	}{{"postgres", 5432}, {"mysql", 3306}, {"mariadb", 3306}, {"oracle", 1521}, {"custom-oracle", 1521}, {"sqlserver", 1433}, {"custom-sqlserver", 1433}, {"db2", 50000}} {
		if strings.HasPrefix(engine, e.prefix) {
			return e.port
		}
	}
	return 0
}
