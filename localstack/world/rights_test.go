package world_test

import (
	"slices"
	"testing"

	"paddock/localstack/world"
	"paddock/shared/tally"
)

// byTheService are rights that the Lambda service uses in the function's name
// before and after it runs: polling its source, writing its log, and parking a
// batch that failed.
var byTheService = []world.Right{ //nolint:gochecknoglobals // a list
	{Action: "logs:CreateLogStream", Resource: "log"},
	{Action: "logs:PutLogEvents", Resource: "log"},
	{Action: "dynamodb:DescribeStream", Resource: "data-stream"},
	{Action: "dynamodb:GetRecords", Resource: "data-stream"},
	{Action: "dynamodb:GetShardIterator", Resource: "data-stream"},
	{Action: "dynamodb:ListStreams", Resource: "data-streams"},
	{Action: "sqs:DeleteMessage", Resource: "messages"},
	{Action: "sqs:GetQueueAttributes", Resource: "messages"},
	{Action: "sqs:ReceiveMessage", Resource: "messages"},
	{Action: "sqs:SendMessage", Resource: "stream-dead"},
}

// withoutEntry are the roles that no function of this world uses: the console
// calls nothing, and deletion is not built yet.
var withoutEntry = []string{"console", "erase"} //nolint:gochecknoglobals // a list

// TestRightsUsedAreRightsGranted compares, for each function, what it did on
// the journey and when things went wrong with its committed list of rights,
// both ways.
func TestRightsUsedAreRightsGranted(t *testing.T) {
	w := walk(t, "rights", len((&world.Walk{}).Steps()))
	used := shared.Used(w.Entries.Recorder)
	for _, broken := range interrupted(t) {
		for function, list := range shared.Used(broken) {
			for right := range list {
				used[function][right] = true
			}
		}
	}
	lists, err := shared.Granted()
	if err != nil {
		t.Fatal(err)
	}
	for function, granted := range lists {
		if slices.Contains(withoutEntry, function) {
			continue
		}
		if len(used[function]) == 0 {
			t.Errorf("%s did nothing", function)
		}
		for _, right := range granted {
			if !used[function][right] && !slices.Contains(byTheService, right) {
				t.Errorf("%s may %s on %s and never does", function, right.Action, right.Resource)
			}
		}
		for right := range used[function] {
			if !slices.Contains(granted, right) {
				t.Errorf("%s does %s on %s without a listed right", function, right.Action, right.Resource)
			}
		}
	}
}

// interrupted returns what the functions did after an archiver ended between
// its object and its commit, with an event that no log takes, and with more
// refusals than have an event each.
func interrupted(t *testing.T) []*world.Recorder {
	t.Helper()
	w := walk(t, "interrupted", 2)
	r := &world.Recorder{FaultOf: func(c world.Call) bool { return c.Function == "archive" && c.Operation == "TransactWriteItems" }, Mode: world.Unapplied}
	if err := w.Cold(r); err != nil {
		t.Fatal(err)
	}
	if err := w.Take(t.Context(), w.Steps()[2]); err != nil {
		t.Fatal(err)
	}
	poison := &world.Recorder{}
	if err := w.Cold(poison); err != nil {
		t.Fatal(err)
	}
	if err := w.Delivery.Poison(t.Context(), w.ID); err != nil {
		t.Fatal(err)
	}
	if err := w.InspectLog(t.Context()); err != nil {
		t.Error(err)
	}
	besieged := &world.Recorder{}
	if err := w.Cold(besieged); err != nil {
		t.Fatal(err)
	}
	strangers(t, w, "203.0.113.9", tally.Each+1)
	settled(t, w)
	return []*world.Recorder{r, poison, besieged}
}
