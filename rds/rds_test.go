package rds_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/rds"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/world"
)

// The interface is the service's, what answers behind it a guest: it is reached on
// its port by who its group lets in, and what is for others dies at it.
func TestADatabaseAnswersOnItsPort(t *testing.T) {
	w := world.New(world.Config{Seed: 1})
	r := w.Region(vpc.RegionConfig{})
	v, err := r.CreateVPC("10.0.0.0/16", vpc.VPCConfig{})
	require.NoError(t, err)
	s, err := v.CreateSubnet("10.0.0.0/24", vpc.SubnetConfig{})
	require.NoError(t, err)
	group, err := v.CreateSecurityGroup("db", vpc.SecurityGroupConfig{})
	require.NoError(t, err)
	require.NoError(t, group.AuthorizeIngress(vpc.TCPPort(5432, "10.0.0.0/16")))
	db, err := rds.Create(s, "orders", rds.Config{Groups: []*vpc.SecurityGroup{group}})
	require.NoError(t, err)
	server := host.New(w.Engine, host.Config{Name: "orders"})
	require.NoError(t, w.Plug(server, db.Interface()))
	at := netip.AddrPortFrom(db.Interface().PrivateIP(), 5432)
	_, err = server.ListenTCP(at, func(*host.Conn) {})
	require.NoError(t, err)
	i, err := s.RunInstance(vpc.InstanceConfig{Name: "app"})
	require.NoError(t, err)
	app, err := w.Boot(i, host.Config{})
	require.NoError(t, err)

	_, err = app.Dial(at)
	require.NoError(t, err)
	log := w.Trace()
	_, err = app.Dial(netip.AddrPortFrom(at.Addr(), 22))
	require.Error(t, err)
	require.Equal(t, trace.GroupIngress, log.Walks()[0].End())

	_, err = rds.Create(s, "orders", rds.Config{})
	require.EqualError(t, err, "DBInstanceAlreadyExists: DB instance already exists")
	require.NoError(t, db.Delete())
	require.Empty(t, r.DescribeNetworkInterfaces().NetworkInterfaces[1:])
	require.EqualError(t, db.Delete(), "DBInstanceNotFound: DBInstance orders not found.")
	_, err = app.Dial(at)
	require.Error(t, err)
}
