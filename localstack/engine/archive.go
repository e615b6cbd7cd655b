package engine

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// assetBucket holds the archives of functions in the local engine.
const assetBucket = "paddock-assets-local"

// Archive returns a zip with the one program `bootstrap`. The same program
// gives the same bytes, whenever and wherever it is made.
func Archive(program []byte) ([]byte, error) {
	var archive bytes.Buffer
	w := zip.NewWriter(&archive)
	w.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(out, flate.BestSpeed)
	})
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate}
	header.SetMode(0o755)
	file, err := w.CreateHeader(header)
	if err != nil {
		return nil, fmt.Errorf("archive program: %w", err)
	}
	if _, err := file.Write(program); err != nil {
		return nil, fmt.Errorf("archive program: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("archive program: %w", err)
	}
	return archive.Bytes(), nil
}

// upload puts the archive of each function's program, `<folder>/<name>/bootstrap`,
// into the asset bucket under a key that names the program's hash, and returns
// the keys. A program that is there already is not sent again.
func (e *Engine) upload(ctx context.Context, folder string, names []string) (map[string]string, error) {
	client := s3.NewFromConfig(e.AWSConfig())
	if err := ensureBucket(ctx, client); err != nil {
		return nil, err
	}
	keys := make(map[string]string, len(names))
	for _, name := range names {
		program, err := os.ReadFile(filepath.Join(folder, name, "bootstrap"))
		if err != nil {
			return nil, fmt.Errorf("function %s is not built: %w", name, err)
		}
		sum := sha256.Sum256(program)
		keys[name] = name + "/" + hex.EncodeToString(sum[:]) + ".zip"
		if err := putArchive(ctx, client, keys[name], program); err != nil {
			return nil, fmt.Errorf("upload function %s: %w", name, err)
		}
	}
	return keys, nil
}

func ensureBucket(ctx context.Context, client *s3.Client) error {
	_, err := client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(assetBucket)})
	var owned *types.BucketAlreadyOwnedByYou
	if err != nil && !errors.As(err, &owned) {
		return fmt.Errorf("create asset bucket: %w", err)
	}
	return nil
}

func putArchive(ctx context.Context, client *s3.Client, key string, program []byte) error {
	_, err := client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String(assetBucket), Key: &key})
	if err == nil {
		return nil
	}
	archive, err := Archive(program)
	if err != nil {
		return err
	}
	_, err = client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: aws.String(assetBucket), Key: &key, Body: bytes.NewReader(archive),
	})
	return err
}

// place puts a template into the asset bucket and returns its address: a
// request itself carries at most 51,200 bytes of one.
func (e *Engine) place(ctx context.Context, template []byte) (string, error) {
	key := "template.json"
	_, err := s3.NewFromConfig(e.AWSConfig(), func(o *s3.Options) { o.UsePathStyle = true }).PutObject(ctx, &s3.PutObjectInput{
		Bucket: aws.String(assetBucket), Key: &key, Body: bytes.NewReader(template),
	})
	if err != nil {
		return "", fmt.Errorf("upload the template: %w", err)
	}
	return e.URL + "/" + assetBucket + "/" + key, nil
}
