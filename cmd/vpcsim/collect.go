package main

import "github.com/spf13/cobra"

func collectCommand(s *session) *cobra.Command { return &cobra.Command{Use: "collect"} }
