package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
	c.ValidArgsFunction = s.names(1)
	s.ends(c, "from", "to")
	return c
}

func (s *session) probe(dir string, spec reach.Spec) error {
	_, p, q, err := s.question(dir, spec, false)
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
	var b bytes.Buffer
	b.WriteString("[")
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	for i := range results {
		if i > 0 {
			b.Truncate(b.Len() - 1) // the newline that Encode writes
			b.WriteString(",")
		}
		b.WriteString("\n")
		if err := e.Encode(&results[i]); err != nil {
			return err
		}
	}
	if len(results) == 0 {
		b.WriteString("\n")
	}
	b.WriteString("]\n")
	_, err := s.out.Write(b.Bytes())
	return err
}

// questions reads a batch.
func (s *session) questions(file string) ([]reach.Spec, error) {
	const want = `an array of questions, such as [{"src_ip": "10.0.0.4", "dst_ip": "web", "proto": "tcp", "dport": 443}]`
	text, err := s.read(file, "a file of questions")
	if err != nil {
		return nil, err
	}
	var raw []json.RawMessage
	if err := json.Unmarshal(text, &raw); err != nil {
		var typ *json.UnmarshalTypeError
		var syntax *json.SyntaxError
		switch {
		case errors.As(err, &typ):
			return nil, fmt.Errorf("%s: expected %s, found %s", file, want, typ.Value)
		case errors.As(err, &syntax):
			return nil, fmt.Errorf("%s:%d: expected %s: %v", file, 1+bytes.Count(text[:min(int(syntax.Offset), len(text))], []byte("\n")), want, err)
		}
		return nil, fmt.Errorf("%s: expected %s: %v", file, want, err)
	}
	questions := make([]reach.Spec, len(raw))
	for i, r := range raw {
		if err := question(r, &questions[i]); err != nil {
			return nil, fmt.Errorf("%s: [%d]%w", file, i, err)
		}
	}
	return questions, nil
}

// question reads one question of a batch; the error says which member is wrong.
func question(text json.RawMessage, q *reach.Spec) error {
	var typ *json.UnmarshalTypeError
	switch err := json.Unmarshal(text, q); {
	case errors.As(err, &typ) && typ.Field != "":
		want := map[string]string{"int": "a whole number", "string": "a text"}[typ.Type.String()]
		return fmt.Errorf(".%s: expected %s, found %s", typ.Field, cmp.Or(want, typ.Type.String()), typ.Value)
	case errors.As(err, &typ):
		return fmt.Errorf(": expected an object with src_ip, dst_ip, proto and dport, found %s", typ.Value)
	case err != nil:
		return fmt.Errorf(": %w", err)
	case q.From == "":
		return errors.New(`: expected "src_ip", who sends`)
	case q.To == "":
		return errors.New(`: expected "dst_ip", whom to`)
	}
	return nil
}
