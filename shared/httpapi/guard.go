package httpapi

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"paddock/shared/audit"
	"paddock/shared/authz"
	"paddock/shared/fault"
	"paddock/shared/id"
	"paddock/shared/ingress"
	"paddock/shared/permission"
	"paddock/shared/route"
	"paddock/shared/session"
	"paddock/shared/table"
	"paddock/shared/token"
	"paddock/shared/usage"
)

// CookieName is the console's session cookie. The prefix makes browsers demand
// Secure, Path=/ and no Domain (RFC 6265bis section 4.1.3.2).
const CookieName = "__Host-paddock"

// Refusals of the guard.
var (
	errHeaders = fault.Error{
		Kind: fault.Invalid, Code: "authorization_header",
		Detail: `Send one Authorization header: Bearer TOKEN, or token="TOKEN".`, Source: "Authorization",
	}
	errCrossSite = fault.Error{
		Kind: fault.Denied, Code: "cross_site_request",
		Detail: "This request did not come from the workspace's own pages.",
	}
	errNotFound = fault.Error{Kind: fault.NotFound, Code: "not_found", Detail: "There is nothing here."}
	errStepUp   = session.ErrStepUp
	errConsole  = fault.Error{
		Kind: fault.Denied, Code: "console_session_required",
		Detail: "Do this in the browser: a command line cannot.",
	}
	errCLIStep = session.ErrSession
	errToken   = fault.Error{
		Kind: fault.Denied, Code: "token_not_allowed",
		Detail: "A token does not open this. Sign in and do it yourself.",
	}
	errTokenStep = fault.Error{
		Kind: fault.Denied, Code: "token_step_up_refused",
		Detail: "This asks for a fresh verification, which a token cannot give. Sign in and do it yourself.",
	}
)

// A denial is a refusal for which an event was written; it carries the id of
// the decision, if there was one, and how fresh a proof would have to be.
type denial struct {
	fault    fault.Error
	decision id.UUID
	maxAge   time.Duration
}

func (d *denial) Error() string { return d.fault.Error() }
func (d *denial) Unwrap() error { return d.fault }

// A Call is one guarded request: everything that the rule admitted.
type Call struct {
	*http.Request
	Allowed authz.Allowed
	Who     session.Authenticated // zero on public rows
	Body    []byte
	Answer  http.Header // headers of the answer
	// Seen is the request as events hold it.
	Seen  authz.Request
	store *table.Store
	app   *App
	row   route.Row
	// object is what the row's rule was decided on, zero for nothing in
	// particular; uses collects what is used.
	object id.UUID
	uses   *usage.Request
}

// Now is the service's clock.
func (c Call) Now() time.Time { return c.app.now().UTC() }

// FreshRefusals are what Call.Fresh may return, for the description.
var FreshRefusals = []*fault.Error{&errStepUp, &errCLIStep, &errTokenStep}

// Fresh demands a fresh proof where the body and not the row asks for it: it
// returns the call's proof marked privileged, or the refusal, with its event.
func (c Call) Fresh() (authz.Allowed, error) {
	if err := c.app.fresh(c.Context(), &c, c.row); err != nil {
		return authz.Allowed{}, err
	}
	if c.Seen.DryRun { // there may be no proof
		return c.Allowed, nil
	}
	return c.Allowed.Privileged(), nil
}

// FreshIfAble is Fresh for what a command line does from a session that can hold
// no proof, too; see route.Rule.
func (c Call) FreshIfAble() (authz.Allowed, error) {
	if c.Who.Session.Kind == session.CLI {
		return c.Allowed, nil
	}
	return c.Fresh()
}

// FreshForGift is FreshIfAble for what hands something out: a token goes on
// whose scopes name the row's permission; see route.Rule.
func (c Call) FreshForGift() (authz.Allowed, error) {
	if excused(c.Who, route.Rule{Permission: c.row.Rule.Permission, CLI: true, Named: true}) {
		return c.Allowed, nil
	}
	return c.Fresh()
}

// owed records that the session lacks what is demanded first, and returns the
// refusal.
func (c Call) owed(refusal fault.Error) error {
	if errors.Is(refusal, errStepUp) || errors.Is(refusal, errCLIStep) {
		p := c.Who.Principal(SourceOf(c.Request), c.Seen, c.Now())
		return c.app.demand(c.Context(), &c, c.row, authz.ForCeremony(p.Workspace, "guard", p), refusal)
	}
	condition := "a second factor is owed"
	if errors.Is(refusal, session.ErrChangePassword) {
		condition = "the password must be replaced"
	}
	return c.refuse(c.row, condition, refusal)
}

// FreshFor is Fresh for a class of protected actions on a server, told by the
// permissions that they take, that of the class first: a token goes on which was
// made with a fresh proof and whose scopes name each of them. Source: security,
// SU-5.
func (c Call) FreshFor(what ...permission.Permission) (authz.Allowed, error) {
	if t := c.Who.Token; t != nil && t.Proved &&
		!slices.ContainsFunc(what, func(p permission.Permission) bool { return !token.Names(c.Who.Scopes(), p) }) {
		return c.Allowed, nil
	}
	c.row.Rule.Permission = what[0] // the event names the class
	return c.Fresh()
}

// On returns the call as one about a permission on an object that the body
// names, of which refusals tell.
func (c Call) On(what permission.Permission, object id.UUID) Call {
	c.row.Rule.Permission, c.object = what, object
	return c
}

// Deny records that the caller lacks a permission which the body or the query
// asks for, and returns the refusal.
func (c Call) Deny(what permission.Permission, refusal fault.Error) error {
	row := c.row
	row.Rule.Permission = what
	var of id.UUID
	if row.Rule.Form == route.Path && what.Resource == c.row.Rule.Permission.Resource {
		of = pathID(&c)
	}
	return c.refused(row, of, "no role, group or grant holds "+what.String(), refusal)
}

// Refuse records that the request is refused for a condition which the body
// meets, and returns the refusal.
func (c Call) Refuse(condition string, refusal fault.Error) error {
	return c.refused(c.row, c.object, condition, refusal)
}

// Decide returns the proof that the caller may use the permission on an object
// which the body names, or the refusal, with its event.
func (c Call) Decide(what permission.Permission, o authz.Object) (authz.Allowed, error) {
	allowed, err := c.Check(what, o)
	if err == nil {
		c.Used(what, o.ID)
	}
	return allowed, err
}

// Check is Decide for who only asks: the permission is not used.
func (c Call) Check(what permission.Permission, o authz.Object) (authz.Allowed, error) {
	now := c.Now()
	decision, err := c.app.ids.NewUUID(now)
	if err != nil {
		return authz.Allowed{}, err
	}
	p := c.Principal()
	allowed, d, err := authz.Decide(p, what, o, now, decision)
	if err == nil {
		return allowed, nil
	}
	row := c.row
	row.Rule.Permission = what
	return authz.Allowed{}, c.app.denied(c.Context(), p, row, d, o.ID, err)
}

// Outside records that the rules of the caller's token hold none of a kind for
// what is asked, and returns the refusal. value is what was asked for, empty when
// it may hold secrets.
func (c Call) Outside(k token.Kind, value string) error {
	decision, err := c.app.ids.NewUUID(c.Now())
	if err != nil {
		return err
	}
	d := audit.Decision{ID: decision, Effect: audit.Deny, FailingCondition: "no " + k.String() + " row of the token holds, for " + c.row.Rule.Permission.String()}
	return c.app.outside(c.Context(), c.Principal(), c.row, d, c.object, k, value)
}

// Principal returns the caller as decisions see them.
func (c Call) Principal() authz.Principal {
	return c.Who.Principal(SourceOf(c.Request), c.Seen, c.Now())
}

// Ceiling records a refusal to hand out what the caller does not hold, and
// returns err as it is when it is none.
func (c Call) Ceiling(err error) error {
	lacking, ok := errors.AsType[*authz.Lacking](err)
	if !ok {
		return err
	}
	refusal, _ := errors.AsType[fault.Error](err)
	return c.Deny(lacking.What, refusal)
}

func (c Call) refuse(row route.Row, condition string, refusal error) error {
	return c.refused(row, id.UUID{}, condition, refusal)
}

// refused records a refusal of an object, zero for none.
func (c Call) refused(row route.Row, of id.UUID, condition string, refusal error) error {
	now := c.Now()
	decision, err := c.app.ids.NewUUID(now)
	if err != nil {
		return err
	}
	return c.app.denied(c.Context(), c.Who.Principal(SourceOf(c.Request), c.Seen, now), row,
		audit.Decision{ID: decision, Effect: audit.Deny, FailingCondition: condition}, of, refusal)
}

// SourceOf returns where a request came from, as events hold it.
func SourceOf(r *http.Request) audit.Source {
	origin := ingress.OriginOf(r.Context())
	src := audit.Source{IP: origin.SourceIP, UserAgent: origin.UserAgent, ClientType: "web"}
	if version, ok := strings.CutPrefix(origin.UserAgent, "alpacon-cli/"); ok {
		src.ClientType, src.CLIVersion = "cli", version
	}
	return src
}

// seen returns a request as events hold it.
func seen(r *http.Request, row route.Row, success int) authz.Request {
	return authz.Request{ID: ingress.OriginOf(r.Context()).RequestID, Method: r.Method, Route: row.Path, Success: success, Refused: statusOf}
}

// guard applies the row's rule and returns the admitted call.
func (a *App) guard(r *http.Request, row route.Row, request authz.Request) (Call, error) {
	call := Call{Request: r, store: a.store, app: a, row: row, Seen: request}
	if row.Rule.Form == route.Public {
		return call, crossSitePublic(r)
	}
	caller := session.Caller{Host: r.Host, Source: SourceOf(r), Request: call.Seen}
	sent, err := bearerOf(r)
	if errors.Is(err, session.ErrInvalid) {
		err = a.sessions.RejectHandle(r.Context(), caller)
	}
	if err != nil {
		return call, err
	}
	if sent.cookie {
		if _, ok := token.FamilyOf(sent.secret.Prefix()); ok { // no page holds one
			return call, a.sessions.RejectHandle(r.Context(), caller)
		}
		if err := sameOrigin(r); err != nil {
			return call, err
		}
	}
	who, err := a.sessions.Authenticate(r.Context(), session.Need{Secret: sent.secret, Access: sent.access, Caller: caller, Half: row.Rule.Half, Objects: objectOf(r, row)})
	if err != nil {
		return call, err
	}
	if who.Policy, err = a.policies.At(r.Context(), authz.ForCeremony(who.Workspace.ID, "guard", authz.Principal{}), who.PolicyItem); err != nil {
		return call, err
	}
	call.Who = who
	if refusal, ok := enforced(who, row); !ok {
		return call, call.owed(refusal)
	}
	if who.Token != nil && (row.Rule.Console || row.Rule.Form == route.Self && !row.Rule.Token || row.Rule.Person && who.Application != nil) {
		return call, call.refuse(row, "a token", errToken)
	}
	if row.Rule.Console && (who.Session.Kind == session.CLI || who.Session.Kind == session.Device) {
		return call, call.refuse(row, "a session of a command line", errConsole)
	}
	if row.Rule.Device && who.Session.Kind != session.Device {
		return call, call.refuse(row, "a session of no device login", notDevice(who.Session.Kind))
	}
	call.Allowed, err = a.decide(r.Context(), &call, row)
	if err != nil {
		return call, err
	}
	if row.Rule.Fresh && !excused(who, row.Rule) {
		if err := a.fresh(r.Context(), &call, row); err != nil {
			return call, err
		}
		if !call.Seen.DryRun {
			call.Allowed = call.Allowed.Privileged()
		}
	}
	if who.Session.Kind != session.Half {
		call.Who, err = a.sessions.Touch(r.Context(), call.Allowed, who)
	}
	return call, err
}

// excused reports whether a row that asks for a fresh proof takes the session
// or token without one.
func excused(who session.Authenticated, r route.Rule) bool {
	switch who.Session.Kind {
	case session.CLI:
		return r.CLI
	case session.APIToken, session.ServiceToken:
		return r.Named && token.Names(who.Scopes(), r.Permission)
	case session.Console, session.Half, session.Device:
	}
	return false
}

// notDevice is the refusal of a session that is none of a device login, where
// one is asked for.
func notDevice(k session.Kind) error {
	if k == session.CLI {
		return session.ErrSession
	}
	return session.ErrNotDevice
}

// enforced is the rule of what a session may do before it proved what the
// workspace demands: without a second factor it opens only what completes the
// sign-in (security, MF-10). Where it may not, it returns the refusal.
func enforced(who session.Authenticated, row route.Row) (refusal fault.Error, ok bool) {
	if who.Session.EnrolOnly && !row.Rule.Half {
		return session.ErrEnrolOnly, false
	}
	if who.Session.ChangePassword && who.Session.Kind != session.Half && !row.Rule.Half && !row.Rule.Change {
		return session.ErrChangePassword, false
	}
	if who.Token != nil { // whoever made it had proved what the workspace demands
		return fault.Error{}, true
	}
	if row.Rule.Half || row.Rule.Device || who.Session.Kind == session.Half || !who.Workspace.Security.MFARequired || who.Proved() {
		return fault.Error{}, true
	}
	switch who.Session.Kind {
	case session.CLI:
		return errCLIStep, false
	case session.Device:
		return errStepUp, false
	case session.Console, session.Half, session.APIToken, session.ServiceToken:
	}
	if who.User.HasSecondFactor() { // what it proved is gone: another method proves anew
		return errStepUp, false
	}
	return session.ErrEnrolOnly, false
}

// decide asks authz for the row's permission, and writes the event of a
// refusal.
func (a *App) decide(ctx context.Context, call *Call, row route.Row) (authz.Allowed, error) {
	now := a.now().UTC()
	p := call.Who.Principal(SourceOf(call.Request), call.Seen, now)
	if err := p.Scoped(row.Rule.Permission, now); err != nil { // before anything is told of what there is
		return authz.Allowed{}, call.refuse(row, "the token's scopes do not hold "+row.Rule.Permission.String(), err)
	}
	object, missing := a.object(call, row)
	if missing != nil && !errors.Is(missing, errNotFound) {
		return authz.Allowed{}, missing
	}
	if row.Rule.Form == route.List || row.Rule.Form == route.Body && authz.Anywhere(&p, row.Rule.Permission, now) {
		return a.listed(p, row, now)
	}
	decisionID, err := a.ids.NewUUID(now)
	if err != nil {
		return authz.Allowed{}, err
	}
	if missing != nil {
		if authz.May(&p, read(row.Rule.Permission), authz.Object{}, now) {
			return authz.Allowed{}, missing
		}
		if err := p.Listed(row.Rule.Permission, pathID(call), now); err != nil {
			return authz.Allowed{}, a.denied(ctx, p, row, audit.Decision{ID: decisionID, Effect: audit.Deny, FailingCondition: "no such object"}, pathID(call), err)
		}
		// Who may not see all is told nothing about one, and refused alike.
		return authz.Allowed{}, a.denied(ctx, p, row, audit.Decision{ID: decisionID, Effect: audit.Deny, FailingCondition: "no such object"}, pathID(call), errNotFound)
	}
	allowed, decision, err := authz.Decide(p, row.Rule.Permission, object, now, decisionID)
	if err == nil {
		call.object = object.ID
		return allowed, nil
	}
	if row.Rule.Form == route.Path && !errors.Is(err, authz.ErrACL) && !authz.May(&p, read(row.Rule.Permission), object, now) {
		// What one may not see is not there; the event tells the truth.
		err = errNotFound
	}
	asked := object.ID
	if !errors.Is(err, authz.ErrDenied) { // of what one does not see only the id that was asked for
		asked = pathID(call)
	}
	return authz.Allowed{}, a.denied(ctx, p, row, decision, asked, err)
}

func read(p permission.Permission) permission.Permission {
	return permission.Permission{Resource: p.Resource, Action: permission.Read}
}

// listed returns the proof for a list: the caller's own account, with which
// the handler filters; what is not the caller's needs the row's permission.
func (a *App) listed(p authz.Principal, row route.Row, now time.Time) (authz.Allowed, error) {
	decisionID, err := a.ids.NewUUID(now)
	if err != nil {
		return authz.Allowed{}, err
	}
	if allowed, _, err := authz.Decide(p, row.Rule.Permission, authz.Object{}, now, decisionID); err == nil {
		return allowed, nil
	}
	allowed, _, err := authz.Decide(p, permission.OwnAccount, authz.Object{ID: p.ID.UUID()}, now, decisionID)
	return allowed, err
}

// fresh demands a proof younger than the workspace's timeout; see demand. A dry
// run changes nothing: it is open to whoever could give one.
func (a *App) fresh(ctx context.Context, call *Call, row route.Row) error {
	if call.Who.Fresh(a.now().UTC()) {
		return nil
	}
	refusal := errStepUp
	switch call.Who.Session.Kind {
	case session.CLI:
		refusal = errCLIStep
	case session.APIToken, session.ServiceToken:
		refusal = errTokenStep
	case session.Console, session.Half, session.Device:
		if call.Seen.DryRun {
			return nil
		}
	}
	return a.demand(ctx, call, row, call.Allowed, refusal)
}

// demand writes that a proof was asked for, PD2007I, and returns the refusal,
// which says how fresh it must be where the session can give one.
func (a *App) demand(ctx context.Context, call *Call, row route.Row, by authz.Allowed, refusal fault.Error) error {
	now, timeout, proof := a.now().UTC(), call.Who.Workspace.MFATimeout(), call.Who.Session.Proof
	fields := []audit.Field{audit.Text("action_family", row.Rule.Permission.String()), audit.Number("timeout_s", int64(timeout/time.Second))}
	if authz.ByRows(row.Rule.Permission) && !call.object.Zero() {
		fields = append(fields, audit.ID("server_id", call.object))
	}
	if !proof.ID.Zero() {
		fields = append(fields, audit.Number("proof_age_s", max(0, int64(now.Sub(proof.At)/time.Second))))
	}
	e := by.Refusal(audit.StepUpRequired, now, refusal).With(fields...).WithDescription("A fresh MFA verification was demanded.")
	if err := a.store.Commit(ctx, by, table.Change{Events: []audit.Event{e}}); err != nil {
		return err
	}
	d := &denial{fault: refusal}
	if errors.Is(refusal, errStepUp) {
		d.maxAge = timeout
	}
	return d
}
