package world

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// A Right is one action on one symbolic resource, as the lists of rights in
// infra/rights spell it.
type Right struct {
	Action   string `json:"action"`
	Resource string `json:"resource"`
}

// Granted returns the committed list of rights of each function, by name.
func (w *World) Granted() (map[string][]Right, error) {
	files, err := filepath.Glob(filepath.Join(w.Engine.Root, "infra", "rights", "*.json"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("world: no list of rights was found: %w", err)
	}
	out := map[string][]Right{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var list []Right
		if err := json.Unmarshal(text, &list); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		out[strings.TrimSuffix(filepath.Base(file), ".json")] = list
	}
	return out, nil
}

// Used returns, for each function, the rights that the calls of r needed.
func (w *World) Used(r *Recorder) map[string]map[Right]bool {
	out := map[string]map[Right]bool{}
	for _, name := range entries {
		out[name] = map[Right]bool{}
	}
	for _, c := range r.applied() {
		for _, right := range w.needed(c) {
			out[c.Function][right] = true
		}
	}
	return out
}

func (w *World) needed(c Call) []Right {
	on := func(tableName *string, action string) Right {
		for n, name := range w.Tables() {
			if name == aws.ToString(tableName) {
				return Right{"dynamodb:" + action, n.String()}
			}
		}
		return Right{"dynamodb:" + action, aws.ToString(tableName)}
	}
	var out []Right
	switch in := c.Input.(type) {
	case *dynamodb.BatchGetItemInput:
		for name := range in.RequestItems {
			out = append(out, on(&name, "BatchGetItem"))
		}
	case *dynamodb.QueryInput:
		right := on(in.TableName, "Query")
		if in.IndexName != nil {
			right.Resource += "-index"
		}
		out = append(out, right)
	case *dynamodb.TransactWriteItemsInput:
		for _, t := range in.TransactItems {
			switch {
			case t.Put != nil:
				out = append(out, on(t.Put.TableName, "PutItem"))
			case t.Delete != nil:
				out = append(out, on(t.Delete.TableName, "DeleteItem"))
			case t.ConditionCheck != nil:
				out = append(out, on(t.ConditionCheck.TableName, "ConditionCheckItem"))
			}
		}
	case *dynamodb.PutItemInput:
		out = append(out, on(in.TableName, "PutItem"))
	case *dynamodb.UpdateItemInput:
		out = append(out, on(in.TableName, "UpdateItem"))
	case *awss3.PutObjectInput:
		out = append(out, Right{"s3:PutObject", "audit-objects"})
		if in.ObjectLockMode != "" { // AWS asks for this right too
			out = append(out, Right{"s3:PutObjectRetention", "audit-objects"})
		}
	case *sqs.SendMessageInput:
		queue := "messages"
		if aws.ToString(in.QueueUrl) == w.Environment["archive"]["PADDOCK_DEAD_QUEUE_URL"] {
			queue = "stream-dead"
		}
		out = append(out, Right{"sqs:SendMessage", queue})
	default:
		out = append(out, named(c)...)
	}
	return out
}

// named returns the rights of operations that have one resource only.
func named(c Call) []Right {
	switch c.Operation {
	case "CreateKey": // with tags, so that AWS asks for both
		return []Right{{"kms:CreateKey", "new-key"}, {"kms:TagResource", "workspace-keys"}}
	case "Decrypt", "GenerateDataKey":
		return []Right{{"kms:" + c.Operation, "workspace-keys"}}
	case "Sign", "GetPublicKey":
		return []Right{{"kms:" + c.Operation, "signing-key"}}
	case "GetObject":
		return []Right{{"s3:GetObject", "audit-objects"}}
	case "Publish":
		return []Right{{"sns:Publish", "phone-numbers"}}
	case "SendVoiceMessage":
		return []Right{{"sms-voice:SendVoiceMessage", "voice-origin"}}
	case "SendEmail":
		return []Right{{"ses:SendEmail", "sender"}}
	}
	return []Right{{strings.ToLower(c.Service) + ":" + c.Operation, "unknown"}}
}
