// Package verify checks the downloaded audit log of one workspace offline. It
// promises to name every change, gap, move and addition that the public key
// shows, and needs no network, no AWS credentials and no key of the workspace.
package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"paddock/shared/archive"
)

// ErrFlawed is returned, after the findings were printed, for a log that is
// not intact.
var ErrFlawed = errors.New("the audit log is not intact")

// Options say what to verify.
type Options struct {
	// Folder holds the objects under their names, `<workspace>/<20 digits>`, or
	// is the workspace's own folder.
	Folder string
	// Key is the log's public key as signed notes spell it,
	// `<base domain>/<workspace>+<hash>+<base64>`.
	Key string
	// Checkpoints are files with checkpoints kept elsewhere. Without a later
	// one nobody can see that the last events were cut off.
	Checkpoints []string
	// BeginsLate accepts that the first events are past their retention.
	BeginsLate bool
}

// Run verifies a folder and prints a report. It returns ErrFlawed for a log
// that is not intact and another error when it could not be verified.
func Run(ctx context.Context, o Options, out io.Writer) error {
	verifier, err := note.NewVerifier(strings.TrimSpace(o.Key))
	if err != nil {
		return fmt.Errorf("read public key: %w", err)
	}
	known := archive.Expectation{BeginsLate: o.BeginsLate}
	for _, name := range o.Checkpoints {
		text, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("read checkpoint: %w", err)
		}
		known.Checkpoints = append(known.Checkpoints, text)
	}
	folder, err := os.OpenRoot(o.Folder)
	if err != nil {
		return fmt.Errorf("open folder: %w", err)
	}
	defer folder.Close() //nolint:errcheck // nothing was written
	return Objects(ctx, Files(ctx, folder.FS(), workspaceOf(verifier)), verifier, known, out)
}

// workspaceOf returns the text after the last slash of the log's name.
func workspaceOf(v note.Verifier) string { return v.Name()[strings.LastIndexByte(v.Name(), '/')+1:] }

// Objects verifies objects from anywhere, in the order of their names, and
// prints a report; see Run for the errors.
func Objects(ctx context.Context, objects iter.Seq2[archive.Stored, error], verifier note.Verifier, known archive.Expectation, out io.Writer) error {
	report, err := archive.Verify(objects, verifier, known)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return write(out, verifier.Name(), report, len(known.Checkpoints))
}

func write(out io.Writer, name string, r archive.Report, checkpoints int) error {
	const stamp = "2006-01-02T15:04:05.000Z07:00"
	p := printer{out: out}
	p.line("log          %s", name)
	p.line("objects      %d", r.Objects)
	if r.Size > 0 {
		p.line("events       %d to %d", r.First, r.Size-1)
		p.line("archived     %s to %s", r.Since.Format(stamp), r.Until.Format(stamp))
		p.line("root         %x", r.Root)
	}
	p.line("checkpoints  %d known beforehand", checkpoints)
	for _, f := range r.Findings {
		p.line("FOUND        %s", f)
	}
	if r.Unlisted > 0 {
		p.line("FOUND        %d more", r.Unlisted)
	}
	if r.Intact() {
		p.line("result       intact: every event, its order and every signature hold")
	} else {
		p.line("result       NOT INTACT: %d findings", len(r.Findings)+r.Unlisted)
	}
	if p.err != nil {
		return fmt.Errorf("print report: %w", p.err)
	}
	if !r.Intact() {
		return ErrFlawed
	}
	return nil
}

type printer struct {
	out io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.out, format+"\n", args...)
	}
}

// Files yields the files of a folder as objects of this workspace, in the
// order of their names. Files of other workspaces beside it are left alone.
func Files(ctx context.Context, folder fs.FS, workspace string) iter.Seq2[archive.Stored, error] {
	return func(yield func(archive.Stored, error) bool) {
		top := "."
		if at, err := fs.Stat(folder, workspace); err == nil && at.IsDir() {
			top = workspace
		}
		err := fs.WalkDir(folder, top, func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return errors.Join(err, ctx.Err())
			}
			key := name
			if top == "." {
				key = path.Join(workspace, name)
			}
			body, err := read(folder, name)
			if err != nil {
				return err
			}
			if !yield(archive.Stored{Key: key, Body: body}, nil) {
				return fs.SkipAll
			}
			return ctx.Err()
		})
		if err != nil {
			yield(archive.Stored{}, err)
		}
	}
}

// read returns a file's bytes, one more than archive.MaxObject at most.
func read(folder fs.FS, name string) (body []byte, err error) {
	f, err := folder.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return io.ReadAll(io.LimitReader(f, archive.MaxObject+1))
}
