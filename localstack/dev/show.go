package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"paddock/localstack/engine"
	"paddock/localstack/environment"
	"paddock/localstack/internal/build"
)

const logGroupPrefix = "/aws/lambda/" + stackName + "-"

var errNotRunning = errors.New("the engine is not running; run `make up` first")

func (b bench) requireEngine() (*engine.Engine, error) {
	if env, err := environment.Load(b.root); err == nil && env.Elsewhere {
		return engine.Find(b.root, env.EngineURL, env.CAFile)
	}
	running, err := b.runningEngine()
	if err == nil && running == nil {
		err = errNotRunning
	}
	return running, err
}

// mail prints the messages that were sent: texts to phones, then mails, oldest
// first.
func mail(ctx context.Context, b bench, arguments []string) error {
	flags := flag.NewFlagSet("mail", flag.ContinueOnError)
	format := flags.String("format", "text", "text, or json for one JSON object a line")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	if *format != "text" && *format != "json" {
		return fmt.Errorf("FORMAT=%s is neither text nor json", *format)
	}
	e, err := b.requireEngine()
	if err != nil {
		return err
	}
	mails, err := e.Mails(ctx)
	if err != nil {
		return err
	}
	texts, err := e.Texts(ctx)
	if err != nil {
		return err
	}
	for _, m := range texts {
		if *format == "json" {
			if err := json.NewEncoder(b.out).Encode(m); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(b.out, "Text to: %s\n\n%s\n\n", m.PhoneNumber, m.Message)
	}
	for _, m := range mails {
		if *format == "json" {
			if err := json.NewEncoder(b.out).Encode(m); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(b.out, "From: %s\nTo: %s\nSubject: %s\n\n%s\n\n", m.Source, strings.Join(m.To, ", "), m.Subject, m.BodyText)
	}
	if len(mails)+len(texts) == 0 && *format == "text" {
		fmt.Fprintln(b.out, "No mail was sent.")
	}
	return nil
}

// logs prints what the functions logged lately.
func logs(ctx context.Context, b bench, arguments []string) error {
	flags := flag.NewFlagSet("logs", flag.ContinueOnError)
	function := flags.String("function", "", "one function, such as api; all when empty")
	since := flags.Duration("since", 15*time.Minute, "how far back")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	e, err := b.requireEngine()
	if err != nil {
		return err
	}
	client := cloudwatchlogs.NewFromConfig(e.AWSConfig())
	groups, err := client.DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{
		LogGroupNamePrefix: aws.String(logGroupPrefix + *function),
	})
	if err != nil {
		return err
	}
	type line struct {
		at       int64
		function string
		text     string
	}
	var lines []line
	for _, group := range groups.LogGroups {
		name := aws.ToString(group.LogGroupName)
		events, err := logEvents(ctx, client, name, b.now().Add(-*since))
		if err != nil {
			return err
		}
		for _, event := range events {
			lines = append(lines, line{
				aws.ToInt64(event.Timestamp), strings.TrimPrefix(name, logGroupPrefix),
				strings.TrimRight(aws.ToString(event.Message), "\n"),
			})
		}
	}
	slices.SortStableFunc(lines, func(a, b line) int { return cmp.Compare(a.at, b.at) })
	for _, l := range lines {
		fmt.Fprintf(b.out, "%s %-9s %s\n", time.UnixMilli(l.at).UTC().Format("15:04:05.000"), l.function, l.text)
	}
	if len(lines) == 0 {
		fmt.Fprintf(b.out, "Nothing was logged in the last %v. The engine's own log is .local/engine.log.\n", *since)
	}
	return nil
}

func logEvents(ctx context.Context, client *cloudwatchlogs.Client, group string, from time.Time) ([]types.FilteredLogEvent, error) {
	var all []types.FilteredLogEvent
	pages := cloudwatchlogs.NewFilterLogEventsPaginator(client, &cloudwatchlogs.FilterLogEventsInput{
		LogGroupName: &group, StartTime: aws.Int64(from.UnixMilli()),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Events...)
	}
	return all, nil
}

// buildForLambda compiles console and functions for AWS into build/<function>.
func buildForLambda(ctx context.Context, b bench, arguments []string) error {
	flags := flag.NewFlagSet("build", flag.ContinueOnError)
	arch := flags.String("arch", "arm64", "arm64 or amd64")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	if *arch != "arm64" && *arch != "amd64" {
		return fmt.Errorf("ARCH=%s is neither arm64 nor amd64", *arch)
	}
	template, err := os.ReadFile(b.templateFile())
	if err != nil {
		return err
	}
	return b.compile(ctx, template, build.ForLambda(b.root, *arch))
}
