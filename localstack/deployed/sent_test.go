package deployed_test

import (
	"net/http"
	"testing"
	"time"
)

// TestACodeToAPhoneComes sets up a phone through the deployed stack: the code goes
// by table stream, queue and SNS, with the rights of the functions' own roles.
func TestACodeToAPhoneComes(t *testing.T) {
	const number, factors = "+31687654321", "/api/auth/mfa/factors/"
	mia := shared.SignIn(t, shared.Account(t, "member"))
	var begun struct{ ID string }
	if err := mia.Want(t.Context(), http.StatusCreated, "POST", factors, map[string]string{"method": "phone", "name": "Mobile", "phone": number}, &begun); err != nil {
		t.Fatal(err)
	}
	code := ""
	for deadline := time.Now().Add(30 * time.Second); code == ""; time.Sleep(100 * time.Millisecond) {
		texts, err := shared.Engine.Texts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range texts {
			if text.PhoneNumber == number {
				code = text.Message[:6]
			}
		}
		if time.Now().After(deadline) {
			t.Fatal("no text came")
		}
	}
	if err := mia.Want(t.Context(), http.StatusOK, "POST", factors+begun.ID+"/confirm/", map[string]string{"code": code}, nil); err != nil {
		t.Fatal(err)
	}
	if err := mia.Want(t.Context(), http.StatusNoContent, "DELETE", factors+begun.ID+"/", nil, nil); err != nil {
		t.Fatal(err)
	}
}
