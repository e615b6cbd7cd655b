package stack

import (
	"errors"
	"maps"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3assets"
	"github.com/aws/jsii-runtime-go"
)

// Sizes and times of the functions.
const (
	memoryMB = 512
	// signinMemoryMB buys one full CPU, as argon2id is bound by it. Source:
	// AWS Lambda Developer Guide, "Configure memory": 1,769 MB is one vCPU.
	signinMemoryMB           = 1769
	gatewayTimeoutSeconds    = 10
	backgroundTimeoutSeconds = 60
)

type functionShape struct {
	name           string
	description    string
	memoryMB       int
	timeoutSeconds int
	variables      []string // names in variable
}

// functionShapes lists the functions with the variables each needs.
func functionShapes() []functionShape {
	return []functionShape{
		{"provision", "Creates workspaces and their keys", memoryMB, backgroundTimeoutSeconds, []string{
			"PADDOCK_PREFIX", "PADDOCK_DATA_TABLE", "PADDOCK_DATA_KEYRING_TABLE", "PADDOCK_CREDENTIAL_KEYRING_TABLE",
			"PADDOCK_BASE_URLS", "PADDOCK_DEFAULT_WORKSPACE", "PADDOCK_RETENTION_DAYS", "PADDOCK_STRICT_CONDITIONS", "PADDOCK_ROLE_PROVISION",
			"PADDOCK_ROLE_SIGNIN", "PADDOCK_ROLE_API", "PADDOCK_ROLE_TASKS", "PADDOCK_ROLE_ERASE",
		}},
		{"signin", "Signs people in", signinMemoryMB, gatewayTimeoutSeconds, []string{
			"PADDOCK_PREFIX", "PADDOCK_DATA_TABLE", "PADDOCK_CREDENTIALS_TABLE", "PADDOCK_DATA_KEYRING_TABLE",
			"PADDOCK_CREDENTIAL_KEYRING_TABLE", "PADDOCK_BASE_URLS", "PADDOCK_DEFAULT_WORKSPACE", "PADDOCK_RETENTION_DAYS",
			"PADDOCK_SMS_SENDER", "PADDOCK_VOICE_ORIGIN",
		}},
		{"api", "Serves the API", memoryMB, gatewayTimeoutSeconds, []string{
			"PADDOCK_PREFIX", "PADDOCK_DATA_TABLE", "PADDOCK_DATA_KEYRING_TABLE", "PADDOCK_BASE_URLS",
			"PADDOCK_DEFAULT_WORKSPACE", "PADDOCK_RETENTION_DAYS",
		}},
		{"console", "Serves the console's files", memoryMB, gatewayTimeoutSeconds, []string{
			"PADDOCK_BASE_URLS", "PADDOCK_DEFAULT_WORKSPACE",
		}},
		{"relay", "Puts messages on queues", memoryMB, backgroundTimeoutSeconds, []string{
			"PADDOCK_PREFIX", "PADDOCK_MESSAGE_QUEUE_URL", "PADDOCK_DEAD_QUEUE_URL",
		}},
		{"archive", "Writes the audit log", memoryMB, backgroundTimeoutSeconds, []string{
			"PADDOCK_PREFIX", "PADDOCK_DATA_TABLE", "PADDOCK_BASE_URLS", "PADDOCK_AUDIT_BUCKET",
			"PADDOCK_SIGNING_KEY", "PADDOCK_RETENTION_DAYS", "PADDOCK_DEAD_QUEUE_URL",
		}},
		{"tasks", "Sends messages and sweeps what is due", memoryMB, backgroundTimeoutSeconds, []string{
			"PADDOCK_PREFIX", "PADDOCK_DATA_TABLE", "PADDOCK_DATA_KEYRING_TABLE", "PADDOCK_BASE_URLS",
			"PADDOCK_DEFAULT_WORKSPACE", "PADDOCK_MAIL_SENDER", "PADDOCK_RETENTION_DAYS",
			"PADDOCK_SMS_SENDER", "PADDOCK_VOICE_ORIGIN",
		}},
	}
}

// FunctionNames returns the functions in the order of the template.
func FunctionNames() []string {
	var names []string
	for _, shape := range functionShapes() {
		names = append(names, shape.name)
	}
	return names
}

func (s *deployment) logGroupName(function string) string { return "/aws/lambda/" + s.named(function) }

func (s *deployment) addFunctions() error {
	values := s.variables()
	for _, shape := range functionShapes() {
		code, err := s.code(shape.name)
		if err != nil {
			return err
		}
		s.functions[shape.name] = s.addFunction(shape, values, code)
	}
	return nil
}

// code returns the archive of a function, which CDK copies at once.
func (s *deployment) code(name string) (asset awss3assets.Asset, err error) {
	folder := filepath.Join(s.props.FunctionsFolder, name)
	if name == "signin" && s.props.PasswordFilter != "" {
		copied, done, failed := withPasswords(folder, s.props.PasswordFilter)
		if failed != nil {
			return nil, failed
		}
		defer func() { err = errors.Join(err, done()) }()
		folder = copied
	}
	return awss3assets.NewAsset(s.cdk, jsii.String(logicalID(name)+"Code"), &awss3assets.AssetProps{Path: jsii.String(folder)}), nil
}

func (s *deployment) addFunction(shape functionShape, values map[string]*string, code awss3assets.Asset) awslambda.CfnFunction {
	id := logicalID(shape.name)
	group := awslogs.NewCfnLogGroup(s.cdk, jsii.String(id+"Log"), &awslogs.CfnLogGroupProps{
		LogGroupName:    jsii.String(s.logGroupName(shape.name)),
		RetentionInDays: jsii.Number(s.props.LogRetentionDays),
	})
	s.logs[shape.name] = group
	environment := s.localVariables()
	for _, name := range shape.variables {
		environment[name] = values[name]
	}
	if shape.name == "signin" {
		maps.Copy(environment, s.passwordVariables())
	}
	props := &awslambda.CfnFunctionProps{
		FunctionName:  jsii.String(s.named(shape.name)),
		Description:   jsii.String(shape.description),
		Runtime:       jsii.String("provided.al2023"),
		Handler:       jsii.String("bootstrap"),
		Architectures: &[]*string{s.architecture.ValueAsString()},
		MemorySize:    jsii.Number(shape.memoryMB),
		Timeout:       jsii.Number(shape.timeoutSeconds),
		Role:          s.roles[shape.name].AttrArn(),
		Code:          &awslambda.CfnFunction_CodeProperty{S3Bucket: code.S3BucketName(), S3Key: code.S3ObjectKey()},
		Environment:   &awslambda.CfnFunction_EnvironmentProperty{Variables: environment},
		LoggingConfig: &awslambda.CfnFunction_LoggingConfigProperty{LogGroup: group.Ref()},
	}
	if s.props.ReservedConcurrency > 0 {
		props.ReservedConcurrentExecutions = jsii.Number(s.props.ReservedConcurrency)
	}
	function := awslambda.NewCfnFunction(s.cdk, jsii.String(id+"Function"), props)
	code.AddResourceMetadata(function, jsii.String("Code"))
	function.AddDependency(s.rights[shape.name])
	return function
}

// variables returns the value of every variable a function can need.
func (s *deployment) variables() map[string]*string {
	values := map[string]*string{
		"PADDOCK_PREFIX":                   jsii.String(s.props.Prefix),
		"PADDOCK_DATA_TABLE":               s.tables[dataTable].Ref(),
		"PADDOCK_CREDENTIALS_TABLE":        s.tables[credentialsTable].Ref(),
		"PADDOCK_DATA_KEYRING_TABLE":       s.tables[dataKeyringTable].Ref(),
		"PADDOCK_CREDENTIAL_KEYRING_TABLE": s.tables[credentialKeyringTable].Ref(),
		"PADDOCK_BASE_URLS":                s.baseURLs(),
		"PADDOCK_DEFAULT_WORKSPACE":        jsii.String(s.props.DefaultWorkspace),
		"PADDOCK_MAIL_SENDER":              jsii.String(s.props.MailSender),
		"PADDOCK_SMS_SENDER":               s.smsSender.ValueAsString(),
		"PADDOCK_VOICE_ORIGIN":             s.voiceOrigin.ValueAsString(),
		"PADDOCK_MESSAGE_QUEUE_URL":        s.messages.Ref(),
		"PADDOCK_DEAD_QUEUE_URL":           s.streamDead.Ref(),
		"PADDOCK_AUDIT_BUCKET":             s.bucket.Ref(),
		"PADDOCK_SIGNING_KEY":              s.signingKey.AttrArn(),
		"PADDOCK_RETENTION_DAYS":           jsii.String(strconv.Itoa(s.props.RetentionDays)),
		"PADDOCK_STRICT_CONDITIONS":        s.strictness.ValueAsString(),
	}
	for _, function := range []string{"provision", "signin", "api", "tasks", "erase"} {
		values["PADDOCK_ROLE_"+strings.ToUpper(function)] = s.roles[function].AttrArn()
	}
	return values
}

// localVariables returns what a function needs on a local engine only.
func (s *deployment) localVariables() map[string]*string {
	out := map[string]*string{}
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL":   s.props.Local.EngineEndpoint,
		"AWS_CA_BUNDLE":      s.props.Local.CABundle,
		"PADDOCK_CLOCK_FILE": s.props.Local.ClockFile,
	} {
		if value != "" {
			out[name] = jsii.String(value)
		}
	}
	return out
}

// baseURLs returns the addresses people use, the canonical one first.
func (s *deployment) baseURLs() *string {
	switch {
	case s.props.BaseURLs != "":
		return jsii.String(s.props.BaseURLs)
	case s.props.BaseDomain != "":
		return jsii.String("https://" + s.props.BaseDomain)
	}
	return s.api.AttrApiEndpoint()
}
