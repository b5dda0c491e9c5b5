// Command shapegen writes package ec2: Go structs for the shapes that EC2's
// API takes and answers with, out of AWS's own service model.
//
// The model is api-2.json of the Go module github.com/aws/aws-sdk-go v1.55.8
// (Apache-2.0), which the go command fetches and verifies; that module is no
// dependency of this one. It is the last of its line, so newer.json holds the
// shapes that a later release of the same model, botocore 1.43.11's
// service-2.json (Apache-2.0), has added or changed, and those replace it: the
// members of a struct stand in the order in which today's aws CLI prints them.
//
//	go generate ./ec2                             write the package
//	go run ./internal/shapegen -newer DIR         write newer.json, DIR being botocore/data/ec2/2016-11-15
//
// Only the actions of families.go and what their shapes refer to are written.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

func main() {
	out := flag.String("o", ".", "directory the generated package is written to")
	newer := flag.String("newer", "", "botocore's directory of the newer model: write newer.json into -o and stop")
	flag.Parse()
	if err := run(*out, *newer); err != nil {
		fmt.Fprintln(os.Stderr, "shapegen:", err)
		os.Exit(1)
	}
}

// run writes the package, or newer.json where newer names a directory, into out.
func run(out, newer string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	base, err := readBase(ctx)
	if err != nil {
		return err
	}
	files := map[string][]byte{}
	if newer != "" {
		text, err := differences(base, newer)
		if err != nil {
			return err
		}
		files["newer.json"] = text
	} else if files, err = generate(base); err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(out, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
