// Package wiring builds every entry of Paddock from its configuration. It is
// the one place that reads the environment and the clock, and that knows which
// function has which parts.
package wiring

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
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
	MemoryMB      int // of the function; bounds how many passwords are hashed at once

	AWS    aws.Config
	Now    func() time.Time
	Random io.Reader // nil: crypto/rand
}

// FromEnvironment reads the configuration of this function from its
// environment, as the infrastructure sets it.
func FromEnvironment() (Config, error) {
	days, err := strconv.Atoi(orDefault("PADDOCK_RETENTION_DAYS", "90"))
	if err != nil || days < 90 || days > 1826 {
		return Config{}, errors.New("wiring: PADDOCK_RETENTION_DAYS must be from 90 to 1826")
	}
	memory, err := strconv.Atoi(orDefault("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"))
	if err != nil {
		return Config{}, fmt.Errorf("wiring: AWS_LAMBDA_FUNCTION_MEMORY_SIZE: %w", err)
	}
	c := Config{
		Prefix: orDefault("PADDOCK_PREFIX", "paddock"),
		Tables: map[table.Name]string{
			table.Data: os.Getenv("PADDOCK_DATA_TABLE"), table.Credentials: os.Getenv("PADDOCK_CREDENTIALS_TABLE"),
			table.DataKeyring: os.Getenv("PADDOCK_DATA_KEYRING_TABLE"), table.CredentialKeyring: os.Getenv("PADDOCK_CREDENTIAL_KEYRING_TABLE"),
		},
		BaseURLs: strings.FieldsFunc(os.Getenv("PADDOCK_BASE_URLS"), func(r rune) bool { return r == ',' }),
		Default:  os.Getenv("PADDOCK_DEFAULT_WORKSPACE"), MailSender: os.Getenv("PADDOCK_MAIL_SENDER"),
		MessageQueue: os.Getenv("PADDOCK_MESSAGE_QUEUE_URL"), DeadQueue: os.Getenv("PADDOCK_DEAD_QUEUE_URL"),
		AuditBucket: os.Getenv("PADDOCK_AUDIT_BUCKET"), SigningKey: os.Getenv("PADDOCK_SIGNING_KEY"),
		Retention:     time.Duration(days) * 24 * time.Hour,
		Strict:        os.Getenv("PADDOCK_STRICT_CONDITIONS") != "false",
		RoleProvision: os.Getenv("PADDOCK_ROLE_PROVISION"), RoleSignin: os.Getenv("PADDOCK_ROLE_SIGNIN"),
		RoleAPI: os.Getenv("PADDOCK_ROLE_API"), RoleTasks: os.Getenv("PADDOCK_ROLE_TASKS"), RoleErase: os.Getenv("PADDOCK_ROLE_ERASE"),
		MemoryMB: memory,
	}
	if c.Now, err = clock(); err != nil {
		return Config{}, err
	}
	c.AWS, err = client.New(client.FromProcess())
	return c, err
}

func orDefault(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}

// baseHosts returns the hosts, with port, of the base URLs.
func (c Config) baseHosts() ([]string, error) {
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

// hashesAtOnce is how many passwords are hashed side by side: each takes 19
// MiB while it runs, and half of the memory is left for everything else.
func (c Config) hashesAtOnce() int {
	return max(1, c.MemoryMB/2/24)
}
