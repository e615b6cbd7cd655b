package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"
)

// Batches of the event source mappings.
const (
	streamBatch          = 100
	streamRetries        = 5
	relayWindowSeconds   = 1
	archiveWindowSeconds = 5
	queueBatch           = 10
)

// insertsOf returns the filter pattern for inserts of one kind of item; kind
// is plain letters.
func insertsOf(kind string) string {
	return `{"eventName":["INSERT"],"dynamodb":{"NewImage":{"kind":{"S":["` + kind + `"]}}}}`
}

func (s *deployment) addMappings() {
	s.addStreamMapping("relay", "message", relayWindowSeconds)
	s.addStreamMapping("archive", "event", archiveWindowSeconds)
	awslambda.NewCfnEventSourceMapping(s.cdk, jsii.String("TasksMapping"), &awslambda.CfnEventSourceMappingProps{
		FunctionName:          s.functions["tasks"].Ref(),
		EventSourceArn:        s.messages.AttrArn(),
		BatchSize:             jsii.Number(queueBatch),
		FunctionResponseTypes: jsii.Strings("ReportBatchItemFailures"),
	})
}

func (s *deployment) addStreamMapping(function, kind string, windowSeconds int) {
	awslambda.NewCfnEventSourceMapping(s.cdk, jsii.String(logicalID(function)+"Mapping"), &awslambda.CfnEventSourceMappingProps{
		FunctionName:                   s.functions[function].Ref(),
		EventSourceArn:                 s.tables[dataTable].AttrStreamArn(),
		StartingPosition:               jsii.String("TRIM_HORIZON"),
		BatchSize:                      jsii.Number(streamBatch),
		MaximumBatchingWindowInSeconds: jsii.Number(windowSeconds),
		MaximumRetryAttempts:           jsii.Number(streamRetries),
		BisectBatchOnFunctionError:     jsii.Bool(true),
		FunctionResponseTypes:          jsii.Strings("ReportBatchItemFailures"),
		FilterCriteria: &awslambda.CfnEventSourceMapping_FilterCriteriaProperty{
			Filters: &[]any{&awslambda.CfnEventSourceMapping_FilterProperty{Pattern: jsii.String(insertsOf(kind))}},
		},
		DestinationConfig: &awslambda.CfnEventSourceMapping_DestinationConfigProperty{
			OnFailure: &awslambda.CfnEventSourceMapping_OnFailureProperty{Destination: s.streamDead.AttrArn()},
		},
	})
}
