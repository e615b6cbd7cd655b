package engine

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

func echoTemplate(t *testing.T) []byte {
	t.Helper()
	template, err := os.ReadFile("testdata/echo.template.json")
	if err != nil {
		t.Fatal(err)
	}
	return template
}

func TestLocaliseFillsFunctionsAndNothingElse(t *testing.T) {
	template := echoTemplate(t)
	changed, err := Localise(template, Local{
		Bucket: "assets", Keys: map[string]string{"echo": "echo/1.zip"},
		Variables: map[string]string{"AWS_ENDPOINT_URL": "https://127.0.0.1:1"},
		Replaced:  map[string]string{"SLUG": "demo", "OF_ANOTHER_FUNCTION": "left out"},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got, want map[string]any
	if err := json.Unmarshal(changed, &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(template, &want); err != nil {
		t.Fatal(err)
	}
	properties := want["Resources"].(map[string]any)["Function"].(map[string]any)["Properties"].(map[string]any)
	properties["Code"] = map[string]any{"S3Bucket": "assets", "S3Key": "echo/1.zip"}
	properties["ReservedConcurrentExecutions"] = float64(Concurrency)
	properties["Environment"] = map[string]any{"Variables": map[string]any{
		"KEPT": "a<b&c", "SLUG": "demo", "AWS_ENDPOINT_URL": "https://127.0.0.1:1",
	}}
	gotText, _ := json.Marshal(got)
	wantText, _ := json.Marshal(want)
	if string(gotText) != string(wantText) {
		t.Errorf("template is\n%s\nwant\n%s", gotText, wantText)
	}
}

func TestLocaliseIsDeterministic(t *testing.T) {
	template := echoTemplate(t)
	local := Local{Keys: map[string]string{"echo": "k"}, Variables: map[string]string{"A": "1", "B": "2", "C": "3"}}
	first, err := Localise(template, local)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		again, err := Localise(template, local)
		if err != nil || string(again) != string(first) {
			t.Fatalf("another result for the same input (err %v)", err)
		}
	}
}

func TestLocaliseRefuses(t *testing.T) {
	function := func(code string) string {
		return `{"Resources":{"F":{"Type":"AWS::Lambda::Function","Properties":{"Code":` + code + `}}}}`
	}
	for _, test := range []struct{ name, template, want string }{
		{"text that is not JSON", "x", "localise template"},
		{"a template without resources", `{}`, "resources"},
		{"a function without an archive", function(`{"S3Key":"other.zip"}`), "function other has no archive"},
		{"a code key of another form", function(`{"S3Key":"abc"}`), "not of the form"},
		{"a code key with folders", function(`{"S3Key":"../a.zip"}`), "not of the form"},
	} {
		t.Run(test.name, func(t *testing.T) {
			changed, err := Localise([]byte(test.template), Local{Keys: map[string]string{"echo": "k"}})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v, want one with %q", err, test.want)
			}
			if changed != nil {
				t.Error("a refused template gives nothing")
			}
		})
	}
}

func TestFunctionsAreNamedByTheirArchives(t *testing.T) {
	names, err := Functions(echoTemplate(t))
	if err != nil || !slices.Equal(names, []string{"echo"}) {
		t.Errorf("Functions = %v, %v", names, err)
	}
}

func TestArchiveIsReproducible(t *testing.T) {
	first, err := Archive([]byte("program"))
	if err != nil {
		t.Fatal(err)
	}
	second, err := Archive([]byte("program"))
	if err != nil || string(first) != string(second) {
		t.Errorf("two archives of one program differ (err %v)", err)
	}
}
