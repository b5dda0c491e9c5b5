package lint

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/vpcsim/vpcsim/picture"
)

// WriteText writes findings as people read them on a terminal; hops shows each proof's.
func WriteText(out io.Writer, found []Finding, hops bool, paint picture.Paint) error {
	var b strings.Builder
	counts := map[Severity]int{}
	for i := range found {
		f := &found[i]
		if f.Suppressed != "" {
			continue
		}
		counts[f.Severity]++
		colour := picture.Bad
		if f.Severity == Note {
			colour = picture.Faint
		}
		fmt.Fprintf(&b, "%s %s %s: %s\n", paint(colour, string(f.Severity)), f.Rule, f.called(), f.Message)
		fmt.Fprintf(&b, " why   %s\n", f.because())
		fmt.Fprintf(&b, " fix   %s\n", f.Fix)
		fmt.Fprintf(&b, " proof %s\n", f.proved())
		if f.Proof != nil && hops {
			for _, h := range f.Proof.Hops {
				fmt.Fprintf(&b, "         %s\n", h)
			}
		}
		if f.File != "" {
			fmt.Fprintf(&b, " at    %s %s\n", f.File, f.Path)
		}
	}
	fmt.Fprintf(&b, "%s, %s, %s", number(counts[Error], Error), number(counts[Warning], Warning), number(counts[Note], Note))
	if n := suppressed(found); n > 0 {
		fmt.Fprintf(&b, ", %d suppressed", n)
	}
	_, err := io.WriteString(out, b.String()+"\n")
	return err
}

// number says how many findings are of a severity.
func number(n int, of Severity) string {
	if n == 1 {
		return "1 " + string(of)
	}
	return fmt.Sprintf("%d %ss", n, of)
}

func suppressed(found []Finding) int {
	n := 0
	for i := range found {
		if found[i].Suppressed != "" {
			n++
		}
	}
	return n
}

// called is the object's id and, in parentheses, its name.
func (f *Finding) called() string {
	if f.Name == "" {
		return f.Object
	}
	return f.Object + " (" + f.Name + ")"
}

// proved says which packet shows it, or why none does.
func (f *Finding) proved() string {
	if f.Proof == nil {
		return "none: " + f.Unproven
	}
	text := f.Proof.Question.String() + ": " + string(f.Proof.Result.Observed)
	if f.Code != "" {
		text += " (" + f.Code + ")"
	}
	return text
}

// because says what is bad about it, and which document says so.
func (f *Finding) because() string { return f.Why + " (" + f.Source + ")" }

// WriteMarkdown writes findings as a table, for comments of code forges, and the proofs
// below it.
func WriteMarkdown(out io.Writer, found []Finding) error {
	var b strings.Builder
	b.WriteString("| severity | rule | object | finding | why | fix | proof |\n|---|---|---|---|---|---|---|\n")
	for i := range found {
		f := &found[i]
		if f.Suppressed != "" {
			continue
		}
		cells := []string{string(f.Severity), f.Rule, f.called(), f.Message, f.because(), f.Fix, f.proved()}
		for k := range cells {
			cells[k] = strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;").Replace(cells[k])
		}
		b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
	}
	for i := range found {
		f := &found[i]
		if f.Suppressed == "" && f.Proof != nil && len(f.Proof.Hops) > 0 {
			fmt.Fprintf(&b, "\n%s %s\n\n```\n%s\n```\n", f.Rule, f.called(), strings.Join(f.Proof.Hops, "\n"))
		}
	}
	if n := suppressed(found); n > 0 {
		fmt.Fprintf(&b, "\n%d suppressed\n", n)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// The JUnit shapes that continuous-integration servers read.
type (
	junitSuite struct {
		XMLName  xml.Name    `xml:"testsuite"`
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		Failure *junitFailure `xml:"failure,omitempty"`
		Skipped *junitSkipped `xml:"skipped,omitempty"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
	junitSkipped struct {
		Message string `xml:"message,attr"`
	}
)

// WriteJUnit writes a test case for each finding, that failed, or was skipped where it is
// suppressed; and one that passed for each rule that found nothing.
func WriteJUnit(out io.Writer, found []Finding) error {
	suite := junitSuite{Name: "vpcsim lint"}
	with := map[string]bool{}
	for i := range found {
		f := &found[i]
		with[f.Rule] = true
		c := junitCase{Name: f.called(), Class: f.Rule}
		if f.Suppressed != "" {
			c.Skipped = &junitSkipped{f.Suppressed}
			suite.Skipped++
		} else {
			text := "why: " + f.because() + "\nfix: " + f.Fix + "\nproof: " + f.proved()
			if f.Proof != nil {
				text += "\n" + strings.Join(f.Proof.Hops, "\n")
			}
			c.Failure = &junitFailure{f.Message, string(f.Severity), text}
			suite.Failures++
		}
		suite.Cases = append(suite.Cases, c)
	}
	for _, r := range catalogue {
		if !with[r.ID] {
			suite.Cases = append(suite.Cases, junitCase{Name: r.Title, Class: r.ID})
		}
	}
	suite.Tests = len(suite.Cases)
	text, err := xml.MarshalIndent(suite, "", "  ")
	if err != nil {
		return err
	}
	_, err = io.WriteString(out, xml.Header+string(text)+"\n")
	return err
}
