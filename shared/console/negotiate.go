package console

import (
	"strconv"
	"strings"
)

// accepts reports whether Accept-Encoding headers admit an encoding: named with
// a weight above 0, or, when not named, by "*". Weights only admit or refuse:
// among what is admitted the smallest form is best for everybody. A weight that
// is no number refuses. Source: RFC 9110, section 12.5.3.
func accepts(headers []string, encoding string) bool {
	byStar := false
	for _, header := range headers {
		for part := range strings.SplitSeq(header, ",") {
			name, parameters, _ := strings.Cut(part, ";")
			name = strings.ToLower(strings.TrimSpace(name))
			switch name {
			case encoding:
				return weighs(parameters)
			case "*":
				byStar = weighs(parameters)
			}
		}
	}
	return byStar
}

// weighs reports whether the parameters of a coding give it a weight above 0.
func weighs(parameters string) bool {
	name, value, found := strings.Cut(strings.TrimSpace(parameters), "=")
	if !found {
		return strings.TrimSpace(parameters) == ""
	}
	weight, err := strconv.ParseFloat(value, 64)
	return strings.EqualFold(name, "q") && err == nil && weight > 0 && weight <= 1
}

// matches reports whether If-None-Match headers name an entity tag, or any. The
// comparison is the weak one. Source: RFC 9110, section 13.1.2.
func matches(headers []string, tag string) bool {
	for _, header := range headers {
		for part := range strings.SplitSeq(header, ",") {
			part = strings.TrimSpace(part)
			if part == "*" || strings.TrimPrefix(part, "W/") == tag {
				return true
			}
		}
	}
	return false
}
