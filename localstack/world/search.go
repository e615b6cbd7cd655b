package world

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
)

// A Log keeps what the functions logged.
type Log struct {
	mu    sync.Mutex
	lines bytes.Buffer
}

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.Write(p)
}

// String returns all lines.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.String()
}

// Capture makes l the log of the functions, as JSON lines.
func (l *Log) Capture() { slog.SetDefault(slog.New(slog.NewJSONHandler(l, nil))) }

// Search looks for words, as they are and as hexadecimal or base64 text, in
// everything that is stored, queued and logged, whatever wrote it. It returns
// each find, and how much it looked at.
func (w *World) Search(ctx context.Context, words []string) (found []string, looked map[string]int, err error) {
	looked = map[string]int{}
	forms := map[string]string{}
	for _, word := range words {
		if word == "" {
			return nil, nil, fmt.Errorf("world: an empty word is everywhere")
		}
		for _, form := range []string{
			word, hex.EncodeToString([]byte(word)), base64.RawStdEncoding.EncodeToString([]byte(word)), base64.RawURLEncoding.EncodeToString([]byte(word)),
		} {
			forms[strings.ToLower(form)] = word
		}
	}
	look := func(kind, place, text string) {
		looked[kind]++
		text = strings.ToLower(text)
		for form, word := range forms {
			if strings.Contains(text, form) {
				found = append(found, fmt.Sprintf("%q stands in the clear in %s", word, place))
			}
		}
	}
	if err := w.searchTables(ctx, look); err != nil {
		return nil, nil, err
	}
	if err := w.searchObjects(ctx, look); err != nil {
		return nil, nil, err
	}
	for _, body := range w.tickets() {
		look("tickets", "a ticket", body)
	}
	for line := range strings.Lines(w.Log.String()) {
		look("log lines", "the log: "+line, line)
	}
	return found, looked, nil
}

func (w *World) searchTables(ctx context.Context, look func(kind, place, text string)) error {
	client := dynamodb.NewFromConfig(w.Engine.AWSConfig())
	for _, name := range w.Tables() {
		pages := dynamodb.NewScanPaginator(client, &dynamodb.ScanInput{TableName: aws.String(name)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return err
			}
			for _, item := range page.Items {
				var text strings.Builder
				for attribute, value := range item {
					text.WriteString(attribute + " ")
					switch v := value.(type) {
					case *types.AttributeValueMemberS:
						text.WriteString(v.Value)
					case *types.AttributeValueMemberB:
						text.Write(v.Value)
					}
					text.WriteByte('\n')
				}
				pk, _ := item["pk"].(*types.AttributeValueMemberS)
				sk, _ := item["sk"].(*types.AttributeValueMemberS)
				look("items", name+": "+pk.Value+"/"+sk.Value, text.String())
			}
		}
	}
	return nil
}

func (w *World) searchObjects(ctx context.Context, look func(kind, place, text string)) error {
	client := awss3.NewFromConfig(w.Engine.AWSConfig(), func(o *awss3.Options) { o.UsePathStyle = true })
	bucket := w.Environment["archive"]["PADDOCK_AUDIT_BUCKET"]
	pages := awss3.NewListObjectsV2Paginator(client, &awss3.ListObjectsV2Input{Bucket: &bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, o := range page.Contents {
			got, err := client.GetObject(ctx, &awss3.GetObjectInput{Bucket: &bucket, Key: o.Key})
			if err != nil {
				return err
			}
			body, err := io.ReadAll(got.Body)
			_ = got.Body.Close() // it was read whole
			if err != nil {
				return err
			}
			look("objects", "object "+*o.Key, string(body))
		}
	}
	return nil
}
