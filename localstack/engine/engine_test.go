package engine_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sts"

	"paddock/localstack/engine"
)

func start(t *testing.T) *engine.Engine {
	t.Helper()
	e, err := engine.Start(t.Context(), engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Stop(); err != nil {
			t.Error(err)
		}
	})
	return e
}

func TestPrivateEngineAnswersAndLeavesNothing(t *testing.T) {
	e := start(t)
	who, err := sts.NewFromConfig(e.AWSConfig()).GetCallerIdentity(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if *who.Account != engine.Account {
		t.Errorf("account = %s, want %s", *who.Account, engine.Account)
	}
	if err := e.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(e.Folder); !os.IsNotExist(err) {
		t.Errorf("folder %s is still there", e.Folder)
	}
	if _, err := e.Version(t.Context()); err == nil {
		t.Error("the engine still answers after Stop")
	}
}

func TestDeployCreatesChangesAndNamesWhatFailed(t *testing.T) {
	e := start(t)
	programs := t.TempDir()
	build := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", filepath.Join(programs, "echo", "bootstrap"), "./testdata/echo")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	template, err := os.ReadFile("testdata/echo.template.json")
	if err != nil {
		t.Fatal(err)
	}
	deployment := engine.Deployment{
		Stack: "echo", Template: template, Programs: programs,
		Parameters: map[string]string{"Architecture": engine.Architecture(), "Unknown": "left out"},
		Variables:  map[string]string{"ADDED": "1"},
	}
	outputs, err := e.Deploy(t.Context(), deployment)
	if err != nil {
		t.Fatal(err)
	}
	if got := invoke(t, e, outputs["ApiId"], "/a//b/"); got != "/a//b/" {
		t.Errorf("the function saw path %q", got)
	}
	again, err := e.Deploy(t.Context(), deployment)
	if err != nil || again["ApiId"] != outputs["ApiId"] {
		t.Errorf("a second deployment gave %v, %v", again, err)
	}
	deployment.Parameters["Refuse"] = "true"
	_, err = e.Deploy(t.Context(), deployment)
	if err == nil || !strings.Contains(err.Error(), "AWS::Paddock::NoSuchThing") {
		t.Errorf("the error of a broken deployment is %v", err)
	}
}

// invoke calls the API and returns the raw path that the function saw.
func invoke(t *testing.T, e *engine.Engine, api, path string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodGet, e.APIURL(api)+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := e.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var event struct {
		RawPath string `json:"rawPath"`
	}
	if err := json.NewDecoder(response.Body).Decode(&event); err != nil {
		t.Fatalf("%s: %v", response.Status, err)
	}
	return event.RawPath
}
