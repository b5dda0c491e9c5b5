package main

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vpcsim/vpcsim/intent"
	"github.com/vpcsim/vpcsim/reach"
	"github.com/vpcsim/vpcsim/report"
)

func checkCommand(s *session) *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:   "check DIR FILE",
		Short: "Hold a network to a file of intents, one a line",
		Long: `check reads intents, one a line, and says which of them the network does not keep, with
a packet that shows it. FILE is - for standard input.

  web -> db tcp/5432 reachable
  internet -> db any blocked
  app -> internet via nat-a

docs/testing.md has the language. Exit status: 0 all hold, 1 one fails or is unknown, 2 bad input.`,
		Example: `  vpcsim check lab intents.txt
  echo 'web -> db tcp/5432 reachable' | vpcsim check lab -
  vpcsim check lab intents.txt --format junit > report.xml`,
		Args: arguments(2, 2),
		RunE: func(_ *cobra.Command, args []string) error {
			if s.json {
				format = "json"
			}
			return s.check(args[0], args[1], format)
		},
	}
	c.Flags().StringVar(&format, "format", "text", "text, json or junit")
	words(c, "format", "text", "json", "junit")
	return c
}

func (s *session) check(dir, file, format string) error {
	paint, err := s.paint()
	if err != nil {
		return err
	}
	text, err := s.read(file, "a file of intents")
	if err != nil {
		return err
	}
	f, err := intent.Parse(file, string(text))
	if err != nil {
		return err
	}
	if len(f.Intents()) == 0 {
		return fmt.Errorf("%s: expected intents, one a line, such as web -> db tcp/5432 reachable", file)
	}
	n, err := s.load(dir)
	if err != nil {
		return err
	}
	outcomes, err := intent.CheckAll(n.World, f.Intents(), n.config)
	if err != nil {
		return err
	}
	bad := 0
	for i := range outcomes {
		if outcomes[i].Verdict != intent.Holds {
			bad++
		}
	}
	switch format {
	case "json":
		err = s.writeJSON(checked(file, outcomes))
	case "junit":
		err = s.writeJUnit(file, outcomes, bad)
	case "text":
		p, perr := n.prober()
		if perr != nil {
			return perr
		}
		for i := range outcomes {
			if outcomes[i].Verdict == intent.Holds {
				continue
			}
			b := report.Intent(file, &outcomes[i], p, n.where())
			if outcomes[i].Asked {
				b.Rerun = s.rerun(dir, report.Spec(outcomes[i].Question))
			}
			if err := b.Write(s.out, paint); err != nil {
				return err
			}
		}
		_, err = fmt.Fprintf(s.out, "%d of %d intents hold\n", len(outcomes)-bad, len(outcomes))
	default:
		return fmt.Errorf("--format %q: expected text, json or junit", format)
	}
	if err == nil && bad > 0 {
		return errFound
	}
	return err
}

// checkedIntent is the JSON of one intent.
type checkedIntent struct {
	File     string         `json:"file"`
	Line     int            `json:"line"`
	Intent   string         `json:"intent"`
	Verdict  intent.Verdict `json:"verdict"`
	Why      string         `json:"why,omitempty"`
	Probes   int            `json:"probes"`
	Bad      int            `json:"bad"`
	Question *reach.Spec    `json:"question,omitempty"`
	Result   *reach.Result  `json:"result,omitempty"`
}

func checked(file string, outcomes []intent.Outcome) []checkedIntent {
	out := []checkedIntent{}
	for i := range outcomes {
		o := &outcomes[i]
		c := checkedIntent{
			File: file, Line: o.Line.Number, Intent: o.Line.Intent.String(), Verdict: o.Verdict, Why: o.Why, Probes: o.Pairs, Bad: o.Bad,
		}
		if o.Asked {
			c.Question, c.Result = new(report.Spec(o.Question)), &o.Result
		}
		out = append(out, c)
	}
	return out
}

// The JUnit shapes that continuous-integration servers read.
type (
	junitSuite struct {
		XMLName  xml.Name    `xml:"testsuite"`
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		Failure *junitFailure `xml:"failure,omitempty"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
)

func (s *session) writeJUnit(file string, outcomes []intent.Outcome, bad int) error {
	suite := junitSuite{Name: file, Tests: len(outcomes), Failures: bad}
	for i := range outcomes {
		o := &outcomes[i]
		c := junitCase{Name: o.Line.Intent.String(), Class: fmt.Sprintf("%s:%d", file, o.Line.Number)}
		if o.Verdict != intent.Holds {
			c.Failure = &junitFailure{Message: o.Why, Type: string(o.Verdict), Text: strings.TrimSpace(o.Result.Story.String())}
		}
		suite.Cases = append(suite.Cases, c)
	}
	text, err := xml.MarshalIndent(suite, "", "  ")
	if err != nil {
		return err
	}
	_, err = io.WriteString(s.out, xml.Header+string(text)+"\n")
	return err
}
