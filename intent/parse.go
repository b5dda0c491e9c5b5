package intent

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// SyntaxError says where a file is none of the language, and what was expected there.
type SyntaxError struct {
	// File is the file's name; Line and Column count from 1, columns in characters.
	File         string
	Line, Column int
	// Expected is what would be right; Found what stands there, quoted, or "end of line".
	Expected, Found string
}

// Error returns file:line:column, what was expected and what was found.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s:%d:%d: expected %s, found %s", e.File, e.Line, e.Column, e.Expected, e.Found)
}

// Parse reads the text of a file. name is the file's, for errors, of which it returns
// the first, a *SyntaxError.
func Parse(name, text string) (*File, error) {
	f := &File{Name: name}
	if text == "" {
		return f, nil
	}
	number := 0
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		number++
		l, err := parseLine(name, number, strings.TrimSuffix(line, "\r"))
		if err != nil {
			return nil, err
		}
		f.Lines = append(f.Lines, l)
	}
	return f, nil
}

// ParseLine reads one sentence.
func ParseLine(text string) (Intent, error) {
	if i := strings.IndexByte(text, '\n'); i >= 0 {
		return Intent{}, &SyntaxError{"intent", 1, utf8.RuneCountInString(text[:i]) + 1, "one line", "a line break"}
	}
	l, err := parseLine("intent", 1, text)
	switch {
	case err != nil:
		return Intent{}, err
	case l.Intent == nil:
		return Intent{}, &SyntaxError{"intent", 1, 1, expectFrom, "end of line"}
	}
	return *l.Intent, nil
}

const arrow = "->"

// What stands where, for errors.
const (
	expectFrom  = "a name, an id, an address, a CIDR or internet"
	expectWant  = "reachable, blocked or via"
	expectWords = "traffic such as tcp/443, icmp or any; or " + expectWant
	expectPorts = "a port or a range of ports, 1 to 65535, such as tcp/443 or tcp/8000-8010"
)

// token is a word or a quoted name of a line.
type token struct {
	text   string
	quoted bool
	column int
}

type parser struct {
	file   string
	line   int
	tokens []token
	end    int // the column behind the last token
}

func parseLine(file string, number int, text string) (Line, error) {
	l := Line{Number: number}
	p := &parser{file: file, line: number}
	comment, err := p.scan(text)
	if err != nil {
		return l, err
	}
	if comment != nil {
		l.HasComment, l.Comment = true, strings.TrimSpace(*comment)
	}
	if len(p.tokens) == 0 {
		return l, nil
	}
	i, err := p.intent()
	if err != nil {
		return l, err
	}
	l.Intent = &i
	return l, nil
}

// isWordRune reports whether a name may hold the character without quotes.
func isWordRune(r rune) bool {
	return r != '#' && r != '"' && r != '\\' && r != utf8.RuneError && unicode.IsGraphic(r) && !unicode.IsSpace(r)
}

// scan cuts a line into tokens and returns its comment, nil where it has none.
func (p *parser) scan(text string) (*string, error) {
	runes := []rune(text)
	p.end = len(runes) + 1
	for i := 0; i < len(runes); {
		r := runes[i]
		switch {
		case unicode.IsSpace(r):
			i++
		case r == '#':
			comment := string(runes[i+1:])
			if !utf8.ValidString(text) {
				return nil, p.fail(i+1, "UTF-8", "other bytes")
			}
			p.end = i + 1
			return &comment, nil
		case r == '"':
			name, next, err := p.quotedName(runes, i)
			if err != nil {
				return nil, err
			}
			p.tokens = append(p.tokens, token{name, true, i + 1})
			i = next
		case hasArrow(runes, i):
			p.tokens = append(p.tokens, token{arrow, false, i + 1})
			i += 2
		case isWordRune(r):
			start := i
			for i < len(runes) && isWordRune(runes[i]) && !hasArrow(runes, i) {
				i++
			}
			p.tokens = append(p.tokens, token{string(runes[start:i]), false, start + 1})
		default:
			return nil, p.fail(i+1, "a name (with other characters in double quotes)", strconv.QuoteRune(r))
		}
	}
	return nil, nil
}

func hasArrow(r []rune, i int) bool { return r[i] == '-' && i+1 < len(r) && r[i+1] == '>' }

// quotedName reads a name in double quotes that begins at i and returns what follows.
func (p *parser) quotedName(runes []rune, i int) (string, int, error) {
	var name []rune
	for j := i + 1; j < len(runes); j++ {
		switch r := runes[j]; {
		case r == '"' && len(name) == 0:
			return "", 0, p.fail(i+1, expectFrom, `""`)
		case r == '"':
			return string(name), j + 1, nil
		case r == '\\':
			if j+1 == len(runes) || runes[j+1] != '"' && runes[j+1] != '\\' {
				return "", 0, p.fail(j+1, `\" or \\`, `"\"`)
			}
			j++
			name = append(name, runes[j])
		case r == utf8.RuneError || !unicode.IsGraphic(r):
			return "", 0, p.fail(j+1, "a printable character", strconv.QuoteRune(r))
		default:
			name = append(name, r)
		}
	}
	return "", 0, p.fail(len(runes)+1, `a closing "`, "end of line")
}

func (p *parser) fail(column int, expected, found string) error {
	return &SyntaxError{p.file, p.line, column, expected, found}
}

// unexpected is the error that the next token is not what was expected.
func (p *parser) unexpected(expected string) error {
	if len(p.tokens) == 0 {
		return p.fail(p.end, expected, "end of line")
	}
	return p.fail(p.tokens[0].column, expected, strconv.Quote(p.tokens[0].text))
}

// word takes the next token if it is one of the words.
func (p *parser) word(words ...string) (string, bool) {
	if len(p.tokens) == 0 || p.tokens[0].quoted || !slices.Contains(words, p.tokens[0].text) {
		return "", false
	}
	w := p.tokens[0].text
	p.tokens = p.tokens[1:]
	return w, true
}

func (p *parser) intent() (Intent, error) {
	var i Intent
	var err error
	if i.From, err = p.endpoint(); err != nil {
		return i, err
	}
	if _, ok := p.word(arrow); !ok {
		return i, p.unexpected(arrow)
	}
	if i.To, err = p.endpoint(); err != nil {
		return i, err
	}
	if i.Traffic, err = p.traffic(); err != nil {
		return i, err
	}
	if err = p.want(&i); err != nil {
		return i, err
	}
	if len(p.tokens) > 0 {
		return i, p.unexpected("end of line")
	}
	return i, nil
}

func (p *parser) endpoint() (Endpoint, error) {
	if len(p.tokens) == 0 || !p.tokens[0].quoted && (p.tokens[0].text == arrow || isReserved(p.tokens[0].text)) {
		return Endpoint{}, p.unexpected(expectFrom)
	}
	t := p.tokens[0]
	p.tokens = p.tokens[1:]
	return Endpoint{t.text, !t.quoted && t.text == Internet}, nil
}

func (p *parser) traffic() (Traffic, error) {
	if len(p.tokens) == 0 || p.tokens[0].quoted {
		return Traffic{}, p.unexpected(expectWords)
	}
	t := p.tokens[0]
	name, ports, hasPorts := strings.Cut(t.text, "/")
	switch proto := Protocol(name); proto {
	case TCP, UDP, ICMP, Any:
		p.tokens = p.tokens[1:]
		if !hasPorts {
			return Traffic{Protocol: proto}, nil
		}
		if proto == ICMP || proto == Any {
			return Traffic{}, p.fail(t.column+len(name), string(proto)+" without ports", strconv.Quote("/"+ports))
		}
		first, last, ok := parsePorts(ports)
		if !ok {
			return Traffic{}, p.fail(t.column+len(name)+1, expectPorts, strconv.Quote(ports))
		}
		return Traffic{proto, first, last}, nil
	case "reachable", "blocked", "via":
		return Traffic{}, nil
	}
	return Traffic{}, p.unexpected(expectWords)
}

func parsePorts(s string) (first, last uint16, ok bool) {
	a, b, isRange := strings.Cut(s, "-")
	if !isRange {
		b = a
	}
	first, ok = parsePort(a)
	if !ok {
		return 0, 0, false
	}
	last, ok = parsePort(b)
	return first, last, ok && first <= last
}

func parsePort(s string) (uint16, bool) {
	n, err := strconv.ParseUint(s, 10, 16)
	return uint16(n), err == nil && n > 0
}

func (p *parser) want(i *Intent) error {
	w, ok := p.word("reachable", "blocked", "via")
	if !ok {
		return p.unexpected(expectWant)
	}
	switch w {
	case "blocked":
		i.Blocked = true
		if _, by := p.word("by"); by {
			return p.code(i)
		}
		return nil
	case "reachable":
		i.Reachable = true
		if _, via := p.word("via"); !via {
			return nil
		}
	}
	for first := true; first || len(p.tokens) > 0; first = false {
		v, err := p.endpoint()
		if err != nil {
			return err
		}
		i.Via = append(i.Via, v)
	}
	return nil
}

func (p *parser) code(i *Intent) error {
	const expected = "an explanation code such as ENI_SG_RULES_MISMATCH"
	if len(p.tokens) == 0 || p.tokens[0].quoted || !isCode(p.tokens[0].text) {
		return p.unexpected(expected)
	}
	i.Code = p.tokens[0].text
	p.tokens = p.tokens[1:]
	return nil
}

func isCode(s string) bool {
	for _, r := range s {
		if (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' {
			return false
		}
	}
	return s != ""
}
