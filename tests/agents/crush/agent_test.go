// The agent loop end to end: the shape of its requests, its title, its guard and its endings.

package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestATaskIsReadEditedAndChecked(t *testing.T) {
	dir := t.TempDir()
	put(t, at(dir, "hello.py"), "print('helo')\n")
	s := serve(t,
		calls("view", object("file_path", "hello.py")),
		calls("edit", object("file_path", at(dir, "hello.py"), "old_string", "helo", "new_string", "hello")),
		calls("bash", object("command", "cat hello.py")),
		says("Done."))
	done := s.run(dir)

	same(t, "rc", done.RC, 0)
	same(t, "finish", done.Finish, "stop")
	same(t, "turns", done.Turns, 4)
	same(t, "text", done.Text, "Done.")
	same(t, "title", done.Title, "A title")
	same(t, "file", read(t, at(dir, "hello.py")), "print('hello')\n")
	same(t, "files written", strings.Join(done.FilesWritten, " "), "hello.py")
	same(t, "first result", done.ToolCalls[0].Result, "<file>\n     1|print('helo')\n</file>")
	same(t, "last result", done.ToolCalls[2].Result, "print('hello')\n")
	same(t, "errors", len(done.Errors), 0)
	same(t, "usage", fmt.Sprint(done.Usage[3]), "{10 2 false}")
}

func TestHistoryGrowsByCallAndResult(t *testing.T) {
	s := serve(t, streams(delta("Looking. "), toolCall(0, "c7", "ls", "{}"), finish("tool_calls"), usage(1, 1), "[DONE]"), says("ok"))
	s.run(t.TempDir())

	steps := s.of("step")
	same(t, "first request", roles(steps[0]), "system user")
	same(t, "second request", roles(steps[1]), "system user assistant tool")
	said, result := steps[1].body.Messages[2], steps[1].body.Messages[3]
	same(t, "prompt", steps[0].body.Messages[1].Content, "do it")
	same(t, "text beside the call", said.Content, "Looking. ")
	same(t, "call", said.Calls[0].ID+said.Calls[0].Function.Name+said.Calls[0].Function.Arguments, "c7ls{}")
	same(t, "result", result.CallID+": "+result.Content, "c7: No files found")
}

func TestMainRequestShape(t *testing.T) {
	s := serve(t, says("ok"))
	s.run(t.TempDir(), "--max-tokens", "10000", "--api-key", "k")
	step := s.of("step")[0]
	same(t, "model", step.body.Model, "m")
	same(t, "stream", step.body.Stream, true)
	same(t, "include_usage", step.body.Options.Usage, true)
	same(t, "tool_choice", step.body.Choice, "auto")
	same(t, "max_tokens", *step.body.MaxTokens, 10000)
	same(t, "authorization", step.header.Get("Authorization"), "Bearer k")
	same(t, "retry count header", step.header.Get("X-Stainless-Retry-Count"), "0")
	if !regexp.MustCompile(`^Charm-Crush/\S+ \(https://charm\.land/crush\)$`).MatchString(step.header.Get("User-Agent")) {
		t.Errorf("User-Agent %q", step.header.Get("User-Agent"))
	}
	var names []string
	for _, tool := range step.body.Tools {
		names = append(names, tool["function"].(map[string]any)["name"].(string))
	}
	same(t, "tools", strings.Join(names, " "), "view edit write ls grep bash")
}

func TestMaxTokensAndKeyAreLeftOutWhenNotGiven(t *testing.T) {
	t.Setenv("OPENAI_API_KEY", "from the environment")
	s := serve(t, says("ok"))
	s.run(t.TempDir())
	step := s.of("step")[0]
	same(t, "max_tokens left out", step.body.MaxTokens == nil, true)
	same(t, "authorization", step.header.Get("Authorization"), "")
}

func TestOneSessionHashOnEveryChatRequest(t *testing.T) {
	s := serve(t, says("ok"))
	s.run(t.TempDir())
	s.run(t.TempDir())
	steps, titles := s.of("step"), s.of("title")
	first, second := steps[0].header.Get("x-session-id"), steps[1].header.Get("x-session-id")
	same(t, "hash length", len(first), 64)
	same(t, "affinity", steps[0].header.Get("x-session-affinity"), first)
	same(t, "title", titles[0].header.Get("x-session-id"), first)
	same(t, "a new run is a new session", first != second, true)
}

func TestTitleGoesOutBesideTheMainTurn(t *testing.T) {
	s := serve(t)
	titleCame, stepCame := make(chan struct{}), make(chan struct{})
	s.titles = []reply{meets(t, titleCame, stepCame, says("<think>\n\n</think>\nMend  the\nparser"))}
	s.steps = []reply{meets(t, stepCame, titleCame, says("ok"))}
	done := s.run(t.TempDir())

	same(t, "title", done.Title, "Mend the parser")
	title := s.of("title")[0]
	same(t, "roles", roles(title), "system user")
	same(t, "max_tokens", *title.body.MaxTokens, 40)
	same(t, "tools", len(title.body.Tools), 0)
	same(t, "tool_choice", title.body.Choice, "")
	same(t, "system ends", strings.HasSuffix(title.body.Messages[0].Content, "\n /no_think"), true)
	same(t, "user ends", strings.HasSuffix(title.body.Messages[1].Content, "<think>\n\n</think>"), true)
	contains(t, title.body.Messages[1].Content, "do it")
}

func TestATitleThatWasCutIsAskedForOnceMore(t *testing.T) {
	s := serve(t, says("ok"))
	s.titles = []reply{streams(delta("A very"), finish("length"), "[DONE]"), says("Short")}
	same(t, "title", s.run(t.TempDir()).Title, "Short")
	same(t, "requests", len(s.of("title")), 2)
}

func TestATitleThatFailsCostsOnlyTheTitle(t *testing.T) {
	s := serve(t, says("ok"))
	s.titles = []reply{sends(http.StatusBadRequest, `{"error":{"message":"no"}}`)}
	done := s.run(t.TempDir())
	same(t, "rc", done.RC, 0)
	same(t, "title", done.Title, "Untitled Session")
	same(t, "error", done.Errors[0].Where, "title")
}

func TestTheLoopGuardStopsTheSixthLikeStep(t *testing.T) {
	s := serve(t, calls("ls", `{}`))
	done := s.run(t.TempDir())
	same(t, "finish", done.Finish, "loop")
	same(t, "rc", done.RC, 1)
	same(t, "turns", done.Turns, 6)
}

func TestTheLoopGuardForgetsOldSteps(t *testing.T) {
	guard, same5 := loopGuard{}, []call{{name: "ls"}}
	for range 5 {
		if guard.stuck(same5, []string{"x"}) {
			t.Fatal("five are allowed")
		}
	}
	for i := range 5 {
		guard.stuck([]call{{name: fmt.Sprint(i)}}, []string{"x"})
	}
	same(t, "one of the five has left the last ten", guard.stuck(same5, []string{"x"}), false)
	same(t, "another result is another step", guard.stuck(same5, []string{"y"}), false)
}

func TestATurnThatEndsOtherwiseIsNoSuccess(t *testing.T) {
	s := serve(t, streams(delta("half"), finish("length"), usage(1, 1), "[DONE]"))
	done := s.run(t.TempDir())
	same(t, "rc", done.RC, 1)
	same(t, "finish", done.Finish, "length")
	same(t, "text", done.Text, "half")
}

func TestASignalEndsTheRunWithAReport(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := serve(t)
	s.steps = []reply{func(w http.ResponseWriter) {
		streams(delta("a"))(w)
		w.(http.Flusher).Flush()
		cancel()
		time.Sleep(50 * time.Millisecond)
	}}
	done := s.runIn(ctx, t.TempDir())
	same(t, "rc", done.RC, 1)
	same(t, "finish", done.Finish, "error")
	contains(t, done.Failure, "context canceled")
	same(t, "not retried", len(s.of("step")), 1)
}

// meets answers only when the other request is there too.
func meets(t *testing.T, came, other chan struct{}, then reply) reply {
	return func(w http.ResponseWriter) {
		close(came)
		select {
		case <-other:
			then(w)
		case <-time.After(5 * time.Second):
			t.Error("the two requests were not under way at once")
		}
	}
}

func roles(request *seen) string {
	var found []string
	for _, m := range request.body.Messages {
		found = append(found, m.Role)
	}
	return strings.Join(found, " ")
}

func put(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
