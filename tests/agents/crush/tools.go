// The toolbox: what each tool is called, which parameters it takes, and how a call reaches it.

package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/shared"
)

// parameter is one parameter of a tool, of a JSON type.
type parameter struct {
	name, kind, description string
	required                bool
}

// tool is one tool; run gets a JSON object with every required key.
type tool struct {
	name, description string
	parameters        []parameter
	run               func(ctx context.Context, text string) (string, error)
}

// toolbox holds the tools of a session over one work folder.
type toolbox struct {
	folder *workFolder
	report *report
	tools  []tool
}

func newToolbox(folder *workFolder, done *report) *toolbox {
	b := &toolbox{folder: folder, report: done}
	file := parameter{name: "file_path", kind: "string", description: "The file, absolute or from the working directory", required: true}
	b.tools = []tool{
		{name: "view", description: "Read a text file. Lines come numbered; the numbers are not part of the file.", run: typed(b.view), parameters: []parameter{
			file,
			{name: "offset", kind: "integer", description: "How many lines to skip"},
			{name: "limit", kind: "integer", description: "How many lines to read (2000 if left out)"},
		}},
		{name: "edit", description: "Replace an exact text in a file. The text must stand there once, unless replace_all is set.", run: typed(b.edit), parameters: []parameter{
			file,
			{name: "old_string", kind: "string", description: "The text to replace; empty to create the file", required: true},
			{name: "new_string", kind: "string", description: "What takes its place", required: true},
			{name: "replace_all", kind: "boolean", description: "Replace every occurrence"},
		}},
		{name: "write", description: "Create a file, or replace the whole of one, with the folders above it.", run: typed(b.write), parameters: []parameter{
			file,
			{name: "content", kind: "string", description: "The whole new content", required: true},
		}},
		{name: "ls", description: "List the files below a folder.", run: typed(b.list), parameters: []parameter{
			{name: "path", kind: "string", description: "The folder (the working directory if left out)"},
		}},
		{name: "grep", description: "Search the contents of files for a regular expression.", run: typed(b.grep), parameters: []parameter{
			{name: "pattern", kind: "string", description: "The regular expression", required: true},
			{name: "path", kind: "string", description: "Where to search (the working directory if left out)"},
			{name: "include", kind: "string", description: "Only files whose name matches, such as *.go"},
			{name: "literal_text", kind: "boolean", description: "Take the pattern as plain text"},
		}},
		{name: "bash", description: "Run a command with bash in the working directory; it is ended after a minute.", run: typed(b.bash), parameters: []parameter{
			{name: "command", kind: "string", description: "The command", required: true},
			{name: "description", kind: "string", description: "What it does, in a few words"},
		}},
	}
	return b
}

// typed lets a tool take its parameters as a struct; a wrong type is an error result.
func typed[P any](work func(context.Context, P) (string, error)) func(context.Context, string) (string, error) {
	return func(ctx context.Context, text string) (string, error) {
		var parameters P
		if err := json.Unmarshal([]byte(text), &parameters); err != nil {
			return "", fmt.Errorf("invalid parameters: %w", err)
		}
		return work(ctx, parameters)
	}
}

// run gives the result of a call; an error's text is the result too, for the model to read.
func (b *toolbox) run(ctx context.Context, name string, ready arguments) (string, error) {
	if ready.broken != nil {
		return "", ready.broken
	}
	for _, t := range b.tools {
		if t.name != name {
			continue
		}
		if err := missing(ready.text, t.required()); err != nil {
			return "", err
		}
		return t.run(ctx, ready.text)
	}
	return "", fmt.Errorf("tool not found: %s", name)
}

func (t tool) required() []string {
	names := []string{}
	for _, p := range t.parameters {
		if p.required {
			names = append(names, p.name)
		}
	}
	return names
}

// params are the tools as a request names them.
func (b *toolbox) params() []openai.ChatCompletionToolUnionParam {
	var params []openai.ChatCompletionToolUnionParam
	for _, t := range b.tools {
		properties := map[string]any{}
		for _, p := range t.parameters {
			properties[p.name] = map[string]any{"type": p.kind, "description": p.description}
		}
		params = append(params, openai.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{
			Name:        t.name,
			Description: openai.String(t.description),
			Strict:      openai.Bool(false),
			Parameters:  shared.FunctionParameters{"type": "object", "properties": properties, "required": t.required()},
		}))
	}
	return params
}
