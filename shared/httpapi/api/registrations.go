package api

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"paddock/shared/authz"
	"paddock/shared/credential"
	"paddock/shared/fault"
	"paddock/shared/httpapi"
	"paddock/shared/id"
	"paddock/shared/identity"
	"paddock/shared/server"
	"paddock/shared/session"
	"paddock/shared/table"
)

func (f *Face) registrationBindings() []*httpapi.Binding {
	const get, post, ok, created = http.MethodGet, http.MethodPost, http.StatusOK, http.StatusCreated
	return []*httpapi.Binding{
		httpapi.Answer(get, "/api/servers/registration-tokens/", ok, f.registrationTokens).Summed("List the tokens with which servers register."),
		httpapi.Answer(post, "/api/servers/registration-tokens/", created, f.createRegistrationToken).
			Summed("Make a token with which servers register, as the caller's and into groups that the caller may change. Its key is shown this once.").
			Refuses(&identity.ErrProfile, &server.ErrTokenName, &server.ErrManyTokens, &server.ErrGroup, &server.ErrUntil, &authz.ErrCeiling),
		httpapi.Answer(http.MethodDelete, "/api/servers/registration-tokens/{id}/", http.StatusNoContent, f.deleteRegistrationToken).
			Summed("Remove a token with which servers register; those that did stay.").Refuses(&server.ErrNoToken),
		httpapi.Answer(post, "/api/servers/registration-methods/token-install/guide/", ok, f.installGuide).Summed("Show how an agent is installed and registered.").Refuses(guideRefusals...),
		httpapi.Answer(post, "/api/servers/registration-methods/ansible/guide/", ok, f.ansibleGuide).Summed("Show how agents are installed and registered by Ansible.").Refuses(guideRefusals...),
		httpapi.Answer(post, "/api/servers/servers/register/", created, f.register).Summed("Register a server by a registration token; its agent's key is shown this once.").
			Refuses(&session.ErrNoCredential, &server.ErrToken, &server.ErrTries, &server.ErrName, &server.ErrNameTaken, &server.ErrPlatform, &server.ErrFullGroup, &table.ErrGone),
	}
}

// RegistrationToken is a token with which servers register. Source:
// alpacon-wire 4.2; created_by is ours.
type RegistrationToken struct {
	ID            id.ID[id.Registration] `json:"id"`
	Name          string                 `json:"name"`
	AllowedGroups []id.ID[id.Group]      `json:"allowed_groups"`
	// Enabled tells whether it opens anything: it has not ended, and who made it
	// may still make one.
	Enabled   bool                `json:"enabled"`
	CreatedBy id.ID[id.Principal] `json:"created_by"`
	ExpiresAt *time.Time          `json:"expires_at" jsonschema:"nullable"`
	AddedAt   time.Time           `json:"added_at"`
}

func tokenOf(t server.Token) RegistrationToken {
	d := RegistrationToken{ID: t.ID, Name: t.Name, AllowedGroups: []id.ID[id.Group]{}, CreatedBy: t.By, AddedAt: t.AddedAt, Enabled: true}
	d.AllowedGroups = append(d.AllowedGroups, t.Groups...)
	if !t.Until.IsZero() {
		d.ExpiresAt = &t.Until
	}
	return d
}

// RegistrationTokensQuery narrows the list of registration tokens.
type RegistrationTokensQuery struct {
	// Search matches what a name contains.
	Search *string `query:"search,omitempty"`
	httpapi.PageQuery
}

func (f *Face) registrationTokens(c httpapi.Call, in RegistrationTokensQuery) (httpapi.Page[RegistrationToken], error) {
	none := httpapi.Page[RegistrationToken]{}
	all, err := f.servers.Tokens(c.Context(), c.Allowed)
	if err != nil {
		return none, err
	}
	if in.Search != nil {
		all = slices.DeleteFunc(all, func(t server.Token) bool {
			return !strings.Contains(strings.ToLower(t.Name), strings.ToLower(*in.Search))
		})
	}
	page := httpapi.Cut(all, in.Window(), tokenOf)
	var makers []id.ID[id.Principal]
	for _, t := range page.Results {
		if !slices.Contains(makers, t.CreatedBy) {
			makers = append(makers, t.CreatedBy)
		}
	}
	users, err := f.people.Users(c.Context(), c.Allowed, makers)
	if err != nil {
		return none, err
	}
	now := c.Now()
	for i, t := range page.Results {
		live := t.ExpiresAt == nil || now.Before(*t.ExpiresAt)
		page.Results[i].Enabled = live && slices.ContainsFunc(users, func(u identity.User) bool {
			return u.ID == t.CreatedBy && server.Enabled(c.Who.Workspace.ID, u, c.Who.Policy, now)
		})
	}
	return page, nil
}

// NewRegistrationToken is the body of a new registration token. Source:
// alpacon-wire 4.2.
type NewRegistrationToken struct {
	Name string `json:"name" jsonschema:"minLength=1,maxLength=100"`
	// AllowedGroups are the groups that servers come into which register with it.
	AllowedGroups []id.ID[id.Group] `json:"allowed_groups,omitempty"`
	// ExpiresAt is the instant from which on it opens nothing.
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

// CreatedRegistrationToken is a new registration token with its key.
type CreatedRegistrationToken struct {
	RegistrationToken
	Key string `json:"key"`
}

func (f *Face) createRegistrationToken(c httpapi.Call, in NewRegistrationToken) (CreatedRegistrationToken, error) {
	n := server.NewToken{Name: in.Name, Groups: in.AllowedGroups}
	var err error
	if n.Until, err = endOf(in.ExpiresAt); err != nil {
		return CreatedRegistrationToken{}, err
	}
	t, secret, err := f.servers.CreateToken(c.Context(), c.Allowed, c.Who.UserItem, n)
	if err != nil {
		return CreatedRegistrationToken{}, c.Ceiling(err)
	}
	return CreatedRegistrationToken{RegistrationToken: tokenOf(t), Key: secret.Reveal()}, nil
}

func (f *Face) deleteRegistrationToken(c httpapi.Call, _ httpapi.None) (httpapi.None, error) {
	item, err := c.Item()
	if err != nil {
		return httpapi.None{}, err
	}
	of, err := id.Parse[id.Registration](c.PathValue("id"))
	if err != nil {
		return httpapi.None{}, err
	}
	return httpapi.None{}, f.servers.DeleteToken(c.Context(), c.Allowed, c.Who.UserItem, item, of)
}

// Register is what an agent says of its machine. Source: alpacon-wire 7.6.
type Register struct {
	Name     string `json:"name" jsonschema:"minLength=1,maxLength=64,pattern=^[A-Za-z0-9_-]+$"`
	Platform string `json:"platform" jsonschema:"enum=debian,enum=rhel,enum=darwin,enum=windows"`
}

// Registered is a new server with its agent's key.
type Registered struct {
	ID   string `json:"id"`
	Key  string `json:"key"`
	Name string `json:"name"`
}

// register makes a server. Whatever is wrong with the token is answered alike.
func (f *Face) register(c httpapi.Call, in Register) (Registered, error) {
	headers := c.Header.Values("Authorization")
	if len(headers) == 0 {
		return Registered{}, session.ErrNoCredential
	}
	caller := session.Caller{Host: c.Host, Source: httpapi.SourceOf(c.Request), Request: c.Seen}
	text, ok := strings.CutPrefix(headers[0], `token="`)
	text, closed := strings.CutSuffix(text, `"`)
	secret, err := credential.Parse(text)
	if !ok || !closed || err != nil || len(headers) > 1 {
		return Registered{}, f.sessions.RejectRegistration(c.Context(), caller, credential.Secret{}, session.SecretMalformed, server.ErrToken)
	}
	ws, err := f.sessions.Workspace(c.Context(), c.Host)
	if err != nil {
		return Registered{}, err
	}
	as := authz.Principal{Source: caller.Source, Request: caller.Request}
	row, key, err := f.servers.Register(c.Context(), ws, as, secret, server.Registering{Name: in.Name, Platform: in.Platform})
	if reason := server.ReasonOf(err); reason != "" {
		return Registered{}, f.sessions.RejectRegistration(c.Context(), caller, secret, reason, server.ErrToken)
	}
	if refusal, ok := errors.AsType[fault.Error](err); ok && errors.Is(err, server.ErrTries) {
		return Registered{}, f.sessions.RejectRegistration(c.Context(), caller, secret, session.SecretUnknown, refusal)
	}
	if err != nil {
		return Registered{}, err
	}
	return Registered{ID: row.ID.String(), Key: key.Reveal(), Name: row.Name}, nil
}

var guideRefusals = []*fault.Error{&server.ErrPlatform, &server.ErrName, &server.ErrNoToken}

// GuideRequest asks how a server is registered. Source: alpacon-wire 4.2.
type GuideRequest struct {
	Platform   string `json:"platform" jsonschema:"enum=debian,enum=rhel,enum=darwin,enum=windows"`
	ServerName string `json:"server_name,omitempty"`
	// RegistrationToken is a token's id.
	RegistrationToken string `json:"registration_token,omitempty"`
}

// Guide is what every way of registering says. Source: alpacon-wire 4.2.
type Guide struct {
	MethodID         string  `json:"method_id"`
	Platform         string  `json:"platform"`
	PlatformLabel    string  `json:"platform_label"`
	AlpaconURL       string  `json:"alpacon_url"`
	ServerName       string  `json:"server_name"`
	PackageProxy     *string `json:"package_proxy" jsonschema:"nullable"`
	AllowSudoWithMFA bool    `json:"allow_sudo_with_mfa"`
}

// InstallGuide is how an agent is installed and registered.
type InstallGuide struct {
	Guide
	// TokenKey stands for the token's key, which was shown once and is kept
	// nowhere.
	TokenKey        string   `json:"token_key"`
	InstallCommands []string `json:"install_commands"`
	RegisterCommand string   `json:"register_command"`
}

// AnsibleGuide is how agents are installed and registered by Ansible.
type AnsibleGuide struct {
	Guide
	// RegistrationToken stands for the token's key, as in the other guide.
	RegistrationToken string `json:"registration_token"`
	CollectionInstall string `json:"collection_install"`
	RunCommandQuick   string `json:"run_command_quick"`
	InventorySnippet  string `json:"inventory_snippet"`
	PlaybookSnippet   string `json:"playbook_snippet"`
	RunCommandCustom  string `json:"run_command_custom"`
}

// keyPlace is where whoever follows a guide puts the token's key.
const keyPlace = "REGISTRATION_TOKEN"

// installs says for each platform what it is called and how its agent is
// installed. Source: the agent's own instructions.
var installs = map[string]struct {
	label    string
	commands []string
	register string
}{
	"debian":  {"Debian / Ubuntu", []string{"curl -s https://packagecloud.io/install/repositories/alpacax/alpamon/script.deb.sh?any=true | sudo bash", "sudo apt-get install alpamon"}, "sudo alpamon"},
	"rhel":    {"RHEL / Rocky / AlmaLinux / Fedora", []string{"curl -s https://packagecloud.io/install/repositories/alpacax/alpamon/script.rpm.sh?any=true | sudo bash", "sudo yum install alpamon"}, "sudo alpamon"},
	"darwin":  {"macOS", []string{"# Download alpamon for darwin from https://github.com/alpacax/alpamon/releases and unpack it.", "sudo mv alpamon /usr/local/bin/"}, "sudo alpamon"},
	"windows": {"Windows", []string{"# Download alpamon for windows from https://github.com/alpacax/alpamon/releases and unpack it."}, `.\alpamon.exe`},
}

// guide checks what is asked and returns what all guides say. Nothing that
// comes from the request stands in a command before it was checked.
func (f *Face) guide(c httpapi.Call, method string, in GuideRequest) (Guide, error) {
	how, ok := installs[in.Platform]
	if !ok {
		return Guide{}, server.ErrPlatform
	}
	if in.ServerName != "" {
		if err := server.CheckName(in.ServerName); err != nil {
			return Guide{}, server.ErrName.In("server_name")
		}
	}
	if in.RegistrationToken != "" {
		all, err := f.servers.Tokens(c.Context(), c.Allowed)
		if err != nil {
			return Guide{}, err
		}
		if !slices.ContainsFunc(all, func(t server.Token) bool { return t.ID.String() == in.RegistrationToken }) {
			return Guide{}, server.ErrNoToken
		}
	}
	return Guide{
		MethodID: method, Platform: in.Platform, PlatformLabel: how.label, AlpaconURL: f.gateway(c.Host), ServerName: in.ServerName,
		AllowSudoWithMFA: c.Who.Workspace.AccessControl.AllowSudoWithMFA,
	}, nil
}

// gateway returns where agents of the workspace at a host connect. Source:
// design, section 11.
func (f *Face) gateway(host string) string {
	host = strings.ToLower(host)
	out := ""
	for _, base := range f.bases {
		u, err := url.Parse(base)
		if err != nil {
			continue
		}
		at := u.Scheme + "://gw." + strings.ToLower(u.Host)
		if own := strings.ToLower(u.Host); host == own || strings.HasSuffix(host, "."+own) {
			return at
		}
		if out == "" {
			out = at
		}
	}
	return out
}

func (f *Face) installGuide(c httpapi.Call, in GuideRequest) (InstallGuide, error) {
	g, err := f.guide(c, "token-install", in)
	if err != nil {
		return InstallGuide{}, err
	}
	how := installs[in.Platform]
	command := how.register + " register --url " + g.AlpaconURL + " --token " + keyPlace
	if g.ServerName != "" {
		command += " --name " + g.ServerName
	}
	return InstallGuide{Guide: g, TokenKey: keyPlace, InstallCommands: how.commands, RegisterCommand: command}, nil
}

func (f *Face) ansibleGuide(c httpapi.Call, in GuideRequest) (AnsibleGuide, error) {
	g, err := f.guide(c, "ansible", in)
	if err != nil {
		return AnsibleGuide{}, err
	}
	name := g.ServerName
	if name == "" {
		name = "SERVER"
	}
	variables := "alpacon_url=" + g.AlpaconURL + " alpacon_registration_token=" + keyPlace
	return AnsibleGuide{
		Guide: g, RegistrationToken: keyPlace,
		CollectionInstall: "ansible-galaxy collection install alpacax.alpacon",
		RunCommandQuick:   "ansible-playbook -i inventory.ini alpacax.alpacon.register -e '" + variables + "'",
		InventorySnippet:  "[alpacon]\n" + name + "\n",
		PlaybookSnippet:   "- hosts: alpacon\n  become: true\n  roles:\n    - alpacax.alpacon.alpamon\n",
		RunCommandCustom:  "ansible-playbook -i inventory.ini playbook.yml -e '" + variables + "'",
	}, nil
}
