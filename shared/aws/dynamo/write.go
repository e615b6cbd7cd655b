package dynamo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"paddock/shared/id"
	"paddock/shared/table"
)

// condition is a condition expression with its names and values.
type condition struct {
	text   string
	names  map[string]string
	values map[string]types.AttributeValue
}

// conditionOf returns what must hold of the stored item before w is done.
func conditionOf(w table.Write) condition {
	c := condition{names: map[string]string{}, values: map[string]types.AttributeValue{}}
	var parts []string
	switch {
	case w.Expect > 0:
		c.names["#v"] = "v"
		c.values[":v"] = number(int64(w.Expect)) //nolint:gosec // versions count writes
		parts = append(parts, "#v = :v")
	case len(w.Where) == 0:
		c.names["#pk"] = "pk"
		parts = append(parts, "attribute_not_exists(#pk)")
	}
	for i, a := range w.Where {
		name, value := fmt.Sprintf("#w%d", i), fmt.Sprintf(":w%d", i)
		c.names[name], c.values[value] = a.Name, valueOf(a)
		parts = append(parts, name+" = "+value)
	}
	c.text = strings.Join(parts, " AND ")
	if len(c.values) == 0 {
		c.values = nil
	}
	return c
}

// Transact implements table.Engine.
func (e *Engine) Transact(ctx context.Context, token string, writes []table.Write) error {
	in := &dynamodb.TransactWriteItemsInput{ClientRequestToken: &token}
	for _, w := range writes {
		name, err := e.name(w.Record.Key.Table)
		if err != nil {
			return err
		}
		item, err := transactItem(name, w)
		if err != nil {
			return err
		}
		in.TransactItems = append(in.TransactItems, item)
	}
	_, err := e.client.TransactWriteItems(ctx, in)
	return classify(err)
}

func transactItem(name string, w table.Write) (types.TransactWriteItem, error) {
	c := conditionOf(w)
	switch w.Verb {
	case table.Put:
		return types.TransactWriteItem{Put: &types.Put{
			TableName: &name, Item: itemOf(w.Record), ConditionExpression: &c.text,
			ExpressionAttributeNames: c.names, ExpressionAttributeValues: c.values,
		}}, nil
	case table.Delete:
		return types.TransactWriteItem{Delete: &types.Delete{
			TableName: &name, Key: keyOf(w.Record.Key), ConditionExpression: &c.text,
			ExpressionAttributeNames: c.names, ExpressionAttributeValues: c.values,
		}}, nil
	case table.Check:
		return types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
			TableName: &name, Key: keyOf(w.Record.Key), ConditionExpression: &c.text,
			ExpressionAttributeNames: c.names, ExpressionAttributeValues: c.values,
		}}, nil
	}
	return types.TransactWriteItem{}, errors.New("dynamo: unknown verb")
}

// Write implements table.Engine.
func (e *Engine) Write(ctx context.Context, w table.Write) error {
	name, err := e.name(w.Record.Key.Table)
	if err != nil {
		return err
	}
	c := conditionOf(w)
	switch w.Verb {
	case table.Put:
		_, err = e.client.PutItem(ctx, &dynamodb.PutItemInput{
			TableName: &name, Item: itemOf(w.Record), ConditionExpression: &c.text,
			ExpressionAttributeNames: c.names, ExpressionAttributeValues: c.values,
		})
	case table.Delete:
		_, err = e.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
			TableName: &name, Key: keyOf(w.Record.Key), ConditionExpression: &c.text,
			ExpressionAttributeNames: c.names, ExpressionAttributeValues: c.values,
		})
	case table.Check:
		return errors.New("dynamo: a lone check writes nothing")
	}
	return classify(err)
}

// Add implements table.Engine. The end is set once, by the first to count, so
// that counting cannot move it.
func (e *Engine) Add(ctx context.Context, k table.Key, attribute string, n, limit int64, ttl time.Time) (int64, error) {
	name, err := e.name(k.Table)
	if err != nil {
		return 0, err
	}
	condition, bound := "attribute_not_exists(#n) OR #n <= :bound", limit-n
	if n < 0 {
		condition, bound = "#n >= :bound", -n // a counter does not fall below nothing
	}
	answer, err := e.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                &name,
		Key:                      keyOf(k),
		UpdateExpression:         aws.String("SET #ttl = if_not_exists(#ttl, :ttl) ADD #n :n"),
		ConditionExpression:      &condition,
		ExpressionAttributeNames: map[string]string{"#n": attribute, "#ttl": "ttl"},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":n": number(n), ":bound": number(bound), ":ttl": number(ttl.Unix()),
		},
		ReturnValues: types.ReturnValueUpdatedNew,
	})
	if err != nil {
		return 0, classify(err)
	}
	return integer(answer.Attributes[attribute])
}

// classify turns the service's refusals into those of package table.
func classify(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		return &table.Failed{Writes: []int{0}}
	}
	if _, ok := errors.AsType[*types.TransactionConflictException](err); ok {
		return table.ErrContended
	}
	if _, ok := errors.AsType[*types.TransactionInProgressException](err); ok {
		return table.ErrContended
	}
	canceled, ok := errors.AsType[*types.TransactionCanceledException](err)
	if !ok {
		return err
	}
	failed := &table.Failed{}
	contended := false
	for i, reason := range canceled.CancellationReasons {
		switch aws.ToString(reason.Code) {
		case "ConditionalCheckFailed":
			failed.Writes = append(failed.Writes, i)
		case "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded":
			contended = true
		case "None", "":
		default:
			return err
		}
	}
	switch {
	case len(failed.Writes) > 0:
		return failed
	case contended:
		return table.ErrContended
	}
	return err
}

// parsePK reads back what table.Key.PK wrote.
func parsePK(n table.Name, pk, sk string) (table.Key, error) {
	parts := strings.SplitN(pk, "#", 3)
	if len(parts) < 2 {
		return table.Key{}, fmt.Errorf("dynamo: partition key %q is not ours", pk)
	}
	ws, err := id.Parse[id.Workspace](parts[1])
	if err != nil {
		return table.Key{}, fmt.Errorf("dynamo: partition key %q: %w", pk, err)
	}
	k := table.Key{Table: n, Kind: parts[0], Workspace: ws, SK: sk}
	if len(parts) == 3 {
		k.Of = parts[2]
	}
	return k, nil
}
