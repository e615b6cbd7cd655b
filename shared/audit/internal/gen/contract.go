package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
)

// A Contract is one file of events/audit, as far as code needs it.
type Contract struct {
	Code       string  `json:"code"`
	Event      string  `json:"event"`
	When       string  `json:"when"`
	Fields     []Field `json:"fields"`
	App        string  `json:"app"`
	Model      string  `json:"model"`
	Action     string  `json:"action"`
	Outcome    string  `json:"outcome"`
	OCSF       OCSF    `json:"ocsf"`
	Severity   int     `json:"severity"`
	Visibility string  `json:"visibility"`
	Spec       string  `json:"spec"`
}

// A Field is one field beyond the envelope.
type Field struct {
	Name    string   `json:"name"`
	Type    string   `json:"type"`
	Values  []string `json:"values,omitempty"`  // the texts allowed, all of them unless Open
	Open    bool     `json:"open,omitempty"`    // Values are examples
	Min     int64    `json:"min,omitempty"`     // bounds of an int, both zero for none
	Max     int64    `json:"max,omitempty"`     //
	Masked  bool     `json:"masked,omitempty"`  // secrets in the text are replaced before it is written
	Columns []string `json:"columns,omitempty"` // each text of the list holds these, separated by a tab
}

// OCSF names the class and activity of OCSF 1.8.0. ByVerb says that the
// activity follows from the HTTP method.
type OCSF struct {
	ClassUID    int  `json:"class_uid"`
	ActivityID  int  `json:"activity_id"`
	TypeUID     int  `json:"type_uid"`
	ActivityByV bool `json:"by_verb,omitempty"`
}

var (
	fieldTypes   = map[string]string{"string": "TextField", "int": "NumberField", "bool": "FlagField", "strings": "ListField", "time": "InstantField", "id": "IDField", "changes": "ChangeField"}
	visibilities = map[string]string{"own": "Own", "staff": "Staff", "superuser": "Superuser"}
	outcomes     = map[string]string{"success": "Success", "denied": "Denied", "failure": "Failure", "error": "Error"}

	codeForm  = regexp.MustCompile(`^PD[0-9]{4}[IWE]$`)
	nameForm  = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$`)
	fieldForm = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?$`)
)

// maxFields is how many fields the stored form can number.
const maxFields = 32

// Load reads and checks every contract, ordered by code.
func Load(folder fs.FS) ([]Contract, error) {
	names, err := fs.Glob(folder, "*.json")
	if err != nil {
		return nil, err
	}
	var rows []Contract
	for _, name := range names {
		text, err := fs.ReadFile(folder, name)
		if err != nil {
			return nil, err
		}
		var c Contract
		d := json.NewDecoder(bytes.NewReader(text))
		d.DisallowUnknownFields()
		if err := d.Decode(&c); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if name != c.Code+".json" {
			return nil, fmt.Errorf("%s: holds the contract of %s", name, c.Code)
		}
		if err := c.check(); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		rows = append(rows, c)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("no contract found")
	}
	slices.SortFunc(rows, func(a, b Contract) int { return strings.Compare(a.Code, b.Code) })
	return rows, nil
}

func (c Contract) check() error {
	switch {
	case !codeForm.MatchString(c.Code):
		return fmt.Errorf("code %q is not PD, four digits and I, W or E", c.Code)
	case !nameForm.MatchString(c.Event):
		return fmt.Errorf("event name %q is malformed", c.Event)
	case c.App == "" || c.Model == "" || c.Action == "" || c.When == "" || c.Spec == "":
		return fmt.Errorf("app, model, action, when and spec are required")
	case c.Severity < 1 || c.Severity > 5:
		return fmt.Errorf("severity %d is outside 1 to 5", c.Severity)
	case visibilities[c.Visibility] == "":
		return fmt.Errorf("visibility %q is unknown", c.Visibility)
	case outcomes[c.Outcome] == "":
		return fmt.Errorf("outcome %q is unknown", c.Outcome)
	case c.OCSF.TypeUID != c.OCSF.ClassUID*100+c.OCSF.ActivityID:
		return fmt.Errorf("type_uid %d is not class_uid * 100 + activity_id", c.OCSF.TypeUID)
	}
	if len(c.Fields) > maxFields {
		return fmt.Errorf("%d fields are more than %d, which the stored form numbers", len(c.Fields), maxFields)
	}
	seen := map[string]bool{}
	for _, f := range c.Fields {
		switch {
		case !fieldForm.MatchString(f.Name):
			return fmt.Errorf("field name %q is malformed", f.Name)
		case seen[f.Name]:
			return fmt.Errorf("field %s is declared twice", f.Name)
		case fieldTypes[f.Type] == "":
			return fmt.Errorf("field %s has the unknown type %q", f.Name, f.Type)
		case len(f.Values) > 0 && f.Type != "string":
			return fmt.Errorf("field %s lists values but is no string", f.Name)
		case (f.Min != 0 || f.Max != 0) && (f.Type != "int" || f.Min > f.Max):
			return fmt.Errorf("field %s has bounds that bound nothing", f.Name)
		}
		seen[f.Name] = true
	}
	return nil
}
