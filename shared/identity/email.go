package identity

import (
	"slices"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"paddock/shared/fault"
)

// An Email is an e-mail address: Address as it was typed, where mail goes, and
// Key, the one canonical form that uniqueness hangs on.
type Email struct {
	Address string
	Key     string
}

// ErrEmail refuses text that is not one plain address.
var ErrEmail = fault.Error{
	Kind: fault.Invalid, Code: "invalid_email",
	Detail: "This is not one plain e-mail address with ASCII letters before the @.", Source: "email",
}

// Bounds of addresses in octets. Source: RFC 5321 section 4.5.3.1.
const (
	maxLocal = 64
	maxEmail = 254
)

// ParseEmail accepts one address: an ASCII dot-atom, "@", and a domain of at
// least two labels. The key is the lower-case local part and the domain in
// A-labels (UTS 46, non-transitional). Nothing is trimmed; quoted local parts,
// address literals, display names, lists and compatibility characters that
// would fold into others are refused.
func ParseEmail(s string) (Email, error) {
	local, domain, found := strings.Cut(s, "@")
	if !found || len(s) > 4*maxEmail || !dotAtom(local) {
		return Email{}, ErrEmail
	}
	ascii, ok := domainKey(domain)
	if !ok {
		return Email{}, ErrEmail
	}
	key := strings.ToLower(local) + "@" + ascii
	if len(key) > maxEmail {
		return Email{}, ErrEmail
	}
	return Email{Address: local + "@" + domain, Key: key}, nil
}

// dotAtom reports whether s is a dot-atom of RFC 5321 within maxLocal.
func dotAtom(s string) bool {
	if len(s) == 0 || len(s) > maxLocal || s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") {
		return false
	}
	for _, c := range []byte(s) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && !strings.ContainsRune(".!#$%&'*+-/=?^_`{|}~", rune(c)) {
			return false
		}
	}
	return true
}

// profile is made when the first domain is looked at: functions that start do
// not wait for it.
var profile = sync.OnceValue(func() *idna.Profile {
	return idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(true), idna.VerifyDNSLength(true), idna.BidiRule())
})

func domainKey(domain string) (string, bool) {
	if norm.NFKC.String(domain) != norm.NFC.String(domain) {
		return "", false // characters that only look like others
	}
	for _, r := range domain {
		if r != '.' && r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) {
			return "", false
		}
	}
	ascii, err := profile().ToASCII(domain)
	if err != nil || !strings.Contains(ascii, ".") || strings.HasSuffix(ascii, ".") {
		return "", false
	}
	return ascii, true
}

// ErrUsername refuses what cannot be a login name on servers.
var ErrUsername = fault.Error{
	Kind: fault.Invalid, Code: "user_username_invalid",
	Detail: "A username has 1 to 32 of a-z, 0-9, dot, hyphen and underscore, and begins with a letter.", Source: "username",
}

// ErrUsernameReserved refuses names that servers give to themselves.
var ErrUsernameReserved = fault.Error{
	Kind: fault.Invalid, Code: "user_username_disallowed",
	Detail: "This username is reserved.", Source: "username",
}

// reservedNames are accounts that systems, cloud images and usual services have
// by themselves, groups whose members may as much as root, and words that the API
// uses in the place of a name. Who has the name of an account is taken for its
// owner on every server. Sources: the base accounts of Debian, Red Hat, SUSE,
// macOS and Windows, and the users of their cloud images.
const reservedNames = `
	root toor admin administrator administrators system localsystem guest nobody nogroup daemon bin sys sync games man lp mail news uucp proxy
	backup list irc gnats halt shutdown operator ftp adm ntp chrony dbus polkitd rpc rpcuser sshd messagebus syslog tcpdump tss uuidd pollinate
	landscape fwupd-refresh dnsmasq usbmux rtkit avahi cups-pk-helper saned colord geoclue gdm whoopsie kernoops speech-dispatcher
	wheel sudo sudoers disk shadow kmem kvm docker podman lxd lxc libvirt libvirtd libvirt-qemu adbusers plugdev netdev tty dialout tape
	ubuntu debian centos rocky almalinux fedora rhel opensuse suse alpine arch archlinux bitnami core opc oracle azureuser cloud-user
	cloud-init ec2-user ec2-instance-connect ssm-user amazon vagrant pi freebsd openbsd netbsd google gcp azure
	www www-data http httpd apache nginx caddy haproxy squid tomcat jetty mysql mariadb postgres postgresql pgbouncer mongodb mongod redis
	memcache memcached elasticsearch opensearch kibana logstash cassandra kafka zookeeper rabbitmq couchdb influxdb grafana prometheus
	node-exporter consul vault nomad etcd git gitlab gitlab-runner gitea jenkins ansible puppet chef salt deploy deployer builder runner
	named bind postfix dovecot exim debian-exim opendkim clamav amavis zabbix nagios telegraf datadog dd-agent splunk
	alpacon alpamon paddock bulk scopes me self`

// ParseUsername accepts exactly what can be a user name on Linux servers
// (useradd's default rule, and dots), in lower case.
func ParseUsername(s string) (string, error) {
	if len(s) < 1 || len(s) > 32 || s[0] < 'a' || s[0] > 'z' {
		return "", ErrUsername
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '.' && c != '-' && c != '_' {
			return "", ErrUsername
		}
	}
	if slices.Contains(strings.Fields(reservedNames), s) || strings.HasPrefix(s, "systemd-") {
		return "", ErrUsernameReserved
	}
	return s, nil
}
