// Command paddock is the operator's and auditor's tool: it makes workspaces,
// builds lists of known passwords and verifies downloaded audit logs.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"

	"github.com/alecthomas/kong"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"paddock/cmd/paddock/passwords"
	"paddock/cmd/paddock/verify"
	"paddock/shared/aws/invoke"
	"paddock/shared/lambdaio"
	"paddock/shared/provision"
)

type commands struct {
	Workspace struct {
		Create create `cmd:"" help:"Make a workspace and mail an invitation to its first superuser."`
	} `cmd:"" help:"Workspaces of this deployment."`
	Passwords struct {
		Build building `cmd:"" help:"Build the file that a deployment takes as passwordFilter."`
	} `cmd:"" help:"Lists of known passwords."`
	Verify verifying `cmd:"" help:"Verify a downloaded audit log offline."`
}

type create struct {
	Slug     string `required:"" help:"First label of its host name: a-z, 0-9 and hyphens."`
	Name     string `required:"" help:"Name that people read."`
	Email    string `required:"" help:"Address of the first superuser."`
	Function string `default:"paddock-provision" help:"Name of the provisioning function."`
	NoMFA    bool   `name:"no-mfa" help:"Do not enforce MFA at first (not for production)."`
}

// Run invokes provision with the caller's AWS credentials.
func (c create) Run(ctx context.Context) error {
	aws, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	request := provision.Request{Slug: c.Slug, Name: c.Name, Email: c.Email}
	if c.NoMFA {
		no := false
		request.MFARequired = &no
	}
	var out lambdaio.Outcome[provision.Answer]
	if err := invoke.Function(ctx, lambda.NewFromConfig(aws), c.Function, request, &out); err != nil {
		return err
	}
	if out.Refusal != nil {
		return fmt.Errorf("%s (%s %s)", out.Refusal.Detail, out.Refusal.Code, out.Refusal.Source)
	}
	if out.Result == nil {
		return errors.New("the function answered nothing")
	}
	fmt.Printf("Workspace %s (%s) answers at %s.\nAn invitation went to %s; it is good until %s.\n", out.Result.Slug, out.Result.ID,
		out.Result.URL, out.Result.InvitedTo, out.Result.ExpiresAt.Format("2006-01-02 15:04 MST"))
	return nil
}

type building struct {
	From    string `required:"" type:"existingpath" help:"One password a line; or SHA-1:count a line, as Have I Been Pwned has it; or a folder of its range files."`
	Out     string `required:"" type:"path" help:"File to write."`
	AtLeast uint64 `default:"1" help:"Leave out hashes with a lower count."`
}

// Run builds the file and prints a report.
func (b building) Run(ctx context.Context) error {
	return passwords.Run(ctx, passwords.Options{From: b.From, Out: b.Out, AtLeast: b.AtLeast}, os.Stdout)
}

type verifying struct {
	Folder     string   `arg:"" type:"existingdir" help:"Folder with the objects, under their names."`
	Key        string   `required:"" help:"Public key of the log: <base domain>/<workspace>+<hash>+<base64>."`
	Checkpoint []string `type:"existingfile" help:"Checkpoint kept elsewhere; shows a cut-off end."`
	BeginsLate bool     `help:"The first events are past their retention."`
}

// Run verifies the folder and prints a report.
func (v verifying) Run(ctx context.Context) error {
	return verify.Run(ctx, verify.Options{Folder: v.Folder, Key: v.Key, Checkpoints: v.Checkpoint, BeginsLate: v.BeginsLate}, os.Stdout)
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var c commands
	parsed := kong.Parse(&c, kong.Name("paddock"), kong.Description("Tool of Paddock's operators and auditors."), kong.BindTo(ctx, (*context.Context)(nil)))
	parsed.FatalIfErrorf(parsed.Run())
}
