package intent

import (
	"fmt"
	"strconv"
	"strings"
)

// Internet is the name that stands for hosts on the internet where it is not quoted.
const Internet = "internet"

// Endpoint is one end of an intent: a Name tag, an id, an address or a CIDR; or the
// internet.
type Endpoint struct {
	// Name is what was written, without quotes.
	Name string
	// Internet says that it is the word internet, not a thing of that name.
	Internet bool
}

// String returns the endpoint as the language writes it, quoted where it has to be.
func (e Endpoint) String() string {
	if e.Internet {
		return Internet
	}
	if e.Name == "" || isReserved(e.Name) || e.Name == Internet || strings.Contains(e.Name, arrow) ||
		strings.ContainsFunc(e.Name, func(r rune) bool { return !isWordRune(r) }) {
		return quote(e.Name)
	}
	return e.Name
}

// isReserved reports whether a word is one of the language's, which a name is quoted to
// be told from.
func isReserved(w string) bool {
	switch w {
	case "reachable", "blocked", "by", "via", "any", "tcp", "udp", "icmp":
		return true
	}
	return false
}

func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// Protocol is what an intent speaks of.
type Protocol string

// The protocols of an intent.
const (
	Any  Protocol = "any" // icmp and all ports of tcp and udp
	ICMP Protocol = "icmp"
	TCP  Protocol = "tcp"
	UDP  Protocol = "udp"
)

// Traffic is a protocol and, of tcp and udp, a range of destination ports. The zero
// Traffic is that of a line that names none, and means any.
type Traffic struct {
	// Protocol is empty where the line names none.
	Protocol Protocol
	// First and Last are the ports; Last is 0 where the line names none, and all are meant.
	First, Last uint16
}

// String returns the traffic as the language writes it, empty of the zero Traffic.
func (t Traffic) String() string {
	switch {
	case t.Last == 0:
		return string(t.Protocol)
	case t.First == t.Last:
		return string(t.Protocol) + "/" + strconv.Itoa(int(t.First))
	}
	return fmt.Sprintf("%s/%d-%d", t.Protocol, t.First, t.Last)
}

// Intent is one sentence.
type Intent struct {
	From, To Endpoint
	Traffic  Traffic
	// Blocked says that the traffic shall not get through; else it shall, there and
	// back. Of a line with via alone neither is said of all traffic: what gets through
	// shall pass the names, and something shall.
	Blocked bool
	// Reachable says that the line has the word reachable.
	Reachable bool
	// Code is the explanation code that the first blocker shall have; "" is any.
	Code string
	// Via are what the traffic shall pass, in any order.
	Via []Endpoint
}

// String returns the sentence as the language writes it.
func (i Intent) String() string {
	words := []string{i.From.String(), "->", i.To.String()}
	if t := i.Traffic.String(); t != "" {
		words = append(words, t)
	}
	switch {
	case i.Blocked:
		words = append(words, "blocked")
		if i.Code != "" {
			words = append(words, "by", i.Code)
		}
	case i.Reachable:
		words = append(words, "reachable")
	}
	if len(i.Via) > 0 {
		words = append(words, "via")
		for _, v := range i.Via {
			words = append(words, v.String())
		}
	}
	return strings.Join(words, " ")
}

// Line is one line of a file: an intent, a comment, both or neither.
type Line struct {
	// Number counts from 1.
	Number int
	// Intent is nil of a line without one.
	Intent *Intent
	// Comment is what follows "#", without blanks around it; HasComment tells an empty
	// one from none.
	Comment    string
	HasComment bool
}

// String returns the line as the language writes it.
func (l Line) String() string {
	comment := ""
	if l.HasComment {
		comment = strings.TrimRight("# "+l.Comment, " ")
	}
	switch {
	case l.Intent == nil:
		return comment
	case comment == "":
		return l.Intent.String()
	}
	return l.Intent.String() + "  " + comment
}

// File is a file of intents.
type File struct {
	// Name is the file's, for messages.
	Name string
	// Lines are all lines, in order.
	Lines []Line
}

// Intents returns the lines that have an intent.
func (f *File) Intents() []Line {
	var out []Line
	for _, l := range f.Lines {
		if l.Intent != nil {
			out = append(out, l)
		}
	}
	return out
}

// String returns the file as the language writes it, a newline behind each line.
func (f *File) String() string {
	var b strings.Builder
	for _, l := range f.Lines {
		b.WriteString(l.String() + "\n")
	}
	return b.String()
}
