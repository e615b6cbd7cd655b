package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"paddock/events"
)

func TestGeneratedFilesMatchTheContracts(t *testing.T) {
	rows := load(t)
	for name, write := range Files {
		want, err := write(rows)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile("../../" + name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is stale: run go generate in shared/audit", name)
		}
	}
}

// TestContractCounts holds the size of the contract and ours beside it: 199 coded events with
// 198 names, in 16 OCSF classes. Source: audit events contract.
func TestContractCounts(t *testing.T) {
	rows := load(t)
	names, classes := map[string]bool{}, map[int]bool{}
	for _, c := range rows {
		names[c.Event], classes[c.OCSF.ClassUID] = true, true
	}
	if len(rows) != 199 || len(names) != 198 || len(classes) != 16 {
		t.Fatalf("%d contracts, %d names, %d classes", len(rows), len(names), len(classes))
	}
}

func TestContractsAreRefused(t *testing.T) {
	const good = `{"code":"PD0001I","event":"a.b","when":"w","fields":[{"name":"n","type":"int"}],"app":"a","model":"m","action":"x","outcome":"success","ocsf":{"class_uid":3001,"activity_id":1,"type_uid":300101},"severity":1,"visibility":"own","spec":"s"}`
	for _, c := range []struct{ name, from, to string }{
		{"code of another file", `PD0001I`, `PD0002I`},
		{"unknown member", `"when"`, `"then":1,"when"`},
		{"event name without a dot", `a.b`, `ab`},
		{"unknown field type", `"int"`, `"float"`},
		{"field declared twice", `{"name":"n","type":"int"}`, `{"name":"n","type":"int"},{"name":"n","type":"int"}`},
		{"values of a number", `"type":"int"`, `"type":"int","values":["a"]`},
		{"bounds in the wrong order", `"type":"int"`, `"type":"int","min":2,"max":1`},
		{"type_uid of another class", `300101`, `300201`},
		{"severity 6", `"severity":1`, `"severity":6`},
		{"unknown visibility", `"own"`, `"all"`},
		{"unknown outcome", `"success"`, `"good"`},
		{"no app", `"app":"a"`, `"app":""`},
	} {
		t.Run(c.name, func(t *testing.T) {
			bad := strings.Replace(good, c.from, c.to, 1)
			if bad == good {
				t.Fatal("the case changes nothing")
			}
			if rows, err := Load(fstest.MapFS{"PD0001I.json": {Data: []byte(bad)}}); err == nil || rows != nil {
				t.Fatalf("Load = %v, %v", rows, err)
			}
		})
	}
	if _, err := Load(fstest.MapFS{"PD0001I.json": {Data: []byte(good)}}); err != nil {
		t.Fatal(err)
	}
}

func load(t *testing.T) []Contract {
	t.Helper()
	folder := fstest.MapFS{}
	names, err := events.Contracts.ReadDir("audit")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		text, err := events.Contracts.ReadFile("audit/" + n.Name())
		if err != nil {
			t.Fatal(err)
		}
		folder[n.Name()] = &fstest.MapFile{Data: text}
	}
	rows, err := Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}
