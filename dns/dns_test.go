package dns_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/vpcsim/vpcsim/dns"
)

func TestMessagesComeBackAsTheyWere(t *testing.T) {
	q := dns.Query(7, "App.Example.com.", dns.AAAA)
	require.Equal(t, "app.example.com", q.Name)
	b, err := q.Append(nil)
	require.NoError(t, err)
	got, err := dns.Parse(b)
	require.NoError(t, err)
	require.Equal(t, q, got)

	a := q.Answer(dns.NoError)
	a.Answers = []dns.Record{
		{Name: "app.example.com", Type: dns.CNAME, TTL: 300, Target: "lb.example.com"},
		{Name: "lb.example.com", Type: dns.AAAA, TTL: 60, Addr: netip.MustParseAddr("2001:db8::1")},
		{Name: "lb.example.com", Type: dns.A, TTL: 60, Addr: netip.MustParseAddr("10.0.0.1")},
		{Name: "1.0.0.10.in-addr.arpa", Type: dns.PTR, TTL: 60, Target: "x.example.com"},
	}
	b, err = a.Append(nil)
	require.NoError(t, err)
	got, err = dns.Parse(b)
	require.NoError(t, err)
	require.Equal(t, a, got)
	require.Equal(t, []netip.Addr{netip.MustParseAddr("2001:db8::1")}, got.Addrs(dns.AAAA))
	require.Equal(t, "app.example.com. 300 IN CNAME lb.example.com.", got.Answers[0].String())
	require.Equal(t, "lb.example.com. 60 IN AAAA 2001:db8::1", got.Answers[1].String())
}

func TestReverseNames(t *testing.T) {
	for a, name := range map[string]string{
		"10.0.1.55":   "55.1.0.10.in-addr.arpa",
		"2001:db8::1": "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
	} {
		addr := netip.MustParseAddr(a)
		require.Equal(t, name, dns.Reverse(addr))
		back, ok := dns.ParseReverse(name)
		require.True(t, ok)
		require.Equal(t, addr, back)
	}
	for _, bad := range []string{"", "in-addr.arpa", "1.2.3.in-addr.arpa", "x.2.3.4.in-addr.arpa", "1.ip6.arpa", "example.com"} {
		_, ok := dns.ParseReverse(bad)
		require.False(t, ok, bad)
	}
}

func TestBadNamesAndMessagesAreErrors(t *testing.T) {
	for _, name := range []string{"a..b", string(make([]byte, 300))} {
		_, err := dns.Query(1, name, dns.A).Append(nil)
		require.Error(t, err)
	}
	_, err := dns.Parse([]byte{1, 2, 3})
	require.Error(t, err)
	two := dnsmessage.Message{Questions: make([]dnsmessage.Question, 2)}
	two.Questions[0].Name, two.Questions[1].Name = dnsmessage.MustNewName("a."), dnsmessage.MustNewName("b.")
	b, err := two.Pack()
	require.NoError(t, err)
	_, err = dns.Parse(b)
	require.EqualError(t, err, "dns: expected one question of class IN, got 2")
	b, err = dns.Query(1, "a", 0).Append(nil)
	require.NoError(t, err)
	_, err = dns.Parse(b)
	require.EqualError(t, err, "dns: the question is of type 0")
}

func FuzzParse(f *testing.F) {
	b, _ := dns.Query(7, "app.example.com", dns.A).Append(nil)
	f.Add(b)
	f.Add([]byte("\x00\a\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01")) // the root, of type 0
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := dns.Parse(b)
		if err != nil {
			return
		}
		again, err := m.Append(nil)
		if err != nil {
			return // a name with characters of its own, longer than it may be as text
		}
		if _, err := dns.Parse(again); err != nil {
			t.Fatalf("what was built of %+v can't be read: %v", m, err)
		}
	})
}
