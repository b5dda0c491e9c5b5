package plan

import "strings"

// step is a part of an address or a reference: aws_subnet.private["a"].id has the steps
// aws_subnet, private with the key "a", and id.
type step struct {
	name string
	key  string // as it stands between the brackets, such as 0 or "a"; "" is none
}

// split cuts an address, or a reference, at the dots that are not in a key.
func split(address string) []step {
	var steps []step
	var s step
	start := 0
	for i := 0; i <= len(address); i++ {
		switch {
		case i == len(address) || address[i] == '.':
			if s.key == "" {
				s.name = address[start:i]
			}
			steps, s, start = append(steps, s), step{}, i+1
		case address[i] == '[':
			end := closing(address, i)
			if s.key == "" {
				s.name, s.key = address[start:i], address[i+1:end]
			}
			i = min(end, len(address)-1)
		}
	}
	return steps
}

// closing returns where the bracket that opens at i closes, or the text's end. A quoted
// key may have brackets and dots in it, and quotes behind a backslash.
func closing(s string, i int) int {
	quoted := false
	for i++; i < len(s); i++ {
		switch {
		case quoted && s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ']' && !quoted:
			return i
		}
	}
	return len(s)
}

// located is a resource's address in its parts.
type located struct {
	module []step // of its module, module's own name left out
	kind   string // such as aws_subnet
	name   string
	key    string
	data   bool
}

// locate reads a resource's address.
func locate(address string) (l located, ok bool) {
	steps := split(address)
	for len(steps) > 2 && steps[0].name == "module" {
		l.module, steps = append(l.module, steps[1]), steps[2:]
	}
	if len(steps) > 2 && steps[0].name == "data" {
		l.data, steps = true, steps[1:]
	}
	if len(steps) != 2 || steps[0].key != "" || steps[0].name == "" || steps[0].name == "module" || steps[0].name == "data" {
		return l, false
	}
	l.kind, l.name, l.key = steps[0].name, steps[1].name, steps[1].key
	return l, true
}

// configured returns an address without keys: how the configuration calls it.
func (l *located) configured() string {
	name := l.kind + "." + l.name
	if l.data {
		name = "data." + name
	}
	return name
}

// maximal drops the references that are the beginning of another one: Terraform lists
// aws_subnet.a["x"].id, aws_subnet.a["x"] and aws_subnet.a for one expression.
func maximal(refs []string) []string {
	var kept []string
	for i, r := range refs {
		longer := false
		for k, o := range refs {
			longer = longer || k != i && len(o) > len(r) && strings.HasPrefix(o, r) && (o[len(r)] == '.' || o[len(r)] == '[')
		}
		if !longer {
			kept = append(kept, r)
		}
	}
	return kept
}
