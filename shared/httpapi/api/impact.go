package api

import (
	"crypto/sha256"
	"encoding/hex"

	"paddock/shared/activity"
	"paddock/shared/httpapi"
	"paddock/shared/identity"
	"paddock/shared/impact"
	"paddock/shared/policy"
	"paddock/shared/route"
)

// ImpactDocument is what a change would mean, as of now, if it were made: who
// gains and who loses what.
type ImpactDocument struct {
	// People are those who may be named, by name, at most 200.
	People []ImpactOnPerson `json:"people"`
	// Count is how many people gain or lose anything, named or not.
	Count int `json:"count"`
	// Applications are those that gain or lose anything by their roles, within their
	// scopes, and that may be named, at most 200; on servers it is what those of their
	// tokens gain or lose that have a rule of them. ApplicationsCount is of all.
	// Without policy:read there are none.
	Applications      []ImpactOnApplication `json:"applications"`
	ApplicationsCount int                   `json:"applications_count"`
	// Complete is false when there may be others: more people are concerned than are
	// looked at, at most 2,000, or some whom the caller does not see.
	Complete bool `json:"complete"`
}

// ImpactOnPerson is what somebody gains and loses.
type ImpactOnPerson struct {
	User   Brief      `json:"user"`
	Gained ImpactSide `json:"gained"`
	Lost   ImpactSide `json:"lost"`
}

// ImpactOnApplication is what an application gains and loses.
type ImpactOnApplication struct {
	Application ApplicationBrief `json:"application"`
	Gained      ImpactSide       `json:"gained"`
	Lost        ImpactSide       `json:"lost"`
}

// ImpactSide is what is held on one side of a change and not on the other.
type ImpactSide struct {
	// Everywhere are permissions on all objects of their kind. They are not
	// repeated below.
	Everywhere []string `json:"everywhere"`
	// Servers and Others, which are groups, applications and users, are the first 50
	// of those that the caller sees; of people further down, where an answer would be
	// too long, none. The numbers are of all.
	Servers      []ImpactOnServer `json:"servers"`
	ServersCount int              `json:"servers_count"`
	Others       []ImpactOnOther  `json:"others"`
	OthersCount  int              `json:"others_count"`
}

// ImpactOnServer is what is gained or lost on a server.
type ImpactOnServer struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Permissions []string `json:"permissions"`
}

// ImpactOnOther is what is gained or lost on a group, an application or a user.
type ImpactOnOther struct {
	// ID is empty for what is yet to be made.
	ID string `json:"id"`
	// Kind is group, application or user.
	Kind        string   `json:"kind"`
	Name        string   `json:"name"`
	Permissions []string `json:"permissions"`
}

// maxImpacted is how many people, and how many applications, an answer names, maxImpactedOn how many objects:
// it must stay within what a function may answer, 6 MB.
const (
	maxImpacted   = 200
	maxImpactedOn = 2_000
)

// tried returns the bindings with what rows that can be tried answer.
func (f *Face) tried(all []*httpapi.Binding) []*httpapi.Binding {
	for r := range route.Rows {
		row := &route.Rows[r]
		if !row.Rule.DryRun {
			continue
		}
		for _, b := range all {
			if b.Path == row.Path && b.Method == row.Method {
				httpapi.Tried(b, f.impact).Refuses(&activity.ErrQuestions)
			}
		}
	}
	return all
}

// impact answers a dry run, with the event that it was asked for.
func (f *Face) impact(c httpapi.Call, t *policy.Tried) (ImpactDocument, error) {
	if err := f.activity.Ask(c.Context(), c.Allowed); err != nil {
		return ImpactDocument{}, err
	}
	proposal := sha256.Sum256([]byte(c.Method + " " + c.URL.Path + "\n" + string(c.Body)))
	got, err := f.impacts.Of(c.Context(), c.Allowed, t, hex.EncodeToString(proposal[:]))
	if err != nil {
		return ImpactDocument{}, err
	}
	d := ImpactDocument{
		People: []ImpactOnPerson{}, Count: got.Count, Applications: []ImpactOnApplication{}, ApplicationsCount: got.Applications, Complete: got.Complete,
	}
	left := maxImpactedOn
	sides := func(gained, lost impact.Side) (ImpactSide, ImpactSide) {
		for _, all := range []*[]impact.Object{&gained.Servers, &lost.Servers, &gained.Others, &lost.Others} {
			*all = (*all)[:min(len(*all), left)]
			left -= len(*all)
		}
		return sideOf(gained), sideOf(lost)
	}
	for _, p := range got.Named[:min(len(got.Named), maxImpacted)] {
		gained, lost := sides(p.Gained, p.Lost)
		d.People = append(d.People, ImpactOnPerson{User: briefOf(p.User), Gained: gained, Lost: lost})
	}
	for _, a := range got.NamedApplications[:min(len(got.NamedApplications), maxImpacted)] {
		gained, lost := sides(a.Gained, a.Lost)
		d.Applications = append(d.Applications, ImpactOnApplication{Application: ApplicationBrief{ID: a.Application.ID, Name: a.Application.Name}, Gained: gained, Lost: lost})
	}
	return d, nil
}

func briefOf(u identity.User) Brief { return Brief{ID: u.ID, Name: u.DisplayName(), Email: u.Email} }

func sideOf(s impact.Side) ImpactSide {
	d := ImpactSide{
		Everywhere: permissionTexts(s.Everywhere), Servers: []ImpactOnServer{}, ServersCount: s.ServersCount,
		Others: []ImpactOnOther{}, OthersCount: s.OthersCount,
	}
	for _, o := range s.Servers {
		d.Servers = append(d.Servers, ImpactOnServer{ID: o.ID.String(), Name: o.Name, Permissions: permissionTexts(o.Permissions)})
	}
	for _, o := range s.Others {
		other := ImpactOnOther{Kind: o.Kind, Name: o.Name, Permissions: permissionTexts(o.Permissions)}
		if !o.ID.Zero() {
			other.ID = o.ID.String()
		}
		d.Others = append(d.Others, other)
	}
	return d
}
