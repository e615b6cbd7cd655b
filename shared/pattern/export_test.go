package pattern

// Compare returns a text that inner matches and outer does not.
func Compare(outer, inner Pattern) (string, bool) { return compare(outer, inner) }

// Steps returns the bytes that matching text looks at besides the two ends.
func (p Pattern) Steps(text string) (matched bool, steps int) { return p.match(text) }
