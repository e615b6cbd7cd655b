package stack

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// FromContext reads the settings from CDK context values, given as
// `-c name=value` or in cdk.json. Absent values take the defaults of Normal.
func FromContext(node constructs.Node) (Props, error) {
	text := func(name string) string {
		switch value := node.TryGetContext(jsii.String(name)).(type) {
		case nil:
			return ""
		case string:
			return value
		default:
			return fmt.Sprint(value)
		}
	}
	production, errProduction := truth("production", text("production"))
	retention, errRetention := wholeNumber("retentionDays", text("retentionDays"))
	logDays, errLog := wholeNumber("logRetentionDays", text("logRetentionDays"))
	reserved, errReserved := wholeNumber("reservedConcurrency", text("reservedConcurrency"))
	if err := errors.Join(errProduction, errRetention, errLog, errReserved); err != nil {
		return Props{}, err
	}
	return Props{
		Prefix:              text("prefix"),
		FunctionsFolder:     text("functionsDir"),
		Production:          production,
		AuditLock:           Lock(strings.ToUpper(text("auditLock"))),
		RetentionDays:       retention,
		LogRetentionDays:    logDays,
		ReservedConcurrency: reserved,
		BaseDomain:          text("baseDomain"),
		CertificateARN:      text("certificateArn"),
		HostedZoneID:        text("hostedZone"),
		BaseURLs:            text("baseUrls"),
		DefaultWorkspace:    text("defaultWorkspace"),
		MailSender:          text("mailSender"),
		SMSSender:           text("smsSender"),
		VoiceOrigin:         text("voiceOrigin"),
		AlarmTopicARN:       text("alarmTopicArn"),
		PasswordFilter:      text("passwordFilter"),
		PasswordRangeURL:    text("passwordRangeURL"),
		Local: Local{
			EngineEndpoint: text("engineEndpoint"),
			CABundle:       text("caBundle"),
			ClockFile:      text("clockFile"),
		},
	}.Normal()
}
