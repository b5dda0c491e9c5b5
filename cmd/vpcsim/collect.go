package main

import (
	"fmt"
	"io"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vpcsim/vpcsim/load"
)

func collectCommand(s *session) *cobra.Command {
	var regions []string
	var account, profile, run string
	c := &cobra.Command{
		Use:   "collect [--region REGION]…",
		Short: "Print the read-only aws commands that make a folder to load",
		Long: `collect prints a shell script that calls describe-…, get-…, search-… and list-… of the aws CLI, and
nothing else, and writes what they print into a folder that the other commands load. With --run it
runs the script itself, where the CLI is installed.`,
		Example: `  vpcsim collect --region us-east-1 > collect.sh && sh collect.sh snapshot
  vpcsim collect --region us-east-1 --region eu-west-1 --profile prod --run snapshot
  vpcsim collect --account 123456789012 --profile prod --run snapshot   # several accounts, one folder`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			text, err := load.Collect(load.CollectConfig{Regions: regions, Account: account, Profile: profile})
			if err != nil {
				return err
			}
			if run == "" && s.json {
				return s.writeJSON(map[string]string{"script": text})
			}
			if run == "" {
				_, err = io.WriteString(s.out, text)
				return err
			}
			sh := exec.Command("sh", "-s", run)
			sh.Stdin, sh.Stdout, sh.Stderr = strings.NewReader(text), s.out, s.errs
			if err := sh.Run(); err != nil {
				return fmt.Errorf("collect: nothing was written, or not all of it: %w", err)
			}
			if s.json {
				return s.writeJSON(map[string]string{"folder": run})
			}
			return nil
		},
	}
	c.Flags().StringSliceVar(&regions, "region", nil, "a region; without it the CLI's own")
	c.Flags().StringVar(&account, "account", "", "twelve digits: write below accounts/ACCOUNT, so that several accounts make one folder")
	c.Flags().StringVar(&profile, "profile", "", "the CLI's profile")
	c.Flags().StringVar(&run, "run", "", "run the script and write into this folder")
	return c
}
