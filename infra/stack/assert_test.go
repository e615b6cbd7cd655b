package stack_test

import (
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"paddock/infra/rights"
	"paddock/infra/stack"
	"paddock/shared/route"
)

const conditionsGolden = "../testdata/conditions.golden.json"

// One synthesis serves all of these, as it takes seconds.
func TestTemplate(t *testing.T) {
	template := synth(t, stack.Props{})
	t.Run("equals the golden file", func(t *testing.T) { sameAsFile(t, golden, template) })
	t.Run("tables are protected and keyrings have no copy", func(t *testing.T) { checkTables(t, template) })
	t.Run("audit bucket is locked", func(t *testing.T) { checkBucket(t, template) })
	t.Run("bucket and queues refuse plain http", func(t *testing.T) { checkTLS(t, template) })
	t.Run("roles equal the lists of rights", func(t *testing.T) { checkRights(t, template) })
	t.Run("conditions equal the golden file", func(t *testing.T) { checkConditions(t, template) })
	t.Run("no statement allows a wildcard action", func(t *testing.T) { checkActions(t, template) })
	t.Run("wildcard resources are the named ones", func(t *testing.T) { checkWildcards(t, template) })
	t.Run("stream filters let one kind through", func(t *testing.T) { checkFilters(t, template) })
	t.Run("every call into a function is allowed by name", func(t *testing.T) { checkCalls(t, template) })
	t.Run("resources are of plain kinds", func(t *testing.T) { checkKinds(t, template) })
	t.Run("functions know nothing of a local engine", func(t *testing.T) { checkVariables(t, template) })
}

func checkTables(t *testing.T, template object) {
	stored := map[string]bool{"paddock-data": true, "paddock-credentials": true}
	tables := ofType(template, "AWS::DynamoDB::Table")
	if len(tables) != 4 {
		t.Fatalf("%d tables, want 4", len(tables))
	}
	for id, table := range tables {
		p := properties(table)
		name := p["TableName"].(string)
		equal(t, id+" deletion protection", p["DeletionProtectionEnabled"], true)
		equal(t, id+" recovery", p["PointInTimeRecoverySpecification"], object{"PointInTimeRecoveryEnabled": stored[name]})
		equal(t, id+" has expiry", p["TimeToLiveSpecification"] != nil, stored[name])
		equal(t, id+" has a stream", p["StreamSpecification"] != nil, name == "paddock-data")
		equal(t, id+" deletion policy", table["DeletionPolicy"], "Retain")
	}
}

func checkBucket(t *testing.T, template object) {
	bucket := ofType(template, "AWS::S3::Bucket")["AuditBucket"]
	p := properties(bucket)
	equal(t, "lock", p["ObjectLockEnabled"], true)
	equal(t, "default retention", p["ObjectLockConfiguration"], object{
		"ObjectLockEnabled": "Enabled",
		"Rule":              object{"DefaultRetention": object{"Mode": "COMPLIANCE", "Days": 90.0}},
	})
	equal(t, "versions", p["VersioningConfiguration"], object{"Status": "Enabled"})
	equal(t, "public access", p["PublicAccessBlockConfiguration"], object{
		"BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true, "RestrictPublicBuckets": true,
	})
	equal(t, "deletion policy", bucket["DeletionPolicy"], "Retain")
}

func checkTLS(t *testing.T, template object) {
	bucket := []any{arnOf("AuditBucket"), join(arnOf("AuditBucket"), "/*")}
	want := map[string]any{"AuditBucketPolicy": overTLS("s3", bucket)}
	for _, queue := range []string{"MessagesQueue", "MessagesDeadQueue", "StreamDeadQueue"} {
		want[queue+"Policy"] = overTLS("sqs", arnOf(queue))
	}
	got := map[string]any{}
	for _, kind := range []string{"AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy"} {
		for id, policy := range ofType(template, kind) {
			got[id] = properties(policy)["PolicyDocument"].(object)["Statement"]
		}
	}
	equal(t, "resource policies", got, want)
	equal(t, "queues", len(ofType(template, "AWS::SQS::Queue")), len(ofType(template, "AWS::SQS::QueuePolicy")))
}

func overTLS(service string, resource any) any {
	return []any{object{
		"Sid": "OverTLSOnly", "Effect": "Deny", "Principal": "*", "Action": []any{service + ":*"}, "Resource": resource,
		"Condition": object{"Bool": object{"aws:SecureTransport": "false"}},
	}}
}

// checkRights rebuilds each role's policy from its list, with the symbols
// written out here a second time.
func checkRights(t *testing.T, template object) {
	policies := ofType(template, "AWS::IAM::Policy")
	for _, function := range rights.Functions() {
		id := strings.ToUpper(function[:1]) + function[1:]
		role := properties(ofType(template, "AWS::IAM::Role")[id+"Role"])
		equal(t, function+" role name", role["RoleName"], "paddock-"+function)
		equal(t, function+" role policies elsewhere", []any{role["Policies"], role["ManagedPolicyArns"]}, []any{nil, nil})
		list, err := rights.Of(function)
		if err != nil {
			t.Fatal(err)
		}
		policy, found := policies[id+"Rights"]
		if !found {
			equal(t, function+" rights", len(list), 0)
			continue
		}
		equal(t, function+" roles", properties(policy)["Roles"], []any{object{"Ref": id + "Role"}})
		got := map[string][]any{}
		for _, s := range statements(policy) {
			equal(t, function+" effect", s["Effect"], "Allow")
			equal(t, function+" condition", s["Condition"], nil)
			for _, action := range s["Action"].([]any) {
				got[action.(string)] = append(got[action.(string)], s["Resource"])
			}
		}
		want := map[string][]any{}
		for _, right := range list {
			want[right.Action] = append(want[right.Action], resources(function)[right.Resource])
		}
		equal(t, function+" rights", got, want)
	}
}

func resources(function string) map[string]any {
	return map[string]any{
		"data": arnOf("DataTable"), "credentials": arnOf("CredentialsTable"),
		"data-keyring": arnOf("DataKeyringTable"), "credential-keyring": arnOf("CredentialKeyringTable"),
		"data-index":  join(arnOf("DataTable"), "/index/*"),
		"data-stream": object{"Fn::GetAtt": []any{"DataTable", "StreamArn"}}, "data-streams": join(arnOf("DataTable"), "/stream/*"),
		"audit-objects": join(arnOf("AuditBucket"), "/*"), "signing-key": arnOf("SigningKey"),
		"workspace-keys": sub("kms", "key/*"), "new-key": "*",
		"messages": arnOf("MessagesQueue"), "stream-dead": arnOf("StreamDeadQueue"),
		"sender": object{"Fn::If": []any{"Strict", []any{
			sub("ses", "identity/no-reply@localhost"), sub("ses", "identity/localhost"),
		}, []any{"*"}}},
		"phone-numbers": object{"Fn::If": []any{"NoSms", []any{sub("sns", "none")}, []any{"*"}}},
		"voice-origin":  object{"Fn::If": []any{"NoVoice", []any{sub("sms-voice", "none")}, []any{object{"Ref": "VoiceOrigin"}}}},
		"log":           sub("logs", "log-group:/aws/lambda/paddock-"+function+":*"),
	}
}

func checkConditions(t *testing.T, template object) {
	got := object{}
	for id, policy := range ofType(template, "AWS::IAM::Policy") {
		if !strings.HasSuffix(id, "Conditions") {
			continue
		}
		equal(t, id+" condition", policy["Condition"], "Strict")
		for _, s := range statements(policy) {
			equal(t, id+" effect", s["Effect"], "Deny")
		}
		got[id] = policy
	}
	sameAsFile(t, conditionsGolden, got)
}

func checkActions(t *testing.T, template object) {
	for id, list := range allStatements(template) {
		for _, s := range list {
			if s["Effect"] == "Deny" {
				continue
			}
			for _, action := range s["Action"].([]any) {
				if strings.Contains(action.(string), "*") {
					t.Errorf("%s %s allows %s", id, s["Sid"], action)
				}
			}
		}
	}
}

// checkWildcards holds the only resources that are all of a kind, each with
// its reason.
func checkWildcards(t *testing.T, template object) {
	reasons := map[string]string{
		"ProvisionRights NewKey":     "a key that does not exist yet has no ARN",
		"TasksRights Sender":         "only where the engine knows no other resource (condition Strict is false)",
		"TasksRights PhoneNumbers":   "a phone number has no ARN; nothing where no text messages are sent",
		"SigningKey LookAfter":       "in a key policy the resource is the key itself",
		"SigningKey SignCheckpoints": "in a key policy the resource is the key itself",
	}
	found := map[string]string{}
	for id, list := range allStatements(template) {
		for _, s := range list {
			name := id + " " + s["Sid"].(string)
			if s["Effect"] == "Allow" && hasStar(s["Resource"]) {
				found[name] = reasons[name]
			}
		}
	}
	equal(t, "wildcard resources", found, reasons)
}

func checkFilters(t *testing.T, template object) {
	want := map[string]string{"RelayMapping": "message", "ArchiveMapping": "event"}
	for id, kind := range want {
		p := properties(ofType(template, "AWS::Lambda::EventSourceMapping")[id])
		equal(t, id+" filter", p["FilterCriteria"], object{"Filters": []any{object{
			"Pattern": `{"eventName":["INSERT"],"dynamodb":{"NewImage":{"kind":{"S":["` + kind + `"]}}}}`,
		}}})
		equal(t, id+" answers", p["FunctionResponseTypes"], []any{"ReportBatchItemFailures"})
		equal(t, id+" failures", p["DestinationConfig"], object{"OnFailure": object{"Destination": arnOf("StreamDeadQueue")}})
	}
}

// checkCalls lists who calls each function and the statement that allows it.
func checkCalls(t *testing.T, template object) {
	got := map[string]any{}
	for id, permission := range ofType(template, "AWS::Lambda::Permission") {
		got[id] = properties(permission)
	}
	want := map[string]any{}
	for _, one := range route.Gateway() {
		method, path, _ := strings.Cut(strings.Replace(one.Key, "ANY /", "* /", 1), " ")
		source := "*/" + method + path
		name := string(one.Function)
		want[stack.RouteID(one.Key)+"Permission"] = object{
			"Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com",
			"FunctionName": arnOf(strings.ToUpper(name[:1]) + name[1:] + "Function"),
			"SourceArn":    sub("execute-api", "${HttpApi}/"+source),
		}
	}
	equal(t, "gateway permissions", got, want)
	for id, function := range map[string]string{"ArchiveSchedule": "ArchiveFunction", "TasksSchedule": "TasksFunction"} {
		target := properties(ofType(template, "AWS::Scheduler::Schedule")[id])["Target"].(object)
		equal(t, id+" target", target["Arn"], arnOf(function))
		equal(t, id+" input", target["Input"], `{"task":"sweep"}`)
		equal(t, id+" role", target["RoleArn"], arnOf(id+"Role"))
		policies := properties(ofType(template, "AWS::IAM::Role")[id+"Role"])["Policies"].([]any)
		equal(t, id+" rights", policies, []any{object{"PolicyName": "rights", "PolicyDocument": object{
			"Version": "2012-10-17", "Statement": []any{object{
				"Sid": "Invoke", "Effect": "Allow", "Action": []any{"lambda:InvokeFunction"}, "Resource": arnOf(function),
			}},
		}}})
	}
}

func checkKinds(t *testing.T, template object) {
	for id, resource := range template["Resources"].(object) {
		kind := resource.(object)["Type"].(string)
		if strings.HasPrefix(kind, "Custom::") || kind == "AWS::CloudFormation::CustomResource" {
			t.Errorf("%s is a custom resource", id)
		}
	}
	for id, group := range ofType(template, "AWS::Logs::LogGroup") {
		equal(t, id+" retention", properties(group)["RetentionInDays"], 90.0)
	}
}

func checkVariables(t *testing.T, template object) {
	functions := ofType(template, "AWS::Lambda::Function")
	if len(functions) != len(stack.FunctionNames()) {
		t.Fatalf("%d functions, want %d", len(functions), len(stack.FunctionNames()))
	}
	for id, function := range functions {
		variables := properties(function)["Environment"].(object)["Variables"].(object)
		for _, name := range []string{"AWS_ENDPOINT_URL", "AWS_CA_BUNDLE", "PADDOCK_CLOCK_FILE"} {
			if _, found := variables[name]; found {
				t.Errorf("%s has %s", id, name)
			}
		}
	}
}

func statements(policy object) []object {
	var out []object
	for _, s := range properties(policy)["PolicyDocument"].(object)["Statement"].([]any) {
		out = append(out, s.(object))
	}
	return out
}

// allStatements returns every statement of every identity and key policy.
func allStatements(template object) map[string][]object {
	out := map[string][]object{}
	for id, policy := range ofType(template, "AWS::IAM::Policy") {
		out[id] = statements(policy)
	}
	for id, key := range ofType(template, "AWS::KMS::Key") {
		for _, s := range properties(key)["KeyPolicy"].(object)["Statement"].([]any) {
			out[id] = append(out[id], s.(object))
		}
	}
	for id, role := range ofType(template, "AWS::IAM::Role") {
		policies, _ := properties(role)["Policies"].([]any)
		for _, policy := range policies {
			out[id] = append(out[id], statements(object{"Properties": policy})...)
		}
	}
	return out
}

func hasStar(resource any) bool {
	switch r := resource.(type) {
	case string:
		return r == "*"
	case []any:
		return slices.ContainsFunc(r, hasStar)
	case object:
		return slices.ContainsFunc(slices.Collect(maps.Values(r)), hasStar)
	}
	return false
}

func arnOf(id string) any { return object{"Fn::GetAtt": []any{id, "Arn"}} }

func join(start any, end string) any { return object{"Fn::Join": []any{"", []any{start, end}}} }

func sub(service, resource string) any {
	return object{"Fn::Sub": "arn:${AWS::Partition}:" + service + ":${AWS::Region}:${AWS::AccountId}:" + resource}
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %v\nwant %v", what, got, want)
	}
}

func sameAsFile(t *testing.T, name string, value any) {
	t.Helper()
	got := pretty(t, value)
	if *update {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s is stale: run go test ./infra/... -update and review the change", name)
	}
}
