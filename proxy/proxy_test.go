package proxy_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/alb"
	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/clb"
	"github.com/vpcsim/vpcsim/elbv2"
	"github.com/vpcsim/vpcsim/netstack"
	"github.com/vpcsim/vpcsim/proxy"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/world"
)

// lab is a VPC with a client, an Application Load Balancer and servers behind it.
type lab struct {
	t        *testing.T
	world    *world.World
	region   *vpc.Region
	vpc      *vpc.VPC
	subnet   *vpc.Subnet
	open     *vpc.SecurityGroup
	pump     *netstack.Pump
	client   *netstack.Guest
	clientIP netip.Addr
	alb      *balancer.LoadBalancer
	group    *balancer.TargetGroup
	listener *balancer.Listener
	proxy    *proxy.Proxy
}

func newLab(t *testing.T) *lab {
	l := &lab{t: t, world: world.New(world.Config{Seed: 1})}
	l.region = l.world.Region(vpc.RegionConfig{})
	var err error
	l.vpc, err = l.region.CreateVPC("10.0.0.0/16", vpc.VPCConfig{})
	l.must(err)
	l.subnet, err = l.vpc.CreateSubnet("10.0.0.0/24", vpc.SubnetConfig{Name: "subnet"})
	l.must(err)
	l.open, err = l.vpc.CreateSecurityGroup("open", vpc.SecurityGroupConfig{})
	l.must(err, l.open.AuthorizeIngress(vpc.AllTraffic("0.0.0.0/0")))
	l.pump = netstack.NewPump(l.world.Engine, netstack.PumpConfig{})
	t.Cleanup(func() { l.pump.Close() })
	l.client, l.clientIP = l.guest("client")
	l.alb, err = alb.Create(l.region, "web", alb.Config{Subnets: []*vpc.Subnet{l.subnet}, Groups: []*vpc.SecurityGroup{l.open}})
	l.must(err)
	l.group, err = balancer.CreateTargetGroup(l.region, "web", balancer.TargetGroupConfig{VPC: l.vpc, Type: elbv2.TargetIP, Protocol: elbv2.HTTP, Port: 8080})
	l.must(err)
	l.listener, err = l.alb.CreateListener(balancer.ListenerConfig{Protocol: elbv2.HTTP, Port: 80, Actions: []balancer.Action{balancer.Forward(l.group)}})
	l.must(err)
	return l
}

func (l *lab) must(errs ...error) {
	l.t.Helper()
	for _, err := range errs {
		require.NoError(l.t, err)
	}
}

// run starts the proxy.
func (l *lab) run(c proxy.Config) {
	l.t.Helper()
	var err error
	l.proxy, err = proxy.Run(l.pump, l.world, l.alb, c)
	l.must(err)
	l.t.Cleanup(func() { l.must(l.proxy.Close()) })
}

func (l *lab) guest(name string) (*netstack.Guest, netip.Addr) {
	l.t.Helper()
	var i *vpc.Instance
	var err error
	l.pump.Do(func() {
		i, err = l.subnet.RunInstance(vpc.InstanceConfig{Name: name, Interface: vpc.NetworkInterfaceConfig{Groups: []*vpc.SecurityGroup{l.open}}})
	})
	l.must(err)
	g, err := netstack.Boot(l.pump, l.world, i, netstack.Config{})
	l.must(err)
	return g, i.Interface().PrivateIP()
}

// server starts a target that answers with its name and what it was told of its client.
func (l *lab) server(name string, h http.HandlerFunc) netip.Addr {
	l.t.Helper()
	g, ip := l.guest(name)
	at, err := g.Listen("tcp", ":8080")
	l.must(err)
	if h == nil {
		h = func(w http.ResponseWriter, r *http.Request) {
			peer, _, _ := net.SplitHostPort(r.RemoteAddr)
			fmt.Fprintf(w, "%s %s host=%s peer=%s for=%q proto=%s port=%s", name, r.URL, r.Host, peer, r.Header.Values("X-Forwarded-For"), r.Header.Get("X-Forwarded-Proto"), r.Header.Get("X-Forwarded-Port"))
		}
	}
	s := &http.Server{Handler: h}
	go s.Serve(at)
	l.t.Cleanup(func() { s.Close() })
	l.must(l.group.RegisterTargets(balancer.Target{ID: ip.String()}))
	return ip
}

func (l *lab) node() netip.Addr { return l.alb.Interfaces()[0].PrivateIP() }

// get asks for a path at the load balancer.
func (l *lab) get(path string, headers ...string) (int, http.Header, string) {
	l.t.Helper()
	r, err := http.NewRequest("GET", "http://"+l.node().String()+path, nil)
	l.must(err)
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		} else {
			r.Header.Add(headers[i], headers[i+1])
		}
	}
	c := &http.Transport{DialContext: l.client.DialContext, DisableKeepAlives: true}
	res, err := c.RoundTrip(r)
	l.must(err)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	l.must(err)
	return res.StatusCode, res.Header, string(b)
}

func TestApplicationLoadBalancer(t *testing.T) {
	t.Run("C150 its target sees the node, and of the client by headers", targetSeesTheNode)
	t.Run("C150 all targets unhealthy: it fails open", failsOpen)
}

func targetSeesTheNode(t *testing.T) {
	l := newLab(t)
	l.server("a", nil)
	l.run(proxy.Config{})
	told := func(headers ...string) string {
		_, _, body := l.get("/x?y=1", headers...)
		return body
	}
	head := "a /x?y=1 host=" + l.node().String() + " peer=" + l.node().String() + " "
	client := l.clientIP.String()
	require.Equal(t, head+`for=["`+client+`"] proto=http port=80`, told())
	require.Equal(t, head+`for=["192.0.2.1, `+client+`"] proto=http port=80`, told("X-Forwarded-For", "192.0.2.1"))
	l.must(l.alb.SetAttribute("routing.http.xff_header_processing.mode", "preserve"))
	require.Equal(t, head+`for=["192.0.2.1"] proto=http port=80`, told("X-Forwarded-For", "192.0.2.1"))
	require.Equal(t, head+`for=[] proto=http port=80`, told())
	l.must(l.alb.SetAttribute("routing.http.xff_header_processing.mode", "remove"))
	require.Equal(t, head+`for=[] proto=http port=80`, told("X-Forwarded-For", "192.0.2.1"))
	l.must(l.alb.SetAttribute("routing.http.xff_header_processing.mode", "append"), l.alb.SetAttribute("routing.http.xff_client_port.enabled", "true"))
	require.Contains(t, told(), `for=["`+client+":")
	require.Contains(t, told("Host", "shop.example"), "host=shop.example ")
}

func failsOpen(t *testing.T) {
	l := newLab(t)
	a, b := l.server("a", nil), l.server("b", nil)
	l.run(proxy.Config{})
	target := func(a netip.Addr) balancer.Target { return balancer.Target{ID: a.String()} }
	l.must(l.group.SetHealth(target(a), balancer.Healthy), l.group.SetHealth(target(b), balancer.Unhealthy))
	seen := func() string {
		text := ""
		for range 4 {
			_, _, body := l.get("/")
			text += body[:1]
		}
		return text
	}
	require.Equal(t, "aaaa", seen())
	l.must(l.group.SetHealth(target(a), balancer.Unhealthy))
	require.Contains(t, []string{"abab", "baba"}, seen(), "round robin among all")
}

func TestRules(t *testing.T) {
	l := newLab(t)
	l.server("a", nil)
	fixed := func(code int, body string) balancer.Action {
		return balancer.Action{Type: elbv2.ActionFixedResponse, Fixed: balancer.Fixed{Code: code, ContentType: "text/plain", Body: body}}
	}
	rule := func(priority int, a balancer.Action, c ...balancer.Condition) {
		_, err := l.listener.CreateRule(priority, c, a)
		l.must(err)
	}
	one := func(field string, values ...string) balancer.Condition {
		return balancer.Condition{Field: field, Values: values}
	}
	rule(10, fixed(200, "images"), one("path-pattern", "/img/*.?pg"))
	rule(20, fixed(200, "shop"), one("host-header", "*.Shop.example"), one("path-pattern", "/*"))
	rule(30, fixed(403, "no"), balancer.Condition{Field: "http-header", Header: "X-Robot", Values: []string{"yes*"}})
	rule(40, fixed(200, "beta"), one("query-string", "version=beta", "canary"))
	rule(50, balancer.Action{Type: elbv2.ActionRedirect, Redirect: balancer.Redirect{Protocol: "HTTPS", Port: "443", Path: "/new/#{path}", Code: "HTTP_302"}}, one("path-pattern", "/old*"))
	rule(60, fixed(405, "post"), one("http-request-method", "POST"))
	rule(70, fixed(200, "inside"), one("source-ip", l.clientIP.String()+"/32"), one("path-pattern", "/inside"))
	rule(5, fixed(200, "first"), one("path-pattern", "/img/first.jpg"))
	l.run(proxy.Config{})
	for _, row := range []struct {
		path, want string
		headers    []string
	}{
		{"/img/a.jpg", "200 images", nil}, {"/img/a.png", "200 a /img", nil}, {"/img/first.jpg", "200 first", nil}, {"/IMG/a.jpg", "200 a /IMG", nil},
		{"/", "200 shop", []string{"Host", "www.shop.example:80"}}, {"/", "200 a /", []string{"Host", "shop.example"}},
		{"/", "403 no", []string{"X-Robot", "YES sir"}}, {"/?version=beta", "200 beta", nil}, {"/?a=canary", "200 beta", nil}, {"/?version=x", "200 a ", nil},
		{"/inside", "200 inside", nil},
	} {
		code, header, body := l.get(row.path, row.headers...)
		require.True(t, strings.HasPrefix(fmt.Sprintf("%d %s", code, body), row.want), "%s: %d %s", row.path, code, body)
		if !strings.HasPrefix(body, "a ") {
			require.Equal(t, "awselb/2.0", header.Get("Server"))
		}
	}
	code, header, _ := l.get("/old/page?q=1")
	require.Equal(t, http.StatusFound, code)
	require.Equal(t, "https://"+l.node().String()+":443/new/old/page?q=1", header.Get("Location"))
}

func TestAnswersOfItsOwn(t *testing.T) {
	l := newLab(t)
	l.run(proxy.Config{})
	code, _, body := l.get("/")
	require.Equal(t, 503, code, "no target is registered")
	require.Equal(t, "<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n<body>\r\n<center><h1>503 Service Temporarily Unavailable</h1></center>\r\n</body>\r\n</html>\r\n", body)

	_, ip := l.guest("deaf") // no listener: it answers with RST
	l.must(l.group.RegisterTargets(balancer.Target{ID: ip.String()}))
	code, _, _ = l.get("/")
	require.Equal(t, 502, code)
	l.must(l.group.DeregisterTargets(balancer.Target{ID: ip.String()}))
	closed, err := l.vpc.CreateSecurityGroup("closed", vpc.SecurityGroupConfig{})
	l.must(err)
	n, err := l.subnet.RunInstance(vpc.InstanceConfig{Interface: vpc.NetworkInterfaceConfig{Groups: []*vpc.SecurityGroup{closed}}})
	l.must(err)
	ip = n.Interface().PrivateIP()
	_, err = netstack.Boot(l.pump, l.world, n, netstack.Config{Name: "closed"})
	l.must(err, l.group.RegisterTargets(balancer.Target{ID: ip.String()}))
	before := l.pump.Now()
	code, _, _ = l.get("/")
	require.Equal(t, 504, code, "its group lets nothing in")
	require.InDelta(t, 10, (l.pump.Now() - before).Seconds(), 1)

	l.must(l.group.DeregisterTargets(balancer.Target{ID: ip.String()}))
	l.server("slow", func(w http.ResponseWriter, r *http.Request) { l.pump.Sleep(2 * time.Minute) })
	before = l.pump.Now()
	code, _, _ = l.get("/")
	require.Equal(t, 504, code)
	require.InDelta(t, 60, (l.pump.Now() - before).Seconds(), 1, "the idle timeout, on the simulated clock")
}

func TestWhatIsNoHTTPIsABadGateway(t *testing.T) {
	l := newLab(t)
	g, ip := l.guest("mail")
	at, err := g.Listen("tcp", ":8080")
	l.must(err, l.group.RegisterTargets(balancer.Target{ID: ip.String()}))
	go func() {
		for {
			c, err := at.Accept()
			if err != nil {
				return
			}
			c.Write([]byte("220 mail\r\n"))
			c.Close()
		}
	}()
	l.run(proxy.Config{})
	code, _, _ := l.get("/")
	require.Equal(t, 502, code)
}

func TestHealthChecksOfANode(t *testing.T) {
	l := newLab(t)
	status := make(chan int, 1)
	status <- 200
	a := l.server("a", func(w http.ResponseWriter, r *http.Request) {
		s := <-status
		status <- s
		if r.UserAgent() == "ELB-HealthChecker/2.0" {
			w.WriteHeader(s)
			return
		}
		fmt.Fprint(w, "page")
	})
	l.run(proxy.Config{HealthChecks: true})
	state := func() elbv2.TargetHealthState { return l.group.Targets()[0].State }
	require.Equal(t, a.String(), l.group.Targets()[0].ID)
	l.pump.Sleep(time.Second)
	require.Equal(t, elbv2.StateHealthy, state())
	<-status
	status <- 500
	l.pump.Sleep(2 * time.Minute)
	require.Equal(t, elbv2.StateUnhealthy, state())
	code, _, body := l.get("/")
	require.Equal(t, "200 page", fmt.Sprint(code, " ", body), "it fails open")
	<-status
	status <- 200
	l.pump.Sleep(5 * time.Minute)
	require.Equal(t, elbv2.StateHealthy, state())
}

// Without a stack a node opens and closes connections and no more.
func TestANodeWithoutAStack(t *testing.T) {
	l := newLab(t)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	c, err := l.client.DialContext(ctx, "tcp", net.JoinHostPort(l.node().String(), "80"))
	l.must(err)
	l.must(c.(*netstack.TCPConn).CloseWrite())
	_, err = bufio.NewReader(c).ReadByte()
	require.ErrorIs(t, err, io.EOF)
	l.must(c.Close())
	_, err = l.client.DialContext(ctx, "tcp", net.JoinHostPort(l.node().String(), "81"))
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestClassicLoadBalancer(t *testing.T) {
	l := newLab(t)
	c, err := clb.Create(l.region, "old", clb.Config{Subnets: []*vpc.Subnet{l.subnet}, Groups: []*vpc.SecurityGroup{l.open}})
	l.must(err, clb.CreateListeners(c, clb.Listener{Protocol: elbv2.HTTP, Port: 80, InstancePort: 8080}, clb.Listener{Protocol: elbv2.TCP, Port: 81, InstancePort: 8080}))
	l.must(l.listener.Delete(), l.alb.Delete())
	l.alb = c
	ip := l.server("a", nil)
	var id string
	l.region.View(func(tx *vpc.Tx) {
		for _, i := range vpc.Resources[*vpc.Instance](tx) {
			if tx.PrivateAddresses(tx.PrimaryOf(i))[0].IP == ip {
				id = i.ID()
			}
		}
	})
	l.must(clb.RegisterInstances(c, id))
	l.run(proxy.Config{})
	code, _, _ := l.get("/")
	require.Equal(t, 503, code, "no instance is in service: it does not fail open")
	l.must(clb.SetHealth(c, id, balancer.Healthy))
	_, _, body := l.get("/x")
	node := l.node().String()
	require.Equal(t, "a /x host="+node+" peer="+node+` for=["`+l.clientIP.String()+`"] proto=http port=80`, body)

	conn, err := l.client.Dial("tcp", net.JoinHostPort(node, "81"))
	l.must(err)
	defer conn.Close()
	fmt.Fprintf(conn, "GET /raw HTTP/1.0\r\n\r\n")
	all, err := io.ReadAll(conn)
	l.must(err)
	require.Contains(t, string(all), "a /raw host= peer="+node+" for=[] proto= port=", "TCP is carried as it is")
}

func TestStickySessions(t *testing.T) {
	l := newLab(t)
	a, _ := l.server("a", nil), l.server("b", nil)
	l.must(l.group.SetAttribute("stickiness.enabled", "true"))
	l.run(proxy.Config{})
	_, header, body := l.get("/")
	set := header.Get("Set-Cookie")
	require.Regexp(t, "^AWSALB=[A-Za-z0-9_-]+; Path=/; Max-Age=86400$", set)
	own, _, _ := strings.Cut(set, ";")
	for range 5 {
		_, _, again := l.get("/", "Cookie", own)
		require.Equal(t, body[:1], again[:1])
	}
	seen := ""
	for range 4 {
		_, _, other := l.get("/", "Cookie", "AWSALB=nonsense!")
		seen += other[:1]
	}
	require.Contains(t, []string{"abab", "baba"}, seen)
	if body[:1] == "a" {
		l.must(l.group.DeregisterTargets(balancer.Target{ID: a.String()}))
		_, _, other := l.get("/", "Cookie", own)
		require.Equal(t, "b", other[:1], "the target is gone")
	}
}

func TestLeastOutstandingRequests(t *testing.T) {
	l := newLab(t)
	hold, held := make(chan struct{}), make(chan struct{})
	l.server("slow", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hold" {
			held <- struct{}{}
			<-hold
		}
		fmt.Fprint(w, "slow")
	})
	l.must(l.group.SetAttribute("load_balancing.algorithm.type", "least_outstanding_requests"))
	l.run(proxy.Config{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.get("/hold")
	}()
	<-held
	l.server("b", nil)
	for range 4 {
		_, _, body := l.get("/")
		require.Equal(t, "b", body[:1])
	}
	close(hold)
	<-done
}
