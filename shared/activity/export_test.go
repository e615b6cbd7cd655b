package activity

// Page is page, for the test of its law.
var Page = page
