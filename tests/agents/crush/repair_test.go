// Repair of broken JSON, cut at every byte.

package main

import (
	"encoding/json"
	"testing"
)

func TestRepair(t *testing.T) {
	cases := []struct{ broken, want string }{
		{`{"file_path":"a","content":"half of`, `{"file_path":"a","content":"half of"}`},
		{`{"file_path":"a","content":"line\n`, `{"file_path":"a","content":"line\n"}`},
		{`{"file_path":"a","content":"cut escape\`, `{"file_path":"a","content":"cut escape"}`},
		{`{"file_path":"a","content":"cut \u00e`, `{"file_path":"a","content":"cut "}`},
		{`{"file_path":"a","content":"x = \"y\", z`, `{"file_path":"a","content":"x = \"y\", z"}`},
		{`{"file_path":"a","content":"`, `{"file_path":"a","content":""}`},
		{`{"file_path":"a","content":`, `{"file_path":"a","content":null}`},
		{`{"file_path":"a","content"`, `{"file_path":"a","content":null}`},
		{`{"file_path":"a","cont`, `{"file_path":"a","cont":null}`},
		{`{"file_path":"a",`, `{"file_path":"a"}`},
		{`{"file_path":"a"`, `{"file_path":"a"}`},
		{`{`, `{}`},
		{`{"a":[1,2`, `{"a":[1,2]}`},
		{`{"a":[1,2}`, `{"a":[1,2]}`},
		{`{"a":1,}`, `{"a":1}`},
		{`{"a":1 "b":2}`, `{"a":1,"b":2}`},
		{`{"a":1.`, `{"a":1.0}`},
		{`{"a":-`, `{"a":-0}`},
		{`{"a":True,"b":None}`, `{"a":true,"b":null}`},
		{`{a:'it',b:word}`, `{"a":"it","b":"word"}`},
		{`{"a":"two` + "\n" + `lines"}`, `{"a":"two\u000alines"}`},
		{`{"a":"say "hi" to"}`, `{"a":"say \"hi\" to"}`},
		{`{"a":".\Cargo"}`, `{"a":".Cargo"}`},
		{`{"a":1}}`, `{"a":1}`},
		{"```json\n{\"a\":1}\n```", `{"a":1}`},
	}
	for _, c := range cases {
		got, ok := repairJSON(c.broken)
		same(t, c.broken, got, c.want)
		same(t, "found in "+c.broken, ok, true)
	}
}

func TestRepairGivesUp(t *testing.T) {
	for _, broken := range []string{"", "   ", ":", `{"a":1} and more`, "}"} {
		if got, ok := repairJSON(broken); ok {
			t.Errorf("%q became %q", broken, got)
		}
	}
}

func TestEveryCutOfACallIsRepaired(t *testing.T) {
	whole := `{"file_path":"src/a.py","content":"def f(x):\n\treturn {\"k\": [x, \"\u00e9\", 1.5e3, true]}\n","deep":{"n":[1,-2.5,null]}}`
	for cut := 1; cut <= len(whole); cut++ {
		got, ok := repairJSON(whole[:cut])
		if !ok || !json.Valid([]byte(got)) || !isObject(got) {
			t.Errorf("%q became %q", whole[:cut], got)
		}
	}
	if got, _ := repairJSON(whole); got != whole {
		t.Errorf("valid JSON was changed to %q", got)
	}
}

func FuzzRepairGivesValidJSONOrNothing(f *testing.F) {
	for _, seed := range []string{`{"a":"b`, `[1,{"x":'y'}`, "{a:}", `{"a":"\u12`, "```json\n[", "{\"\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if got, ok := repairJSON(text); ok && !json.Valid([]byte(got)) {
			t.Errorf("%q became %q", text, got)
		}
	})
}

func TestArguments(t *testing.T) {
	cases := []struct {
		sent, text       string
		repaired, broken bool
	}{
		{`{"a":1}`, `{"a":1}`, false, false},
		{``, `{}`, false, false},
		{` `, `{}`, false, false},
		{`{"a":1`, `{"a":1}`, true, false},
		{`"text"`, `{}`, false, true},
		{`null`, `{}`, false, true},
		{`[1]`, `{}`, false, true},
		{`:`, `{}`, false, true},
	}
	for _, c := range cases {
		got := prepare(c.sent)
		same(t, "text of "+c.sent, got.text, c.text)
		same(t, "repaired "+c.sent, got.repaired, c.repaired)
		same(t, "broken "+c.sent, got.broken != nil, c.broken)
	}
}
