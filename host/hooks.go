package host

import "github.com/vpcsim/vpcsim/trace"

func (h *Host) prerouting(w *passage) trace.Reason            { return trace.None }
func (h *Host) inputHook(w *passage) trace.Reason             { return trace.None }
func (h *Host) forwardHook(w *passage, out *NIC) trace.Reason { return trace.None }
func (h *Host) outputHook(w *passage, out *NIC) trace.Reason  { return trace.None }
func (h *Host) postrouting(w *passage, out *NIC) trace.Reason { return trace.None }
