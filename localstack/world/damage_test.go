package world_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"paddock/localstack/visitor"
	"paddock/localstack/world"
	"paddock/shared/table"
)

// TestDamagedItemsAreInternalErrors damages the stored payload of each sealed
// kind in the table itself and makes the request that needs it: the answer is
// an internal error that tells nothing, and the log line raises the alarm.
func TestDamagedItemsAreInternalErrors(t *testing.T) {
	w, p := planted(t)
	waiting := open(t, w, w.Me)
	kinds := stored(t, w.ID)
	get := func(path string) func(*testing.T, table.Record) visitor.Answer {
		return func(t *testing.T, _ table.Record) visitor.Answer { return do(t, w, "GET", path, nil) }
	}
	signIn := func(t *testing.T, _ table.Record) visitor.Answer {
		return do(t, w, "POST", "/api/auth/signin/", map[string]string{"login": world.Username, "password": "the-lamp-after-the-first"})
	}
	verify := func(t *testing.T, r table.Record) visitor.Answer {
		which := strings.TrimPrefix(r.Key.SK, "challenge#")
		if r.Key.SK == which { // another kind: an open challenge needs it
			return do(t, w, "POST", "/api/auth/mfa/challenges/"+challenge(t, w, "otp")+"/verify/", map[string]string{"code": "000000"})
		}
		return do(t, w, "POST", "/api/auth/mfa/challenges/"+which+"/verify/", map[string]string{"code": "000000"})
	}
	ofApplication := func(path string) func(*testing.T, table.Record) visitor.Answer {
		return func(t *testing.T, r table.Record) visitor.Answer {
			return do(t, w, "GET", appsPath+r.Key.Of+"/"+path, nil)
		}
	}
	if err := w.Delivery.All(t.Context()); err != nil {
		t.Fatal(err)
	}
	link := func(path, page, to string) func(*testing.T, table.Record) visitor.Answer {
		return func(t *testing.T, _ table.Record) visitor.Answer {
			secret, err := w.Link(to, page)
			if err != nil {
				t.Fatal(err)
			}
			body := map[string]string{"token": secret}
			if path == reset {
				body["password"] = "the-lamp-after-the-second"
			}
			return do(t, w, "POST", path, body)
		}
	}
	requests := map[string]func(*testing.T, table.Record) visitor.Answer{
		"data U#workspace#* / user":      get("/api/status/"),
		"data U#workspace#* / session#*": get("/api/status/"),
		"data W#workspace / head#0":      get("/api/status/"),
		"data D#workspace#user / head":   get("/api/iam/users/"),
		"data D#workspace#user / chunk#*": func(t *testing.T, _ table.Record) visitor.Answer {
			shared.Clock.Advance(time.Minute) // rows are kept as long
			return do(t, w, "GET", "/api/iam/users/", nil)
		},
		"data D#workspace#invitation / open#*": get("/api/iam/invitations/"),
		"data U#workspace#* / browser#*":       signIn,
		"data U#workspace#* / link#reset":      link(reset, "/reset-password", "second."+world.Colleague),
		"data U#workspace#* / link#unlock": func(t *testing.T, _ table.Record) visitor.Answer {
			return do(t, w, "POST", "/api/auth/unlock/", map[string]string{"login": world.Username})
		},
		"data U#workspace#* / link#email":         link("/api/auth/email/confirm/", "/confirm-email", "third."+world.Colleague),
		"data U#workspace#* / link#undo#*":        link("/api/auth/email/undo/", "/undo-email", w.Email()),
		"data U#workspace#* / link#report#*":      link("/api/auth/report/", "/not-me", w.Email()),
		"data A#workspace#* / *":                  get("/api/audit/activity/"),
		"data N#workspace#* / unique":             signIn,
		"credentials C#workspace#* / password":    signIn,
		"credentials C#workspace#* / challenge#*": verify,
		"credentials C#workspace#* / factor#*":    verify,
		"credentials C#workspace#* / recovery": func(t *testing.T, _ table.Record) visitor.Answer {
			return do(t, w, "POST", "/api/auth/mfa/recovery-codes/", nil)
		},
		"credentials C#workspace#* / sends": func(t *testing.T, _ table.Record) visitor.Answer {
			return do(t, w, "POST", "/api/auth/mfa/factors/", map[string]string{"method": "phone", "name": "Mobile", "phone": world.PhoneNumber})
		},
		"credentials Q#workspace#* / login": func(t *testing.T, _ table.Record) visitor.Answer {
			return do(t, w, "POST", lookupPath, typed(waiting.UserCode))
		},
		"data U#workspace#* / invitation#*": func(t *testing.T, _ table.Record) visitor.Answer {
			secret, err := w.Link("guest1."+world.Colleague, "/invitation")
			if err != nil {
				t.Fatal(err)
			}
			return do(t, w, "POST", "/api/auth/invitations/view/", map[string]string{"token": secret})
		},
		"credentials C#workspace#* / passkey": func(t *testing.T, _ table.Record) visitor.Answer {
			return do(t, w, "POST", passkeys+p.passkey.ID+"/verify/", answered(t, p.device, p.passkey))
		},
		"credentials C#workspace#* / ask#*": func(t *testing.T, _ table.Record) visitor.Answer {
			return do(t, w, "POST", askLookupPath, p.verify)
		},
		"data N#workspace#* / key": func(t *testing.T, _ table.Record) visitor.Answer {
			return do(t, w, "DELETE", factors+p.factor+"/", nil)
		},
		"data U#workspace#* / tokens":  get(apiTokens),
		"data U#workspace#* / token#*": get(apiTokens),
		"data U#workspace#* / acl#*":   get(commandACL),
		"data P#workspace / head":      get("/api/status/"),
		"data P#workspace / chunk#group#*": func(t *testing.T, _ table.Record) visitor.Answer {
			shared.Clock.Advance(time.Minute) // it is kept in memory as long
			return do(t, w, "GET", "/api/status/", nil)
		},
		"data P#workspace / chunk#role#*": func(t *testing.T, _ table.Record) visitor.Answer {
			shared.Clock.Advance(time.Minute) // it is kept in memory as long
			return do(t, w, "GET", "/api/status/", nil)
		},
		"data P#workspace / chunk#application#*": func(t *testing.T, _ table.Record) visitor.Answer {
			shared.Clock.Advance(time.Minute) // it is kept in memory as long
			return do(t, w, "GET", "/api/status/", nil)
		},
		"data X#workspace#* / application": get(appsPath),
		"data X#workspace#* / tokens":      ofApplication("tokens/"),
		"data X#workspace#* / token#*":     ofApplication("tokens/"),
		"data X#workspace#* / acl#*": func(t *testing.T, r table.Record) visitor.Answer {
			app := appsPath + r.Key.Of + "/tokens/"
			return do(t, w, "GET", app+paged(t, w.Me, app, "id")[0]+"/rules/", nil)
		},
		"data R#workspace#* / role":       get(rolesPath),
		"data R#workspace#* / assignment": get(assignedPath),
		"data R#workspace#* / holder#*": func(t *testing.T, r table.Record) visitor.Answer {
			return do(t, w, "GET", assignedPath+"?role="+r.Key.Of, nil)
		},
		"data J#workspace / head": func(t *testing.T, _ table.Record) visitor.Answer {
			return do(t, w, "POST", groupsPath, map[string]string{"name": "another"})
		},
		"data J#workspace#* / group":    get(groupsPath),
		"data J#workspace#* / member#*": get(groupsPath),
		"data J#workspace#* / place":    get(membersPath),
		"data P#workspace / chunk#server#*": func(t *testing.T, _ table.Record) visitor.Answer {
			shared.Clock.Advance(time.Minute)
			return do(t, w, "GET", "/api/status/", nil)
		},
		"data P#workspace / chunk#assignment#*": func(t *testing.T, _ table.Record) visitor.Answer {
			shared.Clock.Advance(time.Minute)
			return do(t, w, "GET", "/api/status/", nil)
		},
		"data H#workspace#* / server":     get(serversPath),
		"data H#workspace / note#*":       get(notesPath),
		"data H#workspace / notes#*":      get(notesPath),
		"data H#workspace / tokens":       get(tokensPath),
		"data V#workspace#* / day#*#self": get("/api/iam/users/-/usage/?days=90"),
		"data V#workspace#* / day#*#*":    get("/api/iam/users/-/usage/?days=90"),
		"data M#workspace#* / *":          nil, // no request reads it; see below
	}
	for shape, records := range kinds {
		name, sealed := strings.CutSuffix(shape, "  sealed")
		if !sealed {
			continue
		}
		request, known := requests[name]
		if !known {
			t.Errorf("no request is known that needs %s", name)
			continue
		}
		before := len(shared.Log.String())
		for _, r := range records {
			damage(t, r)
		}
		if request == nil {
			message(t, w, records)
		} else if a := request(t, records[0]); a.Status != http.StatusInternalServerError || a.Problem().Code != "internal_error" || a.Problem().Source != "" {
			t.Errorf("%s damaged: %d %s", name, a.Status, a.Body)
		}
		if !strings.Contains(shared.Log.String()[before:], "payload does not open") {
			t.Errorf("%s damaged: no line says so", name)
		}
		for _, r := range records {
			damage(t, r) // the same bit again: it is whole
		}
	}
	if a := do(t, w, "GET", "/api/status/", nil); a.Status != http.StatusOK {
		t.Errorf("mended, the session opens nothing: %d %s", a.Status, a.Body)
	}
}

func do(t *testing.T, w *world.Walk, method, path string, body any) visitor.Answer {
	t.Helper()
	v := w.Me.WithCookie(w.Me.Cookie()) // a sign-in shall not replace the session
	a, err := v.Do(t.Context(), method, path, body)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func challenge(t *testing.T, w *world.Walk, method string) string {
	t.Helper()
	var out struct{ ID string }
	if err := w.Me.Want(t.Context(), http.StatusCreated, "POST", "/api/auth/mfa/challenges/", map[string]string{"method": method, "purpose": "step_up"}, &out); err != nil {
		t.Fatal(err)
	}
	return out.ID
}

// message delivers the ticket of a damaged message: it is reported as failed.
func message(t *testing.T, w *world.Walk, records []table.Record) {
	t.Helper()
	for _, r := range records {
		restate(t, r, "new")
		body, err := json.Marshal(map[string]string{"workspace": w.ID.String(), "message": r.Key.SK})
		if err != nil {
			t.Fatal(err)
		}
		answer, err := w.Entries.Invoke(t.Context(), "tasks", map[string]any{"Records": []map[string]string{{"messageId": "1", "body": string(body)}}})
		if err != nil || !strings.Contains(string(answer), `"itemIdentifier":"1"`) {
			t.Errorf("a damaged message was answered with %s, %v", answer, err)
		}
		restate(t, r, r.Attr("state").Text)
	}
}

// damage flips the lowest bit of the last byte of a stored payload.
func damage(t *testing.T, r table.Record) {
	t.Helper()
	client := dynamodb.NewFromConfig(shared.Engine.AWSConfig())
	key := map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: r.Key.PK()}, "sk": &types.AttributeValueMemberS{Value: r.Key.SK},
	}
	name := aws.String(shared.Tables()[r.Key.Table])
	got, err := client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: name, Key: key, ConsistentRead: aws.Bool(true)})
	if err != nil {
		t.Fatal(err)
	}
	payload, ok := got.Item["p"].(*types.AttributeValueMemberB)
	if !ok {
		t.Fatalf("%s has no payload", r.Key)
	}
	payload.Value[len(payload.Value)-1] ^= 1
	got.Item["p"] = payload
	if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: name, Item: got.Item}); err != nil {
		t.Fatal(err)
	}
}

// restate sets the plain state of a message.
func restate(t *testing.T, r table.Record, state string) {
	t.Helper()
	_, err := dynamodb.NewFromConfig(shared.Engine.AWSConfig()).UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: aws.String(shared.Tables()[r.Key.Table]), UpdateExpression: aws.String("SET #s = :s"),
		Key: map[string]types.AttributeValue{
			"pk": &types.AttributeValueMemberS{Value: r.Key.PK()}, "sk": &types.AttributeValueMemberS{Value: r.Key.SK},
		},
		ExpressionAttributeNames:  map[string]string{"#s": "state"},
		ExpressionAttributeValues: map[string]types.AttributeValue{":s": &types.AttributeValueMemberS{Value: state}},
	})
	if err != nil {
		t.Fatal(err)
	}
}
