// One streamed answer: how chunks become text, calls and usage, and which endings count as an end.

package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/packages/ssestream"
)

const (
	finishLength    = "length"
	finishToolCalls = "tool_calls"
)

// errIncomplete is a stream that ended cleanly with neither a finish reason nor a tool call.
var errIncomplete = errors.New("the stream ended without a finish reason")

// call is one tool call, its arguments as the model sent them.
type call struct {
	id        string
	name      string
	arguments string
}

// answer is one assistant message. With an error beside it, it is what had come until then.
type answer struct {
	text   string
	calls  []call
	finish string
	usage  usageRecord
}

// assembly is an answer under construction.
type assembly struct {
	text   strings.Builder
	calls  map[int64]*callParts
	order  []int64
	finish string
	usage  usageRecord
}

type callParts struct {
	id        string
	name      string
	arguments strings.Builder
}

// receive reads a stream to its end.
func receive(stream *ssestream.Stream[openai.ChatCompletionChunk]) (answer, error) {
	under := assembly{calls: map[int64]*callParts{}}
	for stream.Next() {
		if err := under.add(stream.Current()); err != nil {
			return under.answer(), err
		}
	}
	if err := stream.Err(); err != nil {
		return under.answer(), err
	}
	return under.end()
}

func (a *assembly) add(chunk openai.ChatCompletionChunk) error {
	// Each chunk overwrites the usage, with zeros where it has none.
	a.usage = usageRecord{Prompt: chunk.Usage.PromptTokens, Completion: chunk.Usage.CompletionTokens}
	if len(chunk.Choices) == 0 {
		return nil
	}
	choice := chunk.Choices[0]
	a.text.WriteString(choice.Delta.Content)
	if choice.FinishReason != "" {
		a.finish = choice.FinishReason
	}
	for _, delta := range choice.Delta.ToolCalls {
		if err := a.addCall(delta); err != nil {
			return err
		}
	}
	return nil
}

func (a *assembly) addCall(delta openai.ChatCompletionChunkChoiceDeltaToolCall) error {
	if delta.Type != "" && delta.Type != "function" {
		return fmt.Errorf("tool call %d is of type %q, not function", delta.Index, delta.Type)
	}
	if delta.Function.Name == "" && delta.Function.Arguments == "" {
		return nil
	}
	parts, known := a.calls[delta.Index]
	if !known {
		parts = &callParts{id: delta.ID, name: delta.Function.Name}
		if parts.id == "" {
			parts.id = fmt.Sprintf("tool-call-%d", delta.Index)
		}
		a.calls[delta.Index] = parts
		a.order = append(a.order, delta.Index)
	}
	parts.arguments.WriteString(delta.Function.Arguments)
	return nil
}

// end settles the finish reason: with calls it is always tool_calls, even where the server said length.
func (a *assembly) end() (answer, error) {
	whole := a.answer()
	if len(whole.calls) > 0 {
		whole.finish = finishToolCalls
	}
	if whole.finish == "" {
		return whole, errIncomplete
	}
	return whole, nil
}

func (a *assembly) answer() answer {
	calls := make([]call, 0, len(a.order))
	for _, index := range a.order {
		parts := a.calls[index]
		calls = append(calls, call{id: parts.id, name: parts.name, arguments: parts.arguments.String()})
	}
	return answer{text: a.text.String(), calls: calls, finish: a.finish, usage: a.usage}
}
