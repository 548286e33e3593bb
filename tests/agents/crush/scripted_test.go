// A scripted model server for the tests, and a way to run one task against it.

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// reply answers one request.
type reply func(w http.ResponseWriter)

// seen is one request as the server got it.
type seen struct {
	path    string
	purpose string
	header  http.Header
	raw     string
	body    struct {
		Model     string `json:"model"`
		MaxTokens *int64 `json:"max_tokens"`
		Stream    bool   `json:"stream"`
		Options   struct {
			Usage bool `json:"include_usage"`
		} `json:"stream_options"`
		Choice   string           `json:"tool_choice"`
		Tools    []map[string]any `json:"tools"`
		Messages []message        `json:"messages"`
	}
}

type message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
	CallID  string `json:"tool_call_id"`
	Calls   []struct {
		ID       string `json:"id"`
		Function struct {
			Name      string `json:"name"`
			Arguments string `json:"arguments"`
		} `json:"function"`
	} `json:"tool_calls"`
}

// scripted plays its replies in order, by purpose; past the last one it repeats it.
type scripted struct {
	t        *testing.T
	server   *httptest.Server
	mu       sync.Mutex
	requests []*seen
	steps    []reply
	titles   []reply
	sums     []reply
	other    map[string]reply // by path
}

func serve(t *testing.T, steps ...reply) *scripted {
	t.Helper()
	s := &scripted{t: t, steps: steps, titles: []reply{says("A title")}, sums: []reply{says("the summary")}, other: map[string]reply{}}
	s.other["/v1/models"] = sends(http.StatusOK, `{"data":[{"id":"m"},{"id":"n"}]}`)
	s.server = httptest.NewServer(http.HandlerFunc(s.handle))
	t.Cleanup(s.server.Close)
	return s
}

func (s *scripted) handle(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	got := &seen{path: r.URL.Path, header: r.Header, raw: string(raw)}
	answer := s.next(got, raw)
	if answer == nil {
		http.NotFound(w, r)
		return
	}
	answer(w)
}

func (s *scripted) next(got *seen, raw []byte) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, got)
	if got.path != "/v1/chat/completions" {
		return s.other[got.path]
	}
	if err := json.Unmarshal(raw, &got.body); err != nil {
		s.t.Errorf("not JSON: %s", raw)
		return nil
	}
	queue := &s.steps
	got.purpose = "step"
	if len(got.body.Tools) == 0 {
		got.purpose, queue = "title", &s.titles
		if strings.HasPrefix(got.body.Messages[0].Content, "You are summarizing a conversation to preserve context for continuing work later.") {
			got.purpose, queue = "summary", &s.sums
		}
	}
	first := (*queue)[0]
	if len(*queue) > 1 {
		*queue = (*queue)[1:]
	}
	return first
}

// of are the requests of one purpose, or of one path.
func (s *scripted) of(purpose string) []*seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []*seen
	for _, request := range s.requests {
		if request.purpose == purpose || request.path == purpose {
			found = append(found, request)
		}
	}
	return found
}

// run runs one task in a folder, with waits a thousandth as long.
func (s *scripted) run(dir string, more ...string) *report {
	s.t.Helper()
	return s.runIn(s.t.Context(), dir, more...)
}

func (s *scripted) runIn(ctx context.Context, dir string, more ...string) *report {
	s.t.Helper()
	arguments := append([]string{
		"--base-url", s.server.URL + "/v1", "--model", "m", "--dir", dir, "--prompt", "do it", "--retry-scale", "0.001", "--json",
	}, more...)
	var stdout, stderr bytes.Buffer
	code := command(ctx, arguments, &stdout, &stderr)
	done := &report{}
	if err := json.Unmarshal(stdout.Bytes(), done); err != nil {
		s.t.Fatalf("exit %d, no report: %v\n%s%s", code, err, stdout.String(), stderr.String())
	}
	if code != done.RC {
		s.t.Errorf("exit status %d, rc %d", code, done.RC)
	}
	return done
}

// sends answers with one whole body; headers come in pairs.
func sends(status int, body string, headers ...string) reply {
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

// streams answers with events, each the JSON of a chunk, and nothing after them.
func streams(events ...string) reply {
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "text/event-stream")
		for _, event := range events {
			fmt.Fprintf(w, "data: %s\n\n", event)
		}
	}
}

// breaks streams and then drops the connection in the middle of the body.
func breaks(events ...string) reply {
	return func(w http.ResponseWriter) {
		streams(events...)(w)
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
}

func says(text string) reply {
	return streams(delta(text), finish("stop"), usage(10, 2), "[DONE]")
}

func calls(name, arguments string) reply {
	return streams(toolCall(0, "c1", name, arguments), finish("tool_calls"), usage(10, 2), "[DONE]")
}

func delta(text string) string {
	return fmt.Sprintf(`{"choices":[{"index":0,"delta":{"content":%s}}]}`, quoted(text))
}

func toolCall(index int, id, name, arguments string) string {
	return fmt.Sprintf(`{"choices":[{"index":0,"delta":{"tool_calls":[{"index":%d,"id":%s,"type":"function","function":{"name":%s,"arguments":%s}}]}}]}`,
		index, quoted(id), quoted(name), quoted(arguments))
}

func finish(reason string) string {
	return fmt.Sprintf(`{"choices":[{"index":0,"delta":{},"finish_reason":%s}]}`, quoted(reason))
}

func usage(prompt, completion int) string {
	return fmt.Sprintf(`{"choices":[],"usage":{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d}}`, prompt, completion, prompt+completion)
}

func quoted(text string) string {
	encoded, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(encoded)
}

// object is JSON of keys and values in turn.
func object(pairs ...string) string {
	parts := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		parts[pairs[i]] = pairs[i+1]
	}
	encoded, err := json.Marshal(parts)
	if err != nil {
		panic(err)
	}
	return string(encoded)
}

func same[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func contains(t *testing.T, text, part string) {
	t.Helper()
	if !strings.Contains(text, part) {
		t.Errorf("%q is not in %q", part, text)
	}
}

func at(dir, name string) string { return filepath.Join(dir, name) }
