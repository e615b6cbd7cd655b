package stack_test

import (
	"errors"
	"testing"

	"paddock/infra/stack"
)

func TestSettings(t *testing.T) {
	for _, c := range []struct {
		name  string
		props stack.Props
		want  error
	}{
		{name: "nothing set takes the defaults"},
		{name: "production with a domain", props: stack.Props{Production: true, BaseDomain: "paddock.example.com", CertificateARN: "arn"}},
		{name: "governance for a try-out account", props: stack.Props{AuditLock: stack.Governance}},
		{name: "governance in production is refused", props: stack.Props{Production: true, AuditLock: stack.Governance}, want: stack.ErrGovernanceInProduction},
		{name: "engine endpoint in production is refused", props: stack.Props{Production: true, Local: stack.Local{EngineEndpoint: "https://localhost"}}, want: stack.ErrLocalInProduction},
		{name: "authority file in production is refused", props: stack.Props{Production: true, Local: stack.Local{CABundle: "/ca"}}, want: stack.ErrLocalInProduction},
		{name: "clock file in production is refused", props: stack.Props{Production: true, Local: stack.Local{ClockFile: "/clock"}}, want: stack.ErrLocalInProduction},
		{name: "unknown lock is refused", props: stack.Props{AuditLock: "NONE"}, want: stack.ErrSetting},
		{name: "89 days are refused", props: stack.Props{RetentionDays: stack.MinRetentionDays - 1}, want: stack.ErrSetting},
		{name: "90 days are taken", props: stack.Props{RetentionDays: stack.MinRetentionDays}},
		{name: "more than five years are refused", props: stack.Props{RetentionDays: stack.MaxRetentionDays + 1}, want: stack.ErrSetting},
		{name: "negative concurrency is refused", props: stack.Props{ReservedConcurrency: -1}, want: stack.ErrSetting},
		{name: "domain without certificate is refused", props: stack.Props{BaseDomain: "example.com"}, want: stack.ErrSetting},
		{name: "certificate without domain is refused", props: stack.Props{CertificateARN: "arn"}, want: stack.ErrSetting},
		{name: "zone without domain is refused", props: stack.Props{HostedZoneID: "Z1"}, want: stack.ErrSetting},
		{name: "a range service over https", props: stack.Props{PasswordRangeURL: "https://ranges.example.com"}},
		{name: "a range service over http is refused", props: stack.Props{PasswordRangeURL: "http://ranges.example.com"}, want: stack.ErrSetting},
		{name: "a range service with a query is refused", props: stack.Props{PasswordRangeURL: "https://ranges.example.com?key=1"}, want: stack.ErrSetting},
		{name: "upper-case prefix is refused", props: stack.Props{Prefix: "Paddock"}, want: stack.ErrSetting},
		{name: "sender with a display name is refused", props: stack.Props{MailSender: "Paddock <a@example.com>"}, want: stack.ErrSetting},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.props.Normal()
			if !errors.Is(err, c.want) {
				t.Fatalf("error %v, want %v", err, c.want)
			}
			if err != nil && got != (stack.Props{}) {
				t.Fatalf("refused, but returned %v", got)
			}
		})
	}
}

func TestNoStackComesOfRefusedSettings(t *testing.T) {
	made, err := newStack(t, stack.Props{Production: true, Local: stack.Local{ClockFile: "/clock"}})
	if !errors.Is(err, stack.ErrLocalInProduction) || made != nil {
		t.Fatalf("stack %v, error %v", made, err)
	}
}

func TestProductionTemplate(t *testing.T) {
	template := synth(t, stack.Props{
		Production: true, BaseDomain: "paddock.example.com", CertificateARN: "arn:aws:acm:::certificate/1",
		HostedZoneID: "Z1", ReservedConcurrency: 20, AlarmTopicARN: "arn:aws:sns:::alarms",
	})
	equal(t, "StrictConditions", template["Parameters"].(object)["StrictConditions"].(object)["AllowedValues"], []any{"true"})
	equal(t, "domains", len(ofType(template, "AWS::ApiGatewayV2::DomainName")), 2)
	equal(t, "records", len(ofType(template, "AWS::Route53::RecordSet")), 2)
	equal(t, "execute-api endpoint is off",
		properties(ofType(template, "AWS::ApiGatewayV2::Api")["HttpApi"])["DisableExecuteApiEndpoint"], true)
	for id, function := range ofType(template, "AWS::Lambda::Function") {
		equal(t, id+" concurrency", properties(function)["ReservedConcurrentExecutions"], 20.0)
	}
	for id, alarm := range ofType(template, "AWS::CloudWatch::Alarm") {
		equal(t, id+" actions", properties(alarm)["AlarmActions"], []any{"arn:aws:sns:::alarms"})
	}
}

func TestLocalTemplate(t *testing.T) {
	template := synth(t, stack.Props{
		BaseURLs: "http://localhost:8080,https://localhost:8443", DefaultWorkspace: "demo",
		Local: stack.Local{EngineEndpoint: "https://localhost:4566", CABundle: "/ca.crt", ClockFile: "/clock"},
	})
	variables := properties(ofType(template, "AWS::Lambda::Function")["ApiFunction"])["Environment"].(object)["Variables"].(object)
	for name, want := range map[string]string{
		"AWS_ENDPOINT_URL": "https://localhost:4566", "AWS_CA_BUNDLE": "/ca.crt", "PADDOCK_CLOCK_FILE": "/clock",
		"PADDOCK_BASE_URLS": "http://localhost:8080,https://localhost:8443", "PADDOCK_DEFAULT_WORKSPACE": "demo",
	} {
		equal(t, name, variables[name], want)
	}
}
