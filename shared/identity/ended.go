package identity

// MaxCollected is how many places or roles that mean nothing any more are
// collected with each change of somebody's. Others stay stored until the next.
const MaxCollected = 8

// Ended returns those that have ended, at most MaxCollected, and first the one
// that the change is about.
func Ended[T any](all []T, ended, about func(T) bool) []T {
	var first, others []T
	for _, one := range all {
		switch {
		case !ended(one):
		case about(one):
			first = append(first, one)
		default:
			others = append(others, one)
		}
	}
	out := append(first, others...)
	return out[:min(MaxCollected, len(out))]
}
