// Package invoke calls functions that have no HTTP: for operators.
package invoke

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// Function invokes a function and waits for its answer, decoded into out. An
// error of the function itself is returned with its message only.
func Function(ctx context.Context, c *lambda.Client, name string, in, out any) error {
	payload, err := json.Marshal(in)
	if err != nil {
		return err
	}
	answer, err := c.Invoke(ctx, &lambda.InvokeInput{FunctionName: &name, Payload: payload})
	if err != nil {
		return fmt.Errorf("invoke %s: %w", name, err)
	}
	if answer.FunctionError != nil {
		var failure struct {
			Message string `json:"errorMessage"`
		}
		if err := json.Unmarshal(answer.Payload, &failure); err != nil {
			failure.Message = *answer.FunctionError
		}
		return fmt.Errorf("%s: %s", name, failure.Message)
	}
	return json.Unmarshal(answer.Payload, out)
}
