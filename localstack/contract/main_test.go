package contract

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"paddock/localstack/engine"
)

// local is the engine all tests of this package share. It is set once, before
// any test runs.
var local *engine.Engine

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	e, err := engine.Start(context.Background(), engine.Config{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	local = e
	code := m.Run()
	if err := e.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// text, number and row shorten items.
func text(s string) dynamotypes.AttributeValue { return &dynamotypes.AttributeValueMemberS{Value: s} }

func number(s string) dynamotypes.AttributeValue { return &dynamotypes.AttributeValueMemberN{Value: s} }

type row = map[string]dynamotypes.AttributeValue

// table makes a table with pk and sk, with a stream when asked, and returns its
// name and stream ARN.
func table(t *testing.T, name string, stream bool) (string, string) {
	t.Helper()
	input := &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: dynamotypes.BillingModePayPerRequest,
		AttributeDefinitions: []dynamotypes.AttributeDefinition{
			{AttributeName: aws.String("pk"), AttributeType: dynamotypes.ScalarAttributeTypeS},
			{AttributeName: aws.String("sk"), AttributeType: dynamotypes.ScalarAttributeTypeS},
		},
		KeySchema: []dynamotypes.KeySchemaElement{
			{AttributeName: aws.String("pk"), KeyType: dynamotypes.KeyTypeHash},
			{AttributeName: aws.String("sk"), KeyType: dynamotypes.KeyTypeRange},
		},
	}
	if stream {
		input.StreamSpecification = &dynamotypes.StreamSpecification{
			StreamEnabled: aws.Bool(true), StreamViewType: dynamotypes.StreamViewTypeNewAndOldImages,
		}
	}
	out, err := dynamodb.NewFromConfig(local.AWSConfig()).CreateTable(t.Context(), input)
	if err != nil {
		t.Fatal(err)
	}
	return name, aws.ToString(out.TableDescription.LatestStreamArn)
}

// A statement is one statement of a policy.
type statement struct {
	Effect    string
	Action    []string
	Resource  []string          `json:",omitempty"`
	Principal map[string]string `json:",omitempty"`
	Condition map[string]any    `json:",omitempty"`
}

func policy(t *testing.T, statements ...statement) *string {
	t.Helper()
	document, err := json.Marshal(struct {
		Version   string
		Statement []statement
	}{"2012-10-17", statements})
	if err != nil {
		t.Fatal(err)
	}
	return aws.String(string(document))
}

func allow(resource string, actions ...string) statement {
	return statement{Effect: "Allow", Action: actions, Resource: []string{resource}}
}

func roleARN(name string) string { return "arn:aws:iam::" + engine.Account + ":role/" + name }

// role makes a role with the statements and returns a configuration that acts
// as it.
func role(t *testing.T, name string, statements ...statement) aws.Config {
	t.Helper()
	client := iam.NewFromConfig(local.AWSConfig())
	trust := policy(t,
		statement{Effect: "Allow", Action: []string{"sts:AssumeRole"}, Principal: map[string]string{"AWS": engine.Account}},
		statement{Effect: "Allow", Action: []string{"sts:AssumeRole"}, Principal: map[string]string{"Service": "lambda.amazonaws.com"}},
	)
	if _, err := client.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: trust}); err != nil {
		t.Fatal(err)
	}
	if len(statements) > 0 {
		_, err := client.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{
			RoleName: &name, PolicyName: aws.String("rights"), PolicyDocument: policy(t, statements...),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	out, err := sts.NewFromConfig(local.AWSConfig()).AssumeRole(t.Context(), &sts.AssumeRoleInput{
		RoleArn: aws.String(roleARN(name)), RoleSessionName: aws.String("contract"),
	})
	if err != nil {
		t.Fatal(err)
	}
	c := out.Credentials
	return local.WithCredentials(credentials.NewStaticCredentialsProvider(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken))
}

// code returns the API error code of err, "" when there is none.
func code(err error) string {
	if apiErr, ok := errors.AsType[smithy.APIError](err); ok {
		return apiErr.ErrorCode()
	}
	if err != nil {
		return "not an API error: " + err.Error()
	}
	return ""
}

func wantCode(t *testing.T, what string, err error, want string) {
	t.Helper()
	if got := code(err); got != want {
		t.Errorf("%s: error code is %q, want %q (%v)", what, got, want, err)
	}
}
