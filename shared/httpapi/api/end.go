package api

import (
	"time"

	"paddock/shared/group"
)

// lastYear is the last one in which something may end: later instants are not
// written alike everywhere (RFC 3339 has four digits).
const lastYear = 9998

// endOf returns the end that a client names, in UTC; zero for none. What is no
// end that clocks reach is refused.
func endOf(named *time.Time) (time.Time, error) {
	if named == nil {
		return time.Time{}, nil
	}
	end := named.UTC()
	if end.Year() < 1971 || end.Year() > lastYear {
		return time.Time{}, group.ErrUntil
	}
	return end, nil
}
