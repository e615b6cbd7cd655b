package world

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"paddock/localstack/visitor"
	"paddock/shared/table"
)

// A Mark is a moment of a walk to which it can return any number of times.
type Mark struct {
	walk  Walk
	me    visitor.Visitor
	at    time.Time
	items map[table.Key]Item
	calls map[*Recorder]int
	kept  int // recorders of the world
}

// copied returns a walk whose own state does not change with w's.
func (w *Walk) copied() Walk {
	out := *w
	out.states = maps.Clone(w.states)
	out.Codes, out.Factors, out.recorders = slices.Clone(w.Codes), slices.Clone(w.Factors), slices.Clone(w.recorders)
	return out
}

// Mark remembers this moment: what is stored of the workspace, what the walker
// knows, and the time.
func (w *Walk) Mark(ctx context.Context) (*Mark, error) {
	m := &Mark{walk: w.copied(), me: *w.Me, at: w.World.Clock.Now(), items: map[table.Key]Item{}, calls: map[*Recorder]int{}}
	err := w.World.scan(ctx, w.ID, "", func(k table.Key, item Item) error {
		m.items[k] = item
		return nil
	})
	for _, r := range w.recorders {
		m.calls[r] = len(r.Calls())
	}
	w.World.mu.Lock()
	defer w.World.mu.Unlock()
	m.kept = len(w.World.recorders)
	return m, err
}

// putBack is how many items one call writes.
const putBack = 25

// Return undoes what the walk's functions wrote since the mark, but for the
// events and the log, which never lose anything, and the walker forgets what
// happened since.
func (w *Walk) Return(ctx context.Context, m *Mark) error {
	written := map[table.Key]bool{}
	for _, r := range w.recorders {
		groups, err := w.World.writes(r.Calls()[m.calls[r]:])
		if err != nil {
			return err
		}
		for _, g := range groups {
			for _, one := range g {
				if one.key.Workspace != w.ID {
					return fmt.Errorf("%s: %s of %s in a walk of %s", one.call, one.verb, one.key, w.ID)
				}
				if one.key.Kind != "A" && one.key.Kind != "L" && one.verb != "check" {
					written[one.key] = true
				}
			}
		}
	}
	client, names := dynamodb.NewFromConfig(w.World.Engine.AWSConfig()), w.World.Tables()
	for part := range slices.Chunk(slices.Collect(maps.Keys(written)), putBack) {
		requests := map[string][]types.WriteRequest{}
		for _, k := range part {
			request := types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: Item{
				"pk": &types.AttributeValueMemberS{Value: k.PK()}, "sk": &types.AttributeValueMemberS{Value: k.SK},
			}}}
			if item, ok := m.items[k]; ok {
				request = types.WriteRequest{PutRequest: &types.PutRequest{Item: item}}
			}
			requests[names[k.Table]] = append(requests[names[k.Table]], request)
		}
		out, err := client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: requests})
		if err != nil {
			return err
		}
		if len(out.UnprocessedItems) > 0 {
			return fmt.Errorf("world: %d tables were not put back", len(out.UnprocessedItems))
		}
	}
	me := w.Me
	*w = m.walk.copied()
	w.Me = me
	*w.Me = m.me
	w.World.Clock.Set(m.at)
	w.World.mu.Lock()
	defer w.World.mu.Unlock()
	clear(w.World.recorders[m.kept:]) // what they saw would fill the memory
	w.World.recorders = w.World.recorders[:m.kept]
	return nil
}

// scan passes every item that is stored of a workspace, in all tables, on; of
// each only these attributes, "" for all.
func (w *World) scan(ctx context.Context, ws fmt.Stringer, attributes string, pass func(table.Key, Item) error) error {
	client := dynamodb.NewFromConfig(w.Engine.AWSConfig())
	for n, name := range w.Tables() {
		in := &dynamodb.ScanInput{
			TableName: aws.String(name), FilterExpression: aws.String("contains(pk, :ws)"),
			ExpressionAttributeValues: map[string]types.AttributeValue{":ws": &types.AttributeValueMemberS{Value: ws.String()}},
		}
		if attributes != "" {
			in.ProjectionExpression = aws.String(attributes)
		}
		pages := dynamodb.NewScanPaginator(client, in)
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return err
			}
			for _, item := range page.Items {
				k, err := keyOf(n, item)
				if err != nil {
					return err
				}
				if err := pass(k, item); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
