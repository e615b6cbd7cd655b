package stack_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/jsii-runtime-go"

	"paddock/infra/stack"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const golden = "../testdata/template.golden.json"

// object is a JSON object of a template.
type object = map[string]any

// synth returns the template of the settings with placeholder code.
func synth(t *testing.T, props stack.Props) object {
	t.Helper()
	made, err := newStack(t, props)
	if err != nil {
		t.Fatalf("NewStack: %v", err)
	}
	return normal(t, *assertions.Template_FromStack(made, nil).ToJSON())
}

func newStack(t *testing.T, props stack.Props) (awscdk.Stack, error) {
	t.Helper()
	t.Setenv("JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION", "1")
	props.FunctionsFolder = placeholders(t)
	app := awscdk.NewApp(&awscdk.AppProps{
		AnalyticsReporting: jsii.Bool(false), Outdir: jsii.String(t.TempDir()),
	})
	return stack.NewStack(app, "Paddock", props)
}

// placeholders returns a folder that holds a folder with a tiny file for each
// function.
func placeholders(t *testing.T) string {
	t.Helper()
	top := t.TempDir()
	for _, name := range stack.FunctionNames() {
		if err := os.MkdirAll(filepath.Join(top, name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(top, name, "bootstrap"), []byte(name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return top
}

// normal replaces where the code of each function lies by its name and passes
// the template through JSON, so that only JSON types remain.
func normal(t *testing.T, template object) object {
	t.Helper()
	text, err := json.Marshal(template)
	if err != nil {
		t.Fatal(err)
	}
	var out object
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	for id, resource := range ofType(out, "AWS::Lambda::Function") {
		name := strings.ToLower(strings.TrimSuffix(id, "Function"))
		code := properties(resource)["Code"].(object)
		code["S3Key"] = name + ".zip"
	}
	return out
}

func ofType(template object, kind string) map[string]object {
	out := map[string]object{}
	for id, resource := range template["Resources"].(object) {
		if r := resource.(object); r["Type"] == kind {
			out[id] = r
		}
	}
	return out
}

func properties(resource object) object { return resource["Properties"].(object) }

func pretty(t *testing.T, value any) []byte {
	t.Helper()
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
