package lambdaio

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"paddock/shared/id"
	"paddock/shared/table"
)

// errAttribute is returned for a stream record that is not one of our items.
var errAttribute = errors.New("lambdaio: stream record is not an item of ours")

// Stream turns a batch of table stream events into records for deliver. A
// record that is none of ours is logged and left out; it holds nothing up.
func Stream(deliver func(context.Context, []table.Record) error) func(context.Context, events.DynamoDBEvent) (events.DynamoDBEventResponse, error) {
	return func(ctx context.Context, batch events.DynamoDBEvent) (events.DynamoDBEventResponse, error) {
		records := make([]table.Record, 0, len(batch.Records))
		for _, r := range batch.Records {
			if r.EventName != "INSERT" {
				continue
			}
			record, err := recordOf(r.Change.NewImage)
			if err != nil {
				slog.ErrorContext(ctx, "stream record left out", "event_id", r.EventID, "err", err.Error())
				continue
			}
			records = append(records, record)
		}
		return events.DynamoDBEventResponse{BatchItemFailures: []events.DynamoDBBatchItemFailure{}}, deliver(ctx, records)
	}
}

// Queue hands the body of each message to deliver; those that fail are
// reported, so that only they come again.
func Queue(deliver func(context.Context, string) error) func(context.Context, events.SQSEvent) (events.SQSEventResponse, error) {
	return func(ctx context.Context, batch events.SQSEvent) (events.SQSEventResponse, error) {
		out := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
		for _, m := range batch.Records {
			if err := deliver(ctx, m.Body); err != nil {
				slog.ErrorContext(ctx, "message failed", "message_id", m.MessageId, "err", err.Error())
				out.BatchItemFailures = append(out.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
			}
		}
		return out, nil
	}
}

func recordOf(item map[string]events.DynamoDBAttributeValue) (table.Record, error) {
	r := table.Record{Key: table.Key{Table: table.Data}}
	var err error
	for name, value := range item {
		switch {
		case name == "pk" && value.DataType() == events.DataTypeString:
			err = splitPK(&r.Key, value.String())
		case name == "sk" && value.DataType() == events.DataTypeString:
			r.Key.SK = value.String()
		case name == "v" && value.DataType() == events.DataTypeNumber:
			r.Version, err = strconv.ParseUint(value.Number(), 10, 64)
		case name == "p" && value.DataType() == events.DataTypeBinary:
			r.Sealed = value.Binary()
		case name == "k" && value.DataType() == events.DataTypeBinary && len(value.Binary()) == len(r.KeyID):
			copy(r.KeyID[:], value.Binary())
		case value.DataType() == events.DataTypeString:
			r.Plain = append(r.Plain, table.Text(name, value.String()))
		}
		if err != nil {
			return table.Record{}, fmt.Errorf("%w: %s: %w", errAttribute, name, err)
		}
	}
	if r.Key.Workspace.Zero() || r.Key.SK == "" || r.Version == 0 {
		return table.Record{}, errAttribute
	}
	return r, nil
}

func splitPK(k *table.Key, pk string) error {
	parts := strings.SplitN(pk, "#", 3)
	if len(parts) < 2 {
		return errAttribute
	}
	ws, err := id.Parse[id.Workspace](parts[1])
	if err != nil {
		return err
	}
	k.Kind, k.Workspace = parts[0], ws
	if len(parts) == 3 {
		k.Of = parts[2]
	}
	return nil
}
