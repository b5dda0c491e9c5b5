package directconnect

import (
	"cmp"

	"github.com/vpcsim/vpcsim/directconnect/shape"
	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/vpc"
)

// Connection is a Direct Connect connection, or a link aggregation group of several: the
// line to a location on which virtual interfaces lie.
type Connection struct {
	vpc.Base
	name string
	told *shape.Connection
	lag  *shape.Lag // of a link aggregation group, in place of told
}

// ConnectionConfig says how a connection is made.
type ConnectionConfig struct {
	// ID is the id to use; "" makes one.
	ID string
	// Name is its name.
	Name string
	// Location is the location's code, such as EqDC2.
	Location string
}

// CreateConnection makes a connection, which is available (CreateConnection).
func CreateConnection(r *vpc.Region, c ConnectionConfig) (*Connection, error) {
	var x *Connection
	err := r.Change(func(tx *vpc.Tx) error {
		b, err := tx.NewBase("dxcon", c.ID, "")
		if err != nil {
			return err
		}
		x = &Connection{Base: b, name: c.Name, told: &shape.Connection{
			OwnerAccount: new(b.OwnerID()), ConnectionID: new(b.ID()), ConnectionName: new(c.Name), ConnectionState: new(shape.Available),
			Region: new(r.Name()), Location: new(c.Location), Bandwidth: new("1Gbps"), JumboFrameCapable: new(true), Tags: []shape.Tag{},
		}}
		tx.Add(x)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return x, nil
}

// Name returns the connection's name.
func (x *Connection) Name() string { return x.name }

// Label returns how traces call the connection: its name, else its id.
func (x *Connection) Label() string { return cmp.Or(x.name, x.ID()) }

// label is the connection's name and id.
func (x *Connection) label() string {
	if x.name != "" {
		return x.name + " (" + x.ID() + ")"
	}
	return x.ID()
}

func (x *Connection) location() *string {
	if x.lag != nil {
		return x.lag.Location
	}
	return x.told.Location
}

func (x *Connection) state() string {
	if x.lag != nil {
		return ec2.Value(x.lag.LagState)
	}
	return ec2.Value(x.told.ConnectionState)
}

// down reports whether nothing goes by the connection. What is not known to be down is
// not.
func (x *Connection) down() bool {
	switch cmp.Or(x.state(), shape.Available) {
	case shape.Available, shape.Unknown:
		return false
	}
	return true
}

// SetUp brings the connection up or down, and with it what lies on it.
func (x *Connection) SetUp(up bool) error {
	return x.Change(func(tx *vpc.Tx) error {
		state := shape.Down
		if up {
			state = shape.Available
		}
		if x.lag != nil {
			lag := *x.lag
			lag.LagState, x.lag = &state, &lag
		} else {
			told := *x.told
			told.ConnectionState, x.told = &state, &told
		}
		for _, v := range vpc.Resources[*VirtualInterface](tx) {
			v.change(func(l *line) {
				if l.told != nil && ec2.Value(l.told.ConnectionID) == x.ID() {
					l.cut = !up
				}
			})
		}
		return nil
	})
}
