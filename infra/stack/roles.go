package stack

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"

	"paddock/infra/rights"
)

// ErrUnknownResource is returned when a list of rights names a resource that
// the stack does not have.
var ErrUnknownResource = errors.New("unknown resource in a list of rights")

// logicalID returns the name of a function or symbol as part of logical ids
// and statement ids: "data-keyring" becomes "DataKeyring".
func logicalID(name string) string {
	var out strings.Builder
	for part := range strings.SplitSeq(name, "-") {
		out.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return out.String()
}

// addRoles adds the roles without rights, because key policies name them.
func (s *deployment) addRoles() {
	for _, function := range rights.Functions() {
		s.roles[function] = awsiam.NewCfnRole(s.cdk, jsii.String(logicalID(function)+"Role"), &awsiam.CfnRoleProps{
			RoleName:                 jsii.String(s.named(function)),
			AssumeRolePolicyDocument: trust("lambda.amazonaws.com", nil),
		})
	}
}

// addRights gives each role its list of rights and, under the parameter
// StrictConditions, the denials of narrow.
func (s *deployment) addRights() error {
	for _, function := range rights.Functions() {
		list, err := rights.Of(function)
		if err != nil {
			return err
		}
		allowed, err := s.allow(function, list)
		if err != nil {
			return err
		}
		s.rights[function] = s.addPolicy(function, "rights", allowed)
		if added := s.addPolicy(function, "conditions", s.narrow(function)); added != nil {
			added.CfnOptions().SetCondition(s.strict)
		}
	}
	return nil
}

// addPolicy adds an inline policy to a role; nothing when it says nothing.
func (s *deployment) addPolicy(function, name string, statements []statement) awsiam.CfnPolicy {
	if len(statements) == 0 {
		return nil
	}
	return awsiam.NewCfnPolicy(s.cdk, jsii.String(logicalID(function)+logicalID(name)), &awsiam.CfnPolicyProps{
		PolicyName:     jsii.String(name),
		PolicyDocument: document(statements...),
		Roles:          &[]*string{s.roles[function].Ref()},
	})
}

// allow turns a list of rights into statements, one per resource in the order
// in which the list first names it.
func (s *deployment) allow(function string, list []rights.Right) ([]statement, error) {
	var out []statement
	at := map[string]int{}
	for _, right := range list {
		i, found := at[right.Resource]
		if !found {
			resources := s.resource(function, right.Resource)
			if resources == nil {
				return nil, fmt.Errorf("%w: %s", ErrUnknownResource, right.Resource)
			}
			i = len(out)
			at[right.Resource] = i
			out = append(out, statement{sid: logicalID(right.Resource), resources: resources})
		}
		out[i].actions = append(out[i].actions, right.Action)
	}
	return out, nil
}

// resource maps a symbol to ARNs. It is the only such place. It returns nil
// for a symbol that does not exist.
func (s *deployment) resource(function, symbol string) []any {
	switch symbol {
	case dataTable, credentialsTable, dataKeyringTable, credentialKeyringTable:
		return []any{s.tables[symbol].AttrArn()}
	case "data-index":
		return []any{s.below(s.tables[dataTable].AttrArn(), "/index/*")}
	case "data-stream":
		return []any{s.tables[dataTable].AttrStreamArn()}
	case "data-streams":
		return []any{s.below(s.tables[dataTable].AttrArn(), "/stream/*")}
	case "audit-objects":
		return []any{s.auditObjects()}
	case "signing-key":
		return []any{s.signingKey.AttrArn()}
	case "workspace-keys":
		// Made at run time, so not known here; narrow limits them by tag.
		return []any{s.arn("kms", "key/*")}
	case "new-key":
		// A key that does not exist yet has no ARN.
		return []any{"*"}
	case "sender":
		return []any{awscdk.Fn_ConditionIf(jsii.String(strict), []any{
			s.arn("ses", "identity/"+s.props.MailSender),
			s.arn("ses", "identity/"+s.props.senderDomain()),
		}, []any{"*"})}
	case "phone-numbers":
		// A phone number has no ARN; narrow keeps it from topics.
		return []any{awscdk.Fn_ConditionIf(jsii.String(noSMS), []any{s.arn("sns", "none")}, []any{"*"})}
	case "voice-origin":
		return []any{awscdk.Fn_ConditionIf(jsii.String(noVoice), []any{s.arn("sms-voice", "none")}, []any{s.voiceOrigin.ValueAsString()})}
	case "messages":
		return []any{s.messages.AttrArn()}
	case "stream-dead":
		return []any{s.streamDead.AttrArn()}
	case "log":
		return []any{s.arn("logs", "log-group:"+s.logGroupName(function)+":*")}
	}
	return nil
}

// below returns an ARN with a path appended.
func (s *deployment) below(arn *string, path string) *string {
	return awscdk.Fn_Join(jsii.String(""), &[]*string{arn, jsii.String(path)})
}
