package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vpcsim/vpcsim/reach"
	"github.com/vpcsim/vpcsim/report"
	"github.com/vpcsim/vpcsim/trace"
)

func traceCommand(s *session) *cobra.Command {
	var t traffic
	var d drawings
	c := &cobra.Command{
		Use:   "trace DIR FROM TO[:PORT] [--icmp | --tcp PORT | --udp PORT]",
		Short: "Show the way of a packet and of its reply, and every blocker",
		Long: `trace shows each hop of a request and of its reply, with the rule and the route that
decided, and, where no answer comes, everything that stands in the way in both directions and
what would change it. FROM and TO are as in probe; a port behind TO is of TCP.`,
		Example: `  vpcsim trace lab web db:5432
  vpcsim trace lab web db --udp 53 --lanes
  vpcsim trace lab 10.3.1.140 10.1.1.133 --icmp --svg way.svg
  vpcsim trace lab web internet:443 --mermaid
  vpcsim trace lab web db:22 --set acl-db/egress/90=allow\ all\ 0.0.0.0/0`,
		Args: arguments(3, 3),
		RunE: func(c *cobra.Command, args []string) error {
			if err := oneOf(c, "lanes", "mermaid", "steps"); err != nil {
				return err
			}
			q, err := t.spec(c, args[1], args[2])
			if err != nil {
				return err
			}
			return s.trace(args[0], q, d)
		},
	}
	t.flags(c)
	c.Flags().BoolVar(&d.lanes, "lanes", false, "draw the path as lanes of text")
	c.Flags().BoolVar(&d.mermaid, "mermaid", false, "draw the path as a Mermaid flowchart")
	c.Flags().StringVar(&d.svg, "svg", "", "draw the path as SVG into this file, - for standard output")
	c.Flags().BoolVar(&d.steps, "steps", false, "show each decision of each node in full")
	c.ValidArgsFunction = s.names(3)
	return c
}

// drawings are the forms in which a path is asked for.
type drawings struct {
	lanes, mermaid, steps bool
	svg                   string
}

// tracing is the JSON of trace.
type tracing struct {
	Question reach.Spec `json:"question"`
	reach.Verdict
	Walks trace.Story `json:"walks"`
}

func (s *session) trace(dir string, spec reach.Spec, d drawings) error {
	if s.json && d.svg == "-" {
		return errors.New("--svg - and --json: expected one of them on standard output")
	}
	paint, err := s.paint()
	if err != nil {
		return err
	}
	n, p, q, err := s.question(dir, spec, false)
	if err != nil {
		return err
	}
	v := p.Verdict(q)
	b := report.Block(title(spec), &v, n.where())
	b.Rerun = s.rerun(dir, spec)
	if d.svg != "" {
		if b.Path == nil {
			return fmt.Errorf("%s: no packet was sent, so there is nothing to draw: %s", spec, v.Reason+v.Unknown)
		}
		if d.svg == "-" {
			return verdictOf(&v.Result, b.Path.WriteSVG(s.out))
		}
		if err := write("svg", d.svg, []byte(b.Path.SVG())); err != nil {
			return err
		}
		b.See = append(b.See, d.svg)
	}
	switch {
	case s.json:
		err = s.writeJSON(tracing{spec, v, v.Story})
	case b.Path != nil && d.lanes:
		err = b.Path.WriteLanes(s.out)
	case b.Path != nil && d.mermaid:
		err = b.Path.WriteMermaid(s.out)
	case d.steps:
		_, err = fmt.Fprintf(s.out, "%s\n%s", strings.TrimSpace(b.Title), v.Story)
	default:
		err = b.Write(s.out, paint)
	}
	return verdictOf(&v.Result, err)
}
