package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Concurrency is the number of processes a function may have at once locally.
// Without a limit the engine starts one process per waiting request, and a slow
// moment becomes a collapse.
const Concurrency = 10

const functionType = "AWS::Lambda::Function"

// Local is what the committed template lacks to be deployed on this machine.
type Local struct {
	Bucket    string            // holds the archives
	Keys      map[string]string // function name, as in `<name>.zip`, to the archive's key
	Variables map[string]string // added to every function's environment
	Replaced  map[string]string // put in place of variables where a function has them
}

// object is a JSON object whose members stay as they were written.
type object map[string]json.RawMessage

// Localise returns the template with the archives, the local environment and
// the local concurrency limit in each function; all else is unchanged. It fails
// when a function has no archive: half a deployment would only fail later.
func Localise(template []byte, local Local) ([]byte, error) {
	var whole, resources object
	if err := json.Unmarshal(template, &whole); err != nil {
		return nil, fmt.Errorf("localise template: %w", err)
	}
	if err := json.Unmarshal(whole["Resources"], &resources); err != nil {
		return nil, fmt.Errorf("localise template: resources: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(resources)) {
		changed, err := localiseResource(resources[name], local)
		if err != nil {
			return nil, fmt.Errorf("localise template: %s: %w", name, err)
		}
		resources[name] = changed
	}
	if err := whole.set("Resources", resources); err != nil {
		return nil, fmt.Errorf("localise template: %w", err)
	}
	return encode(whole)
}

// Functions returns the names of the functions in the template, sorted.
func Functions(template []byte) ([]string, error) {
	var whole struct {
		Resources map[string]struct {
			Type       string
			Properties json.RawMessage
		}
	}
	if err := json.Unmarshal(template, &whole); err != nil {
		return nil, fmt.Errorf("read template: %w", err)
	}
	var names []string
	for id, resource := range whole.Resources {
		if resource.Type != functionType {
			continue
		}
		name, err := archiveName(resource.Properties)
		if err != nil {
			return nil, fmt.Errorf("read template: %s: %w", id, err)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

func archiveName(properties json.RawMessage) (string, error) {
	var function struct {
		Code struct{ S3Key string }
	}
	if err := json.Unmarshal(properties, &function); err != nil {
		return "", err
	}
	name, ok := strings.CutSuffix(function.Code.S3Key, ".zip")
	if !ok || name == "" || strings.Contains(name, "/") {
		return "", fmt.Errorf("code key %q is not of the form <function>.zip", function.Code.S3Key)
	}
	return name, nil
}

func localiseResource(text json.RawMessage, local Local) (json.RawMessage, error) {
	var resource object
	if err := json.Unmarshal(text, &resource); err != nil {
		return nil, err
	}
	var kind string
	if err := json.Unmarshal(resource["Type"], &kind); err != nil {
		return nil, err
	}
	if kind != functionType {
		return text, nil
	}
	properties, err := localiseFunction(resource["Properties"], local)
	if err != nil {
		return nil, err
	}
	if err := resource.set("Properties", properties); err != nil {
		return nil, err
	}
	return encode(resource)
}

func localiseFunction(text json.RawMessage, local Local) (object, error) {
	name, err := archiveName(text)
	if err != nil {
		return nil, err
	}
	key, ok := local.Keys[name]
	if !ok {
		return nil, fmt.Errorf("function %s has no archive", name)
	}
	var properties object
	if err := json.Unmarshal(text, &properties); err != nil {
		return nil, err
	}
	environment, err := properties.member("Environment")
	if err != nil {
		return nil, err
	}
	variables, err := environment.member("Variables")
	if err != nil {
		return nil, err
	}
	for variable, value := range local.Variables {
		if err := variables.set(variable, value); err != nil {
			return nil, err
		}
	}
	for variable, value := range local.Replaced {
		if _, has := variables[variable]; !has {
			continue
		}
		if err := variables.set(variable, value); err != nil {
			return nil, err
		}
	}
	if err := environment.set("Variables", variables); err != nil {
		return nil, err
	}
	if err := properties.set("Environment", environment); err != nil {
		return nil, err
	}
	if err := properties.set("Code", struct{ S3Bucket, S3Key string }{local.Bucket, key}); err != nil {
		return nil, err
	}
	return properties, properties.set("ReservedConcurrentExecutions", Concurrency)
}

// member returns the object under name, an empty one when there is none.
func (o object) member(name string) (object, error) {
	inner := object{}
	if text, ok := o[name]; ok {
		if err := json.Unmarshal(text, &inner); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return inner, nil
}

func (o object) set(name string, value any) error {
	text, err := encode(value)
	if err != nil {
		return err
	}
	o[name] = text
	return nil
}

// encode is json.Marshal that leaves <, > and & as they are.
func encode(value any) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), nil
}
