package access_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"paddock/shared/access"
	"paddock/shared/acl"
	"paddock/shared/fault"
	"paddock/shared/permission"
	"paddock/shared/workspace"
)

// TestWorksAreTheClassesOfTheSettings holds that each class of protected actions
// is a kind of work, but for what is done to servers themselves.
func TestWorksAreTheClassesOfTheSettings(t *testing.T) {
	var names []string
	for _, w := range access.Works {
		names = append(names, w.String())
	}
	slices.Sort(names)
	want := slices.DeleteFunc(slices.Clone(workspace.MFAActions), func(c string) bool { return c == workspace.ServerActions })
	slices.Sort(want)
	if !slices.Equal(names, want) {
		t.Errorf("works are %v, classes %v", names, want)
	}
}

// ask returns a whole ask of a work.
func ask(w access.Work, user, group string) access.Ask {
	a := access.Ask{Work: w, As: acl.Account{User: user, Group: group}}
	switch w {
	case access.Command:
		a.Line = "uptime"
	case access.WebFTP:
		a.Path, a.Way = "/srv/a", acl.Upload
	case access.Editor:
		a.Path = "/srv/a"
	case access.Websh, access.DeployShell:
	}
	return a
}

func TestNeeds(t *testing.T) {
	type want struct {
		as, permissions string
		system, root    bool
		class           string
	}
	// What each work takes on one's own account, as a system account, and as root.
	for w, c := range map[access.Work][3]want{
		access.Websh:       {{"mia", "websh:create", false, false, ""}, {"postgres", "websh:create sudo:access", true, false, "websh"}, {"root", "websh:create sudo:access", true, true, "websh"}},
		access.WebFTP:      {{"mia", "webftp:create", false, false, ""}, {"postgres", "webftp:create sudo:access", true, false, "webftp"}, {"root", "webftp:create sudo:access", true, true, "webftp"}},
		access.Command:     {{"mia", "command:create", false, false, ""}, {"postgres", "command:create sudo:access", true, false, "command"}, {"root", "command:create sudo:access", true, true, "command"}},
		access.Editor:      {{"mia", "editor:create", false, false, ""}, {"postgres", "editor:create sudo:access", true, false, "editor"}, {"root", "editor:create sudo:access", true, true, "editor"}},
		access.DeployShell: {{"mia", "deploy_shell:create", false, false, ""}, {"postgres", "deploy_shell:create", true, false, ""}, {"root", "deploy_shell:create", true, false, "deploy_shell"}},
	} {
		for i, user := range []string{"mia", "postgres", "root"} {
			n, err := ask(w, user, "").Needs("mia")
			if err != nil {
				t.Fatal(err)
			}
			if got := (want{n.As.User, spelled(n.Permissions), n.System, n.Root, n.Class}); got != c[i] {
				t.Errorf("%s as %s takes %+v, want %+v", w, user, got, c[i])
			}
		}
	}
	if n, err := ask(access.DeployShell, "", "").Needs("mia"); err != nil || n.As.User != "root" || n.Class != "deploy_shell" {
		t.Errorf("a Deploy shell runs by itself as %+v, %v", n, err)
	}
	// Which accounts are one's own, and which are root, whatever the work.
	for _, c := range []struct {
		user, group, own string
		as               string
		system, root     bool
	}{
		{"", "", "mia", "mia", false, false},
		{"mia", "", "mia", "mia", false, false},
		{"mia", "mia", "mia", "mia", true, false}, // a group of one's own name may be anybody's
		{"", "docker", "docker", "docker", true, false},
		{"", "root", "mia", "mia", true, true},
		{"", "Administrators", "mia", "mia", true, true},
		{"Mia", "", "mia", "Mia", true, false},
		{"Root", "", "mia", "Root", true, true},
		{"toor", "", "mia", "toor", true, true},
		{"Administrator", "", "mia", "Administrator", true, true},
		{"SYSTEM", "", "mia", "SYSTEM", true, true},
		{"postgres", "", "", "postgres", true, false},
	} {
		n, err := ask(access.Websh, c.user, c.group).Needs(c.own)
		if err != nil || n.As.User != c.as || n.As.Group != c.group || n.System != c.system || n.Root != c.root {
			t.Errorf("%+v: %+v, %v", c, n, err)
		}
	}
}

func spelled(all []permission.Permission) string {
	var out []string
	for _, p := range all {
		out = append(out, p.String())
	}
	return strings.Join(out, " ")
}

func TestBadAsks(t *testing.T) {
	long := strings.Repeat("a", access.MaxLine)
	for _, c := range []struct {
		field string
		a     access.Ask
		want  error
	}{
		{"action", access.Ask{}, access.ErrWork},
		{"action", access.Ask{Work: 99}, access.ErrWork},
		{"username", ask(access.Websh, "a b", ""), access.ErrAccount},
		{"username", ask(access.Websh, "*", ""), access.ErrAccount},
		{"groupname", ask(access.Websh, "", "a:b"), access.ErrAccount},
		{"username", ask(access.DeployShell, "0", ""), access.ErrAccount},
		{"username", ask(access.Websh, "#0", ""), access.ErrAccount},
		{"username", ask(access.Websh, "+0", ""), access.ErrAccount},
		{"username", ask(access.Websh, "-c", ""), access.ErrAccount},
		{"groupname", ask(access.Websh, "", "00"), access.ErrAccount},
		{"line", access.Ask{Work: access.Command}, access.ErrLine},
		{"line", access.Ask{Work: access.Command, Line: long + "a"}, access.ErrLine},
		{"line", access.Ask{Work: access.Command, Line: "a\x00b"}, access.ErrLine},
		{"line", access.Ask{Work: access.Websh, Line: "ls"}, access.ErrLine},
		{"path", access.Ask{Work: access.WebFTP, Way: acl.Upload}, access.ErrPath},
		{"path", access.Ask{Work: access.WebFTP, Way: acl.Upload, Path: "etc"}, access.ErrPath},
		{"path", access.Ask{Work: access.Editor, Path: "/a/../b"}, access.ErrPath},
		{"path", access.Ask{Work: access.Command, Line: "ls", Path: "/a"}, access.ErrPath},
		{"path", access.Ask{Work: access.WebFTP, Way: acl.Upload, Path: "/a/"}, access.ErrPath}, // a folder that is not said to be one
		{"path", access.Ask{Work: access.WebFTP, Way: acl.Download, Path: "/"}, access.ErrPath},
		{"recursive", access.Ask{Work: access.Editor, Path: "/a", Tree: true}, access.ErrTree},
		{"direction", access.Ask{Work: access.WebFTP, Path: "/a"}, access.ErrWay},
		{"direction", access.Ask{Work: access.WebFTP, Path: "/a", Way: acl.EitherWay}, access.ErrWay},
		{"direction", access.Ask{Work: access.Editor, Path: "/a", Way: acl.Upload}, access.ErrWay},
	} {
		_, err := c.a.Needs("mia")
		got, ok := errors.AsType[fault.Error](err)
		if !ok || got.Source != c.field || got.Kind != fault.Invalid {
			t.Errorf("%+v: %v, want %v", c.a, err, c.want)
		}
	}
	if _, err := (access.Ask{Work: access.Command, Line: long}).Needs("mia"); err != nil {
		t.Errorf("the longest line: %v", err)
	}
	for _, w := range access.Works {
		if _, err := ask(w, "", "").Needs(""); w != access.DeployShell && !errors.Is(err, access.ErrOwnName) {
			t.Errorf("%s without an account: %v", w, err)
		}
	}
}

// TestRowsOfATokenAreDenyByDefault holds that a row speaks of one account, one
// way and what it matches, and that a terminal takes the row of everything.
func TestRowsOfATokenAreDenyByDefault(t *testing.T) {
	var commands []acl.CommandRow
	for _, r := range [][2]string{{"uptime", ""}, {"id -u", "mia"}, {"*", "deploy"}, {"systemctl *", "root"}} {
		row, err := acl.ParseCommandRow(r[0], acl.Account{User: r[1]})
		if err != nil {
			t.Fatal(err)
		}
		commands = append(commands, row)
	}
	var files []acl.FileRow
	for _, r := range [][3]string{{"/srv/a", "upload", ""}, {"/srv/**", "*", "deploy"}, {"/etc/motd", "download", ""}} {
		row, err := acl.ParseFileRow(r[0], r[1], acl.Account{User: r[2]})
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, row)
	}
	within := func(a access.Ask, own string) bool {
		n, err := a.Needs(own)
		if err != nil {
			t.Fatal(err)
		}
		if a.Within(n, own, nil, nil) {
			t.Errorf("%+v is within no rows", a)
		}
		return a.Within(n, own, commands, files)
	}
	file := func(path string, way acl.Action, user string) access.Ask {
		return access.Ask{Work: access.WebFTP, Path: path, Way: way, As: acl.Account{User: user}}
	}
	tree := func(path string, way acl.Action, user string) access.Ask {
		a := file(path, way, user)
		a.Tree = true
		return a
	}
	line := func(text, user string) access.Ask {
		return access.Ask{Work: access.Command, Line: text, As: acl.Account{User: user}}
	}
	for _, c := range []struct {
		a    access.Ask
		want bool
	}{
		{line("uptime", ""), true},
		{line("uptime", "mia"), true}, // one's own by name
		{line("id -u", ""), true},     // and a row that names it
		{line("id -u", "mia"), true},
		{line("uptime", "root"), false},
		{line("uptime -p", ""), false},
		{line("systemctl restart nginx", "root"), true},
		{line("systemctl restart nginx; id", "root"), false},
		{line("id", "deploy"), true},
		{ask(access.Command, "", "wheel"), false},
		{ask(access.Websh, "", ""), false},
		{ask(access.Websh, "deploy", ""), true},
		{ask(access.Websh, "deploy", "wheel"), false},
		{ask(access.DeployShell, "", ""), false},
		{ask(access.DeployShell, "root", ""), false},
		{ask(access.DeployShell, "deploy", ""), true},
		{file("/srv/a", acl.Upload, ""), true},
		{file("/srv/a", acl.Download, ""), false},
		{file("/srv/a", acl.Upload, "root"), false},
		{file("/etc/motd", acl.Download, "mia"), true},
		{tree("/srv", acl.Upload, "deploy"), true},
		{tree("/srv/", acl.Download, "deploy"), true},
		{tree("/srv/a", acl.Upload, ""), false}, // the row is of a file
		{tree("/", acl.Download, "deploy"), false},
		{tree("/srv*", acl.Download, "deploy"), false}, // a name like a pattern
		{ask(access.Editor, "", ""), false},            // it may only write there
		{ask(access.Editor, "deploy", ""), true},
	} {
		if got := within(c.a, "mia"); got != c.want {
			t.Errorf("%+v: %v", c.a, got)
		}
	}
	if within(line("uptime", "deploy"), "") != true || within(line("uptime", "mia"), "") {
		t.Error("an application's rows speak of the accounts that they name")
	}
}
