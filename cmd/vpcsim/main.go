// Command vpcsim asks a real AWS network, from a folder of what the aws CLI printed of
// it, what would happen to a packet and to its reply: offline, without an account.
//
//	vpcsim collect > collect.sh            # the read-only aws commands that make a folder
//	vpcsim probe DIR --from web --to db --tcp 5432
//	vpcsim trace DIR web db:5432
//	vpcsim check DIR intents.txt
//	vpcsim lint DIR
//
// See docs/cli.md, or vpcsim COMMAND --help.
package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Exit statuses.
const (
	good     = 0
	found    = 1 // a probe, an intent or a rule says no
	badInput = 2
)

// errFound ends a command whose answer is no; what is to be said has been said.
var errFound = errors.New("found")

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// run is the whole program.
func run(args []string, in io.Reader, out, errs io.Writer) int {
	root := newRoot(in, out, errs)
	root.SetArgs(args)
	switch err := root.Execute(); {
	case err == nil:
		return good
	case errors.Is(err, errFound):
		return found
	case slices.Contains(args, "--json"):
		text, _ := json.Marshal(map[string]string{"error": err.Error()})
		fmt.Fprintf(errs, "%s\n", text)
	default:
		fmt.Fprintf(errs, "vpcsim: %v\n", err)
	}
	return badInput
}

func newRoot(in io.Reader, out, errs io.Writer) *cobra.Command {
	s := &session{in: in, out: out, errs: errs}
	root := &cobra.Command{
		Use:   "vpcsim",
		Short: "Ask an AWS network what happens to a packet, offline",
		Long: `vpcsim loads a folder of what "aws ec2 describe-…" printed of a network (vpcsim collect
prints the commands) and walks packets through it, request and reply, hop by hop.

Exit status: 0 all is well, 1 a probe, an intent or a finding says no, 2 bad input, with one line
on standard error that says what was expected; with --json as {"error": "…"}.`,
		Example: `  vpcsim collect --region us-east-1 > collect.sh && sh collect.sh snapshot
  vpcsim trace snapshot web db:5432
  vpcsim probe snapshot --from web --to internet --tcp 443
  vpcsim lint snapshot`,
		Version:       version(),
		Args:          command,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errs)
	root.SetVersionTemplate("vpcsim {{.Version}}\n")
	root.Flags().BoolP("version", "v", false, "print the version")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return flagError(err) })
	s.flags(root)
	root.AddCommand(
		probeCommand(s), traceCommand(s), checkCommand(s), describeCommand(s), lintCommand(s),
		diffCommand(s), captureCommand(s), collectCommand(s),
	)
	cobra.CheckErr(root.RegisterFlagCompletionFunc("set", s.changes))
	words(root, "color", "auto", "always", "never")
	words(root, "assume-open", "all", "none")
	return root
}

// command refuses a word that is no command.
func command(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, k := range c.Commands() {
		names = append(names, k.Name())
	}
	return fmt.Errorf("%q: expected a command: %s", args[0], strings.Join(names, ", "))
}

// version is that of the module, or the revision that the program was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	text := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && (text == "" || text == "(devel)") {
			text = s.Value
		}
	}
	return cmp.Or(text, "(devel)")
}

// flagError says of a flag's value what was expected, in place of the words of the
// package that parses numbers.
func flagError(err error) error {
	var wrong *pflag.InvalidValueError
	if !errors.As(err, &wrong) {
		return err
	}
	f := wrong.GetFlag()
	want := map[string]string{"uint8": "a number from 0 to 255", "int": "a whole number", "intSlice": "whole numbers, such as 22,443", "uint64": "a whole number from 0", "bool": "true or false"}[f.Value.Type()]
	if want == "" {
		return err
	}
	return fmt.Errorf("--%s %q: expected %s", f.Name, wrong.GetValue(), want)
}

// arguments holds a command to the arguments that its usage names.
func arguments(least, most int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) >= least && len(args) <= most {
			return nil
		}
		hint := ""
		if f := c.Flags().Lookup("assume-open"); f != nil && f.Changed && len(args) > most {
			hint = "; the value of --assume-open follows an equals sign"
		}
		return fmt.Errorf("expected vpcsim %s, found %d arguments: %q%s", c.Use, len(args), args, hint)
	}
}
