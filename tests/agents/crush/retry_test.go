// What is retried, how often and after how long.

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/openai/openai-go/v3"
)

func TestWhichStatusesAreRetried(t *testing.T) {
	cases := []struct {
		status   int
		headers  []string
		requests int
	}{
		{400, nil, 1}, {401, nil, 1}, {404, nil, 1}, {413, nil, 1}, {422, nil, 1},
		{408, nil, 4}, {409, nil, 4}, {429, nil, 4}, {500, nil, 4}, {502, nil, 4}, {503, nil, 4}, {504, nil, 4}, {529, nil, 4},
		{400, []string{"x-should-retry", "true"}, 4},
		{400, []string{"x-should-retry", "false"}, 1},
		{503, []string{"x-should-retry", "false"}, 4},
	}
	for _, c := range cases {
		t.Run(fmt.Sprint(c.status, c.headers), func(t *testing.T) {
			s := serve(t, sends(c.status, `{"error":{"message":"no","type":"x","code":"y"}}`, c.headers...))
			done := s.run(t.TempDir())
			same(t, "requests", len(s.of("step")), c.requests)
			same(t, "rc", done.RC, 1)
			var retries []int
			for _, r := range done.Requests {
				if r.Purpose == "step" {
					same(t, "status", r.Status, c.status)
					retries = append(retries, r.Retry)
				}
			}
			same(t, "retry numbers", fmt.Sprint(retries), fmt.Sprint([]int{0, 1, 2, 3}[:c.requests]))
			same(t, "errors noted", len(done.Errors), c.requests)
			same(t, "status noted", done.Errors[0].Status, c.status)
		})
	}
}

// What the SDK makes of a body without an error object must not hide the status.
func TestErrorBodiesOfOtherShapes(t *testing.T) {
	for _, body := range []string{`{"error":"model is loading"}`, `{"error":null}`, `{}`, `[]`, `busy`, ``} {
		t.Run(body, func(t *testing.T) {
			s := serve(t, sends(http.StatusServiceUnavailable, body))
			done := s.run(t.TempDir())
			same(t, "requests", len(s.of("step")), 4)
			same(t, "status noted", done.Errors[0].Status, http.StatusServiceUnavailable)
		})
	}
}

func TestARefusedConnectionIsRetried(t *testing.T) {
	s := serve(t, says("ok"))
	s.server.Close()
	done := s.run(t.TempDir())
	same(t, "finish", done.Finish, "error")
	steps := 0
	for _, r := range done.Requests {
		if r.Purpose == "step" {
			steps++
			same(t, "status", r.Status, 0)
		}
	}
	same(t, "steps", steps, 4)
}

func TestDelays(t *testing.T) {
	with := func(pairs ...string) error {
		headers := http.Header{}
		for i := 0; i < len(pairs); i += 2 {
			headers.Set(pairs[i], pairs[i+1])
		}
		return fmt.Errorf("wrapped: %w", &openai.Error{StatusCode: 503, Response: &http.Response{Header: headers}})
	}
	cases := []struct {
		retry int
		err   error
		want  time.Duration
	}{
		{0, errIncomplete, 5 * time.Second},
		{1, errIncomplete, 10 * time.Second},
		{2, errIncomplete, 20 * time.Second},
		{0, with(), 5 * time.Second},
		{2, with("Retry-After", "7"), 7 * time.Second},
		{2, with("Retry-After", "0.5"), 500 * time.Millisecond},
		{1, with("Retry-After", "60"), 10 * time.Second},
		{1, with("Retry-After", "3600"), 10 * time.Second},
		{1, with("Retry-After", "-1"), 10 * time.Second},
		{1, with("Retry-After", "soon"), 10 * time.Second},
		{0, with("Retry-After", "Mon, 02 Jan 2006 15:04:05 GMT"), 0},
		{0, with("retry-after-ms", "1500", "Retry-After", "9"), 1500 * time.Millisecond},
		{0, with("retry-after-ms", "60000"), 5 * time.Second},
	}
	for _, c := range cases {
		same(t, fmt.Sprint(c.retry, c.err == errIncomplete, c.want), delayBefore(c.retry, c.err), c.want)
	}
}

func TestWhichErrorsAreRetried(t *testing.T) {
	cases := []struct {
		err  error
		want bool
	}{
		{io.ErrUnexpectedEOF, true},
		{fmt.Errorf("read: %w", io.ErrUnexpectedEOF), true},
		{&net.OpError{Op: "read", Err: errors.New("connection reset by peer")}, true},
		{&url.Error{Op: "Post", URL: "x", Err: io.EOF}, true},
		{errors.New("stream error: stream ID 1; INTERNAL_ERROR"), true},
		{&url.Error{Op: "Post", URL: "x", Err: context.Canceled}, false},
		{errors.New("unexpected end of JSON input"), false},
	}
	for _, c := range cases {
		same(t, c.err.Error(), retryable(c.err), c.want)
	}
}

func TestOverflowsAreOnlyFlagged(t *testing.T) {
	cases := map[string]bool{
		"This model's maximum context length is 8192 tokens. However, your messages resulted in 12345 tokens.": true,
		"maximum context length of 8192 tokens, but you requested ~9000 tokens":                                true,
		"Range of input length should be [1, 30720]":                                                           true,
		"Input too long: 9000 input tokens, limit is 8192":                                                     true,
		"the input length exceeds the context length":                                                          false,
	}
	for text, want := range cases {
		t.Run(text, func(t *testing.T) {
			s := serve(t, sends(http.StatusBadRequest, `{"error":{"message":`+quoted(text)+`,"type":"invalid_request_error","code":"x"}}`))
			done := s.run(t.TempDir())
			same(t, "flag", done.Errors[0].ContextTooLarge, want)
			same(t, "requests", len(s.of("step")), 1)
			same(t, "summaries", done.Summaries, 0)
		})
	}
}

func TestTheScaleIsOnlyForWaits(t *testing.T) {
	s := serve(t, sends(http.StatusServiceUnavailable, `{"error":{"message":"full"}}`, "Retry-After", "1"), says("ok"))
	start := time.Now()
	done := s.run(t.TempDir(), "--retry-scale", "0.2")
	same(t, "rc", done.RC, 0)
	if waited := time.Since(start); waited < 200*time.Millisecond || waited > 5*time.Second {
		t.Errorf("waited %s, not about 200 ms", waited)
	}
}
