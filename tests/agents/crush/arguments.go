// Arguments on their way to a tool: taken as they are, repaired, or given up.

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// errNotJSON is what the model is told when not even repair made an object.
var errNotJSON = errors.New("Tool call failed: arguments were not valid JSON. Send the call again with one complete JSON object.")

// arguments are what a tool is called with: text is a JSON object whatever came.
type arguments struct {
	text     string
	repaired bool
	broken   error
}

// prepare makes a JSON object of what the model sent. Repairing is the danger: half a string becomes a whole, shorter one.
func prepare(sent string) arguments {
	if strings.TrimSpace(sent) == "" {
		return arguments{text: "{}"}
	}
	if isObject(sent) {
		return arguments{text: sent}
	}
	if mended, ok := repairJSON(sent); ok && isObject(mended) {
		return arguments{text: mended, repaired: true}
	}
	return arguments{text: "{}", broken: errNotJSON}
}

func isObject(text string) bool {
	var object map[string]json.RawMessage
	return json.Unmarshal([]byte(text), &object) == nil && object != nil
}

// missing names the first required key that is not there.
func missing(text string, required []string) error {
	var object map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		return err
	}
	for _, key := range required {
		if _, there := object[key]; !there {
			return fmt.Errorf("missing required parameter: %s", key)
		}
	}
	return nil
}
