// Package events holds what other programs read about Paddock's events: one
// contract per kind of audit event, sample gateway events and state machine
// definitions. It promises data only and knows nothing of the code that
// writes or reads them.
package events

import "embed"

// Contracts holds audit/<CODE>.json, the contract of each coded audit event:
// when it is written, its fields beyond the envelope with their types, its
// app, model and action, its OCSF 1.8.0 class, severity and visibility.
// These files are the source from which the table of kinds is generated.
//
//go:embed audit/*.json
var Contracts embed.FS
