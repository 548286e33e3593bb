// Title, summary and discovery: what is asked beside the main turn.

package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestWhenAWindowIsNearlyFull(t *testing.T) {
	cases := []struct {
		window, used int64
		want         bool
	}{
		{0, 1 << 40, false},
		{10_000, 7_999, false}, {10_000, 8_000, true}, {10_000, 12_000, true},
		{200_000, 159_999, false}, {200_000, 160_000, true},
		{200_001, 180_000, false}, {200_001, 180_001, true},
		{1_000_000, 979_999, false}, {1_000_000, 980_000, true},
	}
	for _, c := range cases {
		same(t, fmt.Sprint(c), limits{window: c.window}.nearlyFull(c.used), c.want)
	}
}

func TestAFullWindowIsSummarisedAndTheWorkGoesOn(t *testing.T) {
	s := serve(t,
		streams(toolCall(0, "c1", "ls", "{}"), finish("tool_calls"), usage(700, 100), "[DONE]"),
		says("Finished after all."))
	done := s.run(t.TempDir(), "--context-window", "1000")

	same(t, "rc", done.RC, 0)
	same(t, "summaries", done.Summaries, 1)
	same(t, "text", done.Text, "Finished after all.")
	summary := s.of("summary")[0]
	same(t, "roles", roles(summary), "system user assistant tool user")
	same(t, "tools", len(summary.body.Tools), 0)
	same(t, "last", summary.body.Messages[4].Content, "Provide a detailed summary of our conversation above.")
	after := s.of("step")[1]
	same(t, "roles after", roles(after), "system user user")
	same(t, "summary is the user's", after.body.Messages[1].Content, "the summary")
	same(t, "taken up again", after.body.Messages[2].Content,
		"The previous session was interrupted because it got too long, the initial user request was: `do it`")
}

func TestAFinishedTurnIsSummarisedAndEnds(t *testing.T) {
	s := serve(t, streams(delta("bye"), finish("stop"), usage(900, 1), "[DONE]"))
	done := s.run(t.TempDir(), "--context-window", "1000")
	same(t, "summaries", done.Summaries, 1)
	same(t, "steps", len(s.of("step")), 1)
	same(t, "rc", done.RC, 0)
	same(t, "roles", roles(s.of("summary")[0]), "system user assistant user")
}

func TestAnUnknownWindowIsNeverSummarised(t *testing.T) {
	s := serve(t, streams(delta("bye"), finish("stop"), usage(1<<30, 1), "[DONE]"))
	same(t, "summaries", s.run(t.TempDir()).Summaries, 0)
}

func TestASummaryThatFailsEndsTheRun(t *testing.T) {
	s := serve(t, streams(delta("bye"), finish("stop"), usage(900, 1), "[DONE]"))
	s.sums = []reply{sends(http.StatusBadRequest, `{"error":{"message":"too long"}}`)}
	done := s.run(t.TempDir(), "--context-window", "1000")
	same(t, "rc", done.RC, 1)
	contains(t, done.Failure, "summary:")
}

func TestDiscovery(t *testing.T) {
	const info = `{"model_info":{"general.architecture":"x","x.context_length":%d}}`
	cases := []struct {
		kind, path, body, method string
		window, maxTokens        int64
	}{
		{"openai-compat", "", "", "", 0, 0},
		{"ollama", "/api/show", fmt.Sprintf(info, 32768), "POST", 32768, 0},
		{"llamacpp", "/v1/models", `{"data":[{"id":"n","meta":{"n_ctx":1}},{"id":"m","meta":{"n_ctx":4096}}]}`, "GET", 4096, 0},
		{"litellm", "/model/info", `{"data":[{"model_name":"m","model_info":{"max_input_tokens":9000,"max_output_tokens":700}}]}`, "GET", 9000, 700},
	}
	for _, c := range cases {
		t.Run(c.kind, func(t *testing.T) {
			s := serve(t, says("ok"))
			if c.path != "" {
				s.other[c.path] = sends(http.StatusOK, c.body)
			}
			done := s.run(t.TempDir(), "--type", c.kind)
			same(t, "window", done.Window, c.window)
			same(t, "first request", done.Requests[0].Method+done.Requests[0].Path+done.Requests[0].Purpose, "GET/v1/modelsmodels")
			if c.path != "" {
				same(t, "second request", done.Requests[1].Method+done.Requests[1].Path, c.method+c.path)
			}
			got := s.of("step")[0].body.MaxTokens
			same(t, "max_tokens", got != nil && *got == 700, c.maxTokens == 700)
			same(t, "errors", len(done.Errors), 0)
			same(t, "rc", done.RC, 0)
		})
	}
}

func TestOllamaDiscoveryAsksForEveryModel(t *testing.T) {
	s := serve(t, says("ok"))
	s.other["/api/show"] = sends(http.StatusOK, `{}`)
	done := s.run(t.TempDir(), "--type", "ollama", "--base-url", s.server.URL+"/v1/")
	same(t, "models", strings.Join(done.Models, " "), "m n")
	asked := map[string]bool{}
	for _, request := range s.of("/api/show") {
		asked[request.raw] = true
	}
	same(t, "bodies", asked[`{"model":"m"}`] && asked[`{"model":"n"}`] && len(asked) == 2, true)
}

func TestTheCommandLineGoesBeforeDiscovery(t *testing.T) {
	s := serve(t, says("ok"))
	s.other["/api/show"] = sends(http.StatusOK, `{"model_info":{"x.context_length":32768}}`)
	same(t, "window", s.run(t.TempDir(), "--type", "ollama", "--context-window", "5000").Window, 5000)
}

func TestADiscoveryThatFailsIsNotedAndTheRunGoesOn(t *testing.T) {
	s := serve(t, says("ok"))
	s.other["/v1/models"] = sends(http.StatusInternalServerError, `{}`)
	done := s.run(t.TempDir(), "--type", "ollama")
	same(t, "rc", done.RC, 0)
	same(t, "error", done.Errors[0].Where+": "+done.Errors[0].Text, "discovery: GET /v1/models: 500 Internal Server Error")
}
