package console

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"path"
	"strings"
	"sync"
)

// A file is one file of a build in all its encodings.
type file struct {
	contentType string
	lasting     bool // its name changes with its content
	plain       form
	encoded     []form // best first
}

// A form is a file in one encoding, "" for none. It is read when it is first
// asked for, and then kept: a function that starts waits for what one page
// needs, not for the whole build.
type form struct {
	encoding string
	read     func() (content, error)
}

// A content has the tag by which caches compare it.
type content struct {
	bytes []byte
	tag   string
}

// contentTypes of what a build may hold, by extension. Types are not guessed:
// the system's table differs from machine to machine.
func contentTypes() map[string]string {
	return map[string]string{
		".css": "text/css; charset=utf-8", ".html": "text/html; charset=utf-8", ".ico": "image/x-icon",
		".js": "text/javascript; charset=utf-8", ".json": "application/json", ".png": "image/png",
		".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8", ".woff2": "font/woff2",
	}
}

func open(files fs.FS, name string) (file, error) {
	contentType, known := contentTypes()[path.Ext(name)]
	if !known {
		return file{}, fmt.Errorf("%s has an unknown type", name)
	}
	f := file{contentType: contentType, lasting: strings.HasPrefix(name, assets), plain: formOf(files, name, "")}
	for _, c := range []struct{ encoding, ext string }{{"br", ".br"}, {"gzip", ".gz"}} {
		switch _, err := fs.Stat(files, name+c.ext); {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return file{}, err
		default:
			f.encoded = append(f.encoded, formOf(files, name+c.ext, c.encoding))
		}
	}
	return f, nil
}

// tagBytes is how much of the hash stands in an entity tag: enough that two
// builds do not share one by chance.
const tagBytes = 12

func formOf(files fs.FS, name, encoding string) form {
	return form{encoding: encoding, read: sync.OnceValues(func() (content, error) {
		b, err := fs.ReadFile(files, name)
		sum := sha256.Sum256(b)
		return content{b, `"` + base64.RawURLEncoding.EncodeToString(sum[:tagBytes]) + `"`}, err
	})}
}

// lastingPolicy lets caches keep a file for a year without asking: another
// content has another name (RFC 8246).
const lastingPolicy = "public, max-age=31536000, immutable"

// serve answers with the best form that the client accepts, or with 304 when it
// has that form already.
func (f file) serve(w http.ResponseWriter, r *http.Request) {
	best := f.choose(r.Header.Values("Accept-Encoding"))
	c, err := best.read()
	if err != nil {
		slog.ErrorContext(r.Context(), "console: a file cannot be read", "err", err.Error())
		refuse(w, http.StatusInternalServerError, `{"detail":"Something went wrong on our side.","code":"internal_error","source":""}`)
		return
	}
	h := w.Header()
	h.Set("Cache-Control", "no-cache")
	if f.lasting {
		h.Set("Cache-Control", lastingPolicy)
	}
	if len(f.encoded) > 0 {
		h.Set("Vary", "Accept-Encoding")
	}
	h.Set("ETag", c.tag)
	h.Set("Content-Type", f.contentType)
	if matches(r.Header.Values("If-None-Match"), c.tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if best.encoding != "" {
		h.Set("Content-Encoding", best.encoding)
	}
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(c.bytes)
	}
}

func (f file) choose(accepted []string) form {
	for _, candidate := range f.encoded {
		if accepts(accepted, candidate.encoding) {
			return candidate
		}
	}
	return f.plain
}
