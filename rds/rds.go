// Package rds is the database instance of Amazon RDS: its name and its interface.
// What answers on its port is a guest that the user plugs in; engines, replicas and
// failover are not modelled.
package rds

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/vpcsim/vpcsim/vpc"
)

// DBInstance is a database instance.
type DBInstance struct {
	vpc.Base
	name string
	nic  *vpc.NetworkInterface
	port uint16
}

// Config says how a database instance is made.
type Config struct {
	// Name is the Name tag.
	Name string
	// Groups are the security groups of its interface; none is the VPC's default group.
	Groups []*vpc.SecurityGroup
}

// Create makes a database instance of the name in a subnet, with an interface that
// its user can't change (S000). A name that is taken is refused with
// DBInstanceAlreadyExists.
func Create(s *vpc.Subnet, name string, c Config) (*DBInstance, error) {
	var d *DBInstance
	err := s.Change(func(tx *vpc.Tx) error {
		if name == "" {
			return vpc.Refuse("InvalidParameterValue", "The parameter DBInstanceIdentifier must be provided and must not be blank.")
		}
		if err := tx.CheckPlaces([]*vpc.Subnet{s}, c.Groups); err != nil {
			return err
		}
		if len(c.Groups) == 0 {
			c.Groups = []*vpc.SecurityGroup{tx.DefaultGroup(s.VPC())}
		}
		id := s.Region().ARN("rds", "db:"+name)
		if slices.ContainsFunc(vpc.Resources[*DBInstance](tx), func(o *DBInstance) bool { return o.ID() == id }) {
			return vpc.Refuse("DBInstanceAlreadyExists", "DB instance already exists")
		}
		b, err := tx.NewNamed(id, c.Name)
		if err != nil {
			return err
		}
		d = &DBInstance{Base: b, name: name}
		d.nic, err = tx.NewManagedInterface(s, d, vpc.ManagedInterface{
			Type: vpc.InterfaceRDS, Description: "RDSNetworkInterface", SourceDestCheck: true, Groups: c.Groups,
		})
		if err != nil {
			return err
		}
		tx.Add(d)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return d, nil
}

// Delete deletes the database instance and its interface.
func (d *DBInstance) Delete() error {
	return d.Change(func(tx *vpc.Tx) error {
		tx.DeleteManagedInterface(d.nic)
		tx.Remove(d)
		return nil
	})
}

// Name returns the instance's name, its DBInstanceIdentifier.
func (d *DBInstance) Name() string { return d.name }

// DNSName returns the instance's name in the DNS. What AWS has between the instance's
// name and the region is the account's and made up: here it is the region's.
func (d *DBInstance) DNSName() string {
	name := d.ID()[strings.LastIndexByte(d.ID(), ':')+1:]
	return strings.ToLower(name) + ".c" + d.Region().Account() + "." + d.Region().Name() + ".rds.amazonaws.com"
}

// DNSNames returns the name for resolvers. It leads to the private address (RDS guide,
// "Working with a DB instance in a VPC").
func (d *DBInstance) DNSNames(tx *vpc.Tx) []vpc.DNSName {
	return []vpc.DNSName{{Name: d.DNSName(), Addrs: []netip.Addr{tx.PrivateAddresses(d.nic)[0].IP}, TTL: 5 * time.Second}}
}

// Port returns the TCP port on which the instance accepts connections, 0 where no
// description has told it or it is not up.
func (d *DBInstance) Port() uint16 { return d.port }

// Interface returns the instance's interface, for life.
func (d *DBInstance) Interface() *vpc.NetworkInterface { return d.nic }
