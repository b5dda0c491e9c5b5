package proxy

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/vpcsim/vpcsim/balancer"
	"github.com/vpcsim/vpcsim/elbv2"
)

// frontend takes the requests of one listener at one node.
type frontend struct {
	node     *node
	listener *balancer.Listener
	protocol elbv2.Protocol
	port     uint16
}

// ServeHTTP does what the first matching rule says.
func (f *frontend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	client, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		answer(w, http.StatusBadRequest)
		return
	}
	switch a := f.listener.Decide(r, client.Addr()); a.Type {
	case elbv2.ActionForward:
		f.forward(w, r, client, a)
	case elbv2.ActionRedirect:
		f.redirect(w, r, a.Redirect)
	case elbv2.ActionFixedResponse:
		fixed(w, a.Fixed)
	default:
		answer(w, http.StatusNotImplemented)
	}
}

// forward sends the request to a target on a connection of the node's own, and the
// answer back (ALB guide, "Troubleshoot": 503 without targets, 504 where one does not
// answer in time, 502 where its answer is none).
func (f *frontend) forward(w http.ResponseWriter, r *http.Request, client netip.AddrPort, a balancer.Action) {
	g := f.node.group(a)
	if g == nil {
		answer(w, http.StatusServiceUnavailable)
		return
	}
	sticky := g.Attribute("stickiness.enabled") == "true" && g.Attribute("stickiness.type") == "lb_cookie"
	wanted := ""
	if c, err := r.Cookie(cookie); sticky && err == nil {
		wanted = target(c.Value)
	}
	to, ok := f.node.pick(g, wanted)
	if !ok {
		answer(w, http.StatusServiceUnavailable)
		return
	}
	defer f.node.done(to)
	p := httputil.ReverseProxy{
		Transport: f.node.transport,
		Rewrite: func(q *httputil.ProxyRequest) {
			q.Out.URL.Scheme, q.Out.URL.Host, q.Out.Host = "http", to.String(), q.In.Host
			f.forwarded(q, client)
		},
		ModifyResponse: func(res *http.Response) error {
			if seconds, err := strconv.Atoi(g.Attribute("stickiness.lb_cookie.duration_seconds")); sticky && err == nil {
				c := http.Cookie{Name: cookie, Value: base64.RawURLEncoding.EncodeToString([]byte(to.String())), Path: "/", MaxAge: seconds}
				res.Header.Add("Set-Cookie", c.String())
			}
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
				answer(w, http.StatusGatewayTimeout)
				return
			}
			answer(w, http.StatusBadGateway)
		},
	}
	p.ServeHTTP(w, r)
}

// cookie is the name of the cookie by which a client stays with its target (ALB guide,
// "Sticky sessions"). AWS encrypts the value; here it is the target in base64.
const cookie = "AWSALB"

// target returns the target that a cookie's value names, "" where it is none.
func target(value string) string {
	b, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil {
		return ""
	}
	return string(b)
}

// forwarded sets the headers that tell the target of the client (ALB guide,
// "X-Forwarded headers").
func (f *frontend) forwarded(q *httputil.ProxyRequest, client netip.AddrPort) {
	l := f.node.balancer
	was := q.In.Header.Values("X-Forwarded-For")
	switch l.Attribute("routing.http.xff_header_processing.mode") {
	case "preserve":
		if len(was) > 0 {
			q.Out.Header["X-Forwarded-For"] = was
		}
	case "remove":
	default:
		self := client.Addr().String()
		if l.Attribute("routing.http.xff_client_port.enabled") == "true" {
			self = client.String()
		}
		q.Out.Header.Set("X-Forwarded-For", strings.Join(append(append([]string{}, was...), self), ", "))
	}
	q.Out.Header.Set("X-Forwarded-Proto", strings.ToLower(string(f.protocol)))
	q.Out.Header.Set("X-Forwarded-Port", strconv.Itoa(int(f.port)))
}

// redirect answers with a place, in which the parts that nothing is said of are the
// request's own (ELB API, RedirectActionConfig).
func (f *frontend) redirect(w http.ResponseWriter, r *http.Request, to balancer.Redirect) {
	host, port := r.Host, strconv.Itoa(int(f.port))
	if h, _, ok := strings.Cut(r.Host, ":"); ok {
		host = h
	}
	own := strings.NewReplacer("#{protocol}", strings.ToLower(string(f.protocol)), "#{host}", host, "#{port}", port,
		"#{path}", strings.TrimPrefix(r.URL.Path, "/"), "#{query}", r.URL.RawQuery)
	part := func(s, otherwise string) string {
		if s == "" {
			s = otherwise
		}
		return own.Replace(s)
	}
	u := url.URL{Scheme: strings.ToLower(part(to.Protocol, "#{protocol}")), Host: part(to.Host, "#{host}"), Path: part(to.Path, "/#{path}"), RawQuery: part(to.Query, "#{query}")}
	u.Host += ":" + part(to.Port, "#{port}")
	w.Header().Set("Server", server)
	w.Header().Set("Location", u.String())
	code := http.StatusMovedPermanently
	if to.Code == "HTTP_302" {
		code = http.StatusFound
	}
	w.WriteHeader(code)
}

func fixed(w http.ResponseWriter, a balancer.Fixed) {
	w.Header().Set("Server", server)
	if a.ContentType != "" {
		w.Header().Set("Content-Type", a.ContentType)
	}
	w.WriteHeader(a.Code)
	fmt.Fprint(w, a.Body)
}

// server is how a load balancer calls itself in answers of its own.
const server = "awselb/2.0"

// reasons are the words of a load balancer's own answers where they are not HTTP's.
var reasons = map[int]string{
	http.StatusServiceUnavailable: "Service Temporarily Unavailable",
	http.StatusGatewayTimeout:     "Gateway Time-out",
}

// answer is an answer of the load balancer's own.
func answer(w http.ResponseWriter, code int) {
	text := reasons[code]
	if text == "" {
		text = http.StatusText(code)
	}
	w.Header().Set("Server", server)
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(code)
	fmt.Fprintf(w, "<html>\r\n<head><title>%d %s</title></head>\r\n<body>\r\n<center><h1>%d %s</h1></center>\r\n</body>\r\n</html>\r\n", code, text, code, text)
}
