package world

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	awskms "github.com/aws/aws-sdk-go-v2/service/kms"

	"paddock/shared/archive"
	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/aws/dynamo"
	"paddock/shared/aws/kms"
	"paddock/shared/id"
	"paddock/shared/seal"
	"paddock/shared/table"
)

// Tables returns the names of the four tables.
func (w *World) Tables() map[table.Name]string {
	env := w.Environment["signin"]
	return map[table.Name]string{
		table.Data: env["PADDOCK_DATA_TABLE"], table.Credentials: env["PADDOCK_CREDENTIALS_TABLE"],
		table.DataKeyring: env["PADDOCK_DATA_KEYRING_TABLE"], table.CredentialKeyring: env["PADDOCK_CREDENTIAL_KEYRING_TABLE"],
	}
}

// Store returns a store that may do everything: it acts as root, for
// inspection only.
func (w *World) Store() (*table.Store, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.inspector == nil {
		var err error
		if w.inspector, err = w.StoreOver(w.Database()); err != nil {
			return nil, err
		}
	}
	return w.inspector, nil
}

// StoreOver is Store over an engine that a test has put in between.
func (w *World) StoreOver(e table.Engine) (*table.Store, error) {
	return table.New(table.Config{
		Engine: e, Cache: seal.NewCache(kms.New(awskms.NewFromConfig(w.Engine.AWSConfig())), w.standing),
		Keyrings: []table.Name{table.DataKeyring, table.CredentialKeyring}, Now: w.Clock.Now, Retain: archive.MinRetention,
	})
}

// standing is the clock of the inspector's keys: they stay in its memory.
func (w *World) standing() time.Time { return time.Unix(0, 0) }

// Database returns the tables as root sees them.
func (w *World) Database() *dynamo.Engine {
	return dynamo.New(dynamodb.NewFromConfig(w.Engine.AWSConfig()), w.Tables())
}

// Records returns everything that is stored of a workspace, in all tables.
func (w *World) Records(ctx context.Context, ws id.ID[id.Workspace]) ([]table.Record, error) {
	var keys []table.Key
	err := w.scan(ctx, ws, "pk, sk", func(k table.Key, _ Item) error {
		keys = append(keys, k)
		return nil
	})
	if err != nil {
		return nil, err
	}
	var out []table.Record
	for part := range slices.Chunk(keys, 90) {
		records, err := w.Database().Get(ctx, part)
		if err != nil {
			return nil, err
		}
		out = append(out, records...)
	}
	return out, nil
}

// A write is one conditional write that was carried out.
type write struct {
	call      Call
	key       table.Key
	condition string
	verb      string
	item      Item // of a put
}

// writes returns every write of these calls that was carried out, by call.
func (w *World) writes(calls []Call) ([][]write, error) {
	names := map[string]table.Name{}
	for n, name := range w.Tables() {
		names[name] = n
	}
	var out [][]write
	for _, c := range calls {
		if !c.Applied {
			continue
		}
		var group []write
		add := func(verb string, tableName *string, key Item, condition *string, item Item) error {
			k, err := keyOf(names[aws.ToString(tableName)], key)
			group = append(group, write{call: c, key: k, condition: aws.ToString(condition), verb: verb, item: item})
			return err
		}
		var err error
		switch in := c.Input.(type) {
		case *dynamodb.TransactWriteItemsInput:
			for _, t := range in.TransactItems {
				switch {
				case t.Put != nil:
					err = errors.Join(err, add("put", t.Put.TableName, t.Put.Item, t.Put.ConditionExpression, t.Put.Item))
				case t.Delete != nil:
					err = errors.Join(err, add("delete", t.Delete.TableName, t.Delete.Key, t.Delete.ConditionExpression, nil))
				case t.ConditionCheck != nil:
					err = errors.Join(err, add("check", t.ConditionCheck.TableName, t.ConditionCheck.Key, t.ConditionCheck.ConditionExpression, nil))
				default:
					err = errors.New("world: a transaction updates an item")
				}
			}
		case *dynamodb.PutItemInput:
			err = add("put", in.TableName, in.Item, in.ConditionExpression, in.Item)
		case *dynamodb.UpdateItemInput:
			err = add("update", in.TableName, in.Key, in.ConditionExpression, nil)
		case *dynamodb.DeleteItemInput:
			err = add("delete", in.TableName, in.Key, in.ConditionExpression, nil)
		}
		if err != nil {
			return nil, err
		}
		if len(group) > 0 {
			out = append(out, group)
		}
	}
	return out, nil
}

// Written returns what these calls wrote: how many events, and the keys of all
// else but scratch.
func (w *World) Written(calls []Call) (events int, others []table.Key, err error) {
	groups, err := w.writes(calls)
	if err != nil {
		return 0, nil, err
	}
	for _, g := range groups {
		lone := len(g) == 1 && scratch(g[0])
		for _, one := range g {
			switch {
			case one.verb == "check" || lone:
			case one.key.Kind == "A":
				events++
			default:
				others = append(others, one.key)
			}
		}
	}
	return events, others, nil
}

// KindOf names an item by the letter of its partition and the first word of its
// sort key, "event" for an id.
func KindOf(item Item) string {
	k, err := keyOf(table.Data, item)
	if err != nil {
		return err.Error()
	}
	word, _, _ := strings.Cut(k.SK, "#")
	if _, err := id.ParseUUID(word); err == nil {
		word = "event"
	}
	return k.Kind + " " + word
}

func keyOf(name table.Name, item Item) (table.Key, error) {
	pk, _ := item["pk"].(*types.AttributeValueMemberS)
	sk, _ := item["sk"].(*types.AttributeValueMemberS)
	if name == 0 || pk == nil || sk == nil {
		return table.Key{}, errors.New("world: a write without table or key")
	}
	parts := strings.SplitN(pk.Value, "#", 3)
	if len(parts) < 2 {
		return table.Key{}, fmt.Errorf("world: partition key %q", pk.Value)
	}
	ws, err := id.Parse[id.Workspace](parts[1])
	k := table.Key{Table: name, Kind: parts[0], Workspace: ws, SK: sk.Value}
	if len(parts) == 3 {
		k.Of = parts[2]
	}
	return k, err
}

// scratch reports whether a lone write is of a declared scratch kind, by what
// it writes.
func scratch(w write) bool {
	switch {
	case w.verb == "update": // counters
		return strings.Contains("GTB", w.key.Kind) || w.key.Kind == "C" && (strings.HasPrefix(w.key.SK, "tries#") || strings.HasPrefix(w.key.SK, "guess#"))
	case w.verb == "delete": // the mark of a tally that was settled before
		return w.key.Kind == "M"
	case w.verb != "put":
		return false
	case w.key.Kind == "U": // touch
		return strings.HasPrefix(w.key.SK, "session#") || strings.HasPrefix(w.key.SK, "token#")
	case w.key.Kind == "X": // touch of a service token
		return strings.HasPrefix(w.key.SK, "token#")
	case w.key.Kind == "C": // a method being set up, a sign-in that names nobody yet
		return strings.HasPrefix(w.key.SK, "factor#") || w.key.SK == "passkey"
	case w.key.Kind == "V": // usage
		return strings.HasPrefix(w.key.SK, "day#")
	case w.key.Kind == "Q": // a device login that waits
		return w.key.SK == "login"
	}
	return w.key.Kind == "M" // delivery
}

// Inspect checks what must hold of a workspace at every moment: of everything
// that the functions of r wrote, no change without its event and the fence, and
// one primary event for each, before the others; of everything that is stored, nothing that is
// half there. It returns all that does not hold. States are the keys written
// before, to which those of r are added; events are looked at once.
func (w *World) Inspect(ctx context.Context, r *Recorder, ws id.ID[id.Workspace], states map[table.Key]bool) error {
	groups, err := w.writes(r.Calls())
	if err != nil {
		return err
	}
	faults := unfenced(groups)
	keys := map[table.Key]bool{}
	for _, g := range groups {
		for _, one := range g {
			switch {
			case one.key.Workspace != ws || one.key.Table == table.DataKeyring || one.key.Table == table.CredentialKeyring:
			case one.key.Kind == "A":
				keys[one.key] = true
			default:
				states[one.key] = true
			}
		}
	}
	maps.Copy(keys, states)
	store, err := w.Store()
	if err != nil {
		return err
	}
	by := authz.ForTask(ws, "inspection")
	items := map[table.Key]table.Item{}
	all := make([]table.Key, 0, len(keys))
	for k := range keys {
		if k.Kind != "L" && k.Kind != "G" && !strings.HasPrefix(k.SK, "tries#") && !strings.HasPrefix(k.SK, "guess#") {
			all = append(all, k)
		}
	}
	for part := range slices.Chunk(all, 90) {
		read, err := store.Read(ctx, by, part...)
		if err != nil {
			return err
		}
		for _, item := range read {
			items[item.Key] = item
		}
	}
	for k := range states {
		if _, ok := items[k]; !ok {
			delete(states, k) // removed since
		}
	}
	view := inspection{ws: ws, store: store, by: by, items: items}
	faults = append(faults, view.events(groups)...)
	faults = append(faults, view.people(ctx)...)
	faults = append(faults, view.acknowledged(r)...)
	return errors.Join(faults...)
}

// Events returns the events of the walk's workspace that are stored, oldest
// first.
func (w *Walk) Events(ctx context.Context) ([]audit.Event, error) {
	store, err := w.World.Store()
	if err != nil {
		return nil, err
	}
	by := authz.ForTask(w.ID, "inspection")
	var out []audit.Event
	for day := w.began.UTC().Truncate(24 * time.Hour); !day.After(w.World.Clock.Now()); day = day.AddDate(0, 0, 1) {
		items, err := store.Query(ctx, by, table.Query{Key: table.Key{Table: table.Data, Kind: "A", Workspace: w.ID, Of: table.EventDay(day), SK: "-"}})
		if err != nil {
			return nil, err
		}
		for _, item := range items {
			e, err := audit.Decode(item.Payload)
			if err != nil {
				return nil, fmt.Errorf("event %s: %w", item.Key, err)
			}
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b audit.Event) int { return strings.Compare(a.UID.String(), b.UID.String()) })
	return out, nil
}

// InspectStored checks what is stored of a workspace, whoever wrote it: every
// payload opens, every event names itself, and nothing is half there. It
// returns the events, oldest first.
func (w *World) InspectStored(ctx context.Context, ws id.ID[id.Workspace]) ([]audit.Event, error) {
	records, err := w.Records(ctx, ws)
	if err != nil {
		return nil, err
	}
	var keys []table.Key
	for _, r := range records {
		if r.Key.Kind != "L" && r.Key.Kind != "K" {
			keys = append(keys, r.Key)
		}
	}
	store, err := w.Store()
	if err != nil {
		return nil, err
	}
	view := inspection{ws: ws, store: store, by: authz.ForTask(ws, "inspection"), items: map[table.Key]table.Item{}, opened: map[string]audit.Event{}}
	var events []audit.Event
	for part := range slices.Chunk(keys, 90) {
		items, err := store.Read(ctx, view.by, part...)
		if err != nil {
			return nil, err
		}
		for _, item := range items {
			view.items[item.Key] = item
			if item.Key.Kind != "A" {
				continue
			}
			e, err := audit.Decode(item.Payload)
			if err != nil || e.UID.String() != item.Key.SK {
				return nil, fmt.Errorf("event %s names itself %s: %w", item.Key, e.UID, err)
			}
			view.opened[item.Key.SK] = e
			events = append(events, e)
		}
	}
	slices.SortFunc(events, func(a, b audit.Event) int { return strings.Compare(a.UID.String(), b.UID.String()) })
	return events, errors.Join(view.people(ctx)...)
}

// unfenced returns every write that stands without condition, event or fence.
func unfenced(groups [][]write) []error {
	var faults []error
	for _, g := range groups {
		events, fence := 0, false
		for _, one := range g {
			if one.condition == "" {
				faults = append(faults, fmt.Errorf("%s: %s of %s has no condition", one.call, one.verb, one.key))
			}
			if one.key.Kind == "A" {
				events++
			}
			fence = fence || one.key.Kind == "W"
		}
		switch lone := g[0]; {
		case lone.call.Function == "archive":
			if !fence {
				faults = append(faults, fmt.Errorf("%s: the log's head moves without the fence", lone.call))
			}
		case len(g) == 1 && (events == 1 || scratch(lone)):
		case events == 0:
			faults = append(faults, fmt.Errorf("%s: %s of %s has no event", lone.call, lone.verb, lone.key))
		case !fence:
			faults = append(faults, fmt.Errorf("%s: a change does not hold that the workspace is alive", lone.call))
		}
	}
	return faults
}

// An inspection is what is stored of one workspace.
type inspection struct {
	ws     id.ID[id.Workspace]
	store  *table.Store
	by     authz.Allowed
	items  map[table.Key]table.Item
	opened map[string]audit.Event // by sort key
}

// events opens every event: each names itself, and each change has exactly one
// that is the cause of the others.
func (v *inspection) events(groups [][]write) []error {
	var faults []error
	v.opened = map[string]audit.Event{}
	for _, g := range groups {
		var primary []id.UUID
		var caused []audit.Event
		for _, one := range g {
			if one.key.Kind != "A" || one.verb != "put" || one.key.Workspace != v.ws {
				continue
			}
			item, ok := v.items[one.key]
			if !ok {
				faults = append(faults, fmt.Errorf("%s: event %s is gone", one.call, one.key))
				continue
			}
			e, err := audit.Decode(item.Payload)
			if err != nil || e.UID.String() != one.key.SK {
				faults = append(faults, fmt.Errorf("event %s names itself %s: %w", one.key, e.UID, err))
				continue
			}
			v.opened[one.key.SK] = e
			if e.CauseUID.Zero() {
				primary = append(primary, e.UID)
			} else {
				caused = append(caused, e)
			}
		}
		if len(primary)+len(caused) == 0 {
			continue
		}
		if len(primary) != 1 {
			faults = append(faults, fmt.Errorf("%s: %d primary events", g[0].call, len(primary)))
			continue
		}
		for _, e := range caused {
			if e.UID.String() <= primary[0].String() {
				faults = append(faults, fmt.Errorf("%s: event %s is listed before its cause %s", g[0].call, e.UID, primary[0]))
			}
			if e.CauseUID != primary[0] {
				faults = append(faults, fmt.Errorf("%s: event %s has the cause %s, not %s", g[0].call, e.UID, e.CauseUID, primary[0]))
			}
		}
	}
	return faults
}

// acknowledged checks that every change that a client was told of has an event.
func (v *inspection) acknowledged(r *Recorder) []error {
	told := map[string]bool{}
	for _, e := range v.opened {
		told[e.RequestID] = true
	}
	var faults []error
	for _, a := range r.Acknowledged() {
		if !slices.ContainsFunc(a.Attempts, func(request string) bool { return told[request] }) {
			faults = append(faults, fmt.Errorf("%s %s was acknowledged and has no event", a.Method, a.Path))
		}
	}
	return faults
}
