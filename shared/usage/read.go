package usage

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"

	"paddock/shared/authz"
	"paddock/shared/id"
	"paddock/shared/permission"
	"paddock/shared/table"
)

// A Dated value is one with how often and when last it was used.
type Dated[T comparable] struct {
	Value T
	Days  int       // on how many days
	Last  time.Time // the newest of them, at its beginning
}

// An Interval is what was used on some days together, what was used last first.
type Interval struct {
	First, Last time.Time // days, at their beginning
	Permissions []Dated[permission.Permission]
	Objects     []Dated[Object]
	Rules       []Dated[id.ID[id.Rule]]
	Addresses   []Dated[netip.Addr]
	// MoreObjects, MoreRules and MoreAddresses tell that others were used besides.
	MoreObjects, MoreRules, MoreAddresses bool
	// Days are those on which something was used, the newest first.
	Days []Counted
	// Partial tells that there is more than was read.
	Partial bool
}

// Counted is how much was used on a day.
type Counted struct {
	Day                                    time.Time
	Permissions, Objects, Rules, Addresses int
}

// Used returns the permissions that were used.
func (i Interval) Used() (s permission.Set) {
	for _, p := range i.Permissions {
		s = s.Union(permission.SetOf(p.Value))
	}
	return s
}

// maxItems bounds how many items one reading of somebody's whole usage looks at: 90
// days with a session and twenty tokens.
const maxItems = 2000

// OfToken returns what was used with a token in the last days, today included:
// in one read. days is 1 to MaxDays.
func (s *Service) OfToken(ctx context.Context, by authz.Allowed, owner id.ID[id.Principal], of id.UUID, days int) (Interval, error) {
	i := s.interval(days)
	var keys []table.Key
	for at := i.Last; !at.Before(i.First); at = at.AddDate(0, 0, -1) {
		keys = append(keys, Key(Subject{Workspace: by.Workspace(), Principal: owner, Token: of}, at))
	}
	items, err := s.store.Read(ctx, by, keys...)
	if err != nil {
		return Interval{}, err
	}
	return i, i.fold(items)
}

// Of returns what a principal used in the last days, today included, with
// sessions and tokens. days is 1 to MaxDays.
func (s *Service) Of(ctx context.Context, by authz.Allowed, who id.ID[id.Principal], days int) (Interval, error) {
	i := s.interval(days)
	key := Key(Subject{Workspace: by.Workspace(), Principal: who}, i.First)
	items, err := s.store.Query(ctx, by, table.Query{
		Key: key, From: prefix + DayName(i.First), Before: prefix + DayName(i.Last.AddDate(0, 0, 1)), Backward: true, Limit: maxItems,
	})
	if err != nil {
		return Interval{}, err
	}
	i.Partial = len(items) == maxItems
	return i, i.fold(items)
}

func (s *Service) interval(days int) Interval {
	today := s.store.Now().UTC().Truncate(24 * time.Hour)
	return Interval{First: today.AddDate(0, 0, 1-min(max(days, 1), MaxDays)), Last: today}
}

// A used is what one subject used on one day.
type used struct {
	at time.Time
	Day
}

// fold adds the items of days to i. Several are of one day where several
// subjects used something.
func (i *Interval) fold(items []table.Item) error {
	var all []used
	for _, item := range items {
		name, _, _ := strings.Cut(strings.TrimPrefix(item.Key.SK, prefix), "#")
		at, err := time.Parse("20060102", name)
		if err != nil || at.Before(i.First) || at.After(i.Last) {
			continue
		}
		one := used{at: at}
		if err := table.Decode(item, &one.Day); err != nil {
			return err
		}
		all = append(all, one)
	}
	slices.SortStableFunc(all, func(a, b used) int { return a.at.Compare(b.at) })
	permissions, objects, rules, addresses := dating[permission.Permission]{}, dating[Object]{}, dating[id.ID[id.Rule]]{}, dating[netip.Addr]{}
	for _, d := range all {
		if n := len(i.Days); n == 0 || !i.Days[n-1].Day.Equal(d.at) {
			i.Days = append(i.Days, Counted{Day: d.at})
		}
		c := &i.Days[len(i.Days)-1]
		for _, text := range d.Permissions {
			if p, err := permission.Parse(text); err == nil { // of a newer version, else
				permissions.add(p, d.at, &c.Permissions)
			}
		}
		for _, o := range d.Objects {
			objects.add(o, d.at, &c.Objects)
		}
		for _, r := range d.Rules {
			rules.add(r, d.at, &c.Rules)
		}
		for _, a := range d.Addresses {
			addresses.add(a, d.at, &c.Addresses)
		}
		i.MoreObjects, i.MoreRules, i.MoreAddresses = i.MoreObjects || d.MoreObjects, i.MoreRules || d.MoreRules, i.MoreAddresses || d.MoreAddresses
	}
	slices.SortFunc(i.Days, func(a, b Counted) int { return b.Day.Compare(a.Day) })
	i.Permissions = permissions.sorted(permission.Permission.String)
	i.Objects = objects.sorted(func(o Object) string { return o.Type + o.ID.String() })
	i.Rules = rules.sorted(id.ID[id.Rule].String)
	i.Addresses = addresses.sorted(netip.Addr.String)
	return nil
}

// dating counts the days on which values were used.
type dating[T comparable] map[T]Dated[T]

// add notes that a value was used on a day, none before those that were added,
// and counts it once a day.
func (d dating[T]) add(v T, at time.Time, n *int) {
	one, there := d[v]
	if there && one.Last.Equal(at) {
		return
	}
	d[v] = Dated[T]{Value: v, Days: one.Days + 1, Last: at}
	*n++
}

func (d dating[T]) sorted(name func(T) string) []Dated[T] {
	out := make([]Dated[T], 0, len(d))
	for _, one := range d {
		out = append(out, one)
	}
	slices.SortFunc(out, func(a, b Dated[T]) int {
		return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(name(a.Value), name(b.Value)))
	})
	return out
}
