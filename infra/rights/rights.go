// Package rights holds the committed list of what each function may do: one
// action on one symbolic resource a line. The stack turns the lists into role
// policies; a test proves the roles equal them. The package knows no ARN.
package rights

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
)

// ErrUnknownFunction is returned for a function that has no list.
var ErrUnknownFunction = errors.New("no list of rights for the function")

//go:embed *.json
var lists embed.FS

// A Right is one action on one symbolic resource, such as
// {"dynamodb:PutItem", "data"}. The symbols are mapped to ARNs in one place,
// the stack package.
type Right struct {
	Action   string `json:"action"`
	Resource string `json:"resource"`
}

// Functions returns the names of all functions that have a list, sorted.
// The role of erase exists before its function: a key policy can name only
// roles that exist when the key is made.
func Functions() []string {
	return []string{"api", "archive", "console", "erase", "provision", "relay", "signin", "tasks"}
}

// Of returns the rights of a function in the order of its list.
// It fails with ErrUnknownFunction when there is no list, and when the list
// does not decode.
func Of(function string) ([]Right, error) {
	text, err := lists.ReadFile(function + ".json")
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrUnknownFunction, function)
	}
	var list []Right
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("rights of %s: %w", function, err)
	}
	return list, nil
}
