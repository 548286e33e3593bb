// How streams end, whole, broken and half, and what the agent makes of each.

package main

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

const half = `{"file_path":"a.py","content":"def f():\n    return`

func TestEndings(t *testing.T) {
	cases := []struct {
		name     string
		first    reply
		requests int // 4: retried to the end, 1: final
		finish   string
	}{
		{"text without a finish reason is retried", streams(delta("a")), 4, "error"},
		{"nothing at all is retried", streams(), 4, "error"},
		{"no finish reason in spite of [DONE] is retried", streams(delta("a"), "[DONE]"), 4, "error"},
		{"JSON where a stream should be is an incomplete stream", sends(http.StatusOK, `{"choices":[]}`), 4, "error"},
		{"a finish reason needs no [DONE]", streams(delta("a"), finish("stop")), 1, "stop"},
		{"a dropped connection is retried", breaks(delta("a")), 4, "error"},
		{"a dropped connection is retried after a finish reason too", breaks(delta("a"), finish("stop")), 4, "error"},
		{"a broken chunk is fatal", streams(delta("a"), `{"choices":[`), 1, "error"},
		{"an error of null is fatal", streams(delta("a"), `{"error":null,"choices":[]}`), 1, "error"},
		{"an error as text is fatal", streams(`{"error":"model runner has stopped"}`), 1, "error"},
		{"invalid_request_error is fatal", streams(`{"error":{"message":"x","type":"invalid_request_error"}}`), 1, "error"},
		{"server_error is retried", streams(`{"error":{"message":"x","type":"server_error"}}`), 4, "error"},
		{"api_error is retried", streams(delta("a"), `{"error":{"message":"x","type":"api_error","code":null}}`), 4, "error"},
		{"overloaded_error by code is retried", streams(`{"error":{"message":"x","code":"overloaded_error"}}`), 4, "error"},
		{"a numeric code is no reason to retry", streams(`{"error":{"message":"x","code":500}}`), 1, "error"},
		{"a call of another type is fatal", streams(strings.Replace(toolCall(0, "c", "ls", "{}"), `"function",`, `"custom",`, 1)), 1, "error"},
		{"a line past the limit is fatal", longLine, 1, "error"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, c.first)
			done := s.run(t.TempDir())
			same(t, "requests", len(s.of("step")), c.requests)
			same(t, "finish", done.Finish, c.finish)
			same(t, "failed", done.Failure != "", c.finish == "error")
		})
	}
}

// longLine is a comment longer than the SDK's reader takes, written without holding it whole.
func longLine(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/event-stream")
	piece := strings.Repeat("x", 1<<20)
	fmt.Fprint(w, ": ")
	for range bufio.MaxScanTokenSize<<9>>20 + 1 {
		fmt.Fprint(w, piece)
	}
}

func TestCommentsAndBlankChunksAreNothing(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter) {
		fmt.Fprint(w, ": keep-alive\n\n: holdfast did=retried\n\n")
		streams(delta("a"))(w)
		fmt.Fprint(w, ": keep-alive\n\n")
		streams(toolCall(0, "", "", ""), finish("stop"), usage(1, 1))(w)
		fmt.Fprint(w, ": holdfast did=continued\n\ndata: [DONE]\n\n")
	})
	done := s.run(t.TempDir())
	same(t, "text", done.Text, "a")
	same(t, "rc", done.RC, 0)
	same(t, "calls", len(done.ToolCalls), 0)
}

func TestARetryStartsTheAnswerAnew(t *testing.T) {
	s := serve(t, breaks(delta("first half")), says("whole"))
	done := s.run(t.TempDir())
	same(t, "text", done.Text, "whole")
	same(t, "rc", done.RC, 0)
	same(t, "what was thrown away", done.Errors[0].Partial, "first half")
	same(t, "turns", done.Turns, 1)
	same(t, "bodies", s.of("step")[0].raw, s.of("step")[1].raw)
}

func TestHalfACallAfterACleanEndWritesHalfAFile(t *testing.T) {
	for name, ending := range map[string][]string{"no finish reason": {}, "length": {finish("length"), usage(1, 1), "[DONE]"}} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := serve(t, streams(append([]string{toolCall(0, "c", "write", half)}, ending...)...), says("Done."))
			done := s.run(dir)
			same(t, "file", read(t, at(dir, "a.py")), "def f():\n    return")
			same(t, "repaired", done.ToolCalls[0].Repaired, true)
			same(t, "arguments as sent", done.ToolCalls[0].Arguments, half)
			same(t, "rc", done.RC, 0)
			sent := s.of("step")[1].body.Messages[2].Calls[0].Function.Arguments
			same(t, "arguments in the history", sent, `{"file_path":"a.py","content":"def f():\n    return"}`)
		})
	}
}

func TestHalfACallInABrokenStreamIsNotRun(t *testing.T) {
	s := serve(t, breaks(toolCall(0, "c", "write", half)), says("ok"))
	done := s.run(t.TempDir())
	same(t, "calls run", len(done.ToolCalls), 0)
	same(t, "rc", done.RC, 0)
}

func TestCallsArriveInPieces(t *testing.T) {
	s := serve(t,
		streams(
			`{"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"function":{"name":"write","arguments":"{\"file_path\":"}}]}}]}`,
			toolCall(0, "given", "ls", ""),
			`{"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"function":{"arguments":"\"b\",\"content\":\"\"}"}}]}}]}`,
			finish("stop"), usage(3, 4), "[DONE]"),
		says("ok"))
	done := s.run(t.TempDir())
	said := s.of("step")[1].body.Messages[2]
	same(t, "calls", len(said.Calls), 2)
	same(t, "id made up", said.Calls[0].ID, "tool-call-1")
	same(t, "id given", said.Calls[1].ID, "given")
	same(t, "arguments joined", done.ToolCalls[0].Arguments, `{"file_path":"b","content":""}`)
	same(t, "none repaired", done.ToolCalls[0].Repaired || done.ToolCalls[1].Repaired, false)
	same(t, "no error", done.ToolCalls[0].Error || done.ToolCalls[1].Error, false)
}

func TestUsageIsThatOfTheLastChunk(t *testing.T) {
	s := serve(t, streams(delta("a"), usage(700, 9), finish("stop"), "[DONE]"))
	used := s.run(t.TempDir()).Usage[0]
	same(t, "overwritten with zeros, so estimated", used.Estimated, true)
	if used.Prompt < 50 {
		t.Errorf("estimate %d", used.Prompt)
	}
}
