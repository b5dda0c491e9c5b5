package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vpcsim/vpcsim/vpc"
)

// Suppression is a reason not to count the findings of a rule: at one object, or at all
// where Object is empty.
type Suppression struct{ Rule, Object, Reason string }

// marker begins a suppression, in a file or as the key of a tag.
const marker = "vpcsim:ignore"

// ParseSuppressions reads suppressions, one a line, wherever the marker stands in it, so
// that the comments of a configuration do:
//
//	vpcsim:ignore RT04 the sandbox is public on purpose
//	# vpcsim:ignore AC02 acl-0a1b2c3d rule 200 is for the migration
//
// Other lines are passed over. A suppression without a known rule, or without a reason,
// is an error.
func ParseSuppressions(file, text string) ([]Suppression, error) {
	var all []Suppression
	for i, line := range strings.Split(text, "\n") {
		_, rest, ok := strings.Cut(line, marker)
		if !ok {
			continue
		}
		s, err := parseSuppression(rest)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, i+1, err)
		}
		all = append(all, s)
	}
	return all, nil
}

func parseSuppression(text string) (Suppression, error) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return Suppression{}, fmt.Errorf("%s: expected a rule, such as RT04, and a reason", marker)
	}
	s := Suppression{Rule: words[0]}
	if _, ok := RuleOf(s.Rule); !ok {
		return s, fmt.Errorf("%s %q: expected a rule of the catalogue, such as RT04", marker, s.Rule)
	}
	words = words[1:]
	if len(words) > 0 && isID(words[0]) {
		s.Object, words = words[0], words[1:]
	}
	if s.Reason = strings.Join(words, " "); s.Reason == "" {
		return s, fmt.Errorf("%s %s: expected a reason", marker, s.Rule)
	}
	return s, nil
}

// isID reports whether a word is an id of AWS's: a prefix, a hyphen, hexadecimal digits.
func isID(w string) bool {
	i := strings.LastIndexByte(w, '-')
	return i > 0 && len(w)-i > 8 && strings.Trim(w[i+1:], "0123456789abcdef") == ""
}

// suppress marks the findings that somebody has a reason for: in the configuration, or in
// a tag of the object whose key is the marker and whose value the rule and the reason.
func (l *linter) suppress() {
	for i := range l.found {
		f := &l.found[i]
		all := slices.Concat(l.config.Suppressions, l.tagged(f.Object))
		for _, s := range all {
			if s.Rule == f.Rule && (s.Object == "" || s.Object == f.Object) {
				f.Suppressed = s.Reason
			}
		}
	}
}

func (l *linter) tagged(id string) []Suppression {
	t, ok := l.resource(id).(interface{ Tags() []vpc.Tag })
	if !ok {
		return nil
	}
	var all []Suppression
	for _, tag := range t.Tags() {
		if tag.Key != marker {
			continue
		}
		if s, err := parseSuppression(tag.Value); err == nil {
			s.Object = id
			all = append(all, s)
		}
	}
	return all
}
