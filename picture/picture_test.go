package picture_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/picture"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
	"github.com/vpcsim/vpcsim/wire"
)

// throughNAT is a ping out of a private subnet and back.
func throughNAT(t *testing.T) *picture.Path {
	w := vpctest.New(t)
	v := w.VPC("10.0.0.0/16")
	public, private := v.Subnet("10.0.0.0/24"), v.Subnet("10.0.1.0/24")
	nat := public.NATGateway()
	public.Route("0.0.0.0/0", v.InternetGateway())
	private.Route("0.0.0.0/0", nat)
	app, server := private.Host("app"), w.OnInternet("198.51.100.7")
	o := app.Ping(server.Addr)
	require.True(t, o.Answered)
	return picture.New(o.Walks, picture.Config{Title: "app -> internet icmp", Where: picture.Places(w.Region)})
}

// replyDenied is a ping whose answer the network ACL of the far subnet denies.
func replyDenied(t *testing.T) *picture.Path {
	w := vpctest.New(t)
	v := w.VPC("10.0.0.0/16")
	here, there := v.Subnet("10.0.1.0/24"), v.Subnet("10.0.0.0/24")
	app, db := here.Host("app"), there.Host(`db & "co" <x>`)
	acl, err := v.CreateNetworkACL(vpc.NetworkACLConfig{Name: "acl-db"})
	require.NoError(t, err)
	require.NoError(t, acl.CreateIngressEntry(vpc.ACLEntry{Number: 100, Allow: true, CIDR: netip.MustParsePrefix("0.0.0.0/0")}))
	require.NoError(t, there.SetNetworkACL(acl))
	o := app.Ping(db.Addr)
	require.False(t, o.Answered)
	return picture.New(o.Walks, picture.Config{Title: "app -> db icmp", Where: picture.Places(w.Region)})
}

func TestDrawings(t *testing.T) {
	for name, path := range map[string]*picture.Path{"nat": throughNAT(t), "denied": replyDenied(t)} {
		vpctest.Golden(t, name+".txt", path.Lanes())
		vpctest.Golden(t, name+".mmd", path.Mermaid())
		vpctest.Golden(t, name+".svg", path.SVG())
		vpctest.Golden(t, name+".block", (&picture.Block{Word: "FAIL", Title: path.Title, Path: path}).String())
	}
}

func TestSVGIsXMLWithAnAnchorAStation(t *testing.T) {
	for _, path := range []*picture.Path{throughNAT(t), replyDenied(t)} {
		ids := map[string]bool{}
		for d := xml.NewDecoder(strings.NewReader(path.SVG())); ; {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
			if e, ok := token.(xml.StartElement); ok && e.Name.Local == "g" {
				require.False(t, ids[e.Attr[0].Value], "id %s stands twice", e.Attr[0].Value)
				ids[e.Attr[0].Value] = true
			}
		}
		require.Len(t, ids, len(path.Request)+len(path.Reply))
		for _, s := range path.Request {
			require.True(t, ids["request-"+s.ID], s.ID)
		}
	}
}

func TestWhatIsTheSameThingIsOneColumn(t *testing.T) {
	p := throughNAT(t)
	var there, back []string
	for _, s := range p.Request {
		there = append(there, s.ID)
	}
	for _, s := range p.Reply {
		back = append([]string{s.ID}, back...)
	}
	require.Equal(t, there, back)
	require.True(t, p.Answered)
	require.Equal(t, 4, strings.Count(p.Mermaid(), "subgraph"))
	require.Equal(t, "198.51.100.7", p.Request[3].ID)
}

func TestADeadPacketHasAnXWithItsCode(t *testing.T) {
	p := replyDenied(t)
	require.Equal(t, trace.ACLEgress, p.Reply[0].Dead)
	for _, drawing := range []string{p.Lanes(), p.Mermaid(), p.SVG()} {
		require.Contains(t, drawing, "✗")
		require.Contains(t, drawing, "SUBNET_ACL_RESTRICTION")
	}
	require.NotContains(t, throughNAT(t).SVG(), "✗")
}

// long is a story of a packet over n gateways.
func long(n int) trace.Story {
	f := wire.Flow{Src: wire.AddrFromV4(0x0a000001), Dst: wire.AddrFromV4(0x0a000002), Proto: wire.ProtoUDP, SrcPort: 1, DstPort: 2}
	w := &trace.Walk{ID: 1, First: f, Last: f, TTL: 64, Reason: trace.NoRoute, Where: fmt.Sprintf("gw %d", n-1), WhereID: fmt.Sprintf("tgw-%d", n-1)}
	for i := range n {
		*w.Add() = trace.Step{Act: trace.Passed, Node: fmt.Sprintf("gw %d", i), NodeID: fmt.Sprintf("tgw-%d", i), TTL: 64, Flow: f}
	}
	return trace.Story{w}
}

func TestAPictureHasTwelveColumnsAtMost(t *testing.T) {
	for _, n := range []int{1, 11, 12, 13, 40} {
		p := picture.New(long(n), picture.Config{})
		require.Len(t, p.Request, n)
		require.LessOrEqual(t, strings.Count(p.SVG(), "<g id="), 12)
		require.Equal(t, min(n, 12), strings.Count(p.Mermaid(), "[\"")-strings.Count(p.Mermaid(), "subgraph"), "%d", n)
		require.Contains(t, p.Mermaid(), fmt.Sprintf("gw %d", n-1), "the end is never folded")
		require.Equal(t, n > 12, strings.Contains(p.Lanes(), fmt.Sprintf("… %d hops", n-11)))
	}
}

func TestAnEmptyStoryIsAnEmptyPicture(t *testing.T) {
	p := picture.New(nil, picture.Config{Title: "nothing"})
	require.NotPanics(t, func() { _ = p.SVG() + p.Mermaid() + p.Lanes() })
	require.False(t, p.Answered)
}

func TestBlock(t *testing.T) {
	b := &picture.Block{
		Word: "FAIL", Title: "app -> db icmp: no answer", Detail: "request delivered, reply dropped", Note: "1 of 2 pairs fail",
		Why: []picture.Reason{{"SUBNET_ACL_RESTRICTION", "acl-db has no outbound rule", "acl-db: allow icmp out"}, {"", "other", ""}},
		See: []string{"a.svg", "a.pcapng"}, Rerun: "vpcsim trace . app db",
	}
	require.Equal(t, `FAIL app -> db icmp: no answer  (request delivered, reply dropped)  1 of 2 pairs fail
 why   SUBNET_ACL_RESTRICTION: acl-db has no outbound rule
       other
 fix   acl-db: allow icmp out
 see   a.svg  a.pcapng      rerun: vpcsim trace . app db
`, b.String())
	var coloured bytes.Buffer
	require.NoError(t, b.Write(&coloured, picture.ANSI))
	require.True(t, strings.HasPrefix(coloured.String(), "\x1b[1;33mFAIL\x1b[0m app -> db"))
}

// A title that is longer than the drawing is wide takes several lines, and names that
// Mermaid would read as its own are told from it.
func TestLongTitlesAndNames(t *testing.T) {
	w := vpctest.New(t)
	v := w.VPC("10.0.0.0/16")
	require.NoError(t, v.Tag("Name", "<prod> #1"))
	s := v.Subnet("10.0.1.0/24")
	long := strings.Repeat("a-very-long-name.of_the/team ", 4) + "end"
	a, b := s.Host(long), s.Host("b")
	o := a.Ping(b.Addr)
	path := picture.New(o.Walks, picture.Config{Title: long + " -> b icmp: no answer (filtered)", Where: picture.Places(w.Region)})
	svg := path.SVG()
	require.Contains(t, svg, `font-size="15" font-weight="bold">no answer (filtered)</text>`)
	require.Contains(t, path.Mermaid(), "#lt;prod#gt; #35;1")
	for _, line := range strings.Split(path.Lanes(), "\n") {
		require.LessOrEqual(t, len([]rune(line)), 300)
	}
	vpctest.Golden(t, "long.svg", svg)
}
