package report

import (
	"strconv"
	"strings"

	"github.com/vpcsim/vpcsim/reach"
)

// Command returns the command line that shows a question of a network again, quoted for a
// shell where it has to be; flags follow the question's own.
func Command(dir string, q reach.Spec, flags ...string) string {
	words := []string{"vpcsim", "trace", dir, q.From, q.To}
	switch q.Proto {
	case "tcp", "udp":
		words = append(words, "--"+q.Proto, strconv.Itoa(q.Port))
	case "icmp", "":
		words = append(words, "--icmp")
	default:
		words = append(words, "--proto", q.Proto)
	}
	if q.Size > 0 {
		words = append(words, "--size", strconv.Itoa(q.Size))
	}
	if q.Fragment {
		words = append(words, "--fragment")
	}
	words = append(words, flags...)
	for i := range words {
		words[i] = shell(words[i])
	}
	return strings.Join(words, " ")
}

// shell quotes a word for a shell where it has to.
func shell(w string) string {
	safe := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=@,+", r)
	}
	if w != "" && !strings.ContainsFunc(w, func(r rune) bool { return !safe(r) }) {
		return w
	}
	return "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
}
