package dynamo_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"paddock/localstack/engine"
	"paddock/shared/aws/dynamo"
	"paddock/shared/id"
	"paddock/shared/seal"
	"paddock/shared/table"
)

var ws = id.Of[id.Workspace](id.UUID{6: 0x70, 15: 1})

func key(sk string) table.Key {
	return table.Key{Table: table.Data, Kind: "U", Workspace: ws, Of: "someone", SK: sk}
}

func record(sk string, version uint64) table.Record {
	return table.Record{
		Key: key(sk), Version: version, KeyID: seal.KeyID{1, 2}, Sealed: []byte("sealed " + sk),
		TTL: time.Unix(1_900_000_000, 0).UTC(), Plain: []table.Attribute{table.Text("status", "alive")},
	}
}

// open starts an engine of its own with one table.
func open(t *testing.T) *dynamo.Engine {
	t.Helper()
	e, err := engine.Start(t.Context(), engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Stop(); err != nil {
			t.Error(err)
		}
	})
	client := dynamodb.NewFromConfig(e.AWSConfig())
	_, err = client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("data"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: "S"}, {AttributeName: aws.String("sk"), AttributeType: "S"}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: "HASH"}, {AttributeName: aws.String("sk"), KeyType: "RANGE"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return dynamo.New(client, map[table.Name]string{table.Data: "data"})
}

func TestEngineKeepsItsPromises(t *testing.T) {
	e := open(t)
	t.Run("records come back as they went", func(t *testing.T) { roundTrip(t, e) })
	t.Run("a failed condition undoes the whole transaction", func(t *testing.T) { conditions(t, e) })
	t.Run("a transaction repeated under its token is done once", func(t *testing.T) { repeated(t, e) })
	t.Run("a counter stops exactly at its limit", func(t *testing.T) { counter(t, e) })
	t.Run("queries keep order, prefix and bounds", func(t *testing.T) { queries(t, e) })
	t.Run("a table that the function lacks is an error", func(t *testing.T) {
		if _, err := e.Get(t.Context(), []table.Key{{Table: table.Credentials, Kind: "C", Workspace: ws, SK: "x"}}); err == nil {
			t.Error("read a table that is not there")
		}
	})
}

func roundTrip(t *testing.T, e *dynamo.Engine) {
	want := record("round", 1)
	if err := e.Write(t.Context(), table.Write{Verb: table.Put, Record: want}); err != nil {
		t.Fatal(err)
	}
	got, err := e.Get(t.Context(), []table.Key{key("round"), key("absent"), key("round")})
	if err != nil || len(got) != 1 {
		t.Fatalf("%v, %v", got, err)
	}
	if fmt.Sprint(got[0]) != fmt.Sprint(want) {
		t.Errorf("%v\nis not\n%v", got[0], want)
	}
	if err := e.Write(t.Context(), table.Write{Verb: table.Put, Record: want}); !errors.Is(err, table.ErrStale) {
		t.Errorf("the same insert again: %v", err)
	}
}

func conditions(t *testing.T, e *dynamo.Engine) {
	if err := e.Write(t.Context(), table.Write{Verb: table.Put, Record: record("fence", 1)}); err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]table.Write{
		"another version":   {Verb: table.Check, Record: table.Record{Key: key("fence")}, Expect: 2},
		"another status":    {Verb: table.Check, Record: table.Record{Key: key("fence")}, Where: []table.Attribute{table.Text("status", "deleted")}},
		"absent, but there": {Verb: table.Check, Record: table.Record{Key: key("fence")}},
		"there, but absent": {Verb: table.Delete, Record: table.Record{Key: key("nothing")}, Expect: 1},
	} {
		err := e.Transact(t.Context(), "token-"+name, []table.Write{{Verb: table.Put, Record: record("undone", 1)}, bad})
		failed, ok := errors.AsType[*table.Failed](err)
		if !ok || len(failed.Writes) != 1 || failed.Writes[0] != 1 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got, err := e.Get(t.Context(), []table.Key{key("undone")}); err != nil || len(got) != 0 {
		t.Errorf("half a transaction is there: %v, %v", got, err)
	}
}

func repeated(t *testing.T, e *dynamo.Engine) {
	writes := []table.Write{{Verb: table.Put, Record: record("once", 1)}}
	for range 2 {
		if err := e.Transact(t.Context(), "one-token", writes); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Transact(t.Context(), "another-token", writes); !errors.Is(err, table.ErrStale) {
		t.Errorf("under another token: %v", err)
	}
}

func counter(t *testing.T, e *dynamo.Engine) {
	const tries, limit = 60, 10
	var passed atomic.Int64
	var wait sync.WaitGroup
	for range tries {
		wait.Go(func() {
			n, err := e.Add(t.Context(), key("counter"), "n", 1, limit, time.Unix(1_900_000_000, 0))
			switch {
			case err == nil && n >= 1 && n <= limit:
				passed.Add(1)
			case !errors.Is(err, table.ErrStale):
				t.Errorf("%d, %v", n, err)
			}
		})
	}
	wait.Wait()
	if passed.Load() != limit {
		t.Errorf("%d of %d passed, the limit is %d", passed.Load(), tries, limit)
	}
}

func queries(t *testing.T, e *dynamo.Engine) {
	for i := range 7 {
		if err := e.Write(t.Context(), table.Write{Verb: table.Put, Record: record(fmt.Sprintf("q#%d", i), 1)}); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name string
		q    table.Query
		want string
	}{
		{"by prefix", table.Query{Prefix: "q#"}, "0123456"},
		{"backward, two", table.Query{Prefix: "q#", Backward: true, Limit: 2}, "65"},
		{"from on", table.Query{Prefix: "q#", From: "q#4"}, "456"},
		{"before", table.Query{Before: "q#3", Backward: true, Limit: 2}, "21"},
	} {
		c.q.Key = key("-")
		got, err := e.Query(t.Context(), c.q)
		if err != nil {
			t.Fatal(err)
		}
		text := ""
		for _, r := range got {
			text += r.Key.SK[len(r.Key.SK)-1:]
		}
		if text != c.want {
			t.Errorf("%s: %q, want %q", c.name, text, c.want)
		}
		if n, err := e.Size(t.Context(), c.q); err != nil || n != len(c.want) {
			t.Errorf("%s: %d are counted, %v, want %d", c.name, n, err, len(c.want))
		}
	}
}
