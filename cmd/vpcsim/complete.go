package main

import (
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vpcsim/vpcsim/reach"
	"github.com/vpcsim/vpcsim/vpc"
)

// completed is what a shell is offered for a word.
type completed func(c *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective)

// names completes the arguments behind the folder by names of the network.
func (s *session) names(most int) completed {
	return func(c *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		if len(args) == 0 {
			return nil, cobra.ShellCompDirectiveDefault // a folder, or a plan
		}
		if len(args) >= most {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return s.hosts(c, args, word)
	}
}

// quiet loads the folder of a command line for completion: nil where it can't be loaded.
func (s *session) quiet(args []string) *network {
	if len(args) == 0 {
		return nil
	}
	q := *s
	q.set, q.errs, q.out = nil, io.Discard, io.Discard
	n, err := q.loadPlain(args[0])
	if err != nil {
		return nil
	}
	return n
}

// hosts completes the name of an end: names, each with its id and address, and the ids of
// interfaces that have none.
func (s *session) hosts(_ *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	n := s.quiet(args)
	if n == nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	offers := []string{"internet\ta host on the internet"}
	for _, nic := range interfaces(n) {
		item := nicOf(nic)
		offers = append(offers, item.Name+"\t"+strings.TrimSpace(item.ID+" "+strings.Join(item.Addresses, " ")))
	}
	return begin(offers, word), cobra.ShellCompDirectiveNoFileComp
}

// begin returns the offers that begin with the word, each once, in order.
func begin(offers []string, word string) []string {
	offers = slices.DeleteFunc(offers, func(o string) bool { return !strings.HasPrefix(o, word) })
	slices.Sort(offers)
	return slices.Compact(offers)
}

// changes completes a change to try: the object, and behind its slash what may be changed
// of it.
func (s *session) changes(_ *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	n := s.quiet(args)
	if n == nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	object, path, inside := strings.Cut(word, "/")
	var offers []string
	for _, r := range n.Regions {
		r.View(func(tx *vpc.Tx) {
			for _, x := range vpc.Resources[vpc.Resource](tx) {
				forms := reach.Forms(x)
				switch {
				case forms == nil || strings.HasPrefix(x.ID(), "arn:"):
				case !inside:
					offers = append(offers, x.ID()+"/\t"+kindOf(x))
				case x.ID() == object:
					offers = append(offers, offersOf(object, forms)...)
				}
			}
		})
	}
	if inside && offers == nil {
		for _, x := range n.Find(object) {
			offers = append(offers, offersOf(object, reach.Forms(x))...)
		}
	}
	return begin(offers, object+strings.Repeat("/", min(1, strings.Count(word, "/")))+path), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// offersOf are the words of forms up to what is to be filled in.
func offersOf(object string, forms []string) []string {
	var offers []string
	for _, form := range forms {
		words := form
		if i := strings.IndexByte(words, '<'); i >= 0 {
			words = words[:i]
		} else if i := strings.IndexByte(words, '='); i >= 0 {
			words = words[:i+1]
		}
		offers = append(offers, object+"/"+words+"\t"+form)
	}
	return offers
}

// ends completes --from and --to by names of the network.
func (s *session) ends(c *cobra.Command, flags ...string) {
	for _, f := range flags {
		cobra.CheckErr(c.RegisterFlagCompletionFunc(f, s.hosts))
	}
}

// words completes a flag by fixed words.
func words(c *cobra.Command, flag string, all ...string) {
	cobra.CheckErr(c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(all, cobra.ShellCompDirectiveNoFileComp)))
}

// interfaces returns the interfaces of all regions.
func interfaces(n *network) []*vpc.NetworkInterface {
	var all []*vpc.NetworkInterface
	for _, r := range n.Regions {
		r.View(func(tx *vpc.Tx) { all = append(all, vpc.Resources[*vpc.NetworkInterface](tx)...) })
	}
	return all
}
