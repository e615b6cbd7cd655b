// Package message holds what Paddock sends to people: mails and, later, text
// messages. A message is stored by the commit that causes it and delivered
// afterwards; this package turns it into words and knows no delivery service.
package message

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// A Channel is how a message travels.
type Channel uint8

// The channels.
const (
	Mail Channel = iota + 1
)

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
)

// A Message is one message to one address. Its fields are escaped by Render.
type Message struct {
	Channel   Channel   `json:"channel"`
	Template  Template  `json:"template"`
	To        string    `json:"to"`
	Workspace string    `json:"workspace"`
	Person    string    `json:"person,omitempty"`
	Link      string    `json:"link,omitempty"`
	Code      string    `json:"code,omitempty"`
	What      string    `json:"what,omitempty"`
	From      string    `json:"from,omitempty"` // address and device that acted
	Until     time.Time `json:"until,omitzero"`
}

// A Rendered message is ready to be sent.
type Rendered struct {
	To, Subject, Text string
}

// ErrUnknownTemplate is returned for a message of no known template.
var ErrUnknownTemplate = errors.New("message: unknown template")

// Render returns the words of a message. Values that people typed lose line
// breaks and control characters, so that they cannot forge lines of the mail.
func Render(m Message) (Rendered, error) {
	ws, person := oneLine(m.Workspace), oneLine(m.Person)
	r := Rendered{To: m.To}
	switch m.Template {
	case Invitation:
		r.Subject = "You are invited to " + ws
		r.Text = fmt.Sprintf("%s invited you to the workspace %q.\n\nOpen this link to choose a password:\n\n%s\n\nIt works once, until %s.\nIf you did not expect this, ignore it: nothing happens.\n",
			orSomeone(person), ws, m.Link, until(m))
	case FactorAdded:
		r.Subject = "A sign-in method was added to your account"
		r.Text = notice(ws, "was added to your account", m)
	case FactorRemoved:
		r.Subject = "A sign-in method was removed from your account"
		r.Text = notice(ws, "was removed from your account", m)
	case RecoveryCodeUsed:
		r.Subject = "A recovery code was used for your account"
		r.Text = notice(ws, "was used to sign in to your account", m)
	case RecoveryCodesMade:
		r.Subject = "New recovery codes were made for your account"
		r.Text = notice(ws, "were made for your account; older ones no longer work", m)
	case EmailConfirmation:
		r.Subject = "Confirm your new address for " + ws
		r.Text = fmt.Sprintf("%s asked to use this address for an account in the workspace %q.\n\nOpen this link to confirm it:\n\n%s\n\nIt works once, until %s.\nIf you did not expect this, ignore it: nothing changes.\n",
			orSomeone(person), ws, m.Link, until(m))
	case EmailChanged:
		r.Subject = "The address of your account was changed"
		r.Text = fmt.Sprintf("Your account in the workspace %q has a new address; mail no longer comes here.\n\nIt was done from %s.\n\nIf this was not you, open this link: it brings this address back and ends every session of the account.\n\n%s\n\nIt works once, until %s.\n",
			ws, oneLine(m.From), m.Link, until(m))
	case AccountMade:
		r.Subject = "You have an account in " + ws
		r.Text = fmt.Sprintf("%s made an account for you in the workspace %q.\n\nOpen this link to choose a password:\n\n%s\n\nIt works once, until %s.\n",
			orSomeone(person), ws, m.Link, until(m))
	case PasswordReset:
		r.Subject = "Choose a new password for " + ws
		r.Text = fmt.Sprintf("Someone asked to choose a new password for your account in the workspace %q, from %s.\n\nOpen this link to choose one:\n\n%s\n\nIt works once, until %s.\nIf this was not you, ignore it: your password stays.\n",
			ws, oneLine(m.From), m.Link, until(m))
	case PasswordChanged:
		r.Subject = "The password of your account was changed"
		r.Text = fmt.Sprintf("The password of your account in the workspace %q was changed, from %s. Its other sessions have ended.\n\nIf this was not you, open this link: it ends every session, and you choose a new password.\n\n%s\n\nIt works until %s.\n",
			ws, oneLine(m.From), m.Link, until(m))
	case NewSignIn:
		r.Subject = "Your account was used from a new place"
		r.Text = fmt.Sprintf("Someone signed in to your account in the workspace %q from a new device in a new network: %s.\n\nIf this was not you, open this link: it ends every session, and you choose a new password.\n\n%s\n\nIt works until %s.\n",
			ws, oneLine(m.From), m.Link, until(m))
	case Attack:
		r.Subject = "Someone is guessing the password of your account"
		r.Text = fmt.Sprintf("There were many wrong passwords for your account in the workspace %q, the last one from %s. Further guesses are refused for a while; browsers that you signed in from before go on to work.\n\nIf you think that somebody knows your password, open this link: it ends every session, and you choose a new password.\n\n%s\n\nIt works until %s.\n",
			ws, oneLine(m.From), m.Link, until(m))
	case SignInCode:
		r.Subject = "Your code to sign in to " + ws
		r.Text = fmt.Sprintf("Your code to finish signing in to the workspace %q:\n\n    %s\n\nIt was asked for from %s and works once, until %s.\nNever tell it to anybody. If you are not signing in just now, somebody knows your password: change it.\n",
			ws, m.Code, oneLine(m.From), until(m))
	case OneMoreTry:
		r.Subject = "Sign in to " + ws + " once more"
		r.Text = fmt.Sprintf("There were too many wrong passwords for your account in the workspace %q. This link opens one more attempt:\n\n%s\n\nIt was asked for from %s and works once, until %s.\nIf this was not you, ignore it.\n",
			ws, m.Link, oneLine(m.From), until(m))
	case CommandLine:
		r.Subject = "A command line was signed in to your account"
		r.Text = fmt.Sprintf("You allowed a command line to act for you in the workspace %q. It asked from %s.\n\nIf you did not start it yourself, open this link: it ends every session, and you choose a new password.\n\n%s\n\nIt works until %s.\n",
			ws, oneLine(m.From), m.Link, until(m))
	default:
		return Rendered{}, ErrUnknownTemplate
	}
	return r, nil
}

func notice(ws, what string, m Message) string {
	return fmt.Sprintf("%s %s in the workspace %q.\n\nIt was done from %s.\n\nIf this was not you, tell an administrator of the workspace at once.\n",
		oneLine(m.What), what, ws, oneLine(m.From))
}

func until(m Message) string { return m.Until.UTC().Format("2006-01-02 15:04 MST") }

func orSomeone(person string) string {
	if person == "" {
		return "An administrator"
	}
	return person
}

func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\u2028' || r == '\u2029' || (r >= 0x80 && r < 0xa0) {
			return ' '
		}
		return r
	}, s)
}
