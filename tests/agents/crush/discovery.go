// Discovery at the start: which models the server has and, by provider type, how large their windows are.

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	typeOpenAICompat = "openai-compat"
	typeOllama       = "ollama"
	typeLlamaCpp     = "llamacpp"
	typeLiteLLM      = "litellm"

	discoveryBudget = 3 * time.Second
	parallelShows   = 5
)

func knownType(name string) bool {
	return slices.Contains([]string{typeOpenAICompat, typeOllama, typeLlamaCpp, typeLiteLLM}, name)
}

// enricher finds the limits of the models of one provider type.
type enricher func(ctx context.Context, p *prober, ids []string) (map[string]limits, error)

var enrichers = map[string]enricher{typeOllama: showEach, typeLlamaCpp: readMeta, typeLiteLLM: readModelInfo}

// prober asks a server about itself.
type prober struct {
	http   *http.Client
	base   string // where chat/completions lives, no slash at its end
	apiKey string
}

// root is the base without its /v1.
func (p *prober) root() string { return strings.TrimSuffix(p.base, "/v1") }

// discover gives what is known of each model. What fails is noted and is no reason to stop: the command line names the model.
func discover(ctx context.Context, plain *http.Client, o options, done *report) map[string]limits {
	ctx, cancel := context.WithTimeout(ctx, discoveryBudget)
	defer cancel()
	p := &prober{http: plain, base: strings.TrimRight(o.baseURL, "/"), apiKey: o.apiKey}
	ids, err := p.listModels(ctx)
	if err != nil {
		done.fail("discovery", 0, err, "")
		return nil
	}
	done.update(func(r *report) { r.Models = ids })
	enrich, ok := enrichers[o.providerType]
	if !ok {
		return nil
	}
	found, err := enrich(ctx, p, ids)
	if err != nil {
		done.fail("discovery", 0, err, "")
	}
	return found
}

// limitsFor lets the command line go before discovery.
func limitsFor(o options, found map[string]limits) limits {
	known := found[o.model]
	if o.contextWindow > 0 {
		known.window = o.contextWindow
	}
	if o.maxTokens > 0 {
		known.maxTokens = o.maxTokens
	}
	return known
}

type modelList struct {
	Data []struct {
		ID   string `json:"id"`
		Meta struct {
			Window int64 `json:"n_ctx"`
		} `json:"meta"`
	} `json:"data"`
}

func (p *prober) listModels(ctx context.Context) ([]string, error) {
	var list modelList
	err := p.fetch(withErrand(ctx, "models", 0), http.MethodGet, p.base+"/models", nil, &list)
	ids := []string{}
	for _, model := range list.Data {
		ids = append(ids, model.ID)
	}
	return ids, err
}

// showEach asks an Ollama server for every model, five at a time, and reads any key that ends in .context_length.
func showEach(ctx context.Context, p *prober, ids []string) (map[string]limits, error) {
	found := map[string]limits{}
	var mu sync.Mutex
	var last error
	var group sync.WaitGroup
	places := make(chan struct{}, parallelShows)
	for _, id := range ids {
		places <- struct{}{}
		group.Go(func() {
			defer func() { <-places }()
			window, err := p.show(ctx, id)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				last = err
				return
			}
			found[id] = limits{window: window}
		})
	}
	group.Wait()
	return found, last
}

func (p *prober) show(ctx context.Context, id string) (int64, error) {
	var shown struct {
		Info map[string]any `json:"model_info"`
	}
	body := map[string]string{"model": id}
	if err := p.fetch(withErrand(ctx, "show", 0), http.MethodPost, p.root()+"/api/show", body, &shown); err != nil {
		return 0, err
	}
	for key, value := range shown.Info {
		if window, ok := value.(float64); ok && strings.HasSuffix(key, ".context_length") {
			return int64(window), nil
		}
	}
	return 0, nil
}

// readMeta reads data[].meta.n_ctx of a llama.cpp server.
func readMeta(ctx context.Context, p *prober, _ []string) (map[string]limits, error) {
	var list modelList
	err := p.fetch(withErrand(ctx, "info", 0), http.MethodGet, p.root()+"/v1/models", nil, &list)
	found := map[string]limits{}
	for _, model := range list.Data {
		found[model.ID] = limits{window: model.Meta.Window}
	}
	return found, err
}

// readModelInfo reads the limits that a LiteLLM proxy states.
func readModelInfo(ctx context.Context, p *prober, _ []string) (map[string]limits, error) {
	var list struct {
		Data []struct {
			Name string `json:"model_name"`
			Info struct {
				Window    int64 `json:"max_input_tokens"`
				MaxTokens int64 `json:"max_output_tokens"`
			} `json:"model_info"`
		} `json:"data"`
	}
	err := p.fetch(withErrand(ctx, "info", 0), http.MethodGet, p.root()+"/model/info", nil, &list)
	found := map[string]limits{}
	for _, model := range list.Data {
		found[model.Name] = limits{window: model.Info.Window, maxTokens: model.Info.MaxTokens}
	}
	return found, err
}

func (p *prober) fetch(ctx context.Context, method, url string, body, into any) error {
	var sent io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return err
		}
		sent = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, url, sent)
	if err != nil {
		return err
	}
	request.Header.Set("User-Agent", userAgent)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if p.apiKey != "" {
		request.Header.Set("Authorization", "Bearer "+p.apiKey)
	}
	response, err := p.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s", method, request.URL.Path, response.Status)
	}
	return json.NewDecoder(response.Body).Decode(into)
}
