package contract

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"paddock/localstack/engine"
)

// A record may take this long from the table to the queue.
const deliveredWithin = 30 * time.Second

// forward deploys the function that sends each of its events to the queue.
func forward(t *testing.T, name, queueURL string, rights ...statement) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "bootstrap")
	build := exec.CommandContext(t.Context(), "go", "build", "-tags", "lambda.norpc", "-o", program, "./testdata/forward")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	archive, err := engine.Archive(text)
	if err != nil {
		t.Fatal(err)
	}
	role(t, name, rights...)
	_, err = lambda.NewFromConfig(local.AWSConfig()).CreateFunction(t.Context(), &lambda.CreateFunctionInput{
		FunctionName: &name, Runtime: types.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
		Role: aws.String(roleARN(name)), Code: &types.FunctionCode{ZipFile: archive}, Timeout: aws.Int32(10),
		Environment: &types.Environment{Variables: map[string]string{
			"AWS_ENDPOINT_URL": local.URL, "AWS_CA_BUNDLE": local.CAFile, "QUEUE_URL": queueURL,
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func queue(t *testing.T, name string) string {
	t.Helper()
	out, err := sqs.NewFromConfig(local.AWSConfig()).CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name})
	if err != nil {
		t.Fatal(err)
	}
	return aws.ToString(out.QueueUrl)
}

type streamRecord struct {
	EventName string `json:"eventName"`
	DynamoDB  struct {
		NewImage map[string]map[string]string
	} `json:"dynamodb"`
}

// received takes records from the queue until one has the sort key last.
func received(t *testing.T, queueURL, last string) []streamRecord {
	t.Helper()
	client := sqs.NewFromConfig(local.AWSConfig())
	ctx, cancel := context.WithTimeout(t.Context(), deliveredWithin)
	defer cancel()
	var all []streamRecord
	for {
		out, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &queueURL, WaitTimeSeconds: 1, MaxNumberOfMessages: 10})
		if err != nil {
			t.Fatalf("no record with sort key %q came: %v; so far %v", last, err, all)
		}
		for _, message := range out.Messages {
			var event struct{ Records []streamRecord }
			if err := json.Unmarshal([]byte(aws.ToString(message.Body)), &event); err != nil {
				t.Fatal(err)
			}
			all = append(all, event.Records...)
			if _, err := client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &queueURL, ReceiptHandle: message.ReceiptHandle}); err != nil {
				t.Fatal(err)
			}
		}
		if slices.ContainsFunc(all, func(r streamRecord) bool { return r.DynamoDB.NewImage["sk"]["S"] == last }) {
			return all
		}
	}
}

func TestStreamFilterPassesInsertsOfOneKindInOrder(t *testing.T) {
	name, stream := table(t, "stream", true)
	queueURL := queue(t, "stream-out")
	forward(t, "stream-forward", queueURL,
		allow("arn:aws:sqs:us-east-1:000000000000:stream-out", "sqs:SendMessage"),
		allow(stream, "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream", "dynamodb:ListStreams"))
	_, err := lambda.NewFromConfig(local.AWSConfig()).CreateEventSourceMapping(t.Context(), &lambda.CreateEventSourceMappingInput{
		FunctionName: aws.String("stream-forward"), EventSourceArn: &stream, StartingPosition: types.EventSourcePositionTrimHorizon,
		BatchSize: aws.Int32(100),
		FilterCriteria: &types.FilterCriteria{Filters: []types.Filter{{
			Pattern: aws.String(`{"eventName":["INSERT"],"dynamodb":{"NewImage":{"kind":{"S":["message"]}}}}`),
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	client := dynamodb.NewFromConfig(local.AWSConfig())
	put := func(sk, kind, value string) {
		t.Helper()
		_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{
			TableName: &name, Item: row{"pk": text("a"), "sk": text(sk), "kind": text(kind), "v": text(value)},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	put("1", "message", "x")
	put("2", "event", "x")   // another kind
	put("1", "message", "y") // a change, not an insert
	_, err = client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &name, Key: row{"pk": text("a"), "sk": text("2")}})
	if err != nil {
		t.Fatal(err)
	}
	put("3", "message", "x")
	var keys []string
	for _, record := range received(t, queueURL, "3") {
		if record.EventName != "INSERT" {
			t.Errorf("a record %s passed the filter", record.EventName)
		}
		// A record comes at least once: what counts is the order of first arrivals.
		if key := record.DynamoDB.NewImage["sk"]["S"]; !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	if !slices.Equal(keys, []string{"1", "3"}) {
		t.Errorf("records of %v came, want 1 and 3", keys)
	}
}

func TestFunctionHasTheRightsOfItsRoleOnly(t *testing.T) {
	queueURL := queue(t, "guarded")
	forward(t, "forward-powerless", queueURL)
	out, err := lambda.NewFromConfig(local.AWSConfig()).Invoke(t.Context(), &lambda.InvokeInput{
		FunctionName: aws.String("forward-powerless"), Payload: []byte(`{}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	if out.FunctionError == nil {
		t.Error("a function without the right sent a message")
	}
	messages, err := sqs.NewFromConfig(local.AWSConfig()).ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &queueURL})
	if err != nil || len(messages.Messages) != 0 {
		t.Errorf("the queue holds %d messages (%v)", len(messages.Messages), err)
	}
}
