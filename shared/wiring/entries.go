package wiring

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	awskms "github.com/aws/aws-sdk-go-v2/service/kms"

	"paddock/shared/aws/dynamo"
	"paddock/shared/aws/kms"
	"paddock/shared/id"
	"paddock/shared/seal"
	"paddock/shared/table"
)

// Engine returns the tables of this function.
func (c Config) Engine() *dynamo.Engine {
	names := map[table.Name]string{}
	for n, name := range c.Tables {
		if name != "" {
			names[n] = name
		}
	}
	return dynamo.New(dynamodb.NewFromConfig(c.AWS), names)
}

// Store returns the store of a function that may read these keyrings.
func (c Config) Store(keys *kms.Keys, keyrings ...table.Name) (*table.Store, error) {
	return table.New(table.Config{
		Engine: c.Engine(), Cache: seal.NewCache(keys, c.Now), Keyrings: keyrings, Now: c.Now,
		IDs: id.Source{Reader: c.Random}, Retain: c.Retention,
	})
}

// Keys returns the workspaces' keys.
func (c Config) Keys() *kms.Keys { return kms.New(awskms.NewFromConfig(c.AWS)) }
