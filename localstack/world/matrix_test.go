package world_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"paddock/localstack/visitor"
	"paddock/localstack/world"
	"paddock/shared/permission"
	"paddock/shared/route"
)

// matrixPermissions says which permissions each row of the published matrix speaks of. The
// readings of the rows stand in vectors: see the tests below.
var matrixPermissions = map[string][]permission.Permission{
	"server.access_assigned": {permission.AccessServer, permission.ReadServer},
	"terminal.create":        {permission.CreateWebsh},
	"webftp.use":             {permission.CreateWebFTP},
	"activity.read_own":      {permission.ReadOwnAudit},
	"server.manage": {
		permission.CreateServer, permission.UpdateServer, permission.DeleteServer, permission.OperateServer,
		permission.ReadRegistration, permission.CreateRegistration, permission.DeleteRegistration,
		permission.ReadAssignment, permission.CreateAssignment, permission.DeleteAssignment,
	},
	"user.invite_remove": {permission.CreateUser, permission.UpdateUser, permission.DeleteUser, permission.ReadSession, permission.DeleteSession},
	"group.manage": {
		permission.CreateGroup, permission.UpdateGroup, permission.DeleteGroup,
		permission.CreateMembership, permission.UpdateMembership, permission.DeleteMembership,
	},
	"audit.read_all": {permission.ReadAudit},
	"workspace.settings": {
		permission.ReadSecurity, permission.UpdateSecurity, permission.ReadPreferences, permission.UpdatePreferences,
		permission.ReadAccessControl, permission.UpdateAccessControl, permission.ReadWorkspace, permission.UpdateWorkspace,
	},
	"billing.manage":   {permission.ReadBilling, permission.UpdateBilling},
	"workspace.delete": {permission.DeleteWorkspace},
}

// matrixBesides are the resources of which the matrix has no row, with what says who
// may what.
var matrixBesides = map[permission.Resource]string{
	permission.Account:        "one's own, of everyone",
	permission.User:           "reading: everyone themselves, staff all",
	permission.Group:          "reading: members theirs, staff all",
	permission.Membership:     "reading: likewise",
	permission.Note:           "who reaches a server, TestNotes",
	permission.Role:           "superusers only, rule R2, TestCustomRoles",
	permission.RoleAssignment: "likewise",
	permission.Policy:         "TestWhyIsAnswered",
	permission.Application:    "people who are none",
	permission.ServiceToken:   "likewise",
	permission.Command:        "assignments, with the terminal",
	permission.Editor:         "likewise",
	permission.Tunnel:         "likewise",
	permission.DeployShell:    "likewise",
	permission.Sudo:           "likewise",
}

// matrixWaits are the rows of the matrix of which no route exists, with what they
// wait for. As soon as a route asks their permissions it has no probe, and the
// test fails.
var matrixWaits = map[string]string{
	"terminal.create":  "terminals",
	"webftp.use":       "transfers of files",
	"workspace.delete": "deletion of workspaces",
}

// A matrixSample is what the probe of one person acts on; each has its own, for some
// are used up.
type matrixSample struct {
	w                                      *world.Walk
	self                                   person
	own, other                             string // paths of servers: assigned to the person, and not
	victim, group, place, invitation       string // paths
	session, token, registration, assigned string
}

// samplesOf makes what one person's probes act on.
func samplesOf(t *testing.T, w *world.Walk, self person, n int) matrixSample {
	t.Helper()
	if err := w.Fresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := matrixSample{w: w, self: self}
	fleet := newToken(t, w.Me, map[string]any{"name": fmt.Sprint("fleet ", n)})
	s.registration = tokensPath + fleet.id + "/"
	s.own, s.other = registered(t, w, fleet.key, fmt.Sprint("own-", n)), registered(t, w, fleet.key, fmt.Sprint("other-", n))
	want(t, w.Me, http.StatusCreated, "POST", assignPath, map[string]any{"user": self.idOf(), "server": idIn(s.own)})
	p := made(t, w, fmt.Sprint("victim", n), "member", fmt.Sprint("203.0.113.", 140+n))
	s.victim = p.path
	s.session = p.path + "sessions/" + listed(t, w.Me, p.path+"sessions/")[0] + "/"
	s.token = p.path + "tokens/" + tokenOf(t, w, p.enrolled(t).Visitor, scope("bot", "user:read")).id + "/"
	s.assigned = assignPath + field(t, want(t, w.Me, http.StatusCreated, "POST", assignPath, map[string]any{"user": p.idOf(), "server": idIn(s.other)}), "id") + "/"
	group := newGroup(t, w.Me, map[string]any{"name": fmt.Sprint("group ", n)})
	s.group, s.place = groupsPath+group+"/", membersPath+join(t, w.Me, group, p, "member")+"/"
	s.invitation = "/api/iam/invitations/" + field(t, want(t, w.Me, http.StatusCreated, "POST", invitePath, map[string]any{"email": fmt.Sprintf("i%d@matrix.example", n)}), "id") + "/"
	return s
}

// A matrixProbe is one route of a row of the matrix.
type matrixProbe struct {
	row, method, path string // as package route has it
	// at is the path that is asked, by the sample; nil: path itself.
	at   func(matrixSample) string
	body func(matrixSample) any
	// full is what who may is answered, none what who may not is: 403 where what
	// the path names is no secret, else 404. Both may be 200: then check tells.
	full, none int
	check      func(t *testing.T, s matrixSample, cell string, a visitor.Answer)
}

func bodiless(matrixSample) any { return nil }

func sending(fields map[string]any) func(matrixSample) any {
	return func(matrixSample) any { return fields }
}

// matrixProbes are the probes of the matrix, in the order in which they are sent: what
// takes things away comes last.
func matrixProbes() []matrixProbe {
	const forbidden, absent = http.StatusForbidden, http.StatusNotFound
	settings := func(name string, change map[string]any) []matrixProbe {
		path := "/api/workspaces/" + name + "/-/"
		return []matrixProbe{
			{row: "workspace.settings", method: "GET", path: path, body: bodiless, full: http.StatusOK, none: forbidden},
			{row: "workspace.settings", method: "PATCH", path: path, body: sending(change), full: http.StatusOK, none: forbidden},
		}
	}
	all := []matrixProbe{
		{row: "server.access_assigned", method: "GET", path: serversPath, body: bodiless, full: http.StatusOK, none: forbidden, check: seesServers},
		{row: "server.access_assigned", method: "GET", path: serversPath + "{id}/", at: func(s matrixSample) string { return s.own }, body: bodiless, full: http.StatusOK, none: absent},
		{row: "activity.read_own", method: "GET", path: "/api/audit/activity/", at: func(s matrixSample) string { return "/api/audit/activity/?page_size=25&user=" + s.self.idOf() }, body: bodiless, full: http.StatusOK, none: forbidden, check: ownEvents},
		{row: "audit.read_all", method: "GET", path: "/api/audit/activity/", at: func(matrixSample) string { return "/api/audit/activity/?page_size=100" }, body: bodiless, full: http.StatusOK, none: http.StatusOK, check: allEvents},
		{row: "audit.read_all", method: "GET", path: "/api/audit/activity/", at: func(s matrixSample) string { return "/api/audit/activity/?page_size=25&user=" + idIn(s.victim) }, body: bodiless, full: http.StatusOK, none: forbidden},
		{row: "billing.manage", method: "GET", path: billingPath, body: bodiless, full: http.StatusOK, none: forbidden},
		{row: "billing.manage", method: "PATCH", path: billingPath, body: sending(map[string]any{"contact_name": "Ada"}), full: http.StatusOK, none: forbidden},
		{row: "workspace.settings", method: "POST", path: "/api/workspaces/security/-/preview/", body: sending(map[string]any{}), full: http.StatusOK, none: forbidden},
	}
	all = append(all, settings("security", map[string]any{"mfa_timeout": 900})...)
	all = append(all, settings("preferences", map[string]any{"timezone": "UTC"})...)
	all = append(all, settings("access-control", map[string]any{"allow_sudo_with_mfa": true})...)
	all = append(all, serverProbes()...)
	all = append(all, groupProbes()...)
	return append(all, userProbes()...)
}

func serverProbes() []matrixProbe {
	const row, forbidden, absent = "server.manage", http.StatusForbidden, http.StatusNotFound
	const guides = "/api/servers/registration-methods/"
	guide := sending(map[string]any{"platform": "debian"})
	own, other := func(s matrixSample) string { return s.own }, func(s matrixSample) string { return s.other }
	return []matrixProbe{
		{row: row, method: "GET", path: tokensPath, body: bodiless, full: http.StatusOK, none: forbidden},
		{row: row, method: "POST", path: tokensPath, body: func(s matrixSample) any { return map[string]any{"name": "of " + s.self.email} }, full: http.StatusCreated, none: forbidden},
		{row: row, method: "POST", path: guides + "token-install/guide/", body: guide, full: http.StatusOK, none: forbidden},
		{row: row, method: "POST", path: guides + "ansible/guide/", body: guide, full: http.StatusOK, none: forbidden},
		{row: row, method: "GET", path: assignPath, body: bodiless, full: http.StatusOK, none: http.StatusOK, check: seesAssignments},
		{row: row, method: "POST", path: assignPath, body: func(s matrixSample) any { return map[string]any{"user": s.self.idOf(), "server": idIn(s.other)} }, full: http.StatusCreated, none: forbidden},
		{row: row, method: "DELETE", path: assignPath + "{id}/", at: func(s matrixSample) string { return s.assigned }, body: bodiless, full: http.StatusNoContent, none: forbidden},
		{row: row, method: "PATCH", path: serversPath + "{id}/", at: own, body: sending(map[string]any{}), full: http.StatusOK, none: forbidden},
		{row: row, method: "PATCH", path: serversPath + "{id}/", at: other, body: func(s matrixSample) any { return map[string]any{"name": "re" + s.self.email[:3]} }, full: http.StatusOK, none: absent},
		{row: row, method: "POST", path: serversPath + "{id}/actions/", at: func(s matrixSample) string { return s.own + "actions/" }, body: sending(map[string]any{"action": "reboot_system"}), full: http.StatusConflict, none: forbidden},
		{row: row, method: "DELETE", path: serversPath + "{id}/", at: own, body: bodiless, full: http.StatusNoContent, none: forbidden},
		{row: row, method: "DELETE", path: serversPath + "{id}/", at: other, body: bodiless, full: http.StatusNoContent, none: absent},
		{row: row, method: "DELETE", path: tokensPath + "{id}/", at: func(s matrixSample) string { return s.registration }, body: bodiless, full: http.StatusNoContent, none: absent},
	}
}

func groupProbes() []matrixProbe {
	const row, forbidden, absent = "group.manage", http.StatusForbidden, http.StatusNotFound
	group, place := func(s matrixSample) string { return s.group }, func(s matrixSample) string { return s.place }
	named := func(what string) func(matrixSample) any {
		return func(s matrixSample) any { return map[string]any{"name": what + " of " + s.self.email} }
	}
	yaml := func(what string) func(matrixSample) any {
		return func(s matrixSample) any {
			return map[string]any{"config": "name: " + what + " of " + s.self.email + "\n"}
		}
	}
	return []matrixProbe{
		{row: row, method: "POST", path: groupsPath, body: named("made"), full: http.StatusCreated, none: forbidden},
		{row: row, method: "POST", path: groupsPath + "import/", body: yaml("imported"), full: http.StatusCreated, none: forbidden},
		{row: row, method: "PATCH", path: groupsPath + "{id}/", at: group, body: named("changed"), full: http.StatusOK, none: absent},
		{row: row, method: "PUT", path: groupsPath + "{id}/config/", at: func(s matrixSample) string { return s.group + "config/" }, body: yaml("configured"), full: http.StatusOK, none: absent},
		{row: row, method: "POST", path: membersPath, body: func(s matrixSample) any {
			return map[string]any{"group": idIn(s.group), "user": s.self.idOf(), "role": "member"}
		}, full: http.StatusCreated, none: forbidden},
		{row: row, method: "PATCH", path: membersPath + "{id}/", at: place, body: sending(map[string]any{"role": "manager"}), full: http.StatusOK, none: absent},
		{row: row, method: "DELETE", path: membersPath + "{id}/", at: place, body: bodiless, full: http.StatusNoContent, none: absent},
		{row: row, method: "DELETE", path: groupsPath + "{id}/", at: group, body: bodiless, full: http.StatusNoContent, none: absent},
	}
}

func userProbes() []matrixProbe {
	const row, forbidden, absent = "user.invite_remove", http.StatusForbidden, http.StatusNotFound
	const users = "/api/iam/users/"
	victim, token := func(s matrixSample) string { return s.victim }, func(s matrixSample) string { return s.token }
	below := func(name string) func(matrixSample) string {
		return func(s matrixSample) string { return s.victim + name }
	}
	mailTo := func(name string) func(matrixSample) any {
		return func(s matrixSample) any { return map[string]any{"email": name + "." + s.self.email} }
	}
	return []matrixProbe{
		{row: row, method: "POST", path: invitePath, body: mailTo("invited"), full: http.StatusCreated, none: forbidden},
		{row: row, method: "GET", path: "/api/iam/invitations/", body: bodiless, full: http.StatusOK, none: forbidden},
		{row: row, method: "DELETE", path: "/api/iam/invitations/{id}/", at: func(s matrixSample) string { return s.invitation }, body: bodiless, full: http.StatusNoContent, none: forbidden},
		{row: row, method: "POST", path: users, body: mailTo("made"), full: http.StatusCreated, none: forbidden},
		{row: row, method: "PATCH", path: users + "{id}/", at: victim, body: sending(map[string]any{"first_name": "Vic"}), full: http.StatusOK, none: absent},
		{row: row, method: "GET", path: users + "{id}/sessions/", at: below("sessions/"), body: bodiless, full: http.StatusOK, none: absent},
		{row: row, method: "GET", path: users + "{id}/tokens/", at: below("tokens/"), body: bodiless, full: http.StatusOK, none: absent},
		{row: row, method: "GET", path: users + "{id}/usage/", at: below("usage/"), body: bodiless, full: http.StatusOK, none: absent},
		{row: row, method: "GET", path: users + "{id}/tokens/{token}/usage/", at: func(s matrixSample) string { return s.token + "usage/" }, body: bodiless, full: http.StatusOK, none: absent},
		{row: row, method: "PATCH", path: users + "{id}/tokens/{token}/", at: token, body: sending(map[string]any{"enabled": false}), full: http.StatusOK, none: absent},
		{row: row, method: "DELETE", path: users + "{id}/tokens/{token}/", at: token, body: bodiless, full: http.StatusNoContent, none: absent},
		{row: row, method: "DELETE", path: users + "{id}/sessions/{session}/", at: func(s matrixSample) string { return s.session }, body: bodiless, full: http.StatusNoContent, none: absent},
		{row: row, method: "POST", path: users + "{id}/sessions/end-all/", at: below("sessions/end-all/"), body: bodiless, full: http.StatusNoContent, none: absent},
		{row: row, method: "POST", path: users + "{id}/mfa/reset/", at: below("mfa/reset/"), body: sending(map[string]any{"reason": "of the matrix"}), full: http.StatusNoContent, none: absent},
		{row: row, method: "DELETE", path: users + "{id}/", at: victim, body: bodiless, full: http.StatusNoContent, none: absent},
	}
}

// seesServers holds that a member's list has what is assigned to them, and
// staff's all.
func seesServers(t *testing.T, s matrixSample, _ string, a visitor.Answer) {
	t.Helper()
	member := strings.HasPrefix(s.self.email, "mia")
	if !strings.Contains(string(a.Body), idIn(s.own)) || strings.Contains(string(a.Body), idIn(s.other)) == member {
		t.Errorf("%s sees %s", s.self.email, a.Body)
	}
}

// seesAssignments holds that who manages no servers sees nobody's assignments.
func seesAssignments(t *testing.T, s matrixSample, cell string, a visitor.Answer) {
	t.Helper()
	if strings.Contains(string(a.Body), idIn(s.assigned)) != (cell == "full") {
		t.Errorf("%s sees %s", s.self.email, a.Body)
	}
}

// actors returns whose events an answer holds.
func actors(t *testing.T, a visitor.Answer) map[string]int {
	t.Helper()
	var page struct {
		Results []struct{ User *struct{ ID string } }
	}
	if err := json.Unmarshal(a.Body, &page); err != nil {
		t.Fatal(err)
	}
	out := map[string]int{}
	for _, r := range page.Results {
		if r.User != nil {
			out[r.User.ID]++
		}
	}
	return out
}

// ownEvents holds that one's own events are there.
func ownEvents(t *testing.T, s matrixSample, _ string, a visitor.Answer) {
	t.Helper()
	if actors(t, a)[s.self.idOf()] == 0 {
		t.Errorf("%s has no events: %s", s.self.email, a.Body)
	}
}

// allEvents holds that who reads all sees the acts of others, and who does not
// none of them: events about oneself apart.
func allEvents(t *testing.T, s matrixSample, cell string, a visitor.Answer) {
	t.Helper()
	seen := actors(t, a)
	delete(seen, s.self.idOf())
	delete(seen, idIn(own(t, s.w))) // who made what the sample is
	if (len(seen) > 0) != (cell == "full") {
		t.Errorf("%s sees the acts of %v", s.self.email, seen)
	}
}

// cellOf returns what a cell leaves of a probe: the reading half of a limited one
// is whole, the rest none.
func cellOf(cell, method string) string {
	if cell != "read" {
		return cell
	}
	if method == http.MethodGet {
		return "full"
	}
	return "none"
}

// TestThePermissionMatrixOverHTTP probes each cell of the published matrix whose
// route exists, over HTTP, as a member, as staff and as a superuser.
func TestThePermissionMatrixOverHTTP(t *testing.T) {
	w := relaxed(t, "matrix")
	people := []person{prover(t, w, "mia", "member", "203.0.113.137"), prover(t, w, "stan", "staff", "203.0.113.138"), prover(t, w, "sue", "superuser", "203.0.113.139")}
	cells, sent := published(t), 0
	all := matrixProbes()
	for i, p := range people {
		s := samplesOf(t, w, p, i)
		for _, pr := range all {
			cell := cellOf(cells[pr.row][i], pr.method)
			path, status := pr.path, map[string]int{"full": pr.full, "none": pr.none}[cell]
			if pr.at != nil {
				path = pr.at(s)
			}
			a := send(t, p.Visitor, pr.method, path, pr.body(s))
			if sent++; a.Status != status {
				t.Errorf("%s: %s %s as %s: %d %s, want %d (%s)", pr.row, pr.method, pr.path, p.email, a.Status, a.Body, status, cell)
			} else if pr.check != nil {
				pr.check(t, s, cell, a)
			}
		}
	}
	if sent < 3*30 {
		t.Errorf("only %d probes were sent", sent)
	}
}

// published returns the published matrix: by row what member, staff and
// superuser have.
func published(t *testing.T) map[string][3]string {
	t.Helper()
	b, err := os.ReadFile("../../shared/authz/testdata/permissions.json")
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		Matrix []struct{ ID, Member, Staff, Superuser string }
		Counts struct{ Actions int }
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	out := map[string][3]string{}
	for _, row := range v.Matrix {
		out[row.ID] = [3]string{row.Member, row.Staff, row.Superuser}
	}
	if len(out) != v.Counts.Actions || len(out) != len(matrixPermissions) {
		t.Fatalf("%d rows, %d are known", len(out), len(matrixPermissions))
	}
	return out
}

// TestEachRouteOfTheMatrixIsProbed derives from the route table what must be
// probed: each route that asks a permission of a row.
func TestEachRouteOfTheMatrixIsProbed(t *testing.T) {
	rowOf := map[permission.Permission]string{}
	for id := range published(t) {
		if len(matrixPermissions[id]) == 0 {
			t.Errorf("nothing is known of the row %s", id)
		}
		for _, p := range matrixPermissions[id] {
			if rowOf[p] != "" {
				t.Errorf("%s is of two rows", p)
			}
			rowOf[p] = id
		}
	}
	for _, p := range permission.Catalogue {
		if rowOf[p] == "" && matrixBesides[p.Resource] == "" {
			t.Errorf("%s is of no row, and nothing says why", p)
		}
	}
	probed, rows := map[string]bool{}, map[string]bool{}
	for _, p := range matrixProbes() {
		probed[p.method+" "+p.path], rows[p.row] = true, true
	}
	for _, r := range route.Rows {
		name := r.Method + " " + r.Path
		if id := rowOf[r.Rule.Permission]; id != "" && !probed[name] {
			t.Errorf("%s is a route of the row %s and has no probe", name, id)
		}
		delete(probed, name)
	}
	for name := range probed {
		t.Errorf("%s is probed and no route", name)
	}
	for id := range matrixPermissions {
		if rows[id] == (matrixWaits[id] != "") {
			t.Errorf("row %s: probed %t, waits for %q", id, rows[id], matrixWaits[id])
		}
	}
}

// TestReadingsOfTheMatrix holds what the matrix leaves open, as it is read: A1 to
// A4 of the vectors.
func TestReadingsOfTheMatrix(t *testing.T) {
	w := relaxed(t, "readings")
	stan, mia := prover(t, w, "stan", "staff", "203.0.113.133"), made(t, w, "mia", "member", "203.0.113.134")
	sue := prover(t, w, "sue", "superuser", "203.0.113.135")
	t.Run("A1 staff runs the accounts of those who are no superusers, and makes nobody more", func(t *testing.T) {
		want(t, stan.Visitor, http.StatusOK, "PATCH", mia.path, map[string]any{"first_name": "Mia"})
		for _, field := range []string{"is_staff", "is_superuser"} {
			refused(t, stan.Visitor, "permission_denied", "PATCH", mia.path, map[string]any{field: true})
			refused(t, stan.Visitor, "permission_denied", "POST", invitePath, map[string]any{"email": "up@readings.example", field: true})
			refused(t, stan.Visitor, "permission_denied", "POST", "/api/iam/users/", map[string]any{"email": "up@readings.example", field: true})
		}
		for _, body := range []map[string]any{{"first_name": "S"}, {"is_active": false}, {"email": "s@readings.example"}} {
			refused(t, stan.Visitor, "permission_denied", "PATCH", sue.path, body)
		}
		refused(t, stan.Visitor, "permission_denied", "POST", sue.path+"mfa/reset/", map[string]any{"reason": "mine"})
		refused(t, stan.Visitor, "permission_denied", "POST", sue.path+"sessions/end-all/", nil)
		refused(t, stan.Visitor, "permission_denied", "DELETE", sue.path, nil)
	})
	t.Run("A2 staff reads all of the log, and nobody writes it", func(t *testing.T) {
		a := want(t, stan.Visitor, http.StatusOK, "GET", "/api/audit/activity/?user="+sue.idOf(), nil)
		if actors(t, a)[sue.idOf()] == 0 {
			t.Errorf("staff sees %s", a.Body)
		}
		for _, r := range route.Rows {
			if strings.HasPrefix(r.Path, "/api/audit/") && r.Method != http.MethodGet {
				t.Errorf("%s %s writes to the log", r.Method, r.Path)
			}
		}
		for _, p := range permission.Catalogue {
			if p.Resource == permission.Audit && p != permission.ReadAudit && p != permission.ReadOwnAudit {
				t.Errorf("%s is more than reading", p)
			}
		}
	})
	t.Run("A3 staff sees the settings, and is refused as somebody who may see them", func(t *testing.T) {
		for path, body := range map[string]map[string]any{
			"security": {"mfa_timeout": 600}, "preferences": {"timezone": "Asia/Seoul"}, "access-control": {"allow_direct_root": true},
		} {
			want(t, stan.Visitor, http.StatusOK, "GET", "/api/workspaces/"+path+"/-/", nil)
			want(t, stan.Visitor, http.StatusForbidden, "PATCH", "/api/workspaces/"+path+"/-/", body)
		}
	})
	t.Run("A4 everyone needs an assignment, superusers too", func(t *testing.T) {
		server := idIn(registered(t, w, newToken(t, w.Me, map[string]any{"name": "fleet"}).key, "a4"))
		for _, p := range []person{mia, stan, sue} {
			for _, what := range []string{"server:access", "websh:create", "webftp:create"} {
				if reaches(t, sue.Visitor, p, what, server) {
					t.Errorf("%s may %s without an assignment", p.email, what)
				}
			}
			want(t, w.Me, http.StatusCreated, "POST", assignPath, map[string]any{"user": p.idOf(), "server": server})
			for _, what := range []string{"server:access", "websh:create", "webftp:create"} {
				if !reaches(t, sue.Visitor, p, what, server) {
					t.Errorf("%s may not %s with an assignment", p.email, what)
				}
			}
		}
	})
	settled(t, w)
}

// reaches asks whether somebody may do something with a server.
func reaches(t *testing.T, v *visitor.Visitor, p person, what, server string) bool {
	t.Helper()
	a := want(t, v, http.StatusOK, "POST", explainPath, map[string]any{"user": p.idOf(), "permission": what, "object": server})
	var answer struct{ Allowed bool }
	if err := json.Unmarshal(a.Body, &answer); err != nil {
		t.Fatal(err)
	}
	return answer.Allowed
}
