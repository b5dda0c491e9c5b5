package fidelity_test

import (
	"encoding/json"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/igw"
	"github.com/vpcsim/vpcsim/natgw"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
)

var rewrite = flag.Bool("rewrite", false, "write the stories in testdata anew")

// telling makes a network and says who pings whom in it.
type telling func(t *testing.T) (n *net, from *guest, to netip.Addr)

// stories are one of each kind of walk, by the names of their files.
var stories = map[string]telling{
	"same subnet": func(t *testing.T) (*net, *guest, netip.Addr) {
		f := newPlain(t)
		return f.net, f.a, f.p.launch("a2", machine{addr: "10.0.0.11"}).addr
	},
	"same subnet ipv6": func(t *testing.T) (*net, *guest, netip.Addr) {
		f := newPlain(t)
		return f.net, f.a, f.p.launch("a2", machine{addr6: "2001:db8:0:1a00::11"}).addr6
	},
	"cross subnet": func(t *testing.T) (*net, *guest, netip.Addr) {
		f := newPlain(t)
		return f.net, f.a, f.b.addr
	},
	"private nat gateway": func(t *testing.T) (*net, *guest, netip.Addr) {
		f := newEastwest(t, private())
		return f.net, f.a, f.b.addr
	},
	"nat gateway to the internet": func(t *testing.T) (*net, *guest, netip.Addr) {
		f := newEgress(t, natgw.Config{})
		return f.net, f.vm, f.server.addr
	},
	"nat instance to the internet": func(t *testing.T) (*net, *guest, netip.Addr) {
		f := newNATInstance(t, working())
		return f.net, f.vm, f.server.addr
	},
	"fragments to the internet": func(t *testing.T) (*net, *guest, netip.Addr) {
		f := newPublic(t)
		return f.net, f.a, f.x.addr
	},
	"nat instance with the check on": func(t *testing.T) (*net, *guest, netip.Addr) {
		f := newNATInstance(t, machine{public: "203.0.113.5"})
		return f.net, f.vm, f.server.addr
	},
	"nat instance without public address": func(t *testing.T) (*net, *guest, netip.Addr) {
		f := newNATInstance(t, machine{noCheck: true})
		return f.net, f.vm, f.server.addr
	},
	"ingress by an appliance": func(t *testing.T) (*net, *guest, netip.Addr) {
		f := newIngress(t, appliance()).redirect()
		return f.net, f.user, f.app.public
	},
	"ingress by an appliance that does not forward": func(t *testing.T) (*net, *guest, netip.Addr) {
		fw := appliance()
		fw.linux.Forwarding = false
		f := newIngress(t, fw).redirect()
		return f.net, f.user, f.app.public
	},
	"public addresses within a vpc": func(t *testing.T) (*net, *guest, netip.Addr) {
		f := newPublic(t)
		return f.net, f.a, f.b.public
	},
	"denied by a security group": func(t *testing.T) (*net, *guest, netip.Addr) {
		f := newEastwest(t, private())
		f.must(f.group.RevokeIngress(vpc.AllTraffic("10.0.0.0/16")), f.group.AuthorizeIngress(vpc.AllTraffic("10.0.0.0/24")))
		return f.net, f.a, f.b.addr
	},
	"denied by a network acl": func(t *testing.T) (*net, *guest, netip.Addr) {
		f := newPlain(t)
		f.q.acl("q acl", append(everything(), deny(90, "10.0.0.0/24")), everything())
		return f.net, f.a, f.b.addr
	},
	"reply denied by a network acl": func(t *testing.T) (*net, *guest, netip.Addr) {
		f := newPlain(t)
		f.q.acl("q acl", everything(), nil)
		return f.net, f.a, f.b.addr
	},
	"egress only": func(t *testing.T) (*net, *guest, netip.Addr) {
		f := newPublic(t)
		g, err := igw.CreateEgressOnly(f.vpc, igw.EgressOnlyConfig{Name: "eigw"})
		f.must(err)
		f.private.route("::/0", g)
		return f.net, f.private.launch("vm", machine{addr6: "2001:db8:0:1a01::30"}), f.x.addr6
	},
	"virtual private gateway": func(t *testing.T) (*net, *guest, netip.Addr) {
		f := newHybrid(t, "10.99.0.0/16")
		return f.net, f.office, f.a.addr
	},
}

// options are those of the pings that are not as usual, by the stories' titles. Of two
// large requests the first meets the internet's MTU, and the second knows it.
var options = map[string]host.PingConfig{"fragments to the internet": {Count: 2, Size: 3000}}

// tell returns the story of one ping in a new network.
func (tell telling) tell(t *testing.T, title string) string {
	n, from, to := tell(t)
	ok, walks := n.pingWith(from, to, options[title])
	var b strings.Builder
	b.WriteString(title + ": " + from.Name() + " pings " + to.String() + "\n\n")
	for _, w := range walks {
		b.WriteString(w.String() + "\n")
	}
	if ok {
		b.WriteString("answered\n")
	} else {
		b.WriteString("not answered\n")
	}
	return b.String()
}

// told compares what is told with a file of testdata. After go test -rewrite read the diff.
func told(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *rewrite {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

// twins is the JSON of a ping between subnets where everything has one Name tag.
const twins = "twins.json"

func TestIDsTellResourcesApartThatHaveOneName(t *testing.T) {
	n := newNet(t, "")
	a, b := n.subnet("twin", "10.0.0.0/24"), n.subnet("twin", "10.0.1.0/24")
	from, to := a.launch("twin", machine{}), b.launch("twin", machine{group: n.group("twin", vpc.AllICMP("10.0.0.0/24"))})
	a.acl("twin", everything(), everything())
	b.acl("twin", everything(), append(everything(), deny(90, "10.0.0.0/24")))
	n.dies(from, to.addr, trace.ACLEgress, "twin router")
	text, err := json.MarshalIndent(n.log.Walks(), "", "  ")
	require.NoError(t, err)
	told(t, twins, string(text)+"\n")

	steps := n.log.Walks()[0].Steps
	ids := map[string]bool{}
	for _, s := range steps {
		ids[s.NodeID+" "+s.ObjectID+" "+s.MatchID] = true
	}
	for _, want := range []string{
		from.nic.ID() + " " + n.open.ID() + " " + n.open.Egress()[0].ID,
		a.ID() + " " + a.table.ID() + " local",
		a.ID() + " " + a.NetworkACL().ID() + " ",
		n.vpc.ID() + "  ",
		b.ID() + " " + b.NetworkACL().ID() + " ",
		to.nic.ID() + " " + to.nic.Groups()[0].ID() + " " + to.nic.Groups()[0].Ingress()[0].ID,
	} {
		require.True(t, ids[want], "%q in %v", want, ids)
	}
}

func TestEveryNodeButGuestsAndNetworksTellsItsResource(t *testing.T) {
	seen, without := map[string]bool{}, map[string]bool{}
	for title, tell := range stories {
		n, from, to := tell(t)
		_, walks := n.pingWith(from, to, options[title])
		for _, w := range walks {
			for _, s := range w.Steps {
				kind, _, ok := strings.Cut(s.NodeID, "-")
				seen[kind] = true
				if !ok {
					without[s.Node] = true
				}
			}
		}
	}
	require.Equal(t, map[string]bool{
		"": true, "eni": true, "subnet": true, "vpc": true, "igw": true, "eigw": true, "nat": true, "vgw": true,
	}, seen)
	require.Equal(t, map[string]bool{
		"a": true, "a2": true, "app": true, "b": true, "fw": true, "nat": true, "office": true, "server": true, "user": true,
		"vm": true, "x": true, "internet": true, "site": true,
	}, without)
}

func TestStoriesAreToldAsWritten(t *testing.T) {
	names := map[string]bool{twins: true}
	for title, tell := range stories {
		name := strings.ReplaceAll(title, " ", "-") + ".txt"
		names[name] = true
		t.Run(title, func(t *testing.T) {
			got := tell.tell(t, title)
			require.Equal(t, got, tell.tell(t, title), "the same network tells the same story")
			told(t, name, got)
		})
	}
	files, err := os.ReadDir("testdata")
	require.NoError(t, err)
	for _, f := range files {
		require.True(t, names[f.Name()], "testdata/%s is no story's", f.Name())
	}
}
