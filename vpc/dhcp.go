package vpc

import (
	"slices"

	"github.com/vpcsim/vpcsim/ec2"
)

// DHCPOptions is a set of options that instances are told by DHCP.
type DHCPOptions struct {
	Base
	options []DHCPOption
}

// DHCPOption is one option and its values.
type DHCPOption struct {
	// Key is domain-name-servers, domain-name, ntp-servers, netbios-name-servers,
	// netbios-node-type or ipv6-address-preferred-lease-time.
	Key string
	// Values are its values, at least one.
	Values []string
}

// DHCPOptionsConfig says how a set is made.
type DHCPOptionsConfig struct {
	// ID is the id to use; "" makes one.
	ID string
	// Name is the Name tag.
	Name string
	// Options are the options.
	Options []DHCPOption
}

var dhcpKeys = []string{
	"domain-name-servers", "domain-name", "ntp-servers", "netbios-name-servers", "netbios-node-type", "ipv6-address-preferred-lease-time",
}

// newDefaultDHCPOptions makes the set that every new VPC has: the region's domain
// and AmazonProvidedDNS (VPC guide, "DHCP option sets").
func (r *Region) newDefaultDHCPOptions() {
	tx := &Tx{r: r}
	d := &DHCPOptions{Base: Base{id: r.ids.next("dopt"), region: r}, options: r.defaultDHCP()}
	r.dhcp = append(r.dhcp, d)
	tx.Add(d)
}

func (r *Region) defaultDHCP() []DHCPOption {
	return []DHCPOption{{"domain-name", []string{r.domain()}}, {"domain-name-servers", []string{"AmazonProvidedDNS"}}}
}

// CreateDHCPOptions makes a set (CreateDhcpOptions). An unknown key, or none at
// all, is refused with InvalidParameterValue (an emulator's sentence).
func (r *Region) CreateDHCPOptions(c DHCPOptionsConfig) (*DHCPOptions, error) {
	var d *DHCPOptions
	err := r.Change(func(tx *Tx) error {
		if len(c.Options) == 0 {
			return Refuse("MissingParameter", "The request must contain the parameter dhcpConfiguration")
		}
		for _, o := range c.Options {
			if !slices.Contains(dhcpKeys, o.Key) {
				return Refuse("InvalidParameterValue", "Value (%s) for parameter value is invalid. Unknown DHCP option", o.Key)
			}
			if len(o.Values) == 0 {
				return Refuse("InvalidParameterValue", "Value () for parameter value is invalid. DHCP option %s needs a value", o.Key)
			}
		}
		b, err := tx.NewBase("dopt", c.ID, c.Name)
		if err != nil {
			return err
		}
		d = &DHCPOptions{Base: b}
		for _, o := range c.Options {
			d.options = append(d.options, DHCPOption{o.Key, slices.Clone(o.Values)})
		}
		r.dhcp = append(r.dhcp, d)
		tx.Add(d)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return d, nil
}

// Options returns a copy of the set's options.
func (d *DHCPOptions) Options() []DHCPOption {
	list := make([]DHCPOption, len(d.options))
	for i, o := range d.options {
		list[i] = DHCPOption{o.Key, slices.Clone(o.Values)}
	}
	return list
}

// Delete deletes the set. One that a VPC uses is refused with DependencyViolation.
func (d *DHCPOptions) Delete() error {
	return d.Change(func(tx *Tx) error {
		if slices.ContainsFunc(tx.r.vpcs, func(v *VPC) bool { return v.dhcp == d }) {
			return Refuse("DependencyViolation", "The dhcpOptions '%s' has dependencies and cannot be deleted.", d.id)
		}
		tx.r.dhcp = remove(tx.r.dhcp, d)
		tx.Remove(d)
		return nil
	})
}

// SetDHCPOptions gives the VPC another set (AssociateDhcpOptions); nil is the set
// "default", which has no options.
func (v *VPC) SetDHCPOptions(d *DHCPOptions) error {
	return v.Change(func(tx *Tx) error {
		if d != nil {
			if err := tx.Needs("dhcpOptionsId", d); err != nil {
				return err
			}
		}
		v.dhcp = d
		return nil
	})
}

// DHCPOptions returns the VPC's set, nil where it is "default".
func (v *VPC) DHCPOptions() *DHCPOptions {
	var d *DHCPOptions
	v.region.read(func() { d = v.dhcp })
	return d
}

// DescribeDhcpOptions lists the sets, in the order in which they were made.
func (r *Region) DescribeDhcpOptions() *ec2.DescribeDhcpOptionsResult {
	list := []ec2.DhcpOptions{}
	r.read(func() {
		for _, d := range r.dhcp {
			s := ec2.DhcpOptions{DhcpOptionsId: new(d.id), OwnerId: new(d.OwnerID()), Tags: d.tagShapes()}
			for _, o := range d.options {
				c := ec2.DhcpConfiguration{Key: new(o.Key)}
				for _, value := range o.Values {
					c.Values = append(c.Values, ec2.AttributeValue{Value: new(value)})
				}
				s.DhcpConfigurations = append(s.DhcpConfigurations, c)
			}
			list = append(list, s)
		}
	})
	return &ec2.DescribeDhcpOptionsResult{DhcpOptions: list}
}
