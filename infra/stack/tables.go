package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/jsii-runtime-go"
)

// The tables. The names are also the last parts of the stored names and the
// symbols of package rights.
const (
	dataTable              = "data"
	credentialsTable       = "credentials"
	dataKeyringTable       = "data-keyring"
	credentialKeyringTable = "credential-keyring"
)

// expiryAttribute holds seconds since 1970 after which DynamoDB may remove an
// item. Access never rests on it.
const expiryAttribute = "ttl"

type tableShape struct {
	logicalID string
	name      string
	indexes   []index
	stream    bool
	expiry    bool
	backup    bool
}

type index struct{ name, hash string }

func shapes() []tableShape {
	return []tableShape{
		{logicalID: "DataTable", name: dataTable, stream: true, expiry: true, backup: true, indexes: []index{
			{"by_actor", "ga"}, {"by_subject", "gs"}, {"by_topic", "gt"},
		}},
		{logicalID: "CredentialsTable", name: credentialsTable, expiry: true, backup: true},
		// A keyring that can be restored would undo the destruction of a
		// workspace: no backup, no stream, no expiry.
		{logicalID: "DataKeyringTable", name: dataKeyringTable},
		{logicalID: "CredentialKeyringTable", name: credentialKeyringTable},
	}
}

func (s *deployment) addTables() {
	for _, shape := range shapes() {
		s.tables[shape.name] = s.addTable(shape)
	}
}

func (s *deployment) addTable(shape tableShape) awsdynamodb.CfnTable {
	attributes := []any{text("pk"), text("sk")}
	var indexes []any
	for _, i := range shape.indexes {
		attributes = append(attributes, text(i.hash))
		indexes = append(indexes, &awsdynamodb.CfnTable_GlobalSecondaryIndexProperty{
			IndexName:  jsii.String(i.name),
			KeySchema:  keySchema(i.hash, "sk"),
			Projection: &awsdynamodb.CfnTable_ProjectionProperty{ProjectionType: jsii.String("ALL")},
		})
	}
	props := &awsdynamodb.CfnTableProps{
		TableName:                 jsii.String(s.named(shape.name)),
		BillingMode:               jsii.String("PAY_PER_REQUEST"),
		KeySchema:                 keySchema("pk", "sk"),
		AttributeDefinitions:      &attributes,
		DeletionProtectionEnabled: jsii.Bool(true),
		PointInTimeRecoverySpecification: &awsdynamodb.CfnTable_PointInTimeRecoverySpecificationProperty{
			PointInTimeRecoveryEnabled: jsii.Bool(shape.backup),
		},
		SseSpecification: &awsdynamodb.CfnTable_SSESpecificationProperty{SseEnabled: jsii.Bool(false)},
	}
	if len(indexes) > 0 {
		props.GlobalSecondaryIndexes = &indexes
	}
	if shape.stream {
		props.StreamSpecification = &awsdynamodb.CfnTable_StreamSpecificationProperty{
			StreamViewType: jsii.String("NEW_AND_OLD_IMAGES"),
		}
	}
	if shape.expiry {
		props.TimeToLiveSpecification = &awsdynamodb.CfnTable_TimeToLiveSpecificationProperty{
			AttributeName: jsii.String(expiryAttribute), Enabled: jsii.Bool(true),
		}
	}
	table := awsdynamodb.NewCfnTable(s.cdk, jsii.String(shape.logicalID), props)
	keep(table)
	return table
}

func text(name string) *awsdynamodb.CfnTable_AttributeDefinitionProperty {
	return &awsdynamodb.CfnTable_AttributeDefinitionProperty{
		AttributeName: jsii.String(name), AttributeType: jsii.String("S"),
	}
}

func keySchema(hash, sort string) *[]any {
	return &[]any{
		&awsdynamodb.CfnTable_KeySchemaProperty{AttributeName: jsii.String(hash), KeyType: jsii.String("HASH")},
		&awsdynamodb.CfnTable_KeySchemaProperty{AttributeName: jsii.String(sort), KeyType: jsii.String("RANGE")},
	}
}
