package load

import (
	_ "embed"
	"fmt"
	"regexp"
	"strings"
)

// script is the shell script, of POSIX and the aws CLI alone.
//
//go:embed collect.sh
var script string

// CollectConfig says what a script of [Collect] asks for. The zero value asks for the region
// that the aws CLI is configured with.
type CollectConfig struct {
	// Regions are the regions, such as us-east-1; none is the CLI's own.
	Regions []string
	// Account, twelve digits, has the script write below accounts/ACCOUNT, so that several
	// accounts' runs make one folder; "" writes into the folder itself.
	Account string
	// Profile is the CLI's profile; "" is its default.
	Profile string
}

// Collect returns a POSIX shell script that makes a folder for [Dir] out of a real network:
// sh script [FOLDER], where FOLDER is snapshot if it is left out. It calls describe-, get-,
// search- and list- commands of the aws CLI and nothing else, for every kind of file that
// this package reads; what a call is not permitted is told on standard error and left out.
// Its exit status is 1 where nothing was written. Collect runs nothing itself. It returns an
// error for a region, an account or a profile that is none: they stand in the script unquoted.
func Collect(c CollectConfig) (string, error) {
	for _, r := range c.Regions {
		if !regionName.MatchString(r) {
			return "", fmt.Errorf("load: region %q: expected a region, such as us-east-1", r)
		}
	}
	if c.Account != "" && !accountID.MatchString(c.Account) {
		return "", fmt.Errorf("load: account %q: expected twelve digits", c.Account)
	}
	if c.Profile != "" && !profileName.MatchString(c.Profile) {
		return "", fmt.Errorf("load: profile %q: expected the name of a profile", c.Profile)
	}
	list := strings.Join(c.Regions, " ")
	if list == "" {
		list = "$(aws configure get region)"
	}
	below := ""
	if c.Account != "" {
		below = "/accounts/" + c.Account
	}
	call := "aws"
	if c.Profile != "" {
		call += " --profile " + c.Profile
	}
	return strings.NewReplacer("@regions@", list, "@below@", below, "@aws@", call).Replace(script), nil
}

var profileName = regexp.MustCompile(`^[A-Za-z0-9_.@-]+$`)
