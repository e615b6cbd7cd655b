// Package stack is the one CloudFormation stack of a deployment. It promises
// fixed names, one role per function with exactly the rights of package
// rights, and no custom resource. It knows no product rule.
package stack

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// Names of the template's parameters and conditions.
const (
	// ArchitectureParameter is arm64 (default) or x86_64.
	ArchitectureParameter = "Architecture"
	// StrictParameter is "true" except on an engine that cannot evaluate the
	// conditions of strict.go. With production=true it can be nothing else.
	StrictParameter = "StrictConditions"
	// SMSParameter is the sender id of text messages, VoiceParameter the ARN of
	// the number or pool that calls. Empty: codes do not go that way.
	SMSParameter   = "SmsSender"
	VoiceParameter = "VoiceOrigin"

	strict  = "Strict"
	lenient = "Lenient"
	noSMS   = "NoSms"
	noVoice = "NoVoice"
)

// A deployment is a stack in the making.
type deployment struct {
	cdk   awscdk.Stack
	props Props

	architecture awscdk.CfnParameter
	strictness   awscdk.CfnParameter
	smsSender    awscdk.CfnParameter
	voiceOrigin  awscdk.CfnParameter
	strict       awscdk.CfnCondition
	lenient      awscdk.CfnCondition

	tables     map[string]awsdynamodb.CfnTable
	bucket     awss3.CfnBucket
	signingKey awskms.CfnKey
	messages   awssqs.CfnQueue
	dead       awssqs.CfnQueue
	streamDead awssqs.CfnQueue
	api        awsapigatewayv2.CfnApi
	roles      map[string]awsiam.CfnRole
	rights     map[string]awsiam.CfnPolicy
	functions  map[string]awslambda.CfnFunction
	logs       map[string]awslogs.CfnLogGroup
}

// NewStack adds the stack to scope. It fails as Props.Normal does, and when a
// list of rights names a resource that the stack does not have.
func NewStack(scope constructs.Construct, id string, props Props) (awscdk.Stack, error) {
	props, err := props.Normal()
	if err != nil {
		return nil, err
	}
	s := &deployment{
		cdk: awscdk.NewStack(scope, jsii.String(id), &awscdk.StackProps{
			StackName:             jsii.String(props.Prefix),
			Description:           jsii.String("Paddock: self-hosted access control"),
			TerminationProtection: jsii.Bool(props.Production),
			Synthesizer: awscdk.NewDefaultStackSynthesizer(&awscdk.DefaultStackSynthesizerProps{
				GenerateBootstrapVersionRule: jsii.Bool(false),
			}),
		}),
		props:     props,
		tables:    map[string]awsdynamodb.CfnTable{},
		roles:     map[string]awsiam.CfnRole{},
		rights:    map[string]awsiam.CfnPolicy{},
		functions: map[string]awslambda.CfnFunction{},
		logs:      map[string]awslogs.CfnLogGroup{},
	}
	s.addParameters()
	s.addPhones()
	s.addTables()
	s.addBucket()
	s.addQueues()
	s.addRoles()
	s.addSigningKey()
	if err := s.addRights(); err != nil {
		return nil, fmt.Errorf("rights: %w", err)
	}
	s.addAPI()
	if err := s.addFunctions(); err != nil {
		return nil, fmt.Errorf("functions: %w", err)
	}
	s.addRoutes()
	s.addMappings()
	s.addSchedules()
	s.addAlarms()
	s.addOutputs()
	return s.cdk, nil
}

func (s *deployment) addParameters() {
	s.architecture = awscdk.NewCfnParameter(s.cdk, jsii.String(ArchitectureParameter), &awscdk.CfnParameterProps{
		Type:          jsii.String("String"),
		Default:       "arm64",
		AllowedValues: jsii.Strings("arm64", "x86_64"),
		Description:   jsii.String("Instruction set of the functions."),
	})
	allowed := jsii.Strings("true", "false")
	if s.props.Production {
		allowed = jsii.Strings("true")
	}
	s.strictness = awscdk.NewCfnParameter(s.cdk, jsii.String(StrictParameter), &awscdk.CfnParameterProps{
		Type:          jsii.String("String"),
		Default:       "true",
		AllowedValues: allowed,
		Description:   jsii.String("Whether policies carry the conditions that only AWS evaluates."),
	})
	s.strict = awscdk.NewCfnCondition(s.cdk, jsii.String(strict), &awscdk.CfnConditionProps{
		Expression: awscdk.Fn_ConditionEquals(s.strictness.ValueAsString(), "true"),
	})
	s.lenient = awscdk.NewCfnCondition(s.cdk, jsii.String(lenient), &awscdk.CfnConditionProps{
		Expression: awscdk.Fn_ConditionEquals(s.strictness.ValueAsString(), "false"),
	})
}

// addPhones adds what decides whether codes go to phones.
func (s *deployment) addPhones() {
	none := func(condition string, of awscdk.CfnParameter) {
		awscdk.NewCfnCondition(s.cdk, jsii.String(condition), &awscdk.CfnConditionProps{
			Expression: awscdk.Fn_ConditionEquals(of.ValueAsString(), ""),
		})
	}
	s.smsSender = awscdk.NewCfnParameter(s.cdk, jsii.String(SMSParameter), &awscdk.CfnParameterProps{
		Type: jsii.String("String"), Default: s.props.SMSSender, AllowedPattern: jsii.String("^" + smsSenderForm + "$"),
		Description: jsii.String("Sender id of text messages; empty: none are sent."),
	})
	s.voiceOrigin = awscdk.NewCfnParameter(s.cdk, jsii.String(VoiceParameter), &awscdk.CfnParameterProps{
		Type: jsii.String("String"), Default: s.props.VoiceOrigin, AllowedPattern: jsii.String("^" + voiceOriginForm + "$"),
		Description: jsii.String("ARN of the phone number or pool that calls; empty: nobody is called."),
	})
	none(noSMS, s.smsSender)
	none(noVoice, s.voiceOrigin)
}

// named returns the prefix joined with the last part of a name.
func (s *deployment) named(last string) string { return s.props.Prefix + "-" + last }

// arn returns the ARN of a resource of this account and region.
func (s *deployment) arn(service, resource string) *string {
	return awscdk.Fn_Sub(jsii.String("arn:${AWS::Partition}:"+service+":${AWS::Region}:${AWS::AccountId}:"+resource), nil)
}

// keep makes CloudFormation leave a resource behind when the stack goes.
func keep(resource awscdk.CfnResource) {
	resource.ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN, nil)
}
