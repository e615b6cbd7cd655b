package verify_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"paddock/cmd/paddock/verify"
	"paddock/shared/archive"
	"paddock/shared/id"
)

var (
	workspace = id.UUID{0xac, 15: 1}
	private   = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32))
	moment    = time.Date(2026, 11, 24, 9, 30, 15, 0, time.UTC)
)

// download writes a log of three batches into a new folder and returns it with
// the log's public key and the last checkpoint.
func download(t *testing.T) (folder, key string, checkpoint []byte) {
	t.Helper()
	public, ok := private.Public().(ed25519.PublicKey)
	if !ok {
		t.Fatal("not an Ed25519 key")
	}
	key, err := archive.VerifierKey("paddock.example.com", workspace, public)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := archive.NewVerifier("paddock.example.com", workspace, public)
	if err != nil {
		t.Fatal(err)
	}
	signer := archive.NewSigner(verifier, func(m []byte) ([]byte, error) { return ed25519.Sign(private, m), nil })
	folder = t.TempDir()
	head := archive.Head{Workspace: workspace}
	for i := range byte(3) {
		uid := id.UUID{0x01, 0x93, 6: 0x70, 8: 0x80, 15: i + 1}
		b, err := archive.Append(head, []archive.Record{{
			Workspace: workspace,
			Event:     archive.Sealed{PK: "A", SK: uid.String(), Version: 1, KeyID: "k", Ciphertext: []byte("sealed")},
		}}, moment, signer)
		if err != nil {
			t.Fatal(err)
		}
		place(t, filepath.Join(folder, b.Key), b.Object)
		head = b.Head
		o, err := archive.Parse(b.Object)
		if err != nil {
			t.Fatal(err)
		}
		checkpoint = o.Checkpoint
	}
	return folder, key, checkpoint
}

func place(t *testing.T, name string, body []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, body, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestRun(t *testing.T) {
	object := func(folder string, from uint64) string {
		return filepath.Join(folder, archive.ObjectKey(workspace, from))
	}
	for _, c := range []struct {
		name    string
		prepare func(t *testing.T, folder string, o *verify.Options)
		want    error
		says    []string
	}{
		{"an intact log", func(*testing.T, string, *verify.Options) {}, nil, []string{"result       intact", "events       0 to 2", "objects      3"}},
		{"the workspace's own folder", func(_ *testing.T, folder string, o *verify.Options) {
			o.Folder = filepath.Join(folder, workspace.String())
		}, nil, []string{"result       intact", "objects      3"}},
		{"other workspaces beside it", func(t *testing.T, folder string, _ *verify.Options) {
			place(t, filepath.Join(folder, id.UUID{9}.String(), "00000000000000000000"), []byte("x"))
		}, nil, []string{"objects      3"}},
		{
			"a file missing", func(t *testing.T, folder string, _ *verify.Options) { remove(t, object(folder, 1)) },
			verify.ErrFlawed,
			[]string{"FOUND        gap", "the events 1 to 1 are missing", "NOT INTACT"},
		},
		{"a changed file", func(t *testing.T, folder string, _ *verify.Options) {
			place(t, object(folder, 1), []byte("PDKA1"))
		}, verify.ErrFlawed, []string{"FOUND        malformed object"}},
		{"the last file missing and no checkpoint", func(t *testing.T, folder string, o *verify.Options) {
			remove(t, object(folder, 2))
			o.Checkpoints = nil
		}, nil, []string{"checkpoints  0 known beforehand", "events       0 to 1"}},
		{"the last file missing under a known checkpoint", func(t *testing.T, folder string, _ *verify.Options) {
			remove(t, object(folder, 2))
		}, verify.ErrFlawed, []string{"FOUND        tail cut"}},
		{"the first file past its retention", func(t *testing.T, folder string, o *verify.Options) {
			remove(t, object(folder, 0))
			o.BeginsLate = true
		}, nil, []string{"events       1 to 2"}},
		{"a file with a hostile name", func(t *testing.T, folder string, _ *verify.Options) {
			place(t, filepath.Join(folder, workspace.String(), "\x1b[2J\u202e"), []byte("x"))
		}, verify.ErrFlawed, []string{`foreign object`, `\x1b[2J\u202e`}},
		{"no folder", func(_ *testing.T, _ string, o *verify.Options) { o.Folder = filepath.Join(o.Folder, "none") }, os.ErrNotExist, nil},
		{"a link out of the folder", func(t *testing.T, folder string, _ *verify.Options) {
			remove(t, object(folder, 1))
			if err := os.Symlink("/etc/hostname", object(folder, 1)); err != nil {
				t.Fatal(err)
			}
		}, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			folder, key, checkpoint := download(t)
			kept := filepath.Join(t.TempDir(), "checkpoint")
			place(t, kept, checkpoint)
			o := verify.Options{Folder: folder, Key: key, Checkpoints: []string{kept}}
			c.prepare(t, folder, &o)
			reports(t, o, c.want, c.says)
		})
	}
}

// reports runs and compares: no want and no words ask for an error that is not
// a finding, before anything is printed.
func reports(t *testing.T, o verify.Options, want error, says []string) {
	t.Helper()
	var out strings.Builder
	err := verify.Run(t.Context(), o, &out)
	if says == nil && want == nil {
		if err == nil || errors.Is(err, verify.ErrFlawed) || out.Len() > 0 {
			t.Fatalf("Run = %v and says %q", err, out.String())
		}
		return
	}
	if !errors.Is(err, want) {
		t.Fatalf("Run = %v, want %v\n%s", err, want, out.String())
	}
	for _, s := range says {
		if !strings.Contains(out.String(), s) {
			t.Errorf("the report lacks %q:\n%s", s, out.String())
		}
	}
	if strings.ContainsAny(out.String(), "\x1b\u202e") {
		t.Errorf("the report prints control characters: %q", out.String())
	}
}

func TestRunStops(t *testing.T) {
	folder, key, _ := download(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out strings.Builder
	if err := verify.Run(ctx, verify.Options{Folder: folder, Key: key}, &out); !errors.Is(err, context.Canceled) || out.Len() > 0 {
		t.Fatalf("Run = %v and says %q", err, out.String())
	}
	if err := verify.Run(t.Context(), verify.Options{Folder: folder, Key: "nonsense"}, &out); err == nil || out.Len() > 0 {
		t.Fatalf("Run with a bad key = %v and says %q", err, out.String())
	}
}

func remove(t *testing.T, name string) {
	t.Helper()
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
}
