package wiring

import (
	"context"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	awskms "github.com/aws/aws-sdk-go-v2/service/kms"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"

	"paddock/shared/activity"
	"paddock/shared/archive"
	"paddock/shared/aws/dynamo"
	"paddock/shared/aws/kms"
	"paddock/shared/aws/s3"
	"paddock/shared/aws/ses"
	"paddock/shared/aws/sqs"
	"paddock/shared/consumer"
	"paddock/shared/credential"
	"paddock/shared/httpapi"
	"paddock/shared/httpapi/api"
	"paddock/shared/httpapi/signin"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/provision"
	"paddock/shared/route"
	"paddock/shared/seal"
	"paddock/shared/session"
	"paddock/shared/table"
	"paddock/shared/workspace"
)

func (c Config) engine() *dynamo.Engine {
	names := map[table.Name]string{}
	for n, name := range c.Tables {
		if name != "" {
			names[n] = name
		}
	}
	return dynamo.New(dynamodb.NewFromConfig(c.AWS), names)
}

// store returns the store of a function that may read these keyrings.
func (c Config) store(keys *kms.Keys, keyrings ...table.Name) (*table.Store, error) {
	return table.New(table.Config{
		Engine: c.engine(), Cache: seal.NewCache(keys, c.Now), Keyrings: keyrings, Now: c.Now,
		IDs: id.Source{Reader: c.Random}, Retain: c.Retention,
	})
}

func (c Config) keys() *kms.Keys { return kms.New(awskms.NewFromConfig(c.AWS)) }

func (c Config) sessions(store *table.Store, h *credential.Hasher) (*session.Service, error) {
	hosts, err := c.baseHosts()
	if err != nil {
		return nil, err
	}
	return session.New(session.Config{Store: store, Hasher: h, Random: c.Random, BaseHosts: hosts, DefaultWorkspace: c.Default})
}

// Signin builds the HTTP handler of the signin function.
func Signin(c Config) (http.Handler, error) {
	store, err := c.store(c.keys(), table.DataKeyring, table.CredentialKeyring)
	if err != nil {
		return nil, err
	}
	sessions, err := c.sessions(store, credential.NewHasher(c.hashesAtOnce()))
	if err != nil {
		return nil, err
	}
	return httpapi.New(httpapi.Config{Function: route.Signin, Sessions: sessions, Store: store, Now: c.Now, Bindings: signin.New(sessions).Bindings()})
}

// API builds the HTTP handler of the api function.
func API(c Config) (http.Handler, error) {
	store, err := c.store(c.keys(), table.DataKeyring)
	if err != nil {
		return nil, err
	}
	sessions, err := c.sessions(store, nil)
	if err != nil {
		return nil, err
	}
	people, err := identity.New(store, c.Random)
	if err != nil {
		return nil, err
	}
	settings, err := workspace.New(store)
	if err != nil {
		return nil, err
	}
	log, err := activity.New(store)
	if err != nil {
		return nil, err
	}
	return httpapi.New(httpapi.Config{Function: route.API, Sessions: sessions, Store: store, Now: c.Now, Bindings: api.New(people, settings, log).Bindings()})
}

// makesKeys binds the key service to the deployment's policy for new keys.
type makesKeys struct {
	*kms.Keys
	plan func(id.UUID) kms.Plan
}

// Create implements provision's keys.
func (m makesKeys) Create(ctx context.Context, ws id.UUID) (string, error) {
	return m.Keys.Create(ctx, m.plan(ws))
}

// Provision builds the service that makes workspaces.
func Provision(c Config) (*provision.Service, error) {
	keys := c.keys()
	store, err := c.store(keys)
	if err != nil {
		return nil, err
	}
	people, err := identity.New(store, c.Random)
	if err != nil {
		return nil, err
	}
	roles := kms.Roles{Provision: c.RoleProvision, Erase: c.RoleErase, Decrypt: map[seal.Purpose][]string{
		seal.Data:        {c.RoleSignin, c.RoleAPI, c.RoleTasks},
		seal.Index:       {c.RoleSignin, c.RoleAPI, c.RoleTasks},
		seal.Credentials: {c.RoleSignin},
	}}
	plan := func(ws id.UUID) kms.Plan {
		return kms.Plan{Workspace: ws, Deployment: c.Prefix, Roles: roles, Strict: c.Strict}
	}
	return provision.New(provision.Config{Store: store, People: people, Keys: makesKeys{keys, plan}, BaseURLs: c.BaseURLs, DefaultSlug: c.Default})
}

// Relay builds the consumer of stored messages.
func Relay(c Config) *consumer.Relay {
	return consumer.NewRelay(sqs.New(awssqs.NewFromConfig(c.AWS), c.MessageQueue))
}

// Post builds the consumer of queued messages.
func Post(c Config) (*consumer.Post, error) {
	store, err := c.store(c.keys(), table.DataKeyring)
	if err != nil {
		return nil, err
	}
	return consumer.NewPost(store, c.engine(), ses.New(sesv2.NewFromConfig(c.AWS), c.MailSender)), nil
}

// Archive builds the consumer of stored events.
func Archive(c Config) (*consumer.Archive, error) {
	hosts, err := c.baseHosts()
	if err != nil {
		return nil, err
	}
	bucket, err := s3.New(awss3.NewFromConfig(c.AWS, func(o *awss3.Options) { o.UsePathStyle = c.AWS.BaseEndpoint != nil }), c.AuditBucket)
	if err != nil {
		return nil, err
	}
	engine := c.engine()
	archiver, err := archive.New(archive.Config{
		Domain: hosts[0], Logs: consumer.NewLedger(engine, c.Retention), Bucket: bucket,
		Key: kms.NewSigningKey(awskms.NewFromConfig(c.AWS), c.SigningKey), Now: c.Now,
	})
	if err != nil {
		return nil, err
	}
	return consumer.NewArchive(archiver, engine, sqs.New(awssqs.NewFromConfig(c.AWS), c.DeadQueue), c.Now), nil
}
