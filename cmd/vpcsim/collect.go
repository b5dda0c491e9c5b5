package main

import (
	_ "embed"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
)

// script is the shell script, of POSIX and the aws CLI alone.
//
//go:embed collect.sh
var script string

func collectCommand(s *session) *cobra.Command {
	var regions []string
	var account, profile, run string
	c := &cobra.Command{
		Use:   "collect [--region REGION]…",
		Short: "Print the read-only aws commands that make a folder to load",
		Long: `collect prints a shell script that calls describe-…, get-… and search-… of the aws CLI, and
nothing else, and writes what they print into a folder that the other commands load. With --run it
runs the script itself, where the CLI is installed.`,
		Example: `  vpcsim collect --region us-east-1 > collect.sh && sh collect.sh snapshot
  vpcsim collect --region us-east-1 --region eu-west-1 --profile prod --run snapshot
  vpcsim collect --account 123456789012 --profile prod --run snapshot   # several accounts, one folder`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			text, err := collectScript(regions, account, profile)
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

// What stands in the script unquoted.
var (
	regionName  = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-\d$`)
	accountID   = regexp.MustCompile(`^\d{12}$`)
	profileName = regexp.MustCompile(`^[A-Za-z0-9_.@-]+$`)
)

// collectScript fills the script in.
func collectScript(regions []string, account, profile string) (string, error) {
	for _, r := range regions {
		if !regionName.MatchString(r) {
			return "", fmt.Errorf("--region %q: expected a region, such as us-east-1", r)
		}
	}
	if account != "" && !accountID.MatchString(account) {
		return "", fmt.Errorf("--account %q: expected twelve digits", account)
	}
	if profile != "" && !profileName.MatchString(profile) {
		return "", fmt.Errorf("--profile %q: expected the name of a profile", profile)
	}
	list := strings.Join(regions, " ")
	if list == "" {
		list = "$(aws configure get region)"
	}
	below := ""
	if account != "" {
		below = "/accounts/" + account
	}
	call := "aws"
	if profile != "" {
		call += " --profile " + profile
	}
	return strings.NewReplacer("@regions@", list, "@below@", below, "@aws@", call).Replace(script), nil
}
