package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vpcsim/vpcsim/reach"
	"github.com/vpcsim/vpcsim/report"
)

func probeCommand(s *session) *cobra.Command {
	var t traffic
	var from, to, batch string
	c := &cobra.Command{
		Use:   "probe DIR --from NAME --to NAME [--icmp | --tcp PORT | --udp PORT]",
		Short: "Say what ping, nmap or curl would see",
		Long: `probe sends what ping, nmap (-Pn, one port) or curl would send and says what they would
see: reply or no-reply; open, closed or filtered; or unknown, where the snapshot can't tell.

NAME is an address, an id, a Name tag of an interface, an instance or a service, or internet.
An address that nobody in the network has is a host on the internet, such as 8.8.8.8.

--batch reads an array of {"src_ip", "dst_ip", "proto", "dport"} and writes an array of answers,
in the same order. Exit status: 0 an answer came, 1 none came or it is unknown, 2 bad input;
of a batch 0 once all questions have been asked, whatever the answers.`,
		Example: `  vpcsim probe lab --from 10.3.1.140 --to 10.1.1.133 --icmp --json
  vpcsim probe lab --from web --to db --tcp 5432
  vpcsim probe lab --from 8.8.8.8 --to 203.0.113.10 --tcp 443
  vpcsim probe lab --batch probes.json --json
  vpcsim probe lab --from web --to db --tcp 22 --set sg-db/ingress/tcp/22/10.0.0.0/16=allow`,
		Args: arguments(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			if batch != "" {
				if from != "" || to != "" {
					return errors.New("--batch has the ends of its questions in it: expected no --from and no --to")
				}
				return s.batch(args[0], batch)
			}
			if from == "" || to == "" {
				return errors.New("expected --from and --to, or --batch")
			}
			q, err := t.spec(c, from, to)
			if err != nil {
				return err
			}
			return s.probe(args[0], q)
		},
	}
	c.Flags().StringVar(&from, "from", "", "who sends")
	c.Flags().StringVar(&to, "to", "", "whom to")
	c.Flags().StringVar(&batch, "batch", "", "a file of questions, - for standard input")
	t.flags(c)
	return c
}

func (s *session) probe(dir string, spec reach.Spec) error {
	n, err := s.load(dir)
	if err != nil {
		return err
	}
	p, err := n.prober()
	if err != nil {
		return err
	}
	q, err := n.ask(p, spec)
	if err != nil {
		return err
	}
	r := p.Probe(q)
	if s.json {
		err = s.writeJSON(r)
	} else {
		err = s.writeResult(spec, &r)
	}
	return verdictOf(&r, err)
}

// verdictOf is the exit status of one probe.
func verdictOf(r *reach.Result, err error) error {
	if err == nil && !r.Reachable() {
		return errFound
	}
	return err
}

// writeResult writes one line, and what is unknown or left to chance below it.
func (s *session) writeResult(q reach.Spec, r *reach.Result) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s: %s", q, report.Observed(r), r.Reason)
	if r.Where != "" {
		fmt.Fprintf(&b, " at %s", r.Where)
	}
	if r.Code != "" {
		fmt.Fprintf(&b, " (%s, %s)", r.Direction, r.Code)
	}
	b.WriteString("\n")
	if r.SeenAs != "" {
		fmt.Fprintf(&b, "  seen as %s\n", r.SeenAs)
	}
	if r.Unknown != "" && r.Unknown != r.Reason {
		fmt.Fprintf(&b, "  unknown: %s\n", r.Unknown)
	}
	for i := range r.Outcomes {
		o := &r.Outcomes[i]
		fmt.Fprintf(&b, "  %5.1f %%  %s: %s (%s)\n", 100*o.Share, report.Observed(&o.Result), o.Reason, strings.Join(o.Choices, ", "))
	}
	_, err := io.WriteString(s.out, b.String())
	return err
}

func (s *session) batch(dir, file string) error {
	questions, err := s.questions(file)
	if err != nil {
		return err
	}
	n, err := s.load(dir)
	if err != nil {
		return err
	}
	results, err := reach.Sweep(n.World, questions, n.config)
	if err != nil {
		return err
	}
	if s.json {
		return s.writeArray(results)
	}
	for i := range results {
		if err := s.writeResult(questions[i], &results[i]); err != nil {
			return err
		}
	}
	return nil
}

// writeArray writes one element a line.
func (s *session) writeArray(results []reach.Result) error {
	var b strings.Builder
	b.WriteString("[")
	for i := range results {
		one, err := json.Marshal(&results[i])
		if err != nil {
			return err
		}
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString("\n")
		b.Write(one)
	}
	b.WriteString("\n]\n")
	_, err := io.WriteString(s.out, b.String())
	return err
}

// questions reads a batch.
func (s *session) questions(file string) ([]reach.Spec, error) {
	text, err := s.read(file)
	if err != nil {
		return nil, err
	}
	var raw []json.RawMessage
	if err := json.Unmarshal(text, &raw); err != nil {
		return nil, fmt.Errorf("%s: %v; expected an array of questions", file, err)
	}
	questions := make([]reach.Spec, len(raw))
	for i, r := range raw {
		q := &questions[i]
		if err := json.Unmarshal(r, q); err != nil {
			return nil, fmt.Errorf("%s: [%d]: %v; expected src_ip, dst_ip, proto and dport", file, i, err)
		}
		if q.From == "" || q.To == "" {
			return nil, fmt.Errorf(`%s: [%d]: expected "src_ip" and "dst_ip"`, file, i)
		}
	}
	return questions, nil
}

// read reads a file, or standard input for "-".
func (s *session) read(file string) ([]byte, error) {
	if file == "-" {
		return io.ReadAll(s.in)
	}
	return os.ReadFile(file)
}
