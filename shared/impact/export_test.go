package impact

// Most is most, for its test.
var Most = most //nolint:gochecknoglobals // of tests
