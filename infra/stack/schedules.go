package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsscheduler"
	"github.com/aws/jsii-runtime-go"
)

// sweepInput is what both schedules send.
const sweepInput = `{"task":"sweep"}`

func (s *deployment) addSchedules() {
	s.addSchedule("archive", "rate(1 hour)")
	s.addSchedule("tasks", "rate(1 minute)")
}

// addSchedule makes the scheduler call a function under a role that may call
// only that function. A missed call is not repeated: the next one sweeps all.
func (s *deployment) addSchedule(function, rate string) {
	id := logicalID(function) + "Schedule"
	target := s.functions[function].AttrArn()
	role := awsiam.NewCfnRole(s.cdk, jsii.String(id+"Role"), &awsiam.CfnRoleProps{
		RoleName: jsii.String(s.named("schedule-" + function)),
		AssumeRolePolicyDocument: trust("scheduler.amazonaws.com", map[string]map[string]any{
			"StringEquals": {
				"aws:SourceAccount": awscdk.Aws_ACCOUNT_ID(),
				"aws:SourceArn":     s.arn("scheduler", "schedule-group/default"),
			},
		}),
		Policies: &[]any{&awsiam.CfnRole_PolicyProperty{
			PolicyName: jsii.String("rights"),
			PolicyDocument: document(statement{
				sid: "Invoke", actions: []string{"lambda:InvokeFunction"}, resources: []any{target},
			}),
		}},
	})
	awsscheduler.NewCfnSchedule(s.cdk, jsii.String(id), &awsscheduler.CfnScheduleProps{
		Name:               jsii.String(s.named(function + "-sweep")),
		ScheduleExpression: jsii.String(rate),
		FlexibleTimeWindow: &awsscheduler.CfnSchedule_FlexibleTimeWindowProperty{Mode: jsii.String("OFF")},
		Target: &awsscheduler.CfnSchedule_TargetProperty{
			Arn: target, RoleArn: role.AttrArn(), Input: jsii.String(sweepInput),
			RetryPolicy: &awsscheduler.CfnSchedule_RetryPolicyProperty{
				MaximumEventAgeInSeconds: jsii.Number(60), MaximumRetryAttempts: jsii.Number(0),
			},
		},
	})
}
