package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"

	"paddock/localstack/internal/process"
)

// A stack may take this long to be created or changed.
const deployWithin = 3 * time.Minute

// A Deployment is one CloudFormation stack with the programs of its functions.
type Deployment struct {
	Stack      string
	Template   []byte            // as synthesised, with `<function>.zip` as code keys
	Programs   string            // folder with <function>/bootstrap, built for this machine
	Parameters map[string]string // those the template does not declare are left out
	Variables  map[string]string // added to the environment of every function
	Replaced   map[string]string // put in place of variables where a function has them
}

// Outputs are the outputs of a stack by name.
type Outputs map[string]string

// Deploy creates the stack, or changes it to what the template says, waits
// until it is done, and returns its outputs. An error names the resource that
// failed first and the engine's reason.
func (e *Engine) Deploy(ctx context.Context, d Deployment) (Outputs, error) {
	names, err := Functions(d.Template)
	if err != nil {
		return nil, fmt.Errorf("deploy %s: %w", d.Stack, err)
	}
	keys, err := e.upload(ctx, d.Programs, names)
	if err != nil {
		return nil, fmt.Errorf("deploy %s: %w", d.Stack, err)
	}
	template, err := Localise(d.Template, Local{Bucket: assetBucket, Keys: keys, Variables: d.Variables, Replaced: d.Replaced})
	if err != nil {
		return nil, fmt.Errorf("deploy %s: %w", d.Stack, err)
	}
	parameters, err := declared(template, d.Parameters)
	if err != nil {
		return nil, fmt.Errorf("deploy %s: %w", d.Stack, err)
	}
	location, err := e.place(ctx, template)
	if err != nil {
		return nil, fmt.Errorf("deploy %s: %w", d.Stack, err)
	}
	s := stack{client: cloudformation.NewFromConfig(e.AWSConfig()), name: d.Stack}
	if err := s.apply(ctx, location, parameters); err != nil {
		return nil, fmt.Errorf("deploy %s: %w", d.Stack, err)
	}
	outputs, err := s.await(ctx)
	if err != nil {
		return nil, err
	}
	if err := e.mend(ctx, d.Template); err != nil {
		return nil, fmt.Errorf("deploy %s: %w", d.Stack, err)
	}
	return outputs, nil
}

// declared keeps the parameters that the template knows.
func declared(template []byte, values map[string]string) ([]types.Parameter, error) {
	var whole struct {
		Parameters map[string]json.RawMessage
	}
	if err := json.Unmarshal(template, &whole); err != nil {
		return nil, err
	}
	var kept []types.Parameter
	for name, value := range values {
		if _, ok := whole.Parameters[name]; ok {
			kept = append(kept, types.Parameter{ParameterKey: aws.String(name), ParameterValue: aws.String(value)})
		}
	}
	return kept, nil
}

type stack struct {
	client *cloudformation.Client
	name   string
}

// apply starts the creation or change. A stack that is already as wanted is no
// error; one whose first creation failed is removed first.
func (s stack) apply(ctx context.Context, location string, parameters []types.Parameter) error {
	capabilities := []types.Capability{types.CapabilityCapabilityIam, types.CapabilityCapabilityNamedIam}
	present, err := s.describe(ctx)
	if err != nil {
		return err
	}
	if present != nil && present.StackStatus == types.StackStatusRollbackComplete {
		if _, err := s.client.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: &s.name}); err != nil {
			return fmt.Errorf("remove what a failed creation left: %w", err)
		}
		if present, err = s.settled(ctx); err != nil {
			return err
		}
	}
	if present == nil || present.StackStatus == types.StackStatusDeleteComplete {
		_, err = s.client.CreateStack(ctx, &cloudformation.CreateStackInput{
			StackName: &s.name, TemplateURL: &location, Parameters: parameters, Capabilities: capabilities,
		})
		return err
	}
	_, err = s.client.UpdateStack(ctx, &cloudformation.UpdateStackInput{
		StackName: &s.name, TemplateURL: &location, Parameters: parameters, Capabilities: capabilities,
	})
	if apiErr, ok := errors.AsType[smithy.APIError](err); ok && strings.Contains(apiErr.ErrorMessage(), "No updates are to be performed") {
		return nil
	}
	return err
}

// await waits for the end of the change and returns the outputs.
func (s stack) await(ctx context.Context) (Outputs, error) {
	now, err := s.settled(ctx)
	if err != nil {
		return nil, fmt.Errorf("deploy %s: %w", s.name, err)
	}
	if now == nil {
		return nil, fmt.Errorf("deploy %s: the stack is gone", s.name)
	}
	if status := now.StackStatus; status != types.StackStatusCreateComplete && status != types.StackStatusUpdateComplete {
		return nil, fmt.Errorf("deploy %s: the stack is %s: %s", s.name, now.StackStatus, s.reason(ctx))
	}
	outputs := make(Outputs, len(now.Outputs))
	for _, output := range now.Outputs {
		outputs[aws.ToString(output.OutputKey)] = aws.ToString(output.OutputValue)
	}
	return outputs, nil
}

// settled waits until nothing is in progress; nil says there is no such stack.
func (s stack) settled(ctx context.Context) (*types.Stack, error) {
	ctx, cancel := context.WithTimeout(ctx, deployWithin)
	defer cancel()
	var (
		now *types.Stack
		err error
	)
	waited := process.Until(ctx, func() bool {
		now, err = s.describe(ctx)
		return err != nil || now == nil || !strings.HasSuffix(string(now.StackStatus), "_IN_PROGRESS")
	})
	if err == nil && waited != nil {
		err = fmt.Errorf("the stack is still %s after %v", now.StackStatus, deployWithin)
	}
	return now, err
}

// describe returns the stack as it is, nil when there is none.
func (s stack) describe(ctx context.Context) (*types.Stack, error) {
	out, err := s.client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &s.name})
	if apiErr, ok := errors.AsType[smithy.APIError](err); ok && apiErr.ErrorCode() == "ValidationError" {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if len(out.Stacks) == 0 {
		return nil, nil
	}
	return &out.Stacks[0], nil
}

// reason returns what failed first in the last change.
func (s stack) reason(ctx context.Context) string {
	out, err := s.client.DescribeStackEvents(ctx, &cloudformation.DescribeStackEventsInput{StackName: &s.name})
	if err != nil {
		return "its events cannot be read: " + err.Error()
	}
	first := "no event names a reason"
	for _, event := range out.StackEvents { // newest first
		status := string(event.ResourceStatus)
		own := aws.ToString(event.LogicalResourceId) == s.name
		if strings.HasSuffix(status, "_FAILED") && !own {
			first = fmt.Sprintf("%s (%s): %s", aws.ToString(event.LogicalResourceId),
				aws.ToString(event.ResourceType), aws.ToString(event.ResourceStatusReason))
		}
		if own && (status == "CREATE_IN_PROGRESS" || status == "UPDATE_IN_PROGRESS") {
			break
		}
	}
	return first
}
