package stack_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/aws-cdk-go/awscdk/v2/cxapi"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"

	"paddock/infra/stack"
	"paddock/shared/route"
)

// An acceptance is a finding of the AwsSolutions rules that we live with.
type acceptance struct{ path, rule, reason string }

func acceptances() []acceptance {
	const wildcard = "AwsSolutions-IAM5"
	list := []acceptance{
		{"AuditBucket", "AwsSolutions-S1", "Access logs would need a second bucket that could be emptied; object access is logged by CloudTrail data events where the operator wants it."},
		{"DataKeyringTable", "AwsSolutions-DDB3", "A keyring that can be restored would undo the destruction of a workspace."},
		{"CredentialKeyringTable", "AwsSolutions-DDB3", "A keyring that can be restored would undo the destruction of a workspace."},
		{"StreamDeadQueue", "AwsSolutions-SQS3", "It is itself the failure destination of the stream mappings."},
		{"ApiRights", wildcard, "All indexes of one table, workspace keys made at run time, the streams of one log group."},
		{"ArchiveRights", wildcard, "All objects of one bucket, the streams of one table, the streams of one log group."},
		{"ConsoleRights", wildcard, "The streams of one log group."},
		{"ProvisionRights", wildcard, "A key that does not exist yet has no ARN; keys made at run time; the streams of one log group."},
		{"RelayRights", wildcard, "The streams of one table, the streams of one log group."},
		{"SigninRights", wildcard, "Workspace keys made at run time, the streams of one log group."},
		{"TasksRights", wildcard, "Workspace keys made at run time, telephone numbers have no ARN, the streams of one log group."},
	}
	for _, one := range route.Gateway() {
		list = append(list, acceptance{
			stack.RouteID(one.Key) + "Route", "AwsSolutions-APIG4",
			"The guard inside the function authorises each request; a gateway authorizer's cached verdict would outlive a revocation.",
		})
	}
	return list
}

// TestAwsSolutionsFindingsAreTheAcceptedOnes compares both ways, so that an
// acceptance that is no longer needed fails too.
func TestAwsSolutionsFindingsAreTheAcceptedOnes(t *testing.T) {
	made, err := newStack(t, stack.Props{})
	if err != nil {
		t.Fatal(err)
	}
	awscdk.Aspects_Of(made).Add(cdknag.NewAwsSolutionsChecks(&cdknag.NagPackProps{}), nil)
	found := assertions.Annotations_FromStack(made)
	rules := assertions.Match_StringLikeRegexp(jsii.String("AwsSolutions-.*"))
	got := map[string]bool{}
	for _, list := range []*[]*cxapi.SynthesisMessage{ //nolint:staticcheck // the type that the assertions return
		found.FindError(jsii.String("*"), rules), found.FindWarning(jsii.String("*"), rules),
	} {
		for _, message := range *list {
			got[strings.TrimPrefix(*message.Id, "/Paddock/")+" "+ruleOf(fmt.Sprint(message.Entry.Data))] = true //nolint:staticcheck // as above
		}
	}
	want := map[string]bool{}
	for _, one := range acceptances() {
		want[one.path+" "+one.rule] = true
	}
	equal(t, "findings", got, want)
}

// ruleOf returns the rule at the start of a finding, without its detail.
func ruleOf(finding string) string {
	rule, _, _ := strings.Cut(finding, ":")
	rule, _, _ = strings.Cut(rule, "[")
	return rule
}
