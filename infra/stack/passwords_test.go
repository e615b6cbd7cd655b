package stack_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"paddock/infra/stack"
	"paddock/shared/credential/known"
)

// listOf writes a list of known passwords and returns its name.
func listOf(t *testing.T, words ...string) string {
	t.Helper()
	var b known.Builder
	for _, word := range words {
		if err := b.Add(known.SumOf(word)); err != nil {
			t.Fatal(err)
		}
	}
	list, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "any.name")
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := list.WriteTo(file); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestListsOfPasswordsAreSigninsAlone synthesises with both sources and looks
// into every function's variables and archive.
func TestListsOfPasswordsAreSigninsAlone(t *testing.T) {
	t.Setenv("JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION", "1")
	out := t.TempDir()
	app := awscdk.NewApp(&awscdk.AppProps{AnalyticsReporting: jsii.Bool(false), Outdir: jsii.String(out)})
	name := listOf(t, "a listed word")
	props := stack.Props{FunctionsFolder: placeholders(t), PasswordFilter: name, PasswordRangeURL: "https://ranges.example.com"}
	if _, err := stack.NewStack(app, "Paddock", props); err != nil {
		t.Fatal(err)
	}
	app.Synth(nil)
	text, err := os.ReadFile(filepath.Join(out, "Paddock.template.json"))
	if err != nil {
		t.Fatal(err)
	}
	var template object
	if err := json.Unmarshal(text, &template); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"PADDOCK_PASSWORD_FILTER": "passwords.filter", "PADDOCK_PASSWORD_RANGE_URL": "https://ranges.example.com"}
	functions := ofType(template, "AWS::Lambda::Function")
	equal(t, "functions", len(functions), len(stack.FunctionNames()))
	for id, function := range functions {
		variables := properties(function)["Environment"].(object)["Variables"].(object)
		for variable, value := range want {
			if id != "SigninFunction" {
				value = nil
			}
			equal(t, id+" "+variable, variables[variable], value)
		}
		files := []string{"bootstrap"}
		if id == "SigninFunction" {
			files = append(files, "passwords.filter")
		}
		archive := filepath.Join(out, "asset."+strings.TrimSuffix(properties(function)["Code"].(object)["S3Key"].(string), ".zip"))
		equal(t, id+" archive", namesIn(t, archive), files)
		program, err := os.Stat(filepath.Join(archive, "bootstrap"))
		if err != nil || program.Mode().Perm()&0o111 == 0 {
			t.Errorf("%s: the program cannot be run: %v, %v", id, program, err)
		}
		if id != "SigninFunction" {
			continue
		}
		if l, err := known.Open(filepath.Join(archive, "passwords.filter")); err != nil || !l.Has(known.SumOf("a listed word")) {
			t.Errorf("the list is not the one that was given: %v", err)
		}
	}
}

func namesIn(t *testing.T, folder string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	slices.Sort(names)
	return names
}

func TestAListThatIsNoneIsNotDeployed(t *testing.T) {
	damaged := listOf(t, "a listed word")
	if err := os.Truncate(damaged, 60); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]error{damaged: known.ErrSize, damaged + "x": os.ErrNotExist} {
		made, err := newStack(t, stack.Props{PasswordFilter: name})
		if !errors.Is(err, want) || !errors.Is(err, stack.ErrSetting) || made != nil {
			t.Errorf("stack %v, error %v, want %v", made, err, want)
		}
	}
}
