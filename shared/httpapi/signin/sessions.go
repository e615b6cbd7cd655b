package signin

import (
	"paddock/shared/httpapi"
	"paddock/shared/id"
	"paddock/shared/session"
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
