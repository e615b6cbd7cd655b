package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/jsii-runtime-go"
)

// Alarm periods and bounds.
const (
	alarmPeriodSeconds = 300
	// lagMilliseconds is how old the oldest unread stream record may be. The
	// stream keeps records for 24 hours.
	lagMilliseconds = 15 * 60 * 1000
)

type alarm struct {
	id, name, description        string
	namespace, metric, statistic string
	dimension, value             *string
	threshold                    int
}

func (s *deployment) addAlarms() {
	for _, name := range FunctionNames() {
		function := s.functions[name].Ref()
		s.addAlarm(alarm{
			logicalID(name) + "ErrorsAlarm", name + "-errors", "The function " + name + " fails.",
			"AWS/Lambda", "Errors", "Sum", jsii.String("FunctionName"), function, 1,
		})
		s.addAlarm(alarm{
			logicalID(name) + "ThrottlesAlarm", name + "-throttles", "The function " + name + " is refused instances.",
			"AWS/Lambda", "Throttles", "Sum", jsii.String("FunctionName"), function, 1,
		})
	}
	for _, name := range []string{"relay", "archive"} {
		s.addAlarm(alarm{
			logicalID(name) + "LagAlarm", name + "-lag", "The function " + name + " lags behind the table's stream.",
			"AWS/Lambda", "IteratorAge", "Maximum", jsii.String("FunctionName"), s.functions[name].Ref(), lagMilliseconds,
		})
	}
	for _, name := range []string{"api", "signin", "tasks"} { // those that open payloads
		s.addDamageAlarm(name)
	}
	s.addAlarm(alarm{
		"MessagesDeadAlarm", "messages-dead", "Messages could not be sent.",
		"AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum", jsii.String("QueueName"), s.dead.AttrQueueName(), 1,
	})
	s.addAlarm(alarm{
		"StreamDeadAlarm", "stream-dead", "Stream records could not be handled.",
		"AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum", jsii.String("QueueName"), s.streamDead.AttrQueueName(), 1,
	})
	s.addAlarm(alarm{
		"HttpApiFailuresAlarm", "http-api-5xx", "Requests are answered with a server error.",
		"AWS/ApiGateway", "5xx", "Sum", jsii.String("ApiId"), s.api.Ref(), 1,
	})
}

// damaged is what the functions log when a stored payload does not open at its
// place: somebody changed the table, or a key is gone.
const damaged = `"payload does not open"`

// addDamageAlarm counts the lines of a function that say damaged. The metric
// has no dimension: whoever is called looks into the function's log.
func (s *deployment) addDamageAlarm(name string) {
	metric, namespace := name+"-damaged", s.named("integrity")
	awslogs.NewCfnMetricFilter(s.cdk, jsii.String(logicalID(name)+"DamageFilter"), &awslogs.CfnMetricFilterProps{
		FilterName:    jsii.String(s.named(metric)),
		FilterPattern: jsii.String(damaged),
		LogGroupName:  s.logs[name].Ref(),
		MetricTransformations: &[]any{&awslogs.CfnMetricFilter_MetricTransformationProperty{
			MetricName: jsii.String(metric), MetricNamespace: jsii.String(namespace), MetricValue: jsii.String("1"),
		}},
	})
	s.addAlarm(alarm{
		logicalID(name) + "DamageAlarm", metric, "The function " + name + " met a stored payload that does not open.",
		namespace, metric, "Sum", nil, nil, 1,
	})
}

func (s *deployment) addAlarm(a alarm) {
	props := &awscloudwatch.CfnAlarmProps{
		AlarmName:          jsii.String(s.named(a.name)),
		AlarmDescription:   jsii.String(a.description),
		Namespace:          jsii.String(a.namespace),
		MetricName:         jsii.String(a.metric),
		Statistic:          jsii.String(a.statistic),
		Period:             jsii.Number(alarmPeriodSeconds),
		EvaluationPeriods:  jsii.Number(1),
		Threshold:          jsii.Number(a.threshold),
		ComparisonOperator: jsii.String("GreaterThanOrEqualToThreshold"),
		TreatMissingData:   jsii.String("notBreaching"),
	}
	if a.dimension != nil {
		props.Dimensions = &[]any{&awscloudwatch.CfnAlarm_DimensionProperty{Name: a.dimension, Value: a.value}}
	}
	if s.props.AlarmTopicARN != "" {
		props.AlarmActions = &[]any{jsii.String(s.props.AlarmTopicARN)}
	}
	awscloudwatch.NewCfnAlarm(s.cdk, jsii.String(a.id), props)
}
