// A chat request and its retries: every request of a run goes through ask.

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/openai/openai-go/v3"
)

type messages = []openai.ChatCompletionMessageParamUnion

// chat sends requests for one model.
type chat struct {
	completions openai.ChatCompletionService
	model       string
	retryScale  float64
	report      *report
}

// ask gives one whole answer; a failed attempt leaves nothing behind but its entry in the report.
func (c *chat) ask(ctx context.Context, purpose string, params openai.ChatCompletionNewParams) (answer, error) {
	params.Model = c.model
	params.StreamOptions = openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)}
	for retry := 0; ; retry++ {
		got, err := c.attempt(withErrand(ctx, purpose, retry), params)
		if err == nil {
			return got, nil
		}
		c.report.fail(purpose, retry, err, got.text)
		if retry == maxRetries || !retryable(err) {
			return answer{}, fmt.Errorf("%s: %w", purpose, err)
		}
		if err := c.wait(ctx, delayBefore(retry, err)); err != nil {
			return answer{}, err
		}
	}
}

func (c *chat) attempt(ctx context.Context, params openai.ChatCompletionNewParams) (answer, error) {
	stream := c.completions.NewStreaming(ctx, params)
	defer stream.Close()
	got, err := receive(stream)
	if err == nil && got.usage.Prompt+got.usage.Completion == 0 {
		got.usage = estimate(params.Messages, got)
	}
	return got, err
}

func (c *chat) wait(ctx context.Context, delay time.Duration) error {
	timer := time.NewTimer(time.Duration(float64(delay) * c.retryScale))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// estimate stands in for a usage that the server did not send: four bytes of JSON a token.
func estimate(asked messages, got answer) usageRecord {
	sent, err := json.Marshal(asked)
	if err != nil {
		sent = nil
	}
	said := len(got.text)
	for _, made := range got.calls {
		said += len(made.name) + len(made.arguments)
	}
	return usageRecord{Prompt: int64(len(sent) / 4), Completion: int64(said / 4), Estimated: true}
}
