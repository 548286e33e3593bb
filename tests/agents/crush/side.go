// The side requests, title and summary, and when a window counts as nearly full.

package main

import (
	"context"
	"strings"

	"github.com/openai/openai-go/v3"
)

const (
	untitled       = "Untitled Session"
	titleMaxTokens = 40
	emptyThought   = "<think>\n\n</think>"
	summaryRequest = "Provide a detailed summary of our conversation above."
)

// limits are what is known of the model; 0 is unknown.
type limits struct {
	window    int64
	maxTokens int64
}

// nearlyFull says whether to summarise now: 20,000 tokens left of a large window, a fifth of any other, never of an unknown one.
func (l limits) nearlyFull(used int64) bool {
	remaining := l.window - used
	switch {
	case l.window == 0:
		return false
	case l.window > 200_000:
		return remaining <= 20_000
	default:
		return remaining*5 <= l.window
	}
}

// nameSession asks for a title beside the main turn. A failure costs only the title; one cut by its limit is asked for once more.
func nameSession(ctx context.Context, c *chat, prompt string) {
	params := openai.ChatCompletionNewParams{
		MaxTokens: openai.Int(titleMaxTokens),
		Messages: messages{
			openai.SystemMessage(titlePrompt + "\n /no_think"),
			openai.UserMessage("Name a session that begins with this:\n\n" + prompt + "\n" + emptyThought),
		},
	}
	got, err := c.ask(ctx, "title", params)
	if err == nil && got.finish == finishLength {
		got, err = c.ask(ctx, "title", params)
	}
	if title := cleanTitle(got.text); err == nil && title != "" {
		c.report.update(func(r *report) { r.Title = title })
	}
}

// cleanTitle drops a thought before the title and line breaks within it.
func cleanTitle(text string) string {
	if _, after, found := strings.Cut(text, "</think>"); found {
		text = after
	}
	return strings.Join(strings.Fields(text), " ")
}

// summarise replaces the whole history by one message of the user that holds its summary.
func (a *agent) summarise(ctx context.Context) error {
	asked := append(messages{openai.SystemMessage(summaryPrompt)}, a.history...)
	asked = append(asked, openai.UserMessage(summaryRequest))
	got, err := a.chat.ask(ctx, "summary", openai.ChatCompletionNewParams{Messages: asked})
	if err != nil {
		return err
	}
	a.history = messages{openai.UserMessage(got.text)}
	a.guard = loopGuard{}
	a.report.update(func(r *report) { r.Summaries++ })
	return nil
}
