package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
)

// addOutputs names what operators and scripts need to find.
func (s *deployment) addOutputs() {
	s.output("ApiId", s.api.Ref())
	s.output("ApiEndpoint", s.api.AttrApiEndpoint())
	for _, shape := range shapes() {
		s.output(shape.logicalID+"Name", s.tables[shape.name].Ref())
	}
	s.output("AuditBucketName", s.bucket.Ref())
	s.output("SigningKeyId", s.signingKey.Ref())
	s.output("MessageQueueUrl", s.messages.Ref())
	s.output("StreamDeadQueueUrl", s.streamDead.Ref())
	for _, name := range FunctionNames() {
		s.output(logicalID(name)+"FunctionName", s.functions[name].Ref())
	}
}

func (s *deployment) output(id string, value *string) {
	awscdk.NewCfnOutput(s.cdk, jsii.String(id), &awscdk.CfnOutputProps{Value: value})
}
