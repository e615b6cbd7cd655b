package wordlist

//go:generate go run ./internal/gen -zxcvbn frequency_lists.py -zxcvbn-ts passwords.json -django common-passwords.txt.gz -out words.bin
