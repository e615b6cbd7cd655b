// Package contract states each behaviour of AWS that Paddock relies on and
// proves it on the local engine. A behaviour that the engine gets wrong is in
// Deviations, with what proves it instead; a test shows that it still is wrong,
// so that a better engine is noticed.
//
// No test of authorization uses the engine's root keys: root passes every
// policy there. Roles are assumed instead.
package contract

// A Deviation is a behaviour of AWS that the local engine does not have.
type Deviation struct {
	Name    string // of the subtest of TestEngineStillDeviates that shows it
	AWS     string // what AWS does
	Engine  string // what the engine does
	Proof   string // what proves the product right instead
	Unshown string // why no test shows it; empty when one does
}

// Deviations are all known ones that Paddock could be hurt by.
func Deviations() []Deviation {
	return []Deviation{
		{
			Name:   "TamperedCiphertext",
			AWS:    "Decrypt of a changed ciphertext fails with InvalidCiphertextException.",
			Engine: "Decrypt answers with garbage when a byte of the body is changed.",
			Proof:  "Every opened value is checked by our own AEAD under the data key (shared/seal).",
		},
		{
			Name:   "RootUnderPolicies",
			AWS:    "A Deny in a bucket policy binds the account's root as well.",
			Engine: "Root keys pass every identity, bucket and key policy.",
			Proof:  "Tests of authorization use assumed roles; Object Lock COMPLIANCE does hold against root.",
		},
		{
			Name:   "BatchItemFailures",
			AWS:    "A stream batch is retried from the first failed item.",
			Engine: "ReportBatchItemFailures is ignored: failed records are lost.",
			Proof:  "The handlers' own tests deliver partial failures, repeats and disorder.",
			// The guide to the engine has the measurement.
			Unshown: "That a record never comes again cannot be seen in a bounded time.",
		},
		{
			Name:   "EncryptionContextCondition",
			AWS:    "kms:EncryptionContext:* conditions compare the call's context.",
			Engine: "The condition key is absent, so a matching call is denied.",
			Proof:  "Template tests compare the statements whole; locally they are off (StrictConditions).",
		},
	}
}
