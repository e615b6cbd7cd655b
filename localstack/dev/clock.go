package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/pquerna/otp/totp"

	"paddock/localstack/environment"
)

const day = 24 * time.Hour

// clock shows the functions' clock, moves it, or sets it right again.
func clock(_ context.Context, b bench, arguments []string) error {
	flags := flag.NewFlagSet("clock", flag.ContinueOnError)
	advance := flags.String("advance", "", "how far, such as 90s, 2h30m, 14d or -1h")
	right := flags.Bool("reset", false, "back to the real time")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	var offset time.Duration
	if !*right { // a damaged file is set right without being read
		var err error
		if offset, err = b.offset(); err != nil {
			return err
		}
	}
	if *advance != "" {
		by, err := parseSpan(*advance)
		if err != nil {
			return err
		}
		offset += by
	}
	if *right || *advance != "" {
		if err := b.setOffset(offset); err != nil {
			return err
		}
	}
	fmt.Fprintf(b.out, "The functions' clock is %s ahead: %s\n", offset, b.now().Add(offset).UTC().Format(time.RFC3339))
	return nil
}

// parseSpan reads a Go duration, or a number of days such as 14d.
func parseSpan(text string) (time.Duration, error) {
	if number, ok := strings.CutSuffix(text, "d"); ok {
		days, err := strconv.ParseInt(number, 10, 16)
		if err != nil {
			return 0, fmt.Errorf("%q is not a span of time; write 90s, 2h30m or 14d", text)
		}
		return time.Duration(days) * day, nil
	}
	span, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%q is not a span of time; write 90s, 2h30m or 14d", text)
	}
	return span.Truncate(time.Second), nil
}

// offset reads the clock file: a signed decimal number of seconds.
func (b bench) offset() (time.Duration, error) {
	text, err := os.ReadFile(b.clockFile())
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	seconds, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 40)
	if err != nil {
		return 0, fmt.Errorf("%s holds no number of seconds; `make clock RESET=1` sets it right", b.clockFile())
	}
	return time.Duration(seconds) * time.Second, nil
}

// setOffset replaces the clock file at once: functions read it at any time.
func (b bench) setOffset(offset time.Duration) error {
	fresh := b.clockFile() + ".new"
	if err := os.WriteFile(fresh, fmt.Appendf(nil, "%d\n", int64(offset/time.Second)), 0o644); err != nil {
		return err
	}
	return os.Rename(fresh, b.clockFile())
}

func (b bench) ensureClock() error {
	if _, err := os.Stat(b.clockFile()); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return b.setOffset(0)
}

// otp prints the one-time code of a demo account at the functions' clock.
func otp(_ context.Context, b bench, arguments []string) error {
	flags := flag.NewFlagSet("otp", flag.ContinueOnError)
	user := flags.String("user", "", "username, e-mail address or role of a demo account")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	env, err := environment.Load(b.root)
	if err != nil {
		return err
	}
	account, found := env.Account(*user)
	if !found {
		return fmt.Errorf("there is no demo account %q; .local/dev.json names them all", *user)
	}
	if account.TOTPSecret == "" {
		return fmt.Errorf("%s has no one-time code", account.Username)
	}
	offset, err := b.offset()
	if err != nil {
		return err
	}
	code, err := totp.GenerateCode(account.TOTPSecret, b.now().Add(offset))
	if err != nil {
		return fmt.Errorf("one-time code of %s: %w", account.Username, err)
	}
	fmt.Fprintln(b.out, code)
	return nil
}
