package contract

import (
	"errors"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func TestConditionalPutWritesOnceAndTellsTheOldItem(t *testing.T) {
	client := dynamodb.NewFromConfig(local.AWSConfig())
	name, _ := table(t, "put-once", false)
	put := func(value string) error {
		_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{
			TableName: &name, Item: row{"pk": text("a"), "sk": text("b"), "v": text(value)},
			ConditionExpression:                 aws.String("attribute_not_exists(pk)"),
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		})
		return err
	}
	// The SDK repeats a put whose answer was lost, and the repetition meets the
	// first one's item: every caller has to allow for it, so this test does.
	if err := put("first"); err != nil && carried(err) != "first" {
		t.Fatal(err)
	}
	if got := carried(put("second")); got != "first" {
		t.Errorf("the refusal carries %q, want the first item", got)
	}
}

// carried returns v of the item that a refused condition tells, "" when err is
// no such refusal.
func carried(err error) string {
	failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err)
	if !ok {
		return ""
	}
	v, _ := failed.Item["v"].(*types.AttributeValueMemberS)
	if v == nil {
		return ""
	}
	return v.Value
}

func TestTransactionSpansTablesAndNamesWhatFailed(t *testing.T) {
	client := dynamodb.NewFromConfig(local.AWSConfig())
	left, _ := table(t, "span-left", false)
	right, _ := table(t, "span-right", false)
	key := func(sk string) row { return row{"pk": text("a"), "sk": text(sk)} }
	transact := func() error {
		_, err := client.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
			{ConditionCheck: &types.ConditionCheck{
				TableName: &right, Key: key("alive"), ConditionExpression: aws.String("attribute_exists(pk)"),
			}},
			{Put: &types.Put{TableName: &left, Item: key("state"), ConditionExpression: aws.String("attribute_not_exists(pk)")}},
			{Put: &types.Put{TableName: &right, Item: key("event"), ConditionExpression: aws.String("attribute_not_exists(pk)")}},
		}})
		return err
	}
	reasons := func(err error) []string {
		cancelled, ok := errors.AsType[*types.TransactionCanceledException](err)
		if !ok {
			t.Fatalf("the transaction was not cancelled: %v", err)
		}
		var codes []string
		for _, reason := range cancelled.CancellationReasons {
			codes = append(codes, aws.ToString(reason.Code))
		}
		return codes
	}
	if got := reasons(transact()); !slices.Equal(got, []string{"ConditionalCheckFailed", "None", "None"}) {
		t.Errorf("reasons without the fence: %v", got)
	}
	if n := count(t, client, left) + count(t, client, right); n != 0 {
		t.Errorf("a cancelled transaction left %d items", n)
	}
	if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &right, Item: key("alive")}); err != nil {
		t.Fatal(err)
	}
	if err := transact(); err != nil {
		t.Fatal(err)
	}
	if got := reasons(transact()); !slices.Equal(got, []string{"None", "ConditionalCheckFailed", "ConditionalCheckFailed"}) {
		t.Errorf("reasons of the repetition: %v", got)
	}
}

func TestTransactionTokenMakesRepetitionHarmless(t *testing.T) {
	client := dynamodb.NewFromConfig(local.AWSConfig())
	name, _ := table(t, "token", false)
	transact := func(by string) error {
		_, err := client.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{
			ClientRequestToken: aws.String("one-commit"),
			TransactItems: []types.TransactWriteItem{{Update: &types.Update{
				TableName: &name, Key: row{"pk": text("a"), "sk": text("n")},
				UpdateExpression:          aws.String("ADD n :by"),
				ExpressionAttributeValues: row{":by": number(by)},
			}}},
		})
		return err
	}
	for range 3 {
		if err := transact("1"); err != nil {
			t.Fatal(err)
		}
	}
	got, err := client.GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName: &name, Key: row{"pk": text("a"), "sk": text("n")}, ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		t.Fatal(err)
	}
	if n, ok := got.Item["n"].(*types.AttributeValueMemberN); !ok || n.Value != "1" {
		t.Errorf("three times under one token counted %v, want 1", got.Item["n"])
	}
	wantCode(t, "another request under the same token", transact("2"), "IdempotentParameterMismatchException")
}

func TestConsistentBatchGetSpansTablesAndLeavesOutWhatIsNot(t *testing.T) {
	client := dynamodb.NewFromConfig(local.AWSConfig())
	left, _ := table(t, "batch-left", false)
	right, _ := table(t, "batch-right", false)
	for _, name := range []string{left, right} {
		_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &name, Item: row{"pk": text("a"), "sk": text("x")}})
		if err != nil {
			t.Fatal(err)
		}
	}
	keys := types.KeysAndAttributes{ConsistentRead: aws.Bool(true), Keys: []map[string]types.AttributeValue{
		{"pk": text("a"), "sk": text("x")}, {"pk": text("a"), "sk": text("absent")},
	}}
	out, err := client.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{
		RequestItems: map[string]types.KeysAndAttributes{left: keys, right: keys},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Responses[left]) != 1 || len(out.Responses[right]) != 1 || len(out.UnprocessedKeys) != 0 {
		t.Errorf("answer is %v, unprocessed %v", out.Responses, out.UnprocessedKeys)
	}
}

func TestCounterStopsExactlyAtItsLimit(t *testing.T) {
	client := dynamodb.NewFromConfig(local.AWSConfig())
	name, _ := table(t, "counter", false)
	const tries, limit = 40, 10
	results := make(chan string, tries)
	for range tries {
		go func() {
			_, err := client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
				TableName: &name, Key: row{"pk": text("a"), "sk": text("guesses")},
				UpdateExpression:          aws.String("ADD n :one"),
				ConditionExpression:       aws.String("attribute_not_exists(n) OR n < :limit"),
				ExpressionAttributeValues: row{":one": number("1"), ":limit": number("10")},
			})
			results <- code(err)
		}()
	}
	seen := map[string]int{}
	for range tries {
		seen[<-results]++
	}
	if seen[""] != limit || seen["ConditionalCheckFailedException"] != tries-limit {
		t.Errorf("results: %v, want %d successes", seen, limit)
	}
}

func TestRoleReachesOnlyItsTableAndActions(t *testing.T) {
	root := dynamodb.NewFromConfig(local.AWSConfig())
	mine, _ := table(t, "role-mine", false)
	other, _ := table(t, "role-other", false)
	arn := "arn:aws:dynamodb:" + "us-east-1:000000000000:table/"
	client := dynamodb.NewFromConfig(role(t, "dynamo-writer", allow(arn+mine, "dynamodb:PutItem", "dynamodb:ConditionCheckItem")))
	item := row{"pk": text("a"), "sk": text("b")}
	put := func(name string) types.TransactWriteItem {
		return types.TransactWriteItem{Put: &types.Put{TableName: &name, Item: item}}
	}
	_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &mine, Item: item})
	wantCode(t, "put in its table", err, "")
	_, err = client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &mine, Key: item})
	wantCode(t, "read of its table", err, "AccessDeniedException")
	_, err = client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &other, Item: item})
	wantCode(t, "put in another table", err, "AccessDeniedException")
	_, err = client.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{put(mine), put(other)}})
	wantCode(t, "transaction over both", err, "AccessDeniedException")
	_, err = client.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{Delete: &types.Delete{TableName: &mine, Key: item}},
	}})
	wantCode(t, "deletion in a transaction", err, "AccessDeniedException")
	if n := count(t, root, other); n != 0 {
		t.Errorf("refused writes left %d items", n)
	}
}

func count(t *testing.T, client *dynamodb.Client, name string) int32 {
	t.Helper()
	out, err := client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &name, ConsistentRead: aws.Bool(true)})
	if err != nil {
		t.Fatal(err)
	}
	return out.Count
}
