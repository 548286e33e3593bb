// The tools that read and change files: view, edit, write.

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

const (
	viewedLines     = 2000
	viewedLineBytes = 2000
)

type viewParameters struct {
	Path   string `json:"file_path"`
	Offset int    `json:"offset"`
	Limit  int    `json:"limit"`
}

func (b *toolbox) view(_ context.Context, p viewParameters) (string, error) {
	content, err := b.folder.read(p.Path)
	if err != nil {
		return "", err
	}
	lines := strings.Split(strings.TrimSuffix(content, "\n"), "\n")
	if p.Limit <= 0 {
		p.Limit = viewedLines
	}
	from := min(max(p.Offset, 0), len(lines))
	to := from + min(p.Limit, len(lines)-from)
	var out strings.Builder
	for index, line := range lines[from:to] {
		if len(line) > viewedLineBytes {
			line = strings.ToValidUTF8(line[:viewedLineBytes], "") + "…"
		}
		fmt.Fprintf(&out, "%6d|%s\n", from+index+1, line)
	}
	if to < len(lines) {
		fmt.Fprintf(&out, "(%d more lines; read on with offset %d)\n", len(lines)-to, to)
	}
	return "<file>\n" + out.String() + "</file>", nil
}

type editParameters struct {
	Path       string `json:"file_path"`
	Old        string `json:"old_string"`
	New        string `json:"new_string"`
	ReplaceAll bool   `json:"replace_all"`
}

func (b *toolbox) edit(_ context.Context, p editParameters) (string, error) {
	content, err := b.folder.read(p.Path)
	if p.Old == "" {
		return b.create(p, err)
	}
	if err != nil {
		return "", err
	}
	switch found := strings.Count(content, p.Old); {
	case found == 0:
		return "", fmt.Errorf("old_string was not found in %s; it must match exactly, white space included", p.Path)
	case found > 1 && !p.ReplaceAll:
		return "", fmt.Errorf("old_string stands %d times in %s; give more of the text around it, or set replace_all", found, p.Path)
	case p.Old == p.New:
		return "", errors.New("old_string and new_string are the same; nothing was changed")
	}
	return b.save(p.Path, strings.ReplaceAll(content, p.Old, p.New), "edited")
}

func (b *toolbox) create(p editParameters, readError error) (string, error) {
	if !errors.Is(readError, fs.ErrNotExist) {
		return "", fmt.Errorf("%s could not be created: it is there already, or not allowed; give old_string to change a file", p.Path)
	}
	return b.save(p.Path, p.New, "created")
}

type writeParameters struct {
	Path    string `json:"file_path"`
	Content string `json:"content"`
}

func (b *toolbox) write(_ context.Context, p writeParameters) (string, error) {
	return b.save(p.Path, p.Content, "written")
}

func (b *toolbox) save(path, content, done string) (string, error) {
	relative, err := b.folder.write(path, content)
	if err != nil {
		return "", err
	}
	b.report.wrote(relative)
	return fmt.Sprintf("File %s: %s (%d bytes)", done, relative, len(content)), nil
}
