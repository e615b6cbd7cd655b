package workspace

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"paddock/shared/audit"
	"paddock/shared/fault"
	"paddock/shared/id"
)

// A SecurityPatch is a change of the security settings: nil means "as it is".
// Clients send the whole document back; a field that this version cannot
// change yet is refused by name when its value differs.
type SecurityPatch struct {
	MFARequired        *bool     `json:"mfa_required,omitempty"`
	MFATimeout         *Whole    `json:"mfa_timeout,omitempty" jsonschema:"minimum=60,maximum=86400"` // seconds
	AllowedMFAMethods  *[]string `json:"allowed_mfa_methods,omitempty"`
	MFARequiredActions *[]string `json:"mfa_required_actions,omitempty"`
	PasskeyAsMFA       *bool     `json:"passkey_as_mfa,omitempty"`

	SessionIdleTimeout     *Whole  `json:"session_idle_timeout,omitempty" jsonschema:"minimum=300,maximum=86400"`        // seconds
	SessionAbsoluteTimeout *Whole  `json:"session_absolute_timeout,omitempty" jsonschema:"minimum=3600,maximum=2592000"` // seconds
	UnusualSignIn          *bool   `json:"unusual_sign_in,omitempty"`
	CLILogin               *string `json:"cli_login,omitempty" jsonschema:"enum=browser,enum=legacy"`
	PasswordCheckFailure   *string `json:"password_check_failure,omitempty" jsonschema:"enum=refuse,enum=allow"`

	HardwareKeyModels   *[]string `json:"hardware_key_models,omitempty"` // AAGUIDs
	SignCountRegression *string   `json:"sign_count_regression,omitempty" jsonschema:"enum=refuse,enum=report"`
	StepUpMethods       *[]string `json:"step_up_methods,omitempty"`
	NotifyStepUp        *bool     `json:"notify_step_up,omitempty"`

	// AcknowledgeAffected is the number of people who lose their last method by
	// the change, as whoever makes it was told.
	AcknowledgeAffected *Whole `json:"acknowledge_affected,omitempty" jsonschema:"minimum=0"`
}

// A PreferencesPatch is a change of the preferences: nil means "as it is".
type PreferencesPatch struct {
	Language            *string `json:"language,omitempty" jsonschema:"minLength=2,maxLength=16,pattern=^[A-Za-z0-9-]+$"`
	Timezone            *string `json:"timezone,omitempty" jsonschema:"minLength=1,maxLength=64"`
	InviteTTL           *Whole  `json:"invite_ttl,omitempty" jsonschema:"minimum=3600,maximum=2592000"`         // seconds
	WebshSessionTimeout *Whole  `json:"websh_session_timeout,omitempty" jsonschema:"minimum=900,maximum=86400"` // seconds
	AutoAgentUpgrade    *bool   `json:"auto_agent_upgrade,omitempty"`
}

// An AccessControlPatch is a change of access control: nil means "as it is".
type AccessControlPatch struct {
	AllowSudoWithMFA        *bool   `json:"allow_sudo_with_mfa,omitempty"`
	AllowDirectRoot         *bool   `json:"allow_direct_root,omitempty"`
	AllowTunnelByDefault    *bool   `json:"allow_tunnel_by_default,omitempty"`
	AllowEditorByDefault    *bool   `json:"allow_editor_by_default,omitempty"`
	HomeDirectoryPermission *string `json:"home_directory_permission,omitempty" jsonschema:"pattern=^[0-7]{3}$"`
}

// A Whole is a whole number on the wire: 900, never "900", 60.5, 1e3 or null.
type Whole int

// UnmarshalJSON accepts the canonical decimal form of an int32 and nothing
// else, so that no value overflows when it becomes a duration.
func (w *Whole) UnmarshalJSON(b []byte) error {
	n, err := strconv.ParseInt(string(b), 10, 32)
	if err != nil || strconv.FormatInt(n, 10) != string(b) {
		return fmt.Errorf("%q is no whole number", b)
	}
	*w = Whole(n)
	return nil
}

// ErrRange refuses a duration out of bounds; its sentence names them.
var ErrRange = fault.Error{Kind: fault.Invalid, Code: "out_of_range", Detail: "The value is out of bounds."}

func rangeRefusal(field string, low, high int) fault.Error {
	return ErrRange.In(field).Saying(fmt.Sprintf("The value must be from %d to %d seconds.", low, high))
}

// Apply returns the settings after a patch, and what changed. Values out of
// bounds are refused by name, never clamped.
func (s Security) Apply(p SecurityPatch) (Security, []audit.Change, error) {
	var changes []audit.Change
	for _, f := range []struct {
		name      string
		at        *int
		want      *Whole
		low, high int
	}{
		{"mfa_timeout", &s.MFATimeout, p.MFATimeout, MinMFATimeout, MaxMFATimeout},
		{"session_idle_timeout", &s.SessionIdleTimeout, p.SessionIdleTimeout, MinIdle, MaxIdle},
		{"session_absolute_timeout", &s.SessionAbsoluteTimeout, p.SessionAbsoluteTimeout, MinAbsolute, MaxAbsolute},
	} {
		if f.want == nil {
			continue
		}
		n := int(*f.want)
		if n < f.low || n > f.high {
			return Security{}, nil, rangeRefusal(f.name, f.low, f.high)
		}
		changes = note(changes, f.name, f.at, n)
	}
	if p.UnusualSignIn != nil {
		changes = note(changes, "unusual_sign_in", &s.UnusualSignIn, *p.UnusualSignIn)
	}
	if p.MFARequired != nil {
		changes = note(changes, "mfa_required", &s.MFARequired, *p.MFARequired)
	}
	for _, f := range []struct {
		name     string
		at, want *string
		choices  [2]string
		says     string
	}{
		{"cli_login", &s.CLILogin, p.CLILogin, [2]string{LoginByBrowser, LoginLegacy}, "The login of command lines must be browser or legacy."},
		{"password_check_failure", &s.PasswordCheckFailure, p.PasswordCheckFailure, [2]string{FailureRefuses, FailureAllows}, "The setting must be refuse or allow."},
		{"sign_count_regression", &s.SignCountRegression, p.SignCountRegression, [2]string{RegressionRefused, RegressionReported}, "The setting must be refuse or report."},
	} {
		if f.want == nil {
			continue
		}
		if !slices.Contains(f.choices[:], *f.want) {
			return Security{}, nil, fault.Field(f.name, "invalid_value", f.says)
		}
		changes = note(changes, f.name, f.at, *f.want)
	}
	if p.PasskeyAsMFA != nil {
		changes = note(changes, "passkey_as_mfa", &s.PasskeyAsMFA, *p.PasskeyAsMFA)
	}
	if p.NotifyStepUp != nil {
		changes = note(changes, "notify_step_up", &s.NotifyStepUp, *p.NotifyStepUp)
	}
	return s.applyLists(p, changes)
}

// applyLists is Apply for the settings that are lists. Together they must leave
// a method to prove with.
func (s Security) applyLists(p SecurityPatch, changes []audit.Change) (Security, []audit.Change, error) {
	if p.HardwareKeyModels != nil {
		models, err := checkModels(*p.HardwareKeyModels)
		if err != nil {
			return Security{}, nil, err
		}
		changes = noteSet(changes, "hardware_key_models", &s.HardwareKeyModels, models)
	}
	for _, f := range []struct {
		name string
		at   *[]string
		want *[]string
		of   []string
	}{
		{"allowed_mfa_methods", &s.AllowedMFAMethods, p.AllowedMFAMethods, MFAMethods},
		{"mfa_required_actions", &s.MFARequiredActions, p.MFARequiredActions, MFAActions},
		{"step_up_methods", &s.StepUpMethods, p.StepUpMethods, proving()},
	} {
		if f.want == nil {
			continue
		}
		chosen, err := chosenOf(f.name, *f.want, f.of)
		if err != nil {
			return Security{}, nil, err
		}
		changes = noteSet(changes, f.name, f.at, chosen)
	}
	if !slices.ContainsFunc(s.AllowedMFAMethods, func(m string) bool { return m != recoveryCode }) {
		return Security{}, nil, fault.Field("allowed_mfa_methods", "invalid_value", "At least one method must be allowed besides recovery codes.")
	}
	if len(s.StepsUp()) == 0 {
		return Security{}, nil, fault.Field("step_up_methods", "invalid_value", "At least one method for protected actions must be an allowed one.")
	}
	return s, changes, nil
}

// Apply returns the preferences after a patch, and what changed.
func (s Preferences) Apply(p PreferencesPatch) (Preferences, []audit.Change, error) {
	var changes []audit.Change
	if p.Language != nil {
		if !tag(*p.Language) {
			return Preferences{}, nil, fault.Field("language", "invalid_value", "The language must be a tag such as en or ko.")
		}
		changes = note(changes, "language", &s.Language, *p.Language)
	}
	if p.Timezone != nil {
		if len(*p.Timezone) == 0 || len(*p.Timezone) > 64 || strings.ContainsFunc(*p.Timezone, control) {
			return Preferences{}, nil, fault.Field("timezone", "invalid_value", "The time zone must be a name such as UTC or Asia/Seoul.")
		}
		changes = note(changes, "timezone", &s.Timezone, *p.Timezone)
	}
	if p.InviteTTL != nil {
		n := int(*p.InviteTTL)
		if n < MinInviteTTL || n > MaxInviteTTL {
			return Preferences{}, nil, rangeRefusal("invite_ttl", MinInviteTTL, MaxInviteTTL)
		}
		changes = note(changes, "invite_ttl", &s.InviteTTL, n)
	}
	if p.WebshSessionTimeout != nil {
		n := int(*p.WebshSessionTimeout)
		if n < MinWebshTimeout || n > MaxWebshTimeout {
			return Preferences{}, nil, rangeRefusal("websh_session_timeout", MinWebshTimeout, MaxWebshTimeout)
		}
		changes = note(changes, "websh_session_timeout", &s.WebshSessionTimeout, n)
	}
	if p.AutoAgentUpgrade != nil {
		changes = note(changes, "auto_agent_upgrade", &s.AutoAgentUpgrade, *p.AutoAgentUpgrade)
	}
	return s, changes, nil
}

// Apply returns access control after a patch, and what changed.
func (s AccessControl) Apply(p AccessControlPatch) (AccessControl, []audit.Change, error) {
	var changes []audit.Change
	for _, f := range []struct {
		name string
		at   *bool
		want *bool
	}{
		{"allow_sudo_with_mfa", &s.AllowSudoWithMFA, p.AllowSudoWithMFA},
		{"allow_direct_root", &s.AllowDirectRoot, p.AllowDirectRoot},
		{"allow_tunnel_by_default", &s.AllowTunnelByDefault, p.AllowTunnelByDefault},
		{"allow_editor_by_default", &s.AllowEditorByDefault, p.AllowEditorByDefault},
	} {
		if f.want != nil {
			changes = note(changes, f.name, f.at, *f.want)
		}
	}
	if p.HomeDirectoryPermission != nil {
		mode := *p.HomeDirectoryPermission
		if len(mode) != 3 || strings.Trim(mode, "01234567") != "" {
			return AccessControl{}, nil, fault.Field("home_directory_permission", "invalid_value", "The permission must be three octal digits such as 750.")
		}
		changes = note(changes, "home_directory_permission", &s.HomeDirectoryPermission, mode)
	}
	return s, changes, nil
}

// note sets a value and records the change, if it is one.
func note[T comparable](changes []audit.Change, path string, at *T, want T) []audit.Change {
	if *at == want {
		return changes
	}
	c := audit.Change{Path: path, Before: fmt.Sprint(*at), After: fmt.Sprint(want)}
	*at = want
	return append(changes, c)
}

// noteSet sets a list whose order says nothing and records the change, if it is
// one.
func noteSet(changes []audit.Change, path string, at *[]string, want []string) []audit.Change {
	if sameSet(*at, want) {
		return changes
	}
	c := audit.Change{Path: path, Before: strings.Join(*at, ", "), After: strings.Join(want, ", ")}
	*at = want
	return append(changes, c)
}

// chosenOf returns the values of a list that a setting names, each once and in
// the order of the list.
func chosenOf(field string, want, of []string) ([]string, error) {
	out := []string{}
	for _, v := range of {
		if slices.Contains(want, v) {
			out = append(out, v)
		}
	}
	for _, v := range want {
		if !slices.Contains(of, v) {
			return nil, fault.Field(field, "invalid_value", "The values must be of: "+strings.Join(of, ", ")+".")
		}
	}
	return out, nil
}

// proving are the methods that can open protected actions: recovery codes
// never do.
func proving() []string {
	return slices.DeleteFunc(slices.Clone(MFAMethods), func(m string) bool { return m == recoveryCode })
}

// maxModels bounds Security.HardwareKeyModels.
const maxModels = 50

// checkModels returns AAGUIDs in their canonical form, each once.
func checkModels(texts []string) ([]string, error) {
	out := []string{}
	for _, text := range texts {
		u, err := id.ParseUUID(strings.ToLower(text))
		if err != nil || u.Zero() || len(texts) > maxModels {
			return nil, fault.Field("hardware_key_models", "invalid_value", "The models must be at most 50 AAGUIDs such as 2fc0579f-8113-47ea-b116-bb5a8db9202a.")
		}
		if s := u.String(); !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out, nil
}

func sameSet(a, b []string) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(a, b)
}

func tag(s string) bool {
	return len(s) >= 2 && len(s) <= 16 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == ""
}

func control(r rune) bool { return r < ' ' || r == 0x7f }
