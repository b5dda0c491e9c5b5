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
	"errors"
	"fmt"
	"io"
	"os"

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
	default:
		fmt.Fprintf(errs, "vpcsim: %v\n", err)
		return badInput
	}
}

func newRoot(in io.Reader, out, errs io.Writer) *cobra.Command {
	s := &session{in: in, out: out, errs: errs}
	root := &cobra.Command{
		Use:   "vpcsim",
		Short: "Ask an AWS network what happens to a packet, offline",
		Long: `vpcsim loads a folder of what "aws ec2 describe-…" printed of a network (vpcsim collect
prints the commands) and walks packets through it, request and reply, hop by hop.

Exit status: 0 all is well, 1 a probe, an intent or a finding says no, 2 bad input.`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errs)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return flagError(err) })
	s.flags(root)
	root.AddCommand(
		probeCommand(s), traceCommand(s), checkCommand(s), describeCommand(s), lintCommand(s),
		diffCommand(s), captureCommand(s), collectCommand(s),
	)
	return root
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
