package lambdaio_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"paddock/shared/lambdaio"
	"paddock/shared/seal"
	"paddock/shared/table"
)

// TestSamplesAreEventsOfTheRuntime decodes every sample into its type of
// aws-lambda-go and refuses fields that the type does not know, apart from
// those that the gateway sends and the type leaves out.
func TestSamplesAreEventsOfTheRuntime(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "events", "samples", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			d := json.NewDecoder(bytes.NewReader(b))
			d.DisallowUnknownFields()
			switch kind, _, _ := strings.Cut(name, "-"); kind {
			case "gateway":
				var e events.APIGatewayV2HTTPRequest
				if err := d.Decode(&e); err != nil || e.Version != "2.0" || e.RequestContext.HTTP.Method == "" {
					t.Fatalf("%+v, %v", e, err)
				}
			case "stream":
				var e events.DynamoDBEvent
				if err := d.Decode(&e); err != nil || len(e.Records) == 0 || e.Records[0].EventName != "INSERT" {
					t.Fatalf("%+v, %v", e, err)
				}
			case "queue":
				var e events.SQSEvent
				if err := d.Decode(&e); err != nil || len(e.Records) == 0 {
					t.Fatalf("%+v, %v", e, err)
				}
			case "schedule":
				var e struct{ Task string }
				if err := d.Decode(&e); err != nil || e.Task != "sweep" {
					t.Fatalf("%+v, %v", e, err)
				}
			default:
				t.Fatalf("no type for %s", name)
			}
		})
	}
}

// TestSamplesAreAccepted hands every sample to the handler that a function
// serves it with. A record left out or a message reported as failed is none
// that was accepted.
func TestSamplesAreAccepted(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "events", "samples", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			switch kind, _, _ := strings.Cut(name, "-"); kind {
			case "gateway":
				answer := send(t, sample[events.APIGatewayV2HTTPRequest](t, name), func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
				if answer.StatusCode != http.StatusNoContent {
					t.Errorf("answered %d %s", answer.StatusCode, answer.Body)
				}
			case "stream":
				acceptStream(t, raw)
			case "queue":
				acceptQueue(t, raw)
			case "schedule":
				swept := 0
				sweep := func(context.Context) error { swept++; return nil }
				for _, handler := range []func(context.Context, json.RawMessage) (any, error){
					lambdaio.StreamOrSweep(nil, sweep), lambdaio.QueueOrSweep(nil, sweep),
				} {
					if _, err := handler(t.Context(), raw); err != nil {
						t.Error(err)
					}
				}
				if swept != 2 {
					t.Errorf("swept %d times, want by each handler", swept)
				}
			default:
				t.Fatalf("no handler for %s", name)
			}
		})
	}
}

func acceptStream(t *testing.T, raw []byte) {
	t.Helper()
	var batch events.DynamoDBEvent
	if err := json.Unmarshal(raw, &batch); err != nil {
		t.Fatal(err)
	}
	var got []table.Record
	deliver := func(_ context.Context, records []table.Record) error { got = records; return nil }
	if _, err := lambdaio.StreamOrSweep(deliver, nil)(t.Context(), raw); err != nil {
		t.Fatal(err)
	}
	if len(got) != len(batch.Records) {
		t.Errorf("%d of %d records were delivered", len(got), len(batch.Records))
	}
	for i, record := range got {
		stored := batch.Records[i].Change.NewImage
		if record.Key.PK() != stored["pk"].String() || record.Key.SK != stored["sk"].String() {
			t.Errorf("record %d has key %s", i, record.Key)
		}
		if len(record.Sealed) == 0 || record.KeyID == (seal.KeyID{}) || record.Version == 0 || len(record.Plain) != 1 {
			t.Errorf("record %d is not whole: %+v", i, record)
		}
	}
}

func acceptQueue(t *testing.T, raw []byte) {
	t.Helper()
	var batch events.SQSEvent
	if err := json.Unmarshal(raw, &batch); err != nil {
		t.Fatal(err)
	}
	delivered := 0
	out, err := lambdaio.QueueOrSweep(func(_ context.Context, body string) error { delivered++; return nil }, nil)(t.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	if answer, ok := out.(events.SQSEventResponse); !ok || len(answer.BatchItemFailures) != 0 || delivered != len(batch.Records) {
		t.Errorf("%d of %d messages were delivered; the answer is %+v", delivered, len(batch.Records), out)
	}
}
