package credential

// Opened for the tests of the parts of a bearer secret's text.
var (
	CRC        = crcIEEE
	ReadBody   = readBody
	AppendBody = appendBody
	Period     = period
)

// HashText prints a parsed hash.
func HashText(h Hash) string { return h.text() }
