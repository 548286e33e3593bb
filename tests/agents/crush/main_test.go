// The command line and what it prints.

package main

import (
	"bytes"
	"testing"
)

func TestAWrongCommandLineIsTwo(t *testing.T) {
	for name, c := range map[string]struct {
		arguments []string
		says      string
	}{
		"nothing":        {nil, "--model, --dir and --prompt are needed"},
		"unknown flag":   {[]string{"--nonsense"}, "nonsense"},
		"unknown type":   {[]string{"--model", "m", "--dir", ".", "--prompt", "p", "--type", "openai"}, "use openai-compat"},
		"negative scale": {[]string{"--model", "m", "--dir", ".", "--prompt", "p", "--retry-scale", "-1"}, "negative"},
		"loose word":     {[]string{"--model", "m", "--dir", ".", "--prompt", "p", "more"}, `"more"`},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			same(t, "exit status", command(t.Context(), c.arguments, &stdout, &stderr), 2)
			same(t, "stdout", stdout.String(), "")
			contains(t, stderr.String(), c.says)
		})
	}
}

func TestAFolderThatIsNotThereIsAFailure(t *testing.T) {
	s := serve(t, says("ok"))
	done := s.run(at(t.TempDir(), "absent"))
	same(t, "rc", done.RC, 1)
	contains(t, done.Failure, "work folder")
	same(t, "requests", len(done.Requests), 0)
}

func TestWithoutJSONTheReportIsForReading(t *testing.T) {
	s := serve(t, calls("write", object("file_path", "f", "content", "x")), says("Written."))
	var stdout, stderr bytes.Buffer
	code := command(t.Context(), []string{"--base-url", s.server.URL + "/v1", "--model", "m", "--dir", t.TempDir(), "--prompt", "p"}, &stdout, &stderr)
	same(t, "exit status", code, 0)
	contains(t, stdout.String(), "wrote f\n")
	contains(t, stdout.String(), "step POST /v1/chat/completions -> 200")
	contains(t, stdout.String(), "\"A title\" ended with stop after 2 turns and 0 summaries\nWritten.\n")
}
