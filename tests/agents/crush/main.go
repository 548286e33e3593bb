// Command crush-standin runs one task headless and speaks to a model server as Crush does (README.md says how far).
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// options are what the command line says.
type options struct {
	baseURL       string
	model         string
	providerType  string
	dir           string
	prompt        string
	apiKey        string
	contextWindow int64
	maxTokens     int64
	retryScale    float64
	json          bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(command(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// command is the whole program: 0 for a normal stop, 1 for any other ending, 2 for a wrong command line.
func command(ctx context.Context, arguments []string, stdout, stderr io.Writer) int {
	chosen, err := parse(arguments, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(stderr, "crush-standin:", err)
		return 2
	}
	done := newReport()
	done.close(runTask(ctx, chosen, done))
	if chosen.json {
		err = done.writeJSON(stdout)
	} else {
		err = done.writeText(stdout)
	}
	if err != nil {
		fmt.Fprintln(stderr, "crush-standin: the report could not be written:", err)
		return 1
	}
	return done.RC
}

func parse(arguments []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("crush-standin", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.baseURL, "base-url", "http://127.0.0.1:8484/v1", "where chat/completions lives")
	flags.StringVar(&o.model, "model", "", "model name")
	flags.StringVar(&o.providerType, "type", typeOpenAICompat, "provider type: openai-compat, ollama, llamacpp or litellm")
	flags.StringVar(&o.dir, "dir", "", "work folder, which the file tools do not leave")
	flags.StringVar(&o.prompt, "prompt", "", "the task")
	flags.StringVar(&o.apiKey, "api-key", "", "bearer key (none is sent without it)")
	flags.Int64Var(&o.contextWindow, "context-window", 0, "window in tokens, before what discovery finds (0: what discovery finds)")
	flags.Int64Var(&o.maxTokens, "max-tokens", 0, "max_tokens of the main requests (0: what discovery finds, else not sent)")
	flags.Float64Var(&o.retryScale, "retry-scale", 1, "factor for every wait before a retry")
	flags.BoolVar(&o.json, "json", false, "print one JSON object")
	if err := flags.Parse(arguments); err != nil {
		return o, err
	}
	return o, o.check(flags.Args())
}

func (o options) check(rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("unexpected argument %q", rest[0])
	case o.model == "" || o.dir == "" || o.prompt == "":
		return errors.New("--model, --dir and --prompt are needed")
	case !knownType(o.providerType):
		return fmt.Errorf("--type %q: use openai-compat, ollama, llamacpp or litellm", o.providerType)
	case o.retryScale < 0:
		return errors.New("--retry-scale must not be negative")
	}
	return nil
}
