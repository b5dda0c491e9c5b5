package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/vpcsim/vpcsim/lint"
)

func lintCommand(s *session) *cobra.Command {
	var format, suppressions string
	var rules []string
	var hops, list bool
	c := &cobra.Command{
		Use:   "lint DIR",
		Short: "Find the classic mistakes, each proven by a packet where one can",
		Long: `lint looks for the mistakes of docs/lint.md. A finding about packets comes with one that shows
it, its hops, and a fix in one line; one that no packet proves says so.

A finding that is meant is suppressed with a reason: by a line "vpcsim:ignore RT04 reason", or
"vpcsim:ignore RT04 subnet-0123456789 reason", in a file for --suppress; or by a tag of the resource
whose key is vpcsim:ignore and whose value "RT04 reason".

Exit status: 0 nothing but notes and suppressed findings, 1 findings, 2 bad input.`,
		Example: `  vpcsim lint lab
  vpcsim lint lab --rule RT03,SG08 --hops
  vpcsim lint lab --format sarif > lint.sarif
  vpcsim lint lab --suppress main.tf --format markdown
  vpcsim lint --list`,
		Args: arguments(0, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			if list {
				return s.listRules()
			}
			if len(args) != 1 {
				return errors.New("expected vpcsim lint DIR, or --list")
			}
			if s.json {
				format = "json"
			}
			return s.lint(args[0], format, suppressions, rules, hops)
		},
	}
	c.Flags().StringVar(&format, "format", "text", "text, json, sarif, junit or markdown")
	c.Flags().StringVar(&suppressions, "suppress", "", "a file with lines vpcsim:ignore RULE [ID] REASON")
	c.Flags().StringSliceVar(&rules, "rule", nil, "the rules to ask; all without it")
	c.Flags().BoolVar(&hops, "hops", false, "show the hops of each proof")
	c.Flags().BoolVar(&list, "list", false, "list the rules")
	words(c, "format", "text", "json", "sarif", "junit", "markdown")
	return c
}

func (s *session) lint(dir, format, suppressions string, rules []string, hops bool) error {
	paint, err := s.paint()
	if err != nil {
		return err
	}
	c := lint.Config{Rules: rules}
	if suppressions != "" {
		text, err := s.read(suppressions, "a file of suppressions")
		if err != nil {
			return err
		}
		if c.Suppressions, err = lint.ParseSuppressions(suppressions, string(text)); err != nil {
			return err
		}
	}
	n, err := s.load(dir)
	if err != nil {
		return err
	}
	c.Reach = n.config
	c.Source = func(id string) (file, path string) {
		from, _ := n.Source(id)
		return from.File, from.Path
	}
	findings, err := lint.Run(n.World, c)
	if err != nil {
		return err
	}
	switch format {
	case "text":
		err = lint.WriteText(s.out, findings, hops, paint)
	case "json":
		if findings == nil {
			findings = []lint.Finding{}
		}
		err = s.writeJSON(findings)
	case "sarif":
		err = lint.WriteSARIF(s.out, findings)
	case "junit":
		err = lint.WriteJUnit(s.out, findings)
	case "markdown":
		err = lint.WriteMarkdown(s.out, findings)
	default:
		return fmt.Errorf("--format %q: expected text, json, sarif, junit or markdown", format)
	}
	for i := range findings {
		if err == nil && findings[i].Suppressed == "" && findings[i].Severity != lint.Note {
			return errFound
		}
	}
	return err
}

// listRules writes the catalogue.
func (s *session) listRules() error {
	if s.json {
		return s.writeJSON(lint.Rules())
	}
	for _, r := range lint.Rules() {
		if _, err := fmt.Fprintf(s.out, "%s  %-7s  %s; fix: %s\n", r.ID, r.Severity, r.Title, r.Fix); err != nil {
			return err
		}
	}
	return nil
}
