package eni

import "github.com/vpcsim/vpcsim/trace"

// answerND answers neighbour and router solicitations.
func (p *Port) answerND(i *Interface, ip []byte) (trace.Reason, bool) { return trace.None, false }
