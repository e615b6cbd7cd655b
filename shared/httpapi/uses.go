package httpapi

import (
	"log/slog"

	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/permission"
	"paddock/shared/route"
	"paddock/shared/session"
	"paddock/shared/token"
	"paddock/shared/usage"
)

// using begins to record what an admitted call uses: from where, and the
// permission that its row asks on the object that was decided on. A dry run uses
// nothing.
func (a *App) using(c *Call, row route.Row) {
	if row.Rule.Form == route.Public || c.Who.Session.Kind == session.Half || c.Seen.DryRun {
		return
	}
	ctx, request := c.Context(), c.Seen.ID
	c.uses = a.usage.Begin(ctx, c.Allowed, func(err error) {
		slog.WarnContext(ctx, "usage is not stored", "request_id", request, "err", err.Error())
	})
	what := row.Rule.Permission
	if p := c.Principal(); c.Who.Token == nil && (row.Rule.Form == route.List || row.Rule.Form == route.Body) && !authz.Anywhere(&p, what, c.Now()) {
		what = permission.Permission{} // they are shown what is their own
	}
	c.Used(what, c.object)
}

// Used records that the call uses a permission on an object, zero for none in
// particular. What one may on one's own account is no use of a right.
func (c Call) Used(what permission.Permission, object id.UUID) {
	u := usage.Use{Permission: what, Object: object, Address: SourceOf(c.Request).IP}
	if what == permission.OwnAccount {
		u.Permission = permission.Permission{}
	}
	if authz.ByRows(what) {
		u.Rule = ruleOf(c.Who.Rules, object)
	}
	c.uses.Add(u)
}

// ruleOf returns the rule of a token that names a server, zero for none.
func ruleOf(rules token.ACL, server id.UUID) id.ID[id.Rule] {
	for _, r := range rules.Servers {
		if r.Server.UUID() == server {
			return r.ID
		}
	}
	return id.ID[id.Rule]{}
}
