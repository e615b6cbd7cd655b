package stack

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"paddock/shared/credential/breach"
)

// Bounds and defaults of the settings.
const (
	DefaultPrefix           = "paddock"
	DefaultFunctionsFolder  = "build"
	DefaultLogRetentionDays = 90
	// MinRetentionDays and MaxRetentionDays bound how long audit objects are
	// locked. Source: design, "Audit, deletion": 90 days to 5 years.
	MinRetentionDays = 90
	MaxRetentionDays = 1826
)

// Refusals of settings.
var (
	ErrLocalInProduction      = errors.New("local settings are refused with production=true")
	ErrGovernanceInProduction = errors.New("auditLock=governance is refused with production=true")
	ErrSetting                = errors.New("setting refused")
)

// A Lock is the Object Lock mode of the audit bucket.
type Lock string

// The lock modes. Governance is for try-out accounts only: a privileged
// principal can shorten it.
const (
	Compliance Lock = "COMPLIANCE"
	Governance Lock = "GOVERNANCE"
)

// Local holds what functions need to reach an engine on this machine instead
// of AWS. The zero Local is none of it.
type Local struct {
	EngineEndpoint string // AWS_ENDPOINT_URL
	CABundle       string // AWS_CA_BUNDLE, an absolute file name
	ClockFile      string // PADDOCK_CLOCK_FILE, an absolute file name
}

// Props are the settings of one deployment; see infra/README.md for defaults.
type Props struct {
	Prefix              string
	FunctionsFolder     string // holds one folder per function
	Production          bool
	AuditLock           Lock
	RetentionDays       int // default lock of audit objects, days
	LogRetentionDays    int // days, one of the values CloudWatch Logs takes
	ReservedConcurrency int // per function; 0 reserves nothing
	BaseDomain          string
	CertificateARN      string // covers BaseDomain and *.BaseDomain
	HostedZoneID        string // Route 53 zone of BaseDomain, may be empty
	BaseURLs            string // comma list; empty: derived
	DefaultWorkspace    string
	MailSender          string // empty: no-reply@ the base domain
	SMSSender           string // sender id of text messages; empty: none are sent
	VoiceOrigin         string // ARN of the phone number or pool that calls; empty: nobody is called
	AlarmTopicARN       string // SNS topic that alarms notify, may be empty
	PasswordFilter      string // file of known passwords for signin, may be empty
	PasswordRangeURL    string // https range service for signin, may be empty
	Local               Local
}

// Forms of what sends to phones, both may be empty. Source: AWS End User
// Messaging SMS User Guide, "Sender IDs": up to 11 letters, digits and hyphens,
// a letter among them; "Phone numbers" and "Pools" for the ARNs.
const (
	smsSenderForm   = `([A-Za-z][A-Za-z0-9-]{0,10})?`
	voiceOriginForm = `(arn:[a-z-]+:sms-voice:[a-z0-9-]+:[0-9]{12}:(phone-number|pool)/[A-Za-z0-9-]+)?`
)

var (
	smsForm    = regexp.MustCompile(`^` + smsSenderForm + `$`)
	voiceForm  = regexp.MustCompile(`^` + voiceOriginForm + `$`)
	prefixForm = regexp.MustCompile(`^[a-z][a-z0-9-]{0,22}[a-z0-9]$`)
	domainForm = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$`)
	senderForm = regexp.MustCompile(`^[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+$`)
)

// Normal returns the settings with defaults filled in, or a refusal that
// wraps ErrLocalInProduction, ErrGovernanceInProduction or ErrSetting.
func (p Props) Normal() (Props, error) {
	p.Prefix = orElse(p.Prefix, DefaultPrefix)
	p.FunctionsFolder = orElse(p.FunctionsFolder, DefaultFunctionsFolder)
	p.MailSender = orElse(p.MailSender, "no-reply@"+orElse(p.BaseDomain, "localhost"))
	if p.AuditLock == "" {
		p.AuditLock = Compliance
	}
	if p.RetentionDays == 0 {
		p.RetentionDays = MinRetentionDays
	}
	if p.LogRetentionDays == 0 {
		p.LogRetentionDays = DefaultLogRetentionDays
	}
	if err := p.check(); err != nil {
		return Props{}, err
	}
	return p, nil
}

func (p Props) check() error {
	switch {
	case p.Production && p.Local != Local{}:
		return ErrLocalInProduction
	case p.Production && p.AuditLock != Compliance:
		return ErrGovernanceInProduction
	case p.AuditLock != Compliance && p.AuditLock != Governance:
		return fmt.Errorf("%w: auditLock is compliance or governance", ErrSetting)
	case !prefixForm.MatchString(p.Prefix):
		return fmt.Errorf("%w: prefix is 2 to 24 of a-z, 0-9 and -", ErrSetting)
	case p.RetentionDays < MinRetentionDays || p.RetentionDays > MaxRetentionDays:
		return fmt.Errorf("%w: retentionDays is %d to %d", ErrSetting, MinRetentionDays, MaxRetentionDays)
	case p.ReservedConcurrency < 0:
		return fmt.Errorf("%w: reservedConcurrency is not negative", ErrSetting)
	case p.BaseDomain != "" && !domainForm.MatchString(p.BaseDomain):
		return fmt.Errorf("%w: baseDomain is a lower-case domain name", ErrSetting)
	case (p.BaseDomain == "") != (p.CertificateARN == ""):
		return fmt.Errorf("%w: baseDomain and certificateArn go together", ErrSetting)
	case p.HostedZoneID != "" && p.BaseDomain == "":
		return fmt.Errorf("%w: hostedZone needs baseDomain", ErrSetting)
	case !smsForm.MatchString(p.SMSSender):
		return fmt.Errorf("%w: smsSender is 1 to 11 letters, digits and hyphens, a letter first", ErrSetting)
	case !voiceForm.MatchString(p.VoiceOrigin):
		return fmt.Errorf("%w: voiceOrigin is the ARN of a phone number or pool", ErrSetting)
	case !senderForm.MatchString(p.MailSender):
		return fmt.Errorf("%w: mailSender is a plain address", ErrSetting)
	}
	if p.PasswordRangeURL != "" {
		if err := breach.CheckURL(p.PasswordRangeURL); err != nil {
			return fmt.Errorf("%w: passwordRangeURL: %w", ErrSetting, err)
		}
	}
	return nil
}

// senderDomain returns the domain part of the sender's address.
func (p Props) senderDomain() string {
	return p.MailSender[strings.LastIndexByte(p.MailSender, '@')+1:]
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func wholeNumber(name, text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("%w: %s is a whole number", ErrSetting, name)
	}
	return n, nil
}

func truth(name, text string) (bool, error) {
	switch text {
	case "", "false":
		return false, nil
	case "true":
		return true, nil
	}
	return false, fmt.Errorf("%w: %s is true or false", ErrSetting, name)
}
