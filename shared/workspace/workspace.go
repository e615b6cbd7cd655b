// Package workspace holds the workspace itself: its names, its hosts and its
// settings with their bounds. It knows nothing of the people in it.
package workspace

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"time"

	"paddock/shared/fault"
	"paddock/shared/id"
	"paddock/shared/table"
)

// A Workspace is the tenant, as its head item holds it.
type Workspace struct {
	ID   id.ID[id.Workspace] `json:"id"`
	Slug string              `json:"slug"`
	Name string              `json:"name"`
	// Origins are the addresses that it answers on, canonical first. Links,
	// cookies and passkeys hang on them; the Host header only selects.
	Origins       []string      `json:"origins"`
	CreatedAt     time.Time     `json:"created_at"`
	Security      Security      `json:"security"`
	Preferences   Preferences   `json:"preferences"`
	AccessControl AccessControl `json:"access_control"`
	Billing       Billing       `json:"billing"`
}

// Canonical returns the origin that links are made with.
func (w Workspace) Canonical() string {
	if len(w.Origins) == 0 {
		return ""
	}
	return w.Origins[0]
}

// Serves reports whether a request for this host belongs to the workspace.
func (w Workspace) Serves(host string) bool {
	for _, origin := range w.Origins {
		if u, err := url.Parse(origin); err == nil && strings.EqualFold(u.Host, host) {
			return true
		}
	}
	return false
}

// SecureOrigin returns the https origin of the workspace that a request for
// this host belongs to, and false when the host is not served over https.
func (w Workspace) SecureOrigin(host string) (string, bool) {
	for _, origin := range w.Origins {
		if u, err := url.Parse(origin); err == nil && u.Scheme == "https" && strings.EqualFold(u.Host, host) {
			return origin, true
		}
	}
	return "", false
}

// MFATimeout returns how long an MFA verification stays valid.
func (w Workspace) MFATimeout() time.Duration {
	return time.Duration(w.Security.MFATimeout) * time.Second
}

// SessionIdle returns how long a browser's session lives without use.
func (w Workspace) SessionIdle() time.Duration {
	return time.Duration(w.Security.SessionIdleTimeout) * time.Second
}

// SessionAbsolute returns how long a sign-in lasts at most.
func (w Workspace) SessionAbsolute() time.Duration {
	return time.Duration(w.Security.SessionAbsoluteTimeout) * time.Second
}

// ServerActions is the class of protected actions that are done to servers. Source:
// specification, "Require MFA for".
const ServerActions = "server"

// Demands reports whether an action of a class asks for a fresh proof. The
// workspace's own settings always do, and are no class.
func (s Security) Demands(class string) bool {
	return slices.Contains(s.MFARequiredActions, class)
}

// Security is the document /api/workspaces/security/-/. Source: alpacon-wire
// 6.5; specification, "MFA enforcement".
type Security struct {
	MFARequired        bool     `json:"mfa_required"`
	MFATimeout         int      `json:"mfa_timeout"` // seconds
	AllowedMFAMethods  []string `json:"allowed_mfa_methods"`
	MFARequiredActions []string `json:"mfa_required_actions"`
	PasskeyAsMFA       bool     `json:"passkey_as_mfa"`

	SessionIdleTimeout     int `json:"session_idle_timeout"`     // seconds, of browsers
	SessionAbsoluteTimeout int `json:"session_absolute_timeout"` // seconds
	// UnusualSignIn asks for a code at a sign-in from a new device in a new
	// network, where nothing else is asked for.
	UnusualSignIn bool `json:"unusual_sign_in"`
	// CLILogin is how command lines sign in: LoginByBrowser or LoginLegacy.
	CLILogin string `json:"cli_login"`
	// PasswordCheckFailure says what becomes of a new password that the range
	// service could not be asked for: FailureRefuses or FailureAllows.
	PasswordCheckFailure string `json:"password_check_failure"`
	// HardwareKeyModels are the AAGUIDs of the only hardware keys that may be
	// registered; none: any.
	HardwareKeyModels []string `json:"hardware_key_models"`
	// SignCountRegression says what becomes of the answer of a key that counted
	// backwards: RegressionRefused or RegressionReported.
	SignCountRegression string `json:"sign_count_regression"`
	// StepUpMethods are the allowed methods that open protected actions; none:
	// each that is allowed.
	StepUpMethods []string `json:"step_up_methods"`
	// NotifyStepUp mails each step-up to whose it is.
	NotifyStepUp bool `json:"notify_step_up"`
}

// Allows reports whether a sign-in method is allowed.
func (s Security) Allows(method string) bool { return slices.Contains(s.AllowedMFAMethods, method) }

// StepsUp returns the methods that open protected actions.
func (s Security) StepsUp() []string {
	out := []string{}
	for _, m := range s.AllowedMFAMethods {
		if m != recoveryCode && (len(s.StepUpMethods) == 0 || slices.Contains(s.StepUpMethods, m)) {
			out = append(out, m)
		}
	}
	return out
}

const recoveryCode = "recovery_code"

// The values of Security.CLILogin: device login, where the workspace is asked
// over https, or names and passwords typed at the command line.
const (
	LoginByBrowser = "browser"
	LoginLegacy    = "legacy"
)

// The values of Security.PasswordCheckFailure: the password is refused for now,
// or taken unasked.
const (
	FailureRefuses = "refuse"
	FailureAllows  = "allow"
)

// The values of Security.SignCountRegression: the answer is refused, or counts;
// either way it is an event and its owner is told.
const (
	RegressionRefused  = "refuse"
	RegressionReported = "report"
)

// Preferences is the document /api/workspaces/preferences/-/.
type Preferences struct {
	Language            string `json:"language"`
	Timezone            string `json:"timezone"`
	InviteTTL           int    `json:"invite_ttl"`            // seconds
	WebshSessionTimeout int    `json:"websh_session_timeout"` // seconds
	AutoAgentUpgrade    bool   `json:"auto_agent_upgrade"`
}

// AccessControl is the document /api/workspaces/access-control/-/.
type AccessControl struct {
	AllowSudoWithMFA        bool   `json:"allow_sudo_with_mfa"`
	AllowDirectRoot         bool   `json:"allow_direct_root"`
	AllowTunnelByDefault    bool   `json:"allow_tunnel_by_default"`
	AllowEditorByDefault    bool   `json:"allow_editor_by_default"`
	HomeDirectoryPermission string `json:"home_directory_permission"`
}

// Bounds of settings, in seconds. Source: specification, "MFA enforcement" and
// "Session security"; the lifetime of invitations is ours.
const (
	MinMFATimeout, DefaultMFATimeout, MaxMFATimeout       = 60, 900, 86_400
	MinWebshTimeout, DefaultWebshTimeout, MaxWebshTimeout = 900, 3_600, 86_400
	// Of sign-in sessions the defaults are NIST SP 800-63B-4's for AAL2, the
	// bounds ours.
	MinIdle, DefaultIdle, MaxIdle                = 300, 3_600, 86_400
	MinAbsolute, DefaultAbsolute, MaxAbsolute    = 3_600, 86_400, 2_592_000
	MinInviteTTL, DefaultInviteTTL, MaxInviteTTL = 3_600, 172_800, 2_592_000
)

// MFAMethods are the methods that exist, in the order of the specification's
// list. Source: specification, "Supported MFA methods".
var MFAMethods = []string{"hardware_key", "biometric", "otp", "email", "phone", "recovery_code"}

// MFAActions are the action families that can require a fresh verification.
// Source: specification, "Actions that can require step-up MFA".
var MFAActions = []string{"websh", "webftp", "command", "editor", "deploy_shell", "server"}

// Defaults returns the settings of a new workspace.
func Defaults() (Security, Preferences, AccessControl) {
	return Security{
			MFARequired: true, MFATimeout: DefaultMFATimeout, AllowedMFAMethods: slices.Clone(MFAMethods),
			MFARequiredActions: slices.Clone(MFAActions), PasskeyAsMFA: true, CLILogin: LoginByBrowser, PasswordCheckFailure: FailureRefuses,
			HardwareKeyModels: []string{}, SignCountRegression: RegressionRefused, StepUpMethods: []string{},
			SessionIdleTimeout: DefaultIdle, SessionAbsoluteTimeout: DefaultAbsolute, UnusualSignIn: true,
		},
		Preferences{Language: "en", Timezone: "UTC", InviteTTL: DefaultInviteTTL, WebshSessionTimeout: DefaultWebshTimeout, AutoAgentUpgrade: false},
		AccessControl{AllowSudoWithMFA: true, HomeDirectoryPermission: "750"}
}

// Refusals of names.
var (
	ErrSlug = fault.Field("slug", "invalid_slug", "A slug has 1 to 40 of a-z, 0-9 and inner hyphens, and is not a reserved name.")
	ErrName = fault.Field("name", "invalid_name", "A workspace name has 1 to 80 characters without control characters.")
)

// reserved are labels that the deployment itself uses.
var reserved = []string{"www", "api", "gw", "events", "auth", "admin", "mail", "static"}

// CheckSlug refuses what cannot be the first label of a host name.
func CheckSlug(s string) error {
	if len(s) < 1 || len(s) > 40 || s[0] == '-' || s[len(s)-1] == '-' || slices.Contains(reserved, s) {
		return ErrSlug
	}
	for _, c := range s {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return ErrSlug
		}
	}
	return nil
}

// HeadKey returns the key of the workspace's head item.
func HeadKey(ws id.ID[id.Workspace]) table.Key { return table.WorkspaceKey(ws, 0) }

// Decode reads a head item.
func Decode(item table.Item) (Workspace, error) {
	var w Workspace
	if err := table.Decode(item, &w); err != nil {
		return Workspace{}, err
	}
	// Stored before there were the settings.
	w.Billing.Plan = cmp.Or(w.Billing.Plan, Enterprise)
	w.Security.CLILogin = cmp.Or(w.Security.CLILogin, LoginByBrowser)
	w.Security.PasswordCheckFailure = cmp.Or(w.Security.PasswordCheckFailure, FailureRefuses)
	w.Security.SignCountRegression = cmp.Or(w.Security.SignCountRegression, RegressionRefused)
	for _, list := range []*[]string{&w.Security.HardwareKeyModels, &w.Security.StepUpMethods} {
		if *list == nil {
			*list = []string{}
		}
	}
	return w, nil
}

// Save returns the operation that writes a changed workspace.
func Save(read table.Item, w Workspace) table.Op { return table.Replace(read, w, table.Alive) }

// SlugOf returns the slug that a host names: its first label on one of the
// deployment's base hosts, or the default workspace on a base host itself.
func SlugOf(host string, baseHosts []string, fallback string) (string, bool) {
	host = strings.ToLower(host)
	for _, base := range baseHosts {
		if host == base {
			return fallback, fallback != ""
		}
		if label, ok := strings.CutSuffix(host, "."+base); ok && CheckSlug(label) == nil {
			return label, true
		}
	}
	return "", false
}
