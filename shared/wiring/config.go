// Package wiring builds every entry of Paddock from its configuration. It is
// the one place that reads the environment and the clock, and that knows which
// function has which parts. Entries that need a service which others do not
// have a package of their own below it: linking a service's client into a
// function costs each of its cold starts, used or not.
package wiring

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"paddock/shared/aws/client"
	"paddock/shared/table"
)

// A Config is what entries are built from. Names that a function does not use
// are empty.
type Config struct {
	Prefix        string
	Tables        map[table.Name]string
	BaseURLs      []string
	Default       string // slug of the default workspace
	MailSender    string
	SMSSender     string // sender id of text messages; "": none are sent
	VoiceOrigin   string // ARN of the number or pool that calls; "": nobody is called
	MessageQueue  string // URL
	DeadQueue     string // URL of the queue for records that cannot be handled
	AuditBucket   string
	SigningKey    string // ARN
	Retention     time.Duration
	Strict        bool
	RoleProvision string
	RoleSignin    string
	RoleAPI       string
	RoleTasks     string
	RoleErase     string
	// PasswordFilter is the file of the operator's list of known passwords, ""
	// for none; PasswordRangeURL is the range service, "" for none.
	PasswordFilter   string
	PasswordRangeURL string
	MemoryMB         int // of the function; bounds how many passwords are hashed at once

	AWS    aws.Config
	Now    func() time.Time
	Random io.Reader // nil: crypto/rand
	// Outgoing makes connections to hosts that settings name; nil: to public
	// addresses alone, none of them the deployment's own.
	Outgoing http.RoundTripper
	// Calls carries requests to the service that makes calls, where no engine
	// has it; nil: as all others.
	Calls aws.HTTPClient
}

// FromEnvironment returns the configuration of this function: its environment
// as the infrastructure sets it, the service's clock and its AWS clients.
func FromEnvironment() (Config, error) {
	c, err := From(os.Getenv)
	if err != nil {
		return Config{}, err
	}
	if c.Now, err = clock(); err != nil {
		return Config{}, err
	}
	if c.PasswordFilter, err = beside(c.PasswordFilter); err != nil {
		return Config{}, err
	}
	c.AWS, err = client.New(client.FromProcess())
	return c, err
}

// beside returns where a file of this function's archive lies.
func beside(name string) (string, error) {
	if name == "" || filepath.IsAbs(name) {
		return name, nil
	}
	program, err := os.Executable()
	return filepath.Join(filepath.Dir(program), name), err
}

// From reads a configuration out of environment variables. Clock and AWS
// clients are for the caller to set.
func From(getenv func(string) string) (Config, error) {
	orDefault := func(name, otherwise string) string { return cmp.Or(getenv(name), otherwise) }
	days, err := strconv.Atoi(orDefault("PADDOCK_RETENTION_DAYS", "90"))
	if err != nil || days < 90 || days > 1826 {
		return Config{}, errors.New("wiring: PADDOCK_RETENTION_DAYS must be from 90 to 1826")
	}
	memory, err := strconv.Atoi(orDefault("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"))
	if err != nil {
		return Config{}, fmt.Errorf("wiring: AWS_LAMBDA_FUNCTION_MEMORY_SIZE: %w", err)
	}
	return Config{
		Prefix: orDefault("PADDOCK_PREFIX", "paddock"),
		Tables: map[table.Name]string{
			table.Data: getenv("PADDOCK_DATA_TABLE"), table.Credentials: getenv("PADDOCK_CREDENTIALS_TABLE"),
			table.DataKeyring: getenv("PADDOCK_DATA_KEYRING_TABLE"), table.CredentialKeyring: getenv("PADDOCK_CREDENTIAL_KEYRING_TABLE"),
		},
		BaseURLs: strings.FieldsFunc(getenv("PADDOCK_BASE_URLS"), func(r rune) bool { return r == ',' }),
		Default:  getenv("PADDOCK_DEFAULT_WORKSPACE"), MailSender: getenv("PADDOCK_MAIL_SENDER"),
		SMSSender: getenv("PADDOCK_SMS_SENDER"), VoiceOrigin: getenv("PADDOCK_VOICE_ORIGIN"),
		MessageQueue: getenv("PADDOCK_MESSAGE_QUEUE_URL"), DeadQueue: getenv("PADDOCK_DEAD_QUEUE_URL"),
		AuditBucket: getenv("PADDOCK_AUDIT_BUCKET"), SigningKey: getenv("PADDOCK_SIGNING_KEY"),
		Retention:     time.Duration(days) * 24 * time.Hour,
		Strict:        getenv("PADDOCK_STRICT_CONDITIONS") != "false",
		RoleProvision: getenv("PADDOCK_ROLE_PROVISION"), RoleSignin: getenv("PADDOCK_ROLE_SIGNIN"),
		RoleAPI: getenv("PADDOCK_ROLE_API"), RoleTasks: getenv("PADDOCK_ROLE_TASKS"), RoleErase: getenv("PADDOCK_ROLE_ERASE"),
		PasswordFilter: getenv("PADDOCK_PASSWORD_FILTER"), PasswordRangeURL: getenv("PADDOCK_PASSWORD_RANGE_URL"),
		MemoryMB: memory,
	}, nil
}

// BaseHosts returns the hosts, with port, of the base URLs; there is at least
// one.
func (c Config) BaseHosts() ([]string, error) {
	var hosts []string
	for _, base := range c.BaseURLs {
		u, err := url.Parse(base)
		if err != nil || u.Host == "" {
			return nil, fmt.Errorf("wiring: base URL %q is not one", base)
		}
		hosts = append(hosts, strings.ToLower(u.Host))
	}
	if len(hosts) == 0 {
		return nil, errors.New("wiring: PADDOCK_BASE_URLS is empty")
	}
	return hosts, nil
}
