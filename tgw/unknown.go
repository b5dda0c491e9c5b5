package tgw

import (
	"net/netip"
	"slices"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/ec2"
	"github.com/vpcsim/vpcsim/remote"
	"github.com/vpcsim/vpcsim/vpc"
)

// unknown is a link that a description tells of and that is not modelled: packets for
// what lies beyond it end as trace.Unmodelled, under its id.
type unknown struct {
	id      string
	kind    ec2.TransitGatewayAttachmentResourceType
	learned []netip.Prefix
	missing string // why nothing more is known, "" of what is not modelled
}

// ID returns the id of what is attached.
func (u *unknown) ID() string { return u.id }

// Paths returns what propagated routes have told of it.
func (u *unknown) Paths(*vpc.Tx) []remote.Path {
	list := make([]remote.Path, len(u.learned))
	for i, p := range u.learned {
		list[i] = remote.Path{Announcement: remote.Announcement{Prefix: p}, Kind: wayKind(u.kind)}
	}
	return list
}

// Learns says that whatever is propagated is taken down.
func (u *unknown) Learns(*vpc.Tx) bool { return true }

// Learn adds a prefix that a propagated route tells of.
func (u *unknown) Learn(_ *vpc.Tx, dst netip.Prefix) {
	if dst.IsValid() && !slices.Contains(u.learned, dst) {
		u.learned = append(slices.Clone(u.learned), dst)
	}
}

// Untold reports whether nobody has told what lies beyond.
func (u *unknown) Untold(*vpc.Tx) bool { return len(u.learned) == 0 }

// Ways returns the one way.
func (u *unknown) Ways(*vpc.Tx) []int { return []int{0} }

// Outbound returns a node that ends every walk.
func (u *unknown) Outbound(c *vpc.Compiler, _ int) dataplane.Node {
	if u.missing != "" {
		return c.Untold(u, u.missing)
	}
	return c.Unmodelled(u)
}

// Inbound returns the gateway's own: nothing comes.
func (u *unknown) Inbound(_ *vpc.Compiler, to remote.Entrance) remote.Entrance { return to }

// Attaches says what it is.
func (u *unknown) Attaches() (ec2.TransitGatewayAttachmentResourceType, string) { return u.kind, u.id }
