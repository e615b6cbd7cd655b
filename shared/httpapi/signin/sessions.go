package signin

import (
	"time"

	"paddock/shared/httpapi"
	"paddock/shared/id"
	"paddock/shared/session"
	"paddock/shared/table"
	"paddock/shared/token"
)

func (f *Face) list(c httpapi.Call, _ httpapi.None) (httpapi.SessionsAnswer, error) {
	all, err := f.sessions.Of(c.Context(), c.Allowed, c.Who, c.Who.User)
	return c.Sessions(all), err
}

func (f *Face) end(c httpapi.Call, _ httpapi.None) (httpapi.None, error) {
	which, err := pathID[id.Session](c, "id", session.ErrNoSession)
	if err != nil {
		return httpapi.None{}, err
	}
	if which == c.Who.Session.ID {
		return f.logout(c, httpapi.None{})
	}
	return httpapi.None{}, f.sessions.End(c.Context(), c.Allowed, c.Who, c.Who.User, which)
}

func (f *Face) endAll(c httpapi.Call, _ httpapi.None) (httpapi.None, error) {
	if err := f.sessions.EndAll(c.Context(), c.Allowed, c.Who); err != nil {
		return httpapi.None{}, err
	}
	clearCookie(c)
	return httpapi.None{}, nil
}

func (f *Face) endOthers(c httpapi.Call, _ httpapi.None) (httpapi.None, error) {
	risen, err := f.sessions.EndOthers(c.Context(), c.Allowed, c.Who)
	if err != nil {
		return httpapi.None{}, err
	}
	setCookie(c, risen.Secret)
	return httpapi.None{}, nil
}

// BrowserAnswer is a browser that its owner has signed in from.
type BrowserAnswer struct {
	ID        id.ID[id.Browser] `json:"id"`
	Device    string            `json:"device"`
	Network   string            `json:"network"`
	CreatedAt time.Time         `json:"created_at"`
	SeenAt    time.Time         `json:"seen_at"`
	Current   bool              `json:"current"`
}

// BrowsersAnswer lists the caller's known browsers, the last one seen first.
type BrowsersAnswer struct {
	Results []BrowserAnswer `json:"results"`
}

func (f *Face) devices(c httpapi.Call, _ httpapi.None) (BrowsersAnswer, error) {
	known, err := f.sessions.Browsers(c.Context(), c.Allowed, c.Who, browserOf(c))
	out := BrowsersAnswer{Results: []BrowserAnswer{}}
	for _, k := range known {
		out.Results = append(out.Results, BrowserAnswer{ID: k.ID, Device: k.Agent, Network: k.Network, CreatedAt: k.CreatedAt, SeenAt: k.SeenAt, Current: k.Current})
	}
	return out, err
}

func (f *Face) forget(c httpapi.Call, _ httpapi.None) (httpapi.None, error) {
	return httpapi.None{}, f.sessions.Forget(c.Context(), c.Allowed, c.Who, c.PathValue("id"))
}

// endOf ends one session of somebody else.
func (f *Face) endOf(c httpapi.Call, _ httpapi.None) (httpapi.None, error) {
	which, err := pathID[id.Session](c, "session", session.ErrNoSession)
	if err != nil {
		return httpapi.None{}, err
	}
	u, _, err := c.Named()
	if err != nil {
		return httpapi.None{}, err
	}
	return httpapi.None{}, f.sessions.End(c.Context(), c.Allowed, c.Who, u, which)
}

// endAllOf ends every session of somebody else.
func (f *Face) endAllOf(c httpapi.Call, _ httpapi.None) (httpapi.None, error) {
	u, item, err := c.Named()
	if err != nil {
		return httpapi.None{}, err
	}
	return httpapi.None{}, f.sessions.EndAllOf(c.Context(), c.Allowed, c.Who, item, u)
}

// deleteTokenOf revokes an API token of somebody else.
func (f *Face) deleteTokenOf(c httpapi.Call, _ httpapi.None) (httpapi.None, error) {
	which, err := pathID[id.Token](c, "token", token.ErrNoToken)
	if err != nil {
		return httpapi.None{}, err
	}
	u, _, err := c.Named()
	if err != nil {
		return httpapi.None{}, err
	}
	return httpapi.None{}, f.tokens.Delete(c.Context(), c.Allowed, token.HolderOf(u, table.Unchanged(c.Who.UserItem).Else(table.ErrTryAgain)), which)
}
