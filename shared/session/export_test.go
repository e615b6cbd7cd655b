package session

// Opened for the external tests.
var AccessHandle = accessHandle
