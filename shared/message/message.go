// Package message holds what Paddock sends to people: mails, text messages and
// calls. A message is stored by the commit that causes it and delivered
// afterwards; this package turns it into words and knows no delivery service.
package message

import (
	"cmp"
	"errors"
	"strings"
	"sync"
	"time"

	"paddock/shared/id"
)

// A Channel is how a message travels.
type Channel uint8

// The channels. To is an e-mail address, or a number as E.164 writes it.
const (
	Mail Channel = iota + 1
	SMS
	Voice // a call that reads the message out
)

// String returns the channel's name in events.
func (c Channel) String() string {
	switch c {
	case Mail:
		return "mail"
	case SMS:
		return "sms"
	case Voice:
		return "voice"
	}
	return "unknown"
}

// A Template is what a message says.
type Template uint8

// The templates. Stored as numbers: append only.
const (
	Invitation Template = iota + 1 // Link, Inviter, Workspace, Until
	FactorAdded
	FactorRemoved
	RecoveryCodeUsed
	RecoveryCodesMade
	EmailConfirmation // Link, Person, Until
	EmailChanged      // Link to undo it
	AccountMade       // Link to set a password, Person, Until
	PasswordReset     // Link, Until
	PasswordChanged   // Link to report it
	NewSignIn         // Link to report it
	Attack            // Link to report it
	SignInCode        // Code, Until
	OneMoreTry        // Link, Until
	CommandLine       // Link to report it
	KeyCopied
	StepUpDone
	FactorsReset
	StepUpCode  // Code, Until
	ConfirmCode // Code, Until
	// FormerAddress tells an address that an account left, and that can still be
	// brought back, what became of its sign-in methods: What is the whole of it.
	FormerAddress
)

// A Message is one message to one address. Its fields are escaped by Render.
type Message struct {
	// ID names the stored message, so that its delivery can be asked for; zero
	// for one that nobody asks for.
	ID        id.ID[id.Message] `json:"-"`
	Channel   Channel           `json:"channel"`
	Template  Template          `json:"template"`
	To        string            `json:"to"`
	Workspace string            `json:"workspace"`
	Person    string            `json:"person,omitempty"`
	Link      string            `json:"link,omitempty"`
	Code      string            `json:"code,omitempty"`
	What      string            `json:"what,omitempty"`
	From      string            `json:"from,omitempty"` // address and device that acted
	Until     time.Time         `json:"until,omitzero"`
}

// A Rendered message is ready to be sent.
type Rendered struct {
	Channel           Channel
	To, Subject, Text string // Subject of a mail only
}

var (
	// ErrUnknownTemplate is returned for a message that has no words for its
	// channel.
	ErrUnknownTemplate = errors.New("message: unknown template")
	// ErrRefused is returned by a delivery service that does not take a message
	// and will not: no retry mends it.
	ErrRefused = errors.New("message: refused by the delivery service")
)

// spoken are the words of the templates that go to phones: one line that says
// what the code is for, and no link.
var spoken = map[Template]string{
	SignInCode:  "{code} is your code to sign in to {workspace}. Never tell it to anybody.",
	StepUpCode:  "{code} is your code to verify a protected action in {workspace}. Never tell it to anybody.",
	ConfirmCode: "{code} is your code to confirm this number for your account in {workspace}. Never tell it to anybody.",
}

// words are the subject and text of each template. Values stand in braces. Only
// what renders needs them, so no other start waits for them.
var words = sync.OnceValue(func() map[Template][2]string {
	return map[Template][2]string{
		Invitation: {
			"You are invited to {workspace}",
			`{person} invited you to the workspace "{workspace}".

Open this link to choose a password:

{link}

It works once, until {until}.
If you did not expect this, ignore it: nothing happens.
`,
		},
		FactorAdded:      {"A sign-in method was added to your account", reported("was added to your account")},
		FactorRemoved:    {"A sign-in method was removed from your account", reported("was removed from your account")},
		KeyCopied:        {"There may be a copy of your security key", notice("counted backwards, as a copy of it would, at a sign-in or verification")},
		StepUpDone:       {"Your second factor was verified", notice("was verified for protected actions of your account")},
		FactorsReset:     {"Your sign-in methods were removed", notice("removed every sign-in method of your account")},
		RecoveryCodeUsed: {"A recovery code was used for your account", notice("was used to sign in to your account")},
		FormerAddress: {
			"The sign-in methods of your account were changed",
			`{what} in the workspace "{workspace}".

It was done from {from}. This was the address of the account until it was changed a few days ago.

If this was not you, open the link of the mail that told you so: it brings this address back, ends every session of the account, removes the methods added since, and you choose a new password.
`,
		},
		RecoveryCodesMade: {"New recovery codes were made for your account", reported("were made for your account; older ones no longer work")},
		EmailConfirmation: {
			"Confirm your new address for {workspace}",
			`{person} asked to use this address for an account in the workspace "{workspace}".

Open this link to confirm it:

{link}

It works once, until {until}.
If you did not expect this, ignore it: nothing changes.
`,
		},
		EmailChanged: {
			"The address of your account was changed",
			`Your account in the workspace "{workspace}" has a new address; mail no longer comes here.

It was done from {from}.

If this was not you, open this link: it brings this address back, ends every session of the account, and you choose a new password.

{link}

It works once, until {until}.
`,
		},
		AccountMade: {
			"You have an account in {workspace}",
			`{person} made an account for you in the workspace "{workspace}".

Open this link to choose a password:

{link}

It works once, until {until}.
`,
		},
		PasswordReset: {
			"Choose a new password for {workspace}",
			`Someone asked to choose a new password for your account in the workspace "{workspace}", from {from}.

Open this link to choose one:

{link}

It works once, until {until}.
If this was not you, ignore it: your password stays.
`,
		},
		PasswordChanged: {
			"The password of your account was changed",
			`The password of your account in the workspace "{workspace}" was changed, from {from}. Its other sessions have ended.
` + report("If this was not you"),
		},
		NewSignIn: {
			"Your account was used from a new place",
			`Someone signed in to your account in the workspace "{workspace}" from a new device in a new network: {from}.
` + report("If this was not you"),
		},
		Attack: {
			"Someone is guessing the password of your account",
			`There were many wrong passwords for your account in the workspace "{workspace}", the last one from {from}. Further guesses are refused for a while; browsers that you signed in from before go on to work.
` + report("If you think that somebody knows your password"),
		},
		SignInCode: {
			"Your code to sign in to {workspace}",
			`Your code to finish signing in to the workspace "{workspace}":

    {code}

It was asked for from {from} and works once, until {until}.
Never tell it to anybody. If you are not signing in just now, somebody knows your password: change it.
`,
		},
		StepUpCode: {
			"Your code to verify a protected action in {workspace}",
			`Your code to verify a protected action in the workspace "{workspace}":

    {code}

It was asked for from {from} and works once, until {until}.
Never tell it to anybody. If you did not ask for it just now, somebody uses your account: end its sessions.
`,
		},
		ConfirmCode: {
			"Your code to confirm this address for {workspace}",
			`Your code to confirm this address as a sign-in method in the workspace "{workspace}":

    {code}

It was asked for from {from} and works once, until {until}.
Never tell it to anybody. If you did not ask for it just now, somebody uses your account: end its sessions.
`,
		},
		OneMoreTry: {
			"Sign in to {workspace} once more",
			`There were too many wrong passwords for your account in the workspace "{workspace}". This link opens one more attempt:

{link}

It was asked for from {from} and works once, until {until}.
If this was not you, ignore it.
`,
		},
		CommandLine: {
			"A command line was signed in to your account",
			`You allowed a command line to act for you in the workspace "{workspace}". It asked from {from}.
` + report("If you did not start it yourself"),
		},
	}
})

// notice is the text of a notice that something was done to an account.
// reported is notice with a link to say that it was somebody else.
func reported(what string) string {
	return `{what} ` + what + ` in the workspace "{workspace}".

It was done from {from}.
` + report("If this was not you")
}

func notice(what string) string {
	return `{what} ` + what + ` in the workspace "{workspace}".

It was done from {from}.

If this was not you, tell an administrator of the workspace at once.
`
}

// report is the end of a notice with a link that tells us.
func report(when string) string {
	return `
` + when + `, open this link: it ends every session, and you choose a new password.

{link}

It works until {until}.
`
}

// Render returns the words of a message. Values that people typed lose line
// breaks and control characters, so that they cannot forge lines of the mail.
func Render(m Message) (Rendered, error) {
	if m.Channel == SMS || m.Channel == Voice {
		return speak(m)
	}
	w, ok := words()[m.Template]
	if !ok {
		return Rendered{}, ErrUnknownTemplate
	}
	// One pass: what stands in braces in a value stays as it is.
	values := strings.NewReplacer(
		"{workspace}", oneLine(m.Workspace), "{person}", oneLine(cmp.Or(m.Person, "An administrator")), "{what}", oneLine(m.What),
		"{from}", oneLine(m.From), "{link}", m.Link, "{code}", m.Code, "{until}", m.Until.UTC().Format("2006-01-02 15:04 MST"),
	)
	return Rendered{Channel: m.Channel, To: m.To, Subject: values.Replace(w[0]), Text: values.Replace(w[1])}, nil
}

// speak returns the words of a message to a phone. A call says the digits of a
// code one by one, and everything twice.
func speak(m Message) (Rendered, error) {
	text, ok := spoken[m.Template]
	if !ok {
		return Rendered{}, ErrUnknownTemplate
	}
	code := m.Code
	if m.Channel == Voice {
		code = strings.Join(strings.Split(m.Code, ""), ", ")
	}
	text = strings.NewReplacer("{code}", code, "{workspace}", unlinked(m.Workspace)).Replace(text)
	if m.Channel == Voice {
		text += " I repeat: " + text
	}
	return Rendered{Channel: m.Channel, To: m.To, Text: text}, nil
}

// unlinked returns a name without what phones make links of, on one line.
func unlinked(name string) string {
	return strings.NewReplacer(".", " ", "/", " ", ":", " ", "@", " ").Replace(oneLine(name))
}

func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\u2028' || r == '\u2029' || (r >= 0x80 && r < 0xa0) {
			return ' '
		}
		return r
	}, s)
}
