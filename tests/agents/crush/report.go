// What a run did, gathered while it runs and printed once at its end.

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
)

const finishStop = "stop"

// requestRecord is one HTTP request, in the order of sending.
type requestRecord struct {
	Purpose   string `json:"purpose"` // models, show, info, title, step or summary
	Method    string `json:"method"`
	Path      string `json:"path"`
	Status    int    `json:"status"`     // 0: no answer
	MS        int64  `json:"ms"`         // until the body ended
	HeadersMS int64  `json:"headers_ms"` // until the headers came
	Retry     int    `json:"retry"`      // 0 for the first attempt
}

// callRecord is one tool call that ended in a result, Arguments as the model sent them.
type callRecord struct {
	Turn      int    `json:"turn"`
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
	Repaired  bool   `json:"repaired"` // the arguments were not valid JSON and were guessed
	Error     bool   `json:"error"`
	Result    string `json:"result"`
}

// usageRecord is what one step cost; Estimated where the server sent none.
type usageRecord struct {
	Prompt     int64 `json:"prompt"`
	Completion int64 `json:"completion"`
	Estimated  bool  `json:"estimated"`
}

// errorRecord is one failed attempt, or a discovery that failed.
type errorRecord struct {
	Where           string `json:"where"`
	Retry           int    `json:"retry"`
	Status          int    `json:"status,omitempty"`
	Text            string `json:"text"`
	Partial         string `json:"partial,omitempty"` // the text that had been streamed and was thrown away
	ContextTooLarge bool   `json:"context_too_large,omitempty"`
}

// report is safe for the title request and the main turn at once.
type report struct {
	mu           sync.Mutex
	RC           int              `json:"rc"`
	Finish       string           `json:"finish"`  // stop, length, content_filter, loop, error …
	Failure      string           `json:"failure"` // why the run broke off, if it did
	Title        string           `json:"title"`
	Text         string           `json:"text"` // of the last whole answer
	Turns        int              `json:"turns"`
	Summaries    int              `json:"summaries"`
	Window       int64            `json:"window"` // 0: unknown
	Models       []string         `json:"models"` // that discovery found
	Requests     []*requestRecord `json:"requests"`
	ToolCalls    []callRecord     `json:"tool_calls"`
	FilesWritten []string         `json:"files_written"` // by the write and edit tools, relative to the work folder
	Usage        []usageRecord    `json:"usage"`
	Errors       []errorRecord    `json:"errors"`
}

func newReport() *report {
	return &report{
		Finish: "error", Title: untitled, Models: []string{}, Requests: []*requestRecord{}, ToolCalls: []callRecord{},
		FilesWritten: []string{}, Usage: []usageRecord{}, Errors: []errorRecord{},
	}
}

func (r *report) update(change func(*report)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(r)
}

func (r *report) fail(where string, retry int, err error, partial string) {
	entry := errorRecord{
		Where: where, Retry: retry, Status: statusOf(err), Text: err.Error(), Partial: partial,
		ContextTooLarge: contextTooLarge(err.Error()),
	}
	r.update(func(r *report) { r.Errors = append(r.Errors, entry) })
}

func (r *report) wrote(path string) {
	r.update(func(r *report) {
		if !slices.Contains(r.FilesWritten, path) {
			r.FilesWritten = append(r.FilesWritten, path)
		}
	})
}

// close settles how the run ended: only a normal stop is 0.
func (r *report) close(failure error) {
	r.update(func(r *report) {
		if failure != nil {
			r.Failure = failure.Error()
		}
		r.RC = 1
		if failure == nil && r.Finish == finishStop {
			r.RC = 0
		}
	})
}

func (r *report) writeJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(r)
}

func (r *report) writeText(w io.Writer) error {
	var out strings.Builder
	for _, entry := range r.Requests {
		fmt.Fprintf(&out, "%s %s %s -> %d, %d ms, retry %d\n", entry.Purpose, entry.Method, entry.Path, entry.Status, entry.MS, entry.Retry)
	}
	for _, entry := range r.ToolCalls {
		fmt.Fprintf(&out, "turn %d: %s %s (repaired %t, error %t)\n", entry.Turn, entry.Name, entry.Arguments, entry.Repaired, entry.Error)
	}
	for _, path := range r.FilesWritten {
		fmt.Fprintf(&out, "wrote %s\n", path)
	}
	for _, entry := range r.Errors {
		fmt.Fprintf(&out, "error in %s, retry %d: %s\n", entry.Where, entry.Retry, entry.Text)
	}
	fmt.Fprintf(&out, "%q ended with %s after %d turns and %d summaries\n%s\n", r.Title, r.Finish, r.Turns, r.Summaries, r.Text)
	if r.Failure != "" {
		fmt.Fprintln(&out, r.Failure)
	}
	_, err := io.WriteString(w, out.String())
	return err
}
