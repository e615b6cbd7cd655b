// Package dynamo is the table.Engine on DynamoDB. It promises that reads are
// consistent and whole, that every write carries a condition, and that a
// refused condition is told apart from contention.
package dynamo

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"paddock/shared/table"
)

// An Engine stores records in DynamoDB tables.
type Engine struct {
	client *dynamodb.Client
	names  map[table.Name]string
	tables map[string]table.Name
}

// New returns an Engine over the named tables. A function that may not use a
// table leaves its name out; using it then is an error.
func New(c *dynamodb.Client, names map[table.Name]string) *Engine {
	e := &Engine{client: c, names: names, tables: map[string]table.Name{}}
	for n, name := range names {
		e.tables[name] = n
	}
	return e
}

func (e *Engine) name(n table.Name) (string, error) {
	if name := e.names[n]; name != "" {
		return name, nil
	}
	return "", fmt.Errorf("dynamo: this function has no %s table", n)
}

// getAttempts bounds how often keys that the service left unprocessed are
// asked again before the read fails.
const getAttempts = 3

// Get implements table.Engine.
func (e *Engine) Get(ctx context.Context, keys []table.Key) ([]table.Record, error) {
	request := map[string]types.KeysAndAttributes{}
	seen := map[table.Key]bool{}
	for _, k := range keys {
		if seen[k] {
			continue
		}
		seen[k] = true
		name, err := e.name(k.Table)
		if err != nil {
			return nil, err
		}
		ka := request[name]
		ka.ConsistentRead = aws.Bool(true)
		ka.Keys = append(ka.Keys, keyOf(k))
		request[name] = ka
	}
	byPlace := make(map[string]table.Key, len(seen))
	for k := range seen {
		byPlace[k.Table.String()+"|"+k.PK()+"|"+k.SK] = k
	}
	var out []table.Record
	for attempt := 0; len(request) > 0; attempt++ {
		if attempt == getAttempts {
			return nil, errors.New("dynamo: keys stayed unprocessed")
		}
		answer, err := e.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: request})
		if err != nil {
			return nil, err
		}
		for name, items := range answer.Responses {
			for _, item := range items {
				k := byPlace[e.tables[name].String()+"|"+text(item["pk"])+"|"+text(item["sk"])]
				r, err := recordOf(k, item)
				if err != nil {
					return nil, err
				}
				out = append(out, r)
			}
		}
		request = answer.UnprocessedKeys
	}
	return out, nil
}

// input returns a query as the service takes it.
func (e *Engine) input(q table.Query) (*dynamodb.QueryInput, error) {
	name, err := e.name(q.Key.Table)
	if err != nil {
		return nil, err
	}
	in := &dynamodb.QueryInput{
		TableName:                 &name,
		ScanIndexForward:          aws.Bool(!q.Backward),
		ExpressionAttributeNames:  map[string]string{"#h": "pk"},
		ExpressionAttributeValues: map[string]types.AttributeValue{":h": &types.AttributeValueMemberS{Value: q.Key.PK()}},
		KeyConditionExpression:    aws.String("#h = :h"),
	}
	if q.Index == "" {
		in.ConsistentRead = aws.Bool(true)
	} else {
		in.IndexName = &q.Index
		in.ExpressionAttributeNames["#h"] = q.HashName
		in.ExpressionAttributeValues[":h"] = &types.AttributeValueMemberS{Value: q.Hash}
	}
	switch {
	case q.From != "":
		// Sort keys are ASCII: "~" ends every prefix.
		in.ExpressionAttributeNames["#s"] = "sk"
		in.ExpressionAttributeValues[":s"] = &types.AttributeValueMemberS{Value: q.From}
		in.ExpressionAttributeValues[":e"] = &types.AttributeValueMemberS{Value: q.Prefix + "~"}
		in.KeyConditionExpression = aws.String("#h = :h AND #s BETWEEN :s AND :e")
	case q.Before != "":
		in.ExpressionAttributeNames["#s"] = "sk"
		in.ExpressionAttributeValues[":s"] = &types.AttributeValueMemberS{Value: q.Before}
		in.KeyConditionExpression = aws.String("#h = :h AND #s < :s")
	case q.Prefix != "":
		in.ExpressionAttributeNames["#s"] = "sk"
		in.ExpressionAttributeValues[":s"] = &types.AttributeValueMemberS{Value: q.Prefix}
		in.KeyConditionExpression = aws.String("#h = :h AND begins_with(#s, :s)")
	}
	return in, nil
}

// Size implements table.Engine.
func (e *Engine) Size(ctx context.Context, q table.Query) (int, error) {
	in, err := e.input(q)
	if err != nil {
		return 0, err
	}
	in.Select = types.SelectCount
	n := 0
	for {
		if q.Limit > 0 {
			in.Limit = aws.Int32(int32(q.Limit - n)) //nolint:gosec // bounded by the caller
		}
		answer, err := e.client.Query(ctx, in)
		if err != nil {
			return 0, err
		}
		n += int(answer.Count)
		if answer.LastEvaluatedKey == nil || (q.Limit > 0 && n >= q.Limit) {
			return n, nil
		}
		in.ExclusiveStartKey = answer.LastEvaluatedKey
	}
}

// Query implements table.Engine.
func (e *Engine) Query(ctx context.Context, q table.Query) ([]table.Record, error) {
	in, err := e.input(q)
	if err != nil {
		return nil, err
	}
	var out []table.Record
	for {
		if q.Limit > 0 {
			in.Limit = aws.Int32(int32(q.Limit - len(out))) //nolint:gosec // bounded by the page size
		}
		answer, err := e.client.Query(ctx, in)
		if err != nil {
			return nil, err
		}
		for _, item := range answer.Items {
			k, err := placeOf(q.Key, item)
			if err != nil {
				return nil, err
			}
			r, err := recordOf(k, item)
			if err != nil {
				return nil, err
			}
			out = append(out, r)
		}
		if answer.LastEvaluatedKey == nil || (q.Limit > 0 && len(out) >= q.Limit) {
			return out, nil
		}
		in.ExclusiveStartKey = answer.LastEvaluatedKey
	}
}

// placeOf returns the key of an item found by a query. Items of an index lie
// in other partitions than the one asked for, but always in the workspace
// that the index value was made for.
func placeOf(q table.Key, item map[string]types.AttributeValue) (table.Key, error) {
	k, err := parsePK(q.Table, text(item["pk"]), text(item["sk"]))
	if err != nil {
		return table.Key{}, err
	}
	if k.Workspace != q.Workspace {
		return table.Key{}, errors.New("dynamo: an index answered with an item of another workspace")
	}
	return k, nil
}

func keyOf(k table.Key) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: k.PK()},
		"sk": &types.AttributeValueMemberS{Value: k.SK},
	}
}

func itemOf(r table.Record) map[string]types.AttributeValue {
	item := keyOf(r.Key)
	item["v"] = number(int64(r.Version)) //nolint:gosec // versions count writes
	if len(r.Sealed) > 0 {
		item["p"] = &types.AttributeValueMemberB{Value: r.Sealed}
		item["k"] = &types.AttributeValueMemberB{Value: r.KeyID[:]}
	}
	if !r.TTL.IsZero() {
		item["ttl"] = number(r.TTL.Unix())
	}
	for _, a := range r.Plain {
		item[a.Name] = valueOf(a)
	}
	return item
}

func valueOf(a table.Attribute) types.AttributeValue {
	if a.IsNum {
		return number(a.Num)
	}
	return &types.AttributeValueMemberS{Value: a.Text}
}

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func text(v types.AttributeValue) string {
	if s, ok := v.(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

func recordOf(k table.Key, item map[string]types.AttributeValue) (table.Record, error) {
	r := table.Record{Key: k}
	for name, value := range item {
		switch name {
		case "pk", "sk":
			continue
		case "v":
			n, err := integer(value)
			if err != nil || n < 0 {
				return table.Record{}, fmt.Errorf("dynamo: version of %s: %w", k, err)
			}
			r.Version = uint64(n)
		case "p":
			b, _ := value.(*types.AttributeValueMemberB)
			if b == nil {
				return table.Record{}, fmt.Errorf("dynamo: payload of %s is no binary", k)
			}
			r.Sealed = b.Value
		case "k":
			b, _ := value.(*types.AttributeValueMemberB)
			if b == nil || len(b.Value) != len(r.KeyID) {
				return table.Record{}, fmt.Errorf("dynamo: key id of %s is damaged", k)
			}
			copy(r.KeyID[:], b.Value)
		case "ttl":
			n, err := integer(value)
			if err != nil {
				return table.Record{}, fmt.Errorf("dynamo: ttl of %s: %w", k, err)
			}
			r.TTL = time.Unix(n, 0).UTC()
		default:
			if n, err := integer(value); err == nil {
				r.Plain = append(r.Plain, table.Num(name, n))
			} else {
				r.Plain = append(r.Plain, table.Text(name, text(value)))
			}
		}
	}
	return r, nil
}

func integer(v types.AttributeValue) (int64, error) {
	n, ok := v.(*types.AttributeValueMemberN)
	if !ok {
		return 0, errors.New("not a number")
	}
	return strconv.ParseInt(n.Value, 10, 64)
}
