package signingin_test

import (
	"testing"
	"time"

	"paddock/shared/table"
	"paddock/shared/wiring"
	"paddock/shared/wiring/signingin"
)

// signin returns the configuration of a signin function with these variables
// besides.
func signin(t *testing.T, more map[string]string) wiring.Config {
	t.Helper()
	c, err := wiring.From(func(name string) string {
		if name == "PADDOCK_BASE_URLS" {
			return "https://paddock.test"
		}
		return more[name]
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []table.Name{table.Data, table.Credentials, table.DataKeyring, table.CredentialKeyring} {
		c.Tables[name] = "t"
	}
	c.Now = time.Now
	return c
}

// TestSourcesOfKnownPasswords builds signin with each setting: a wrong address
// of a range service stops it, a list is not read before it is needed.
func TestSourcesOfKnownPasswords(t *testing.T) {
	for _, c := range []struct {
		name, variable, value string
		fails                 bool
	}{
		{name: "neither"},
		{name: "a range service", variable: "PADDOCK_PASSWORD_RANGE_URL", value: "https://ranges.example"},
		{name: "a range service over http", variable: "PADDOCK_PASSWORD_RANGE_URL", value: "http://ranges.example", fails: true},
		{name: "a range service that is none", variable: "PADDOCK_PASSWORD_RANGE_URL", value: "ranges.example", fails: true},
		{name: "a list that is not there", variable: "PADDOCK_PASSWORD_FILTER", value: "/nowhere/passwords.filter"},
	} {
		h, err := signingin.New(signin(t, map[string]string{c.variable: c.value}))
		if (err != nil) != c.fails || (h == nil) != c.fails {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
