package seeding

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"paddock/localstack/engine"
	"paddock/localstack/environment"
	"paddock/localstack/visitor"
	"paddock/shared/credential"
	"paddock/shared/id"
	"paddock/shared/provision"
)

// Config says where the demo is made and where its secrets are kept.
type Config struct {
	Engine      *engine.Engine
	Environment environment.Environment // with what an earlier try made
	Now         func() time.Time        // the functions' clock
	Client      *http.Client            // nil: the default one
	// Save keeps the environment. It is called before a password or a secret
	// becomes valid and after each step, so that a later try can go on.
	Save func(environment.Environment) error
}

// ErrLost says that the workspace holds an account whose password nobody has.
var ErrLost = errors.New("the demo workspace is there, but its secrets are not; `make reset` and `make up` make a new one")

// Demo is Make for an environment that lives no longer than its caller.
func Demo(ctx context.Context, e *engine.Engine, env environment.Environment, now func() time.Time) (environment.Environment, error) {
	return Make(ctx, Config{Engine: e, Environment: env, Now: now, Save: func(environment.Environment) error { return nil }})
}

// Make makes the demo workspace with one account of each role and returns the
// environment with them. MFA is not enforced there, so that every way of
// signing in can be seen: the superuser has an authenticator app, the others
// sign in by password alone, also with the CLI.
//
// It may be called again after it failed, wherever that was: it goes on with
// what is there. It fails with ErrLost when that cannot be entered any more.
func Make(ctx context.Context, c Config) (environment.Environment, error) {
	d := &demo{Config: c, env: c.Environment}
	err := d.run(ctx)
	return d.env, err
}

type demo struct {
	Config
	env environment.Environment
}

// A person of the demo.
type person struct {
	role, username, first, last string
	app                         bool // has an authenticator app
}

func people() []person {
	return []person{
		{"superuser", "sue", "Sue", "Per", true},
		{"staff", "stan", "Stan", "Staff", false},
		{"member", "mia", "Mia", "Member", false},
	}
}

func (d *demo) run(ctx context.Context) error {
	if d.ready() {
		return nil
	}
	if err := d.workspace(ctx); err != nil {
		return err
	}
	superuser, err := d.enter(ctx, people()[0], nil)
	if err != nil {
		return err
	}
	if err := d.name(superuser); err != nil {
		return err
	}
	for _, p := range people()[1:] {
		if a := d.saved(p); a != nil && a.Ready {
			continue
		}
		if _, err := d.enter(ctx, p, superuser); err != nil {
			return err
		}
	}
	return nil
}

// ready reports whether nothing is left to do.
func (d *demo) ready() bool {
	for _, p := range people() {
		if a := d.saved(p); a == nil || !a.Ready {
			return false
		}
	}
	return d.env.Workspace.ID != ""
}

// workspace makes the workspace unless it is there.
func (d *demo) workspace(ctx context.Context) error {
	if d.env.Workspace.ID != "" {
		return nil
	}
	no := false
	made, err := Workspace(ctx, d.Engine, provision.Request{
		Slug: d.env.Workspace.Slug, Name: "Demo", Email: d.address(people()[0]), MFARequired: &no,
	})
	if refused, ok := errors.AsType[Refused](err); ok && refused.Code == provision.ErrSlugTaken.Code {
		return nil // of an earlier try; whether it is ours shows at the first account
	}
	if err != nil {
		return err
	}
	d.env.Workspace.ID = made.ID.String()
	return d.Save(d.env)
}

// name notes the workspace's id, which an earlier try may have left unsaved: a
// session's secret carries it.
func (d *demo) name(v *visitor.Visitor) error {
	secret, err := credential.Parse(v.Cookie())
	if err != nil {
		return err
	}
	d.env.Workspace.ID = id.Of[id.Workspace](secret.Workspace()).String()
	return nil
}

func (d *demo) address(p person) string {
	return p.username + "@" + d.env.Workspace.Slug + ".example"
}

// saved returns the entry of a person in the environment, nil when there is
// none.
func (d *demo) saved(p person) *environment.Account {
	for i := range d.env.Accounts {
		if d.env.Accounts[i].Username == p.username {
			return &d.env.Accounts[i]
		}
	}
	return nil
}

// enter brings a person into the account, however far an earlier try came, and
// returns the browser that is signed in. The superuser invites the others.
func (d *demo) enter(ctx context.Context, p person, superuser *visitor.Visitor) (*visitor.Visitor, error) {
	v := &visitor.Visitor{Base: d.env.BaseURL, Agent: "paddock-seeding", Client: d.Client}
	a := d.saved(p)
	var (
		in  bool
		err error
	)
	if a != nil {
		in, err = d.signIn(ctx, v, p, a)
	} else {
		d.env.Accounts = append(d.env.Accounts, environment.Account{
			Role: p.role, Email: d.address(p), Username: p.username, Password: passphrase(),
		})
		a = &d.env.Accounts[len(d.env.Accounts)-1]
		err = d.Save(d.env)
	}
	if err == nil && !in {
		err = d.accept(ctx, v, p, a, superuser)
	}
	if err == nil {
		a.Ready = true
		err = d.Save(d.env)
	}
	if err != nil {
		return nil, fmt.Errorf("demo account %s: %w", p.username, err)
	}
	return v, nil
}

// signIn tries the saved password; false says that there is no such account
// yet.
func (d *demo) signIn(ctx context.Context, v *visitor.Visitor, p person, a *environment.Account) (bool, error) {
	answer, err := v.Do(ctx, "POST", "/api/auth/signin/", map[string]string{"login": a.Email, "password": a.Password})
	if err != nil {
		return false, err
	}
	if answer.Problem().Code == "invalid_credentials" {
		return false, nil
	}
	var got struct{ State string }
	if err := answer.Decode(http.StatusOK, &got); err != nil {
		return false, err
	}
	switch {
	case got.State == "mfa_required":
		return true, d.prove(ctx, v, a)
	case p.app:
		return true, d.enrol(ctx, v, a)
	}
	return true, nil
}

func (d *demo) enrol(ctx context.Context, v *visitor.Visitor, a *environment.Account) error {
	_, _, err := enrol(ctx, v, d.Now, func(secret string) error {
		a.TOTPSecret = secret
		return d.Save(d.env)
	})
	return err
}

// prove gives a code of the saved secret. The try before may have used up the
// present one, so the next one, which is accepted already, is given then.
func (d *demo) prove(ctx context.Context, v *visitor.Visitor, a *environment.Account) error {
	if a.TOTPSecret == "" {
		return ErrLost
	}
	var answer visitor.Answer
	for _, at := range []time.Duration{0, credential.TOTPStep} {
		var challenge struct{ ID string }
		err := v.Want(ctx, http.StatusCreated, "POST", "/api/auth/mfa/challenges/", map[string]string{"method": "otp", "purpose": "login"}, &challenge)
		if err != nil {
			return err
		}
		code, err := visitor.Code(a.TOTPSecret, d.Now().Add(at))
		if err != nil {
			return err
		}
		answer, err = v.Do(ctx, "POST", "/api/auth/mfa/challenges/"+challenge.ID+"/verify/", map[string]string{"code": code})
		if err != nil {
			return err
		}
		if answer.Problem().Code != "mfa_code_invalid" {
			break
		}
	}
	return answer.Decode(http.StatusOK, nil)
}

// accept follows the link in the person's mail and sets up what the account
// has. Somebody who has no open invitation is invited first, by the superuser.
func (d *demo) accept(ctx context.Context, v *visitor.Visitor, p person, a *environment.Account, superuser *visitor.Visitor) error {
	secret, err := mailed(ctx, d.Engine, a.Email)
	if err == nil && secret == "" && superuser == nil { // the operator's mail may be on its way
		secret, err = Link(ctx, d.Engine, a.Email)
	}
	if errors.Is(err, ErrNoMail) {
		return fmt.Errorf("%w: %w", ErrLost, err)
	}
	accepted := false
	if err == nil && secret != "" {
		accepted, err = d.follow(ctx, v, p, a, secret)
	}
	if err == nil && !accepted {
		err = d.invited(ctx, v, p, a, superuser, secret)
	}
	if err != nil || !p.app {
		return err
	}
	return d.enrol(ctx, v, a)
}

// invited invites the person and follows the link, which is not the old one.
func (d *demo) invited(ctx context.Context, v *visitor.Visitor, p person, a *environment.Account, superuser *visitor.Visitor, old string) error {
	if superuser == nil {
		return ErrLost
	}
	answer, err := superuser.Do(ctx, "POST", "/api/workspaces/users/invite/", map[string]any{"email": a.Email, "is_staff": p.role == "staff"})
	if err != nil {
		return err
	}
	if answer.Status == http.StatusConflict {
		return fmt.Errorf("%w: %s", ErrLost, answer.Problem().Detail)
	}
	if err := answer.Decode(http.StatusCreated, nil); err != nil {
		return err
	}
	secret, err := link(ctx, d.Engine, a.Email, old)
	if err != nil {
		return err
	}
	accepted, err := d.follow(ctx, v, p, a, secret)
	if err == nil && !accepted {
		err = errors.New("the new invitation is not valid")
	}
	return err
}

// follow accepts an invitation; false says that it is not valid any more.
func (d *demo) follow(ctx context.Context, v *visitor.Visitor, p person, a *environment.Account, secret string) (bool, error) {
	answer, err := v.Do(ctx, "POST", "/api/auth/invitations/accept/", map[string]string{
		"token": secret, "username": a.Username, "first_name": p.first, "last_name": p.last, "password": a.Password,
	})
	if err != nil {
		return false, err
	}
	if answer.Problem().Code == "invitation_not_found" {
		return false, nil
	}
	return true, answer.Decode(http.StatusCreated, nil)
}
