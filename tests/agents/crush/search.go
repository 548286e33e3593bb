// The tools that find things: ls and grep.

package main

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"unicode/utf8"
)

const (
	listedEntries  = 1000
	grepMatches    = 100
	grepLineBytes  = 500
	nothingMatches = "No files found"
)

type listParameters struct {
	Path string `json:"path"`
}

func (b *toolbox) list(_ context.Context, p listParameters) (string, error) {
	var lines []string
	err := b.folder.walk(p.Path, func(relative string, entry fs.DirEntry) error {
		if len(lines) == listedEntries {
			lines = append(lines, "(and more)")
			return fs.SkipAll
		}
		if entry.IsDir() {
			relative += "/"
		}
		lines = append(lines, relative)
		return nil
	})
	if err != nil {
		return "", err
	}
	if len(lines) == 0 {
		return nothingMatches, nil
	}
	return strings.Join(lines, "\n"), nil
}

type grepParameters struct {
	Pattern string `json:"pattern"`
	Path    string `json:"path"`
	Include string `json:"include"`
	Literal bool   `json:"literal_text"`
}

func (b *toolbox) grep(_ context.Context, p grepParameters) (string, error) {
	if p.Literal {
		p.Pattern = regexp.QuoteMeta(p.Pattern)
	}
	pattern, err := regexp.Compile(p.Pattern)
	if err != nil {
		return "", fmt.Errorf("invalid pattern: %w", err)
	}
	var matches []string
	err = b.folder.walk(p.Path, func(relative string, entry fs.DirEntry) error {
		if !entry.Type().IsRegular() || !included(p.Include, entry.Name()) {
			return nil
		}
		content, err := b.folder.read(relative)
		if err != nil || !utf8.ValidString(content) {
			return nil // what can't be read as text can't be searched
		}
		matches = append(matches, matchingLines(pattern, relative, content)...)
		if len(matches) >= grepMatches {
			return fs.SkipAll
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	if len(matches) == 0 {
		return nothingMatches, nil
	}
	return strings.Join(matches[:min(len(matches), grepMatches)], "\n"), nil
}

func included(glob, name string) bool {
	if glob == "" {
		return true
	}
	matched, err := path.Match(glob, name)
	return err == nil && matched
}

func matchingLines(pattern *regexp.Regexp, relative, content string) []string {
	var matches []string
	for index, line := range strings.Split(content, "\n") {
		if pattern.MatchString(line) {
			shown := strings.ToValidUTF8(line[:min(len(line), grepLineBytes)], "")
			matches = append(matches, fmt.Sprintf("%s:%d: %s", relative, index+1, shown))
		}
	}
	return matches
}
