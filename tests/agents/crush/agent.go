// The agent loop: send, run the calls, append the results, until an answer makes no call.

package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"

	"github.com/openai/openai-go/v3"
)

const finishLoop = "loop"

// agent is one session with one model.
type agent struct {
	chat      *chat
	tools     *toolbox
	limits    limits
	report    *report
	history   messages
	guard     loopGuard
	maxTokens int64
}

// runTask does everything the command line asks for and writes down what happened.
func runTask(ctx context.Context, o options, done *report) error {
	folder, err := openWorkFolder(o.dir)
	if err != nil {
		return err
	}
	defer folder.Close()
	plain := newHTTPClient(done)
	defer plain.CloseIdleConnections()
	found := limitsFor(o, discover(ctx, plain, o, done))
	done.update(func(r *report) { r.Window = found.window })
	asking := &chat{completions: newCompletions(o, rand.Text(), plain), model: o.model, retryScale: o.retryScale, report: done}
	worker := &agent{chat: asking, tools: newToolbox(folder, done), limits: found, report: done}

	var title sync.WaitGroup
	title.Go(func() { nameSession(ctx, asking, o.prompt) })
	defer title.Wait()
	return worker.work(ctx, o.prompt)
}

// work answers one prompt, through as many summaries as the window makes necessary.
func (a *agent) work(ctx context.Context, prompt string) error {
	next := prompt
	for {
		reached, err := a.turn(ctx, next)
		if err != nil {
			return err
		}
		if reached.full {
			if err := a.summarise(ctx); err != nil {
				return err
			}
		}
		if !reached.full || !reached.pending {
			a.report.update(func(r *report) { r.Finish = reached.finish })
			return nil
		}
		next = fmt.Sprintf("The previous session was interrupted because it got too long, the initial user request was: `%s`", prompt)
	}
}

// stop is why a turn stopped: pending says that the model was still calling tools, full that the window nearly is.
type stop struct {
	finish  string
	pending bool
	full    bool
}

// turn is the loop proper.
func (a *agent) turn(ctx context.Context, prompt string) (stop, error) {
	a.history = append(a.history, openai.UserMessage(prompt))
	for {
		got, err := a.step(ctx)
		if err != nil {
			return stop{}, err
		}
		full := a.limits.nearlyFull(got.usage.Prompt + got.usage.Completion)
		if len(got.calls) == 0 {
			return stop{finish: got.finish, full: full}, nil
		}
		results := a.runCalls(ctx, got)
		switch {
		case ctx.Err() != nil:
			return stop{}, ctx.Err()
		case full:
			return stop{finish: got.finish, pending: true, full: true}, nil
		case a.guard.stuck(got.calls, results):
			return stop{finish: finishLoop}, nil
		}
	}
}

func (a *agent) step(ctx context.Context) (answer, error) {
	params := openai.ChatCompletionNewParams{
		Messages:   append(messages{openai.SystemMessage(systemPrompt(a.tools.folder.path))}, a.history...),
		Tools:      a.tools.params(),
		ToolChoice: openai.ChatCompletionToolChoiceOptionUnionParam{OfAuto: openai.String("auto")},
	}
	if a.limits.maxTokens > 0 {
		params.MaxTokens = openai.Int(a.limits.maxTokens)
	}
	got, err := a.chat.ask(ctx, "step", params)
	if err != nil {
		return got, err
	}
	a.report.update(func(r *report) {
		r.Turns++
		r.Text = got.text
		r.Usage = append(r.Usage, got.usage)
	})
	if len(got.calls) == 0 {
		a.history = append(a.history, openai.AssistantMessage(got.text))
	}
	return got, nil
}

// runCalls runs the calls of an answer one after the other and appends it, with the arguments that were really used.
func (a *agent) runCalls(ctx context.Context, got answer) []string {
	var results []string
	var answers messages
	for index, made := range got.calls {
		ready := prepare(made.arguments)
		result, err := a.tools.run(ctx, made.name, ready)
		if err != nil {
			result = err.Error()
		}
		got.calls[index].arguments = ready.text
		results = append(results, result)
		answers = append(answers, openai.ToolMessage(result, made.id))
		a.report.update(func(r *report) {
			r.ToolCalls = append(r.ToolCalls, callRecord{
				Turn: r.Turns, Name: made.name, Arguments: made.arguments, Repaired: ready.repaired, Error: err != nil, Result: result,
			})
		})
	}
	a.history = append(append(a.history, assistantWithCalls(got)), answers...)
	return results
}

func assistantWithCalls(got answer) openai.ChatCompletionMessageParamUnion {
	said := openai.ChatCompletionAssistantMessageParam{}
	if got.text != "" {
		said.Content.OfString = openai.String(got.text)
	}
	for _, made := range got.calls {
		function := openai.ChatCompletionMessageFunctionToolCallFunctionParam{Name: made.name, Arguments: made.arguments}
		said.ToolCalls = append(said.ToolCalls, openai.ChatCompletionMessageToolCallUnionParam{
			OfFunction: &openai.ChatCompletionMessageFunctionToolCallParam{ID: made.id, Function: function},
		})
	}
	return openai.ChatCompletionMessageParamUnion{OfAssistant: &said}
}
