package metadata

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vpcsim/vpcsim/dataplane"
	"github.com/vpcsim/vpcsim/host"
	"github.com/vpcsim/vpcsim/trace"
	"github.com/vpcsim/vpcsim/wire"
)

// The service's addresses (EC2 guide, "Access instance metadata").
var (
	Addr4 = netip.MustParseAddr("169.254.169.254")
	Addr6 = netip.MustParseAddr("fd00:ec2::254")
)

// Config is an instance's metadata options (EC2 API, InstanceMetadataOptions). The
// zero Config answers versions 1 and 2 over IPv4, with hop limit 1.
type Config struct {
	// Disabled answers everything with 403 (HttpEndpoint=disabled).
	Disabled bool
	// TokensRequired answers requests without a token with 401, which leaves
	// version 2 alone (HttpTokens=required).
	TokensRequired bool
	// HopLimit is the time to live with which the answer to a request for a token
	// leaves, 1 to 64 hops (HttpPutResponseHopLimit); 0 is 1.
	HopLimit int
	// IPv6 answers at Addr6 too (HttpProtocolIpv6=enabled).
	IPv6 bool
	// Seed makes the tokens.
	Seed uint64
}

// Service is the metadata service of one instance. It belongs to the engine's
// goroutine.
type Service struct {
	config Config
	facts  func() Facts
	engine *dataplane.Engine
	nic    *host.NIC
	rand   *rand.Rand
	tokens map[string]time.Duration // until when they hold
}

// New returns a service that tells what facts returns at each request. send takes
// the packets with its answers; it copies them before it returns. It refuses a hop
// limit that is not in 1-64.
func New(e *dataplane.Engine, c Config, facts func() Facts, send func(ip []byte)) (*Service, error) {
	s := &Service{facts: facts, engine: e, rand: rand.New(rand.NewPCG(c.Seed, 1)), tokens: map[string]time.Duration{}}
	if err := s.Configure(c); err != nil {
		return nil, err
	}
	// 64 is no measured figure: AWS documents the hop limit of the answer to PUT alone.
	h := host.New(e, host.Config{Name: "metadata", DefaultTTL: 64, RPFilter: host.RPOff, Seed: c.Seed + 1})
	nic, err := h.AddNIC(host.NICConfig{
		Link:  host.LinkFunc(func(ip []byte) trace.Reason { send(ip); return trace.None }),
		Addrs: []netip.Prefix{netip.PrefixFrom(Addr4, 32), netip.PrefixFrom(Addr6, 128)}, PointToPoint: true,
		Gateway: Addr4, Gateway6: Addr6,
	})
	if err != nil {
		return nil, err
	}
	if _, err := h.ServeHTTP(netip.AddrPortFrom(netip.Addr{}, 80), s.serve); err != nil {
		return nil, err
	}
	s.nic = nic
	return s, nil
}

// Configure changes the options, as ModifyInstanceMetadataOptions does; tokens
// given out still hold. It refuses a hop limit that is not in 1-64.
func (s *Service) Configure(c Config) error {
	if c.HopLimit == 0 {
		c.HopLimit = 1
	}
	if c.HopLimit < 1 || c.HopLimit > 64 {
		return fmt.Errorf("metadata: hop limit %d is not in 1-64", c.HopLimit)
	}
	s.config = c
	return nil
}

// Receive takes a packet for one of the service's addresses. It makes the service
// a dataplane.Guest.
func (s *Service) Receive(p *wire.Packet) trace.Reason {
	if !p.Is4() && !s.config.IPv6 {
		return trace.NoListener
	}
	return s.nic.Receive(p)
}

// The headers of version 2 (EC2 guide, "How Instance Metadata Service Version 2 works").
const (
	tokenHeader = "X-Aws-Ec2-Metadata-Token"
	ttlHeader   = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds"
	tokenPath   = "/latest/api/token"
	maxTokenTTL = 21600 // seconds
)

// serve answers one request.
func (s *Service) serve(c *host.Conn, r *http.Request) *http.Response {
	var res *http.Response
	switch {
	case s.config.Disabled:
		res = page(http.StatusForbidden)
	case r.Method == http.MethodPut:
		res = s.issue(c, r)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		res = page(http.StatusMethodNotAllowed)
	default:
		res = s.tell(r)
	}
	res.Header.Set("Server", "EC2ws")
	return res
}

// issue answers PUT with a token. A request that came through a proxy, which
// X-Forwarded-For tells, gets none. The answer leaves with the hop limit, so that
// what forwards the instance's packets doesn't get it.
func (s *Service) issue(c *host.Conn, r *http.Request) *http.Response {
	if r.URL.Path != tokenPath {
		return page(http.StatusNotFound)
	}
	if r.Header.Get("X-Forwarded-For") != "" {
		return page(http.StatusForbidden)
	}
	ttl, err := strconv.Atoi(r.Header.Get(ttlHeader))
	if err != nil || ttl < 1 || ttl > maxTokenTTL {
		return page(http.StatusBadRequest)
	}
	raw := make([]byte, 42)
	for i := range raw {
		raw[i] = byte(s.rand.Uint32())
	}
	token := base64.URLEncoding.EncodeToString(raw)
	s.forgetTokens()
	s.tokens[token] = s.engine.Now() + time.Duration(ttl)*time.Second
	c.TTL = uint8(s.config.HopLimit)
	res := host.NewResponse(http.StatusOK, "text/plain", token)
	res.Header.Set(ttlHeader, strconv.Itoa(ttl))
	return res
}

func (s *Service) forgetTokens() {
	for token, until := range s.tokens {
		if until <= s.engine.Now() {
			delete(s.tokens, token)
		}
	}
}

// tell answers GET: is there a token where one is needed, does a given one hold,
// is there such a path.
func (s *Service) tell(r *http.Request) *http.Response {
	left := time.Duration(0)
	if token := r.Header.Get(tokenHeader); token != "" {
		left = s.tokens[token] - s.engine.Now()
		if left <= 0 {
			return page(http.StatusUnauthorized)
		}
	} else if s.config.TokensRequired {
		return page(http.StatusUnauthorized)
	}
	text, ok := s.facts().tree().read(r.URL.Path)
	if !ok {
		return page(http.StatusNotFound)
	}
	res := host.NewResponse(http.StatusOK, "text/plain", text)
	if left > 0 {
		res.Header.Set(ttlHeader, strconv.Itoa(int(left/time.Second)))
	}
	return res
}

// read returns the value at a path, or the listing of what is below it: names in
// order, a slash behind those with more below, but not right below the version.
func (t tree) read(path string) (string, bool) {
	below, ok := strings.CutPrefix(strings.Trim(path, "/")+"/", "latest/")
	switch {
	case path == "/" || path == "":
		return "latest", true
	case !ok:
		return "", false
	}
	if value, ok := t[strings.TrimSuffix(below, "/")]; ok {
		return value, true
	}
	var names []string
	for p := range t {
		rest, ok := strings.CutPrefix(p, below)
		if !ok {
			continue
		}
		if i := strings.IndexByte(rest, '/'); i >= 0 {
			rest = rest[:i+1]
		}
		if below == "" {
			rest = strings.TrimSuffix(rest, "/")
		}
		names = append(names, rest)
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), "\n"), len(names) > 0
}

// page is the service's answer where there is nothing to tell.
func page(status int) *http.Response {
	title := fmt.Sprintf("%d - %s", status, http.StatusText(status))
	return host.NewResponse(status, "text/html", `<?xml version="1.0" encoding="iso-8859-1"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN"
	"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en" lang="en">
 <head>
  <title>`+title+`</title>
 </head>
 <body>
  <h1>`+title+`</h1>
 </body>
</html>
`)
}
