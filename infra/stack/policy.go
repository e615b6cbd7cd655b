package stack

// policyVersion is the only current version of the IAM policy language.
const policyVersion = "2012-10-17"

// A statement is one IAM statement. Principals and conditions are absent when
// empty; an action list never holds a wildcard.
type statement struct {
	sid        string
	deny       bool
	principal  any
	actions    []string
	resources  []any
	conditions map[string]map[string]any
}

// document returns the policy document of the statements.
func document(statements ...statement) map[string]any {
	list := make([]any, 0, len(statements))
	for _, one := range statements {
		list = append(list, one.json())
	}
	return map[string]any{"Version": policyVersion, "Statement": list}
}

func (s statement) json() map[string]any {
	effect := "Allow"
	if s.deny {
		effect = "Deny"
	}
	out := map[string]any{"Sid": s.sid, "Effect": effect, "Action": s.actions}
	if len(s.resources) == 1 {
		out["Resource"] = s.resources[0]
	} else if len(s.resources) > 1 {
		out["Resource"] = s.resources
	}
	if s.principal != nil {
		out["Principal"] = s.principal
	}
	if len(s.conditions) > 0 {
		out["Condition"] = s.conditions
	}
	return out
}

// trust returns the document that lets one AWS service assume a role.
func trust(service string, conditions map[string]map[string]any) map[string]any {
	return document(statement{
		sid: "Assume", principal: map[string]any{"Service": service},
		actions: []string{"sts:AssumeRole"}, conditions: conditions,
	})
}

// overTLS returns the statement that refuses requests without TLS.
func overTLS(service string, resources ...any) statement {
	return statement{
		sid: "OverTLSOnly", deny: true, principal: "*",
		actions: []string{service + ":*"}, resources: resources,
		conditions: map[string]map[string]any{"Bool": {"aws:SecureTransport": "false"}},
	}
}
