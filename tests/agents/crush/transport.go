// How requests leave: the headers that Crush sends, and a record of every request.

package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

const userAgent = "Charm-Crush/0.90.0 (https://charm.land/crush)"

// errand is what a request is for and which attempt it is; it rides along in the context.
type errand struct {
	purpose string
	retry   int
}

type errandKey struct{}

func withErrand(ctx context.Context, purpose string, retry int) context.Context {
	return context.WithValue(ctx, errandKey{}, errand{purpose: purpose, retry: retry})
}

// recorder notes every request in the report.
type recorder struct {
	report *report
	next   http.RoundTripper
}

func (t *recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	goal, _ := request.Context().Value(errandKey{}).(errand)
	entry := &requestRecord{Purpose: goal.purpose, Retry: goal.retry, Method: request.Method, Path: request.URL.Path}
	t.report.update(func(r *report) { r.Requests = append(r.Requests, entry) })
	start := time.Now()
	response, err := t.next.RoundTrip(request)
	t.report.update(func(*report) {
		entry.HeadersMS = time.Since(start).Milliseconds()
		entry.MS = entry.HeadersMS
		if response != nil {
			entry.Status = response.StatusCode
		}
	})
	if response != nil {
		response.Body = &timedBody{ReadCloser: response.Body, ended: sync.OnceFunc(func() {
			t.report.update(func(*report) { entry.MS = time.Since(start).Milliseconds() })
		})}
	}
	return response, err
}

// timedBody tells once when it ended, broke or was closed.
type timedBody struct {
	io.ReadCloser
	ended func()
}

func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.ended()
	}
	return n, err
}

func (b *timedBody) Close() error {
	b.ended()
	return b.ReadCloser.Close()
}

// newHTTPClient has no time-out, as Crush has none, and connections of its own.
func newHTTPClient(done *report) *http.Client {
	return &http.Client{Transport: &recorder{report: done, next: http.DefaultTransport.(*http.Transport).Clone()}}
}

// newCompletions is the SDK's chat service with its own retries off; built by itself it takes nothing from the environment.
func newCompletions(o options, session string, plain *http.Client) openai.ChatCompletionService {
	id := sha256.Sum256([]byte(session))
	hash := hex.EncodeToString(id[:])
	settings := []option.RequestOption{
		option.WithHTTPClient(plain),
		option.WithBaseURL(o.baseURL),
		option.WithMaxRetries(0),
		option.WithHeader("User-Agent", userAgent),
		option.WithHeader("x-session-id", hash),
		option.WithHeader("x-session-affinity", hash),
	}
	if o.apiKey != "" {
		settings = append(settings, option.WithAPIKey(o.apiKey))
	}
	return openai.NewChatCompletionService(settings...)
}
