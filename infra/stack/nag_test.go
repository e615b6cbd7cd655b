package stack_test

import (
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"

	"paddock/infra/stack"
)

type suppression struct{ path, rule, reason string }

// suppressions holds every finding of the AwsSolutions rules that we do not
// follow, for one resource each.
func suppressions() []suppression {
	wildcard := "AwsSolutions-IAM5"
	return []suppression{
		{"AuditBucket", "AwsSolutions-S1", "Access logs would need a second bucket that anyone could empty; object access is logged by CloudTrail data events where the operator wants it."},
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
		{"ApiConditions", wildcard, "Denials only."},
		{"ArchiveConditions", wildcard, "Denials only."},
		{"ProvisionConditions", wildcard, "Denials only."},
		{"SigninConditions", wildcard, "Denials only."},
		{"TasksConditions", wildcard, "Denials only."},
	}
}

// gatewaySuppression holds for every route: a gateway authorizer's cached
// verdict would outlive a revocation.
const gatewaySuppression = "The guard inside the functions authorises each request; a gateway authorizer's cached verdict would outlive a revocation."

func TestAwsSolutionsRulesHold(t *testing.T) {
	made, err := newStack(t, stack.Props{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range suppressions() {
		cdknag.NagSuppressions_AddResourceSuppressionsByPath(made, jsii.String("/Paddock/"+s.path),
			&[]*cdknag.NagPackSuppression{{Id: jsii.String(s.rule), Reason: jsii.String(s.reason)}}, nil)
	}
	cdknag.NagSuppressions_AddStackSuppressions(made, &[]*cdknag.NagPackSuppression{
		{Id: jsii.String("AwsSolutions-APIG4"), Reason: jsii.String(gatewaySuppression)},
	}, nil)
	awscdk.Aspects_Of(made).Add(cdknag.NewAwsSolutionsChecks(&cdknag.NagPackProps{Verbose: jsii.Bool(true)}), nil)
	found := assertions.Annotations_FromStack(made)
	rules := assertions.Match_StringLikeRegexp(jsii.String("AwsSolutions-.*"))
	for _, message := range *found.FindError(jsii.String("*"), rules) {
		t.Errorf("%s: %v", *message.Id, message.Entry.Data)
	}
	for _, message := range *found.FindWarning(jsii.String("*"), rules) {
		t.Errorf("%s: %v", *message.Id, message.Entry.Data)
	}
}
