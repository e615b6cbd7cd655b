package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"
)

// Times and counts of the queues.
const (
	// visibilitySeconds is six times the consumer's timeout. Source: AWS
	// Lambda Developer Guide, "Using Lambda with Amazon SQS".
	visibilitySeconds = 6 * backgroundTimeoutSeconds
	messageSeconds    = 4 * 24 * 3600
	deadSeconds       = 14 * 24 * 3600 // the longest SQS keeps a message
	maxReceives       = 5
)

func (s *deployment) addQueues() {
	s.dead = s.addQueue("MessagesDeadQueue", "messages-dead", deadSeconds, nil)
	s.messages = s.addQueue("MessagesQueue", "messages", messageSeconds, map[string]any{
		"deadLetterTargetArn": s.dead.AttrArn(), "maxReceiveCount": maxReceives,
	})
	s.streamDead = s.addQueue("StreamDeadQueue", "stream-dead", deadSeconds, nil)
}

func (s *deployment) addQueue(id, name string, keepSeconds int, redrive map[string]any) awssqs.CfnQueue {
	props := &awssqs.CfnQueueProps{
		QueueName:              jsii.String(s.named(name)),
		MessageRetentionPeriod: jsii.Number(keepSeconds),
		SqsManagedSseEnabled:   jsii.Bool(true),
	}
	if redrive != nil {
		props.RedrivePolicy = redrive
		props.VisibilityTimeout = jsii.Number(visibilitySeconds)
	}
	queue := awssqs.NewCfnQueue(s.cdk, jsii.String(id), props)
	awssqs.NewCfnQueuePolicy(s.cdk, jsii.String(id+"Policy"), &awssqs.CfnQueuePolicyProps{
		Queues:         &[]*string{queue.Ref()},
		PolicyDocument: document(overTLS("sqs", queue.AttrArn())),
	})
	return queue
}
