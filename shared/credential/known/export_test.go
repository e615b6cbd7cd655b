package known

// Filled returns a builder that n passwords were put in.
func Filled(n int) *Builder { return &Builder{keys: make([]uint64, n, n+1)} }
