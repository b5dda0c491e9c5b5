// Package dns is the messages of the domain name system (RFC 1035) as a resolver and
// its clients here need them: one question, records of addresses and names. The wire
// format is golang.org/x/net/dns/dnsmessage's; what this package adds is names as people
// write them (lower case, no dot at the end) and netip's addresses.
package dns

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// Port is the port of name servers.
const Port = 53

// MaxUDP is the longest answer by UDP without EDNS, in bytes (RFC 1035 section 2.3.4);
// EDNSUDP is what this package's clients say they take, and its servers send at most.
const (
	MaxUDP  = 512
	EDNSUDP = 1232
)

// Type is the type of a record.
type Type uint16

// The types that are known; queries for others have no answer.
const (
	A     Type = 1
	CNAME Type = 5
	SOA   Type = 6
	PTR   Type = 12
	AAAA  Type = 28
)

// String returns the type's name, or TYPE and its number.
func (t Type) String() string {
	switch t {
	case A:
		return "A"
	case CNAME:
		return "CNAME"
	case SOA:
		return "SOA"
	case PTR:
		return "PTR"
	case AAAA:
		return "AAAA"
	}
	return fmt.Sprintf("TYPE%d", uint16(t))
}

// Code is a response code.
type Code uint8

// The response codes (RFC 1035 section 4.1.1).
const (
	NoError  Code = 0
	FormErr  Code = 1
	ServFail Code = 2
	NXDomain Code = 3
	NotImp   Code = 4
	Refused  Code = 5
)

// String returns the code as dig prints it.
func (c Code) String() string {
	names := [...]string{"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"}
	if int(c) < len(names) {
		return names[c]
	}
	return fmt.Sprintf("RCODE%d", uint8(c))
}

// Record is a resource record: of A and AAAA it has an Addr, of CNAME and PTR a Target.
type Record struct {
	// Name is whose record it is.
	Name string
	// Type is its type.
	Type Type
	// TTL is how long it may be kept, in seconds.
	TTL uint32
	// Addr is the address of A and AAAA.
	Addr netip.Addr
	// Target is the name of CNAME and PTR.
	Target string
}

// String returns the record as dig prints it, with blanks for tabs.
func (r Record) String() string {
	value := r.Target
	if r.Addr.IsValid() {
		value = r.Addr.String()
	} else {
		value += "."
	}
	return fmt.Sprintf("%s. %d IN %s %s", r.Name, r.TTL, r.Type, value)
}

// Message is a query or an answer with one question.
type Message struct {
	// ID ties the answer to the query.
	ID uint16
	// Response is set of answers.
	Response bool
	// Truncated says that the answer did not fit: ask by TCP.
	Truncated bool
	// RecursionDesired and RecursionAvailable are the resolver's usual flags.
	RecursionDesired, RecursionAvailable bool
	// Code is the response code.
	Code Code
	// Name and Type are the question; an answer to a query that could not be read has none.
	Name string
	Type Type
	// Answers are the records of the answer section, in order.
	Answers []Record
	// UDPSize is how long an answer the client takes by UDP, 0 without EDNS (RFC 6891).
	UDPSize uint16
}

// Query returns a client's query.
func Query(id uint16, name string, t Type) Message {
	return Message{ID: id, RecursionDesired: true, Name: Canonical(name), Type: t, UDPSize: EDNSUDP}
}

// Answer returns the answer to a query, without records so far.
func (m Message) Answer(c Code) Message {
	return Message{
		ID: m.ID, Response: true, RecursionDesired: m.RecursionDesired, RecursionAvailable: true, Code: c, Name: m.Name, Type: m.Type, UDPSize: m.UDPSize,
	}
}

// Canonical returns a name as this package has it: lower case, without a dot at its end.
func Canonical(name string) string { return strings.TrimSuffix(strings.ToLower(name), ".") }

// Reverse returns the name whose PTR record names the address (RFC 1035 section 3.5,
// RFC 3596 section 2.5).
func Reverse(a netip.Addr) string {
	var s strings.Builder
	if a = a.Unmap(); a.Is4() {
		b := a.As4()
		return fmt.Sprintf("%d.%d.%d.%d.in-addr.arpa", b[3], b[2], b[1], b[0])
	}
	b := a.As16()
	for i := 15; i >= 0; i-- {
		fmt.Fprintf(&s, "%x.%x.", b[i]&15, b[i]>>4)
	}
	return s.String() + "ip6.arpa"
}

// ParseReverse returns the address that a reverse name is of, and whether it is one.
func ParseReverse(name string) (netip.Addr, bool) {
	if four, ok := strings.CutSuffix(name, ".in-addr.arpa"); ok {
		labels := strings.Split(four, ".")
		if len(labels) != 4 {
			return netip.Addr{}, false
		}
		a, err := netip.ParseAddr(labels[3] + "." + labels[2] + "." + labels[1] + "." + labels[0])
		return a, err == nil
	}
	six, ok := strings.CutSuffix(name, ".ip6.arpa")
	labels := strings.Split(six, ".")
	if !ok || len(labels) != 32 {
		return netip.Addr{}, false
	}
	var text strings.Builder
	for i := range 32 {
		label := labels[31-i]
		if len(label) != 1 {
			return netip.Addr{}, false
		}
		text.WriteString(label)
		if i%4 == 3 && i < 31 {
			text.WriteByte(':')
		}
	}
	a, err := netip.ParseAddr(text.String())
	return a, err == nil
}

// Append appends the message in wire format to b. It is an error where a name is too
// long or has an empty label.
func (m Message) Append(b []byte) ([]byte, error) {
	x := dnsmessage.NewBuilder(b, dnsmessage.Header{
		ID: m.ID, Response: m.Response, Truncated: m.Truncated, RecursionDesired: m.RecursionDesired,
		RecursionAvailable: m.RecursionAvailable, RCode: dnsmessage.RCode(m.Code),
	})
	x.EnableCompression()
	if err := m.build(&x); err != nil {
		return b, fmt.Errorf("dns: %s %s: %w", m.Name, m.Type, err)
	}
	return x.Finish()
}

func (m Message) build(x *dnsmessage.Builder) error {
	if err := x.StartQuestions(); err != nil {
		return err
	}
	if m.Name != "" || m.Type != 0 {
		name, err := dnsmessage.NewName(m.Name + ".")
		if err != nil {
			return err
		}
		if err := x.Question(dnsmessage.Question{Name: name, Type: dnsmessage.Type(m.Type), Class: dnsmessage.ClassINET}); err != nil {
			return err
		}
	}
	if err := x.StartAnswers(); err != nil {
		return err
	}
	for _, r := range m.Answers {
		if err := r.build(x); err != nil {
			return err
		}
	}
	if m.UDPSize == 0 {
		return nil
	}
	if err := x.StartAdditionals(); err != nil {
		return err
	}
	var h dnsmessage.ResourceHeader
	if err := h.SetEDNS0(int(m.UDPSize), dnsmessage.RCode(m.Code), false); err != nil {
		return err
	}
	return x.OPTResource(h, dnsmessage.OPTResource{})
}

func (r Record) build(x *dnsmessage.Builder) error {
	name, err := dnsmessage.NewName(r.Name + ".")
	if err != nil {
		return err
	}
	h := dnsmessage.ResourceHeader{Name: name, Class: dnsmessage.ClassINET, TTL: r.TTL}
	switch r.Type {
	case A:
		return x.AResource(h, dnsmessage.AResource{A: r.Addr.As4()})
	case AAAA:
		return x.AAAAResource(h, dnsmessage.AAAAResource{AAAA: r.Addr.As16()})
	}
	target, err := dnsmessage.NewName(r.Target + ".")
	if err != nil {
		return err
	}
	if r.Type == CNAME {
		return x.CNAMEResource(h, dnsmessage.CNAMEResource{CNAME: target})
	}
	return x.PTRResource(h, dnsmessage.PTRResource{PTR: target})
}

// Parse reads a message. It is an error where the bytes are none, or where it has not
// one question of the internet's class; what of it could be read comes back all the same,
// so that an error can be answered. Records of other types are left out.
func Parse(b []byte) (Message, error) {
	var p dnsmessage.Parser
	h, err := p.Start(b)
	if err != nil {
		return Message{}, fmt.Errorf("dns: %w", err)
	}
	m := Message{
		ID: h.ID, Response: h.Response, Truncated: h.Truncated, RecursionDesired: h.RecursionDesired,
		RecursionAvailable: h.RecursionAvailable, Code: Code(h.RCode),
	}
	questions, err := p.AllQuestions()
	if err != nil {
		return m, fmt.Errorf("dns: %w", err)
	}
	if len(questions) != 1 || questions[0].Class != dnsmessage.ClassINET || h.OpCode != 0 {
		return m, fmt.Errorf("dns: expected one question of class IN, got %d", len(questions))
	}
	if questions[0].Type == 0 { // which is no question's (RFC 6895 section 3.1)
		return m, errors.New("dns: the question is of type 0")
	}
	m.Name, m.Type = Canonical(questions[0].Name.String()), Type(questions[0].Type)
	answers, err := p.AllAnswers()
	if err != nil {
		return m, fmt.Errorf("dns: %w", err)
	}
	for _, a := range answers {
		if r, ok := record(a); ok {
			m.Answers = append(m.Answers, r)
		}
	}
	if err := p.SkipAllAuthorities(); err != nil {
		return m, fmt.Errorf("dns: %w", err)
	}
	more, err := p.AllAdditionals()
	if err != nil {
		return m, fmt.Errorf("dns: %w", err)
	}
	for _, a := range more {
		if a.Header.Type == dnsmessage.TypeOPT {
			m.UDPSize = uint16(a.Header.Class)
		}
	}
	return m, nil
}

func record(a dnsmessage.Resource) (Record, bool) {
	r := Record{Name: Canonical(a.Header.Name.String()), Type: Type(a.Header.Type), TTL: a.Header.TTL}
	switch x := a.Body.(type) {
	case *dnsmessage.AResource:
		r.Addr = netip.AddrFrom4(x.A)
	case *dnsmessage.AAAAResource:
		r.Addr = netip.AddrFrom16(x.AAAA)
	case *dnsmessage.CNAMEResource:
		r.Target = Canonical(x.CNAME.String())
	case *dnsmessage.PTRResource:
		r.Target = Canonical(x.PTR.String())
	default:
		return Record{}, false
	}
	return r, true
}

// Addrs returns the addresses of a type among the answers, those that CNAME records
// lead to included, in order.
func (m Message) Addrs(t Type) []netip.Addr {
	var all []netip.Addr
	for _, r := range m.Answers {
		if r.Type == t {
			all = append(all, r.Addr)
		}
	}
	return all
}
