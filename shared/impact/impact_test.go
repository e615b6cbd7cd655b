package impact_test

import (
	"testing"

	"paddock/shared/impact"
)

// TestFewerPeopleWhereThereAreMoreServers holds how many accounts are looked at:
// the work is that of all pairs.
func TestFewerPeopleWhereThereAreMoreServers(t *testing.T) {
	for servers, want := range map[int]int{0: impact.MaxPeople, 1_500: impact.MaxPeople, 3_000: 1_000, 10_000: 300} {
		if got := impact.Most(servers); got != want {
			t.Errorf("%d people at %d servers, want %d", got, servers, want)
		}
	}
}
