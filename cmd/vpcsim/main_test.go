package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"github.com/vpcsim/vpcsim/awscli"
	"github.com/vpcsim/vpcsim/load"
	"github.com/vpcsim/vpcsim/vpc"
	"github.com/vpcsim/vpcsim/vpctest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"vpcsim": main})
}

// TestScripts runs the scripts in testdata/script, each in a folder with the networks
// shop and broken, the plan of answers, and the network there before it.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           filepath.Join("testdata", "script"),
		UpdateScripts: flag.Lookup("update").Value.String() == "true",
		Setup: func(e *testscript.Env) error {
			e.Setenv("TERM", "dumb")
			plan, err := os.ReadFile(filepath.Join("testdata", "answers", "plan.json"))
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(e.WorkDir, "plan.json"), plan, 0o644); err != nil {
				return err
			}
			if err := writeBefore(plan, filepath.Join(e.WorkDir, "there")); err != nil {
				return err
			}
			if err := writeNetwork(t, false, filepath.Join(e.WorkDir, "shop")); err != nil {
				return err
			}
			return writeNetwork(t, true, filepath.Join(e.WorkDir, "broken"))
		},
	})
}

// build makes a web server with a public address, and behind a NAT gateway an application
// and a database that only the application reaches; broken has a network ACL at the
// database that drops the replies.
func build(t testing.TB, broken bool) *vpctest.World {
	w := vpctest.New(t)
	v := w.VPC("10.0.0.0/16")
	require.NoError(t, v.Tag("Name", "shop"))
	public, private, data := v.Subnet("10.0.0.0/24"), v.Subnet("10.0.1.0/24"), v.Subnet("10.0.2.0/24")
	for name, s := range map[string]*vpctest.Subnet{"public": public, "private": private, "data": data} {
		require.NoError(t, s.Tag("Name", name))
	}
	nat := public.NATGateway()
	require.NoError(t, nat.Tag("Name", "nat-a"))
	public.Route("0.0.0.0/0", v.InternetGateway())
	private.Route("0.0.0.0/0", nat)
	launch(t, public, "web", true, vpc.TCPPort(443, "0.0.0.0/0"))
	launch(t, private, "app", false, vpc.TCPPort(8080, "10.0.0.0/24"))
	launch(t, data, "db", false, vpc.TCPPort(5432, "10.0.1.0/24"))
	acl, err := v.CreateNetworkACL(vpc.NetworkACLConfig{Name: "acl-data"})
	require.NoError(t, err)
	entry := vpc.ACLEntry{Number: 100, Allow: true, Protocol: -1, CIDR: netip.MustParsePrefix("10.0.0.0/16")}
	require.NoError(t, acl.CreateIngressEntry(entry))
	if broken {
		entry.Protocol, entry.FromPort, entry.ToPort = 6, 5432, 5432
	}
	require.NoError(t, acl.CreateEgressEntry(entry))
	require.NoError(t, data.SetNetworkACL(acl))
	return w
}

func launch(t testing.TB, s *vpctest.Subnet, name string, public bool, in ...vpc.Permission) {
	g, err := s.Around().CreateSecurityGroup(name, vpc.SecurityGroupConfig{})
	require.NoError(t, err)
	require.NoError(t, g.AuthorizeIngress(in...))
	_, err = s.RunInstance(vpc.InstanceConfig{
		Name: name, AssociatePublicIP: public, Interface: vpc.NetworkInterfaceConfig{Groups: []*vpc.SecurityGroup{g}},
	})
	require.NoError(t, err)
}

// writeNetwork writes a network as the aws CLI would print it.
func writeNetwork(t testing.TB, broken bool, dir string) error {
	w := build(t, broken)
	w.Run(600e9)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, call := range calls {
		f, err := os.Create(filepath.Join(dir, name+".json"))
		if err != nil {
			return err
		}
		if err := awscli.JSON(f, call(w.Region)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}

// writeBefore writes the network before a plan as a folder.
func writeBefore(plan []byte, dir string) error {
	n, err := load.PlanText("plan.json", plan, load.Config{Before: true})
	if err != nil {
		return err
	}
	for _, r := range n.Regions {
		in := filepath.Join(dir, r.Name())
		if err := os.MkdirAll(in, 0o755); err != nil {
			return err
		}
		for _, a := range load.Answers(r) {
			if err := os.WriteFile(filepath.Join(in, a.Key+".json"), a.JSON, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

// What a folder holds can be asked for again: of each answer that EC2 or Direct Connect
// gives as it is there is the call. Elastic Load Balancing has two APIs whose calls have one name.
func TestThereIsACallForEachAnswer(t *testing.T) {
	w := build(t, false)
	given := map[string]bool{}
	keys := func(text []byte) []string {
		var members map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(text, &members))
		return slices.Collect(maps.Keys(members))
	}
	for _, call := range calls {
		text, err := json.Marshal(call(w.Region))
		require.NoError(t, err)
		for _, k := range keys(text) {
			given[k] = true
		}
	}
	others := []string{"LoadBalancerDescriptions", "LoadBalancers", "TargetGroups"}
	wrapped := regexp.MustCompile(`Attributes$|Entries$|Routes$|References$|Propagations$|^LoadBalancer|^ListenerRules$`)
	for _, a := range load.Answers(w.Region) {
		for _, k := range keys(a.JSON) {
			require.True(t, given[k] || slices.Contains(others, k) || wrapped.MatchString(k), "no call gives %s", k)
		}
	}
}

// What has no Name tag is described by its id.
func TestIDsAreDescribed(t *testing.T) {
	nets := filepath.Join("..", "..", "reach", "testdata", "nets")
	for id, want := range map[string]string{
		"gwlb vpce-svc-0cccccccccccccccc":      `"ServiceId": "vpce-svc-0cccccccccccccccc"`,
		"block-public-access vpcbpa-exclude-1": `"ExclusionId": "vpcbpa-exclude-1"`,
	} {
		net, id, _ := strings.Cut(id, " ")
		var out, errs bytes.Buffer
		require.Zero(t, run([]string{"describe", filepath.Join(nets, net), id}, strings.NewReader(""), &out, &errs), errs.String())
		require.Contains(t, out.String(), want)
	}
}

// TestNetworksOfTheDocuments holds testdata/shop and testdata/broken, which the documents'
// commands ask, to what build makes.
func TestNetworksOfTheDocuments(t *testing.T) {
	for name, broken := range map[string]bool{"shop": false, "broken": true} {
		dir := t.TempDir()
		require.NoError(t, writeNetwork(t, broken, dir))
		files, err := os.ReadDir(dir)
		require.NoError(t, err)
		for _, f := range files {
			text, err := os.ReadFile(filepath.Join(dir, f.Name()))
			require.NoError(t, err)
			vpctest.Golden(t, name+"/"+f.Name(), string(text))
		}
	}
}

// TestDocumentedCommandsWork runs each command line of the documents that asks a network
// of this folder, from the project's root, and compares what the document shows of it.
func TestDocumentedCommandsWork(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	count := 0
	for _, doc := range []string{"README.md", "docs/cli.md", "docs/testing.md", "docs/lint.md"} {
		text, err := os.ReadFile(doc)
		require.NoError(t, err)
		for block := range strings.SplitSeq(string(text), "\n```") {
			lines := strings.Split(block, "\n")
			for i, line := range lines {
				command, ok := strings.CutPrefix(line, "$ go run ./cmd/vpcsim ")
				if !ok {
					continue
				}
				count++
				var out, errs bytes.Buffer
				status := run(splitLine(command), strings.NewReader(""), &out, &errs)
				require.NotEqual(t, badInput, status, "%s: %s: %s", doc, command, errs.String())
				shown := lines[i+1:]
				if end := slices.IndexFunc(shown, func(l string) bool { return strings.HasPrefix(l, "$ ") }); end >= 0 {
					shown = shown[:end]
				}
				if want := strings.Join(shown, "\n"); want != "" {
					require.Equal(t, strings.TrimSpace(want), strings.TrimSpace(out.String()), "%s: %s", doc, command)
				}
			}
		}
	}
	require.Greater(t, count, 8)
}

// splitLine splits a command line as a shell does where there are no quotes but single ones.
func splitLine(line string) []string {
	var out []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			out = append(out, part)
			continue
		}
		out = append(out, strings.Fields(part)...)
	}
	return out
}
