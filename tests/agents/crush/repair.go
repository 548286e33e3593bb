// Repair of broken JSON by guessing, in the manner of the jsonrepair family: whatever was open at the end is closed.

package main

import (
	"encoding/json"
	"fmt"
	"strings"
)

// mender reads broken JSON and writes whole JSON.
type mender struct {
	in  string
	at  int
	out strings.Builder
}

// repairJSON gives valid JSON near to the text, or false where not even guessing finds a value.
func repairJSON(text string) (string, bool) {
	m := mender{in: strings.TrimSuffix(strings.TrimRight(unfenced(text), " \t\r\n"), "```")}
	if !m.value() {
		return "", false
	}
	m.skip("}]") // closers too many
	return m.out.String(), m.ended() && json.Valid([]byte(m.out.String()))
}

// unfenced drops the opening line of a Markdown code block.
func unfenced(text string) string {
	text = strings.TrimSpace(text)
	if rest, found := strings.CutPrefix(text, "```"); found {
		return strings.TrimPrefix(rest, "json")
	}
	return text
}

func (m *mender) ended() bool { return m.at >= len(m.in) }

// peek is the next byte, or 0 at the end.
func (m *mender) peek() byte {
	if m.ended() {
		return 0
	}
	return m.in[m.at]
}

// skip passes white space and the bytes given.
func (m *mender) skip(also string) {
	for !m.ended() && strings.IndexByte(" \t\r\n"+also, m.peek()) >= 0 {
		m.at++
	}
}

func (m *mender) value() bool {
	m.skip("")
	switch c := m.peek(); {
	case m.ended():
		return false
	case c == '{':
		return m.list('{', '}', m.pair)
	case c == '[':
		return m.list('[', ']', m.value)
	case c == '"' || c == '\'':
		m.text(c)
		return true
	default:
		return m.word()
	}
}

// list reads an object or an array; missing and surplus commas and a missing closer are forgiven.
func (m *mender) list(opener, closer byte, item func() bool) bool {
	m.at++
	m.out.WriteByte(opener)
	for first := true; ; first = false {
		m.skip(",")
		if m.ended() || m.peek() == '}' || m.peek() == ']' {
			break
		}
		if !first {
			m.out.WriteByte(',')
		}
		if !item() {
			return false
		}
	}
	if m.peek() == closer {
		m.at++
	}
	m.out.WriteByte(closer)
	return true
}

// pair reads `key: value`; a value that is not there becomes null.
func (m *mender) pair() bool {
	if c := m.peek(); c == '"' || c == '\'' {
		m.text(c)
	} else if key := m.bare(); key == "" {
		return false
	} else {
		m.quote(key)
	}
	m.skip(":")
	m.out.WriteByte(':')
	if c := m.peek(); m.ended() || c == '}' || c == ',' {
		m.out.WriteString("null")
		return true
	}
	return m.value()
}

// bare reads up to the next delimiter.
func (m *mender) bare() string {
	start := m.at
	for !m.ended() && strings.IndexByte(" \t\r\n,:{}[]\"'", m.peek()) < 0 {
		m.at++
	}
	return m.in[start:m.at]
}

// word reads a literal, a number or a string without quotes.
func (m *mender) word() bool {
	word := m.bare()
	switch word {
	case "":
		return false
	case "True":
		word = "true"
	case "False":
		word = "false"
	case "None", "undefined":
		word = "null"
	}
	// A number that was cut within ("1.", "-", "2e") is whole with one more digit.
	for _, guess := range []string{word, word + "0"} {
		if json.Valid([]byte(guess)) {
			m.out.WriteString(guess)
			return true
		}
	}
	m.quote(word)
	return true
}

func (m *mender) quote(text string) {
	encoded, err := json.Marshal(text)
	if err == nil { // a Go string always encodes
		m.out.Write(encoded)
	}
}

// text reads a quoted string to its closing quote or, if there is none, to the end of all: this is what halves a file.
func (m *mender) text(quote byte) {
	m.at++
	m.out.WriteByte('"')
	for !m.ended() {
		c := m.peek()
		if c == quote && m.closes() {
			m.at++
			break
		}
		if c == '\\' {
			m.escape()
			continue
		}
		m.at++
		switch {
		case c == '"':
			m.out.WriteString(`\"`)
		case c < ' ':
			fmt.Fprintf(&m.out, `\u%04x`, c)
		default:
			m.out.WriteByte(c)
		}
	}
	m.out.WriteByte('"')
}

// closes says whether the quote here ends its string: what follows must be a delimiter or the end.
func (m *mender) closes() bool {
	rest := strings.TrimLeft(m.in[m.at+1:], " \t\r\n")
	return rest == "" || strings.IndexByte(",:}]", rest[0]) >= 0
}

// escape copies a whole escape, takes the backslash from a wrong one and drops one that was cut.
func (m *mender) escape() {
	rest := m.in[m.at:]
	switch {
	case len(rest) >= 2 && strings.IndexByte(`"\/bfnrt`, rest[1]) >= 0:
		m.out.WriteString(rest[:2])
		m.at += 2
	case len(rest) >= 2 && rest[1] == 'u':
		m.unicode(rest)
	default:
		m.at++
	}
}

func (m *mender) unicode(rest string) {
	if len(rest) >= 6 && json.Valid([]byte(`"`+rest[:6]+`"`)) {
		m.out.WriteString(rest[:6])
		m.at += 6
		return
	}
	if len(rest) < 6 {
		m.at = len(m.in)
		return
	}
	m.at++
}
