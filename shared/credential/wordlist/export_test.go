package wordlist

// All returns every word, decoded one after the other.
func All() []string {
	var all []string
	for block := range (Count() + blockWords - 1) / blockWords {
		at, previous := number(block+1), ""
		for range min(blockWords, Count()-block*blockWords) {
			w := previous[:words[at]] + words[at+2:at+2+int(words[at+1])]
			at += 2 + int(words[at+1])
			all, previous = append(all, w), w
		}
	}
	return all
}
