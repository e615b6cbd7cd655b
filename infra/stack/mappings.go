package stack

import (
	"encoding/json"

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

// streamFilter is the pattern that lets inserts of one kind of item through.
type streamFilter struct {
	EventName []string      `json:"eventName"`
	DynamoDB  streamPattern `json:"dynamodb"`
}

type streamPattern struct {
	NewImage struct {
		Kind struct {
			S []string `json:"S"`
		} `json:"kind"`
	} `json:"NewImage"`
}

// insertsOf returns the filter text for inserts of items of a kind.
func insertsOf(kind string) string {
	filter := streamFilter{EventName: []string{"INSERT"}}
	filter.DynamoDB.NewImage.Kind.S = []string{kind}
	text, err := json.Marshal(filter)
	if err != nil {
		return "" // cannot happen: the type holds only strings
	}
	return string(text)
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
