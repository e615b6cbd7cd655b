package audit

import "strings"

// Values returns the closed set of texts of a field, nil for any text.
func Values(k Kind, name string) []string {
	r := k.rule(name)
	if r == nil || r.values == "" {
		return nil
	}
	return strings.Split(r.values, "|")
}
