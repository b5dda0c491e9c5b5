package netfilter

import (
	"fmt"
	"strings"

	"github.com/vpcsim/vpcsim/wire"
)

// arguments are the words of a command line behind the program's name.
type arguments struct{ words []string }

// long names of the options that iptables has a letter for.
var letters = map[string]string{
	"--table": "-t", "--append": "-A", "--insert": "-I", "--delete": "-D", "--check": "-C",
	"--flush": "-F", "--zero": "-Z", "--policy": "-P", "--list": "-L", "--list-rules": "-S",
	"--numeric": "-n", "--verbose": "-v", "--exact": "-x", "--wait": "-w",
	"--protocol": "-p", "--proto": "-p", "--source": "-s", "--src": "-s",
	"--destination": "-d", "--dst": "-d", "--in-interface": "-i", "--out-interface": "-o",
	"--jump": "-j", "--match": "-m", "--ipv4": "-4", "--ipv6": "-6",
}

// alone are the letters that take no argument and may be written together: -nvL.
const alone = "nvx46"

// next returns the next option, a long name that has a letter as its letter, and
// whether "!" stood before it. It reports false at the end.
func (a *arguments) next() (opt string, not, ok bool) {
	if len(a.words) > 0 && a.words[0] == "!" {
		not, a.words = true, a.words[1:]
		if len(a.words) == 0 {
			return "!", not, true
		}
	}
	if len(a.words) == 0 {
		return "", not, false
	}
	opt, a.words = a.words[0], a.words[1:]
	if strings.HasPrefix(opt, "--") {
		if name, value, has := strings.Cut(opt, "="); has {
			opt, a.words = name, append([]string{value}, a.words...)
		}
		if short, has := letters[opt]; has {
			opt = short
		}
		return opt, not, true
	}
	if strings.HasPrefix(opt, "-") && len(opt) > 2 {
		rest := opt[2:]
		if strings.Contains(alone, opt[1:2]) {
			rest = "-" + rest
		}
		opt, a.words = opt[:2], append([]string{rest}, a.words...)
	}
	return opt, not, true
}

// value takes the argument that opt needs.
func (a *arguments) value(opt string) (string, error) {
	if len(a.words) == 0 {
		return "", fmt.Errorf("option %q: expected an argument", opt)
	}
	v := a.words[0]
	a.words = a.words[1:]
	return v, nil
}

// optional takes an argument that may be left out, which is then empty.
func (a *arguments) optional() string {
	if len(a.words) == 0 || strings.HasPrefix(a.words[0], "-") || a.words[0] == "!" {
		return ""
	}
	v := a.words[0]
	a.words = a.words[1:]
	return v
}

// ports takes the ports of --sport and --dport.
func (a *arguments) ports(opt string, not bool) (portRange, error) {
	v, err := a.value(opt)
	if err != nil {
		return portRange{}, err
	}
	p, err := parsePorts(opt, v, ":")
	p.not = not
	return p, err
}

// tcpFlags takes one of the two lists of --tcp-flags.
func (a *arguments) tcpFlags(opt string) (wire.TCPFlags, error) {
	v, err := a.value(opt)
	if err != nil {
		return 0, err
	}
	var f wire.TCPFlags
	for word := range strings.SplitSeq(v, ",") {
		bit, ok := tcpFlagNamed(word)
		if !ok {
			return 0, fmt.Errorf("option %q: %q is no TCP flag", opt, word)
		}
		f |= bit
	}
	return f, nil
}

func tcpFlagNamed(word string) (wire.TCPFlags, bool) {
	switch strings.ToUpper(word) {
	case "ALL":
		return 1<<len(tcpFlagNames) - 1, true
	case "NONE":
		return 0, true
	}
	for i, n := range tcpFlagNames {
		if strings.EqualFold(n, word) {
			return 1 << i, true
		}
	}
	return 0, false
}

// splitLine parts a command line into words as a shell does: at spaces, but not
// within quotes or behind a backslash. Nothing is expanded.
func splitLine(line string) ([]string, error) {
	var words []string
	var word []byte
	quote, inWord := byte(0), false
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case c == '\\' && quote != '\'' && i+1 < len(line):
			i++
			word, inWord = append(word, line[i]), true
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote, inWord = c, true
		case quote == 0 && (c == ' ' || c == '\t' || c == '\n'):
			if inWord {
				words, word, inWord = append(words, string(word)), word[:0], false
			}
		default:
			word, inWord = append(word, c), true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("command line %q: a quotation mark is not closed", line)
	}
	if inWord {
		words = append(words, string(word))
	}
	return words, nil
}
