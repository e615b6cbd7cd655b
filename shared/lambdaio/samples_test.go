package lambdaio_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
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
