// Command gen writes the table of audit kinds from the contracts in
// events/audit. It is run by go generate in shared/audit.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Args[1:], os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(args []string, complaints io.Writer) error {
	flags := flag.NewFlagSet("gen", flag.ContinueOnError)
	flags.SetOutput(complaints)
	contracts := flags.String("contracts", "", "folder with one JSON contract per code")
	out := flags.String("out", "", "folder of package audit")
	if err := flags.Parse(args); err != nil {
		return err
	}
	rows, err := Load(os.DirFS(*contracts))
	if err != nil {
		return err
	}
	for name, write := range Files {
		text, err := write(rows)
		if err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
		if err := os.WriteFile(*out+"/"+name, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
