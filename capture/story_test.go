package capture_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/capture"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/vpctest"
	"github.com/vpcsim/vpcsim/wire"
)

func TestStoryHasThePacketAsEachHopLeftIt(t *testing.T) {
	w := vpctest.New(t)
	w.Trace().Packets = true
	v := w.VPC("10.0.0.0/16")
	public, private := v.Subnet("10.0.0.0/24"), v.Subnet("10.0.1.0/24")
	nat := public.NATGateway()
	public.Route("0.0.0.0/0", v.InternetGateway())
	private.Route("0.0.0.0/0", nat)
	app, server := private.Host("app"), w.OnInternet("198.51.100.7")
	o := app.Ping(server.Addr)
	o.OK(t)

	frames := capture.Story(o.Walks, nil)
	var sources []string
	for _, f := range frames {
		var p wire.Packet
		require.NoError(t, p.Read(bytes.Clone(f.Bytes)))
		if p.Type == wire.ICMPEcho && (len(sources) == 0 || sources[len(sources)-1] != p.Flow.Src.String()) {
			sources = append(sources, p.Flow.Src.String())
		}
	}
	require.Equal(t, []string{"10.0.1.4", nat.PrivateAddr.String(), nat.PublicAddr.String()}, sources)

	at := capture.Story(o.Walks, func(id, _ string) bool { return id == nat.ID() })
	require.Len(t, at, 2, "the request and the reply")

	var file bytes.Buffer
	require.NoError(t, capture.WriteRaw(&file, time.Unix(0, 0), frames))
	r, err := capture.NewReader(&file, "story")
	require.NoError(t, err)
	for _, want := range frames {
		got, err := r.Next()
		require.NoError(t, err)
		ip, ok := got.IP()
		require.True(t, ok)
		require.Equal(t, want.Bytes, ip)
		require.Equal(t, want.Interface, got.Interface)
	}
}

func TestALogThatKeepsNoPacketsHasNone(t *testing.T) {
	w := vpctest.New(t)
	s := w.VPC("10.0.0.0/16").Subnet("10.0.0.0/24")
	o := s.Host("a").Ping(s.Host("b").Addr)
	require.Empty(t, capture.Story(o.Walks, nil))
	require.Nil(t, (&trace.Walk{}).Packet(0))
}
