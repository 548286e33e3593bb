// Which errors are worth another attempt, and how long to wait before it.

package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/packages/ssestream"
)

const (
	maxRetries      = 3
	firstDelay      = 5 * time.Second
	longestAskedFor = 60 * time.Second
)

// retryableTypes are the in-band errors, by type or by code, that a new attempt may heal.
var retryableTypes = map[string]bool{
	"server_error": true, "internal_error": true, "overloaded_error": true, "api_error": true, "rate_limit_error": true,
}

// tooLarge are texts by which an overflow is known; Crush only sets a flag by them.
var tooLarge = []*regexp.Regexp{
	regexp.MustCompile(`maximum context length (?:is|of) (\d+) tokens.*?(?:resulted in|requested) ~?(\d+) tokens`),
	regexp.MustCompile(`Range of input length should be \[\d+,\s*(\d+)\]`),
	regexp.MustCompile(`Input too long:\s*(\d+)\s*input tokens,\s*limit is\s*(\d+)`),
}

func contextTooLarge(text string) bool {
	for _, pattern := range tooLarge {
		if pattern.MatchString(text) {
			return true
		}
	}
	return false
}

func retryable(err error) bool {
	var refused *openai.Error
	var inBand *ssestream.StreamError
	var network net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return false
	case errors.As(err, &refused):
		return retryableStatus(refused.StatusCode) || refused.Response.Header.Get("x-should-retry") == "true"
	case errors.As(err, &inBand):
		return retryableEvent(inBand.Event.Data)
	default:
		return errors.Is(err, errIncomplete) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &network) || isHTTP2Reset(err)
	}
}

func retryableStatus(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooManyRequests:
		return true
	default:
		return status >= 500
	}
}

func retryableEvent(data []byte) bool {
	var event struct {
		Error struct {
			Type string `json:"type"`
			Code any    `json:"code"`
		} `json:"error"`
	}
	if json.Unmarshal(data, &event) != nil {
		return false
	}
	code, _ := event.Error.Code.(string)
	return retryableTypes[event.Error.Type] || retryableTypes[code]
}

// isHTTP2Reset goes by the text: net/http keeps its HTTP/2 error types to itself.
func isHTTP2Reset(err error) bool {
	return strings.Contains(err.Error(), "http2:") || strings.Contains(err.Error(), "stream error:")
}

// delayBefore is the wait before a retry, the first being 0: what the server asked for if that is short, else 5, 10, 20 s.
func delayBefore(retry int, err error) time.Duration {
	var refused *openai.Error
	if errors.As(err, &refused) {
		if asked, ok := askedFor(refused.Response.Header); ok && asked < longestAskedFor {
			return asked
		}
	}
	return firstDelay << retry
}

// askedFor reads retry-after-ms, else Retry-After in seconds or as a date.
func askedFor(headers http.Header) (time.Duration, bool) {
	if milliseconds, err := strconv.ParseFloat(headers.Get("retry-after-ms"), 64); err == nil && milliseconds >= 0 {
		return time.Duration(milliseconds * float64(time.Millisecond)), true
	}
	text := headers.Get("Retry-After")
	if seconds, err := strconv.ParseFloat(text, 64); err == nil && seconds >= 0 {
		return time.Duration(seconds * float64(time.Second)), true
	}
	if date, err := http.ParseTime(text); err == nil {
		return max(0, time.Until(date)), true
	}
	return 0, false
}

func statusOf(err error) int {
	var refused *openai.Error
	if errors.As(err, &refused) {
		return refused.StatusCode
	}
	return 0
}
