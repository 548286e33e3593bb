// The work folder: the only place that the file tools reach, symbolic links included.

package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// workFolder opens files below one directory and refuses everything else.
type workFolder struct {
	path string // absolute
	root *os.Root
}

func openWorkFolder(dir string) (*workFolder, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(absolute)
	if err != nil {
		return nil, fmt.Errorf("work folder: %w", err)
	}
	return &workFolder{path: absolute, root: root}, nil
}

func (w *workFolder) Close() error { return w.root.Close() }

// inside makes a path, absolute or not, relative to the folder.
func (w *workFolder) inside(path string) (string, error) {
	if !filepath.IsAbs(path) {
		path = filepath.Join(w.path, path)
	}
	relative, err := filepath.Rel(w.path, filepath.Clean(path))
	if err != nil || relative == ".." || strings.HasPrefix(relative, ".."+string(filepath.Separator)) {
		return "", fmt.Errorf("refused: %s is outside the working directory", path)
	}
	return relative, nil
}

func (w *workFolder) read(path string) (string, error) {
	relative, err := w.inside(path)
	if err != nil {
		return "", err
	}
	content, err := w.root.ReadFile(relative)
	return string(content), err
}

// write creates or replaces a file, with the folders above it, and gives its path relative to the work folder.
func (w *workFolder) write(path, content string) (string, error) {
	relative, err := w.inside(path)
	if err != nil {
		return "", err
	}
	if err := w.root.MkdirAll(filepath.Dir(relative), 0o755); err != nil {
		return "", err
	}
	mode := fs.FileMode(0o644)
	if known, err := w.root.Stat(relative); err == nil {
		mode = known.Mode().Perm()
	}
	return filepath.ToSlash(relative), w.root.WriteFile(relative, []byte(content), mode)
}

// walk visits every file and folder below a path; hidden ones are left out.
func (w *workFolder) walk(path string, visit func(relative string, entry fs.DirEntry) error) error {
	start, err := w.inside(path)
	if err != nil {
		return err
	}
	return fs.WalkDir(w.root.FS(), filepath.ToSlash(start), func(relative string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		hidden := strings.HasPrefix(entry.Name(), ".") && relative != "."
		switch {
		case hidden && entry.IsDir():
			return fs.SkipDir
		case hidden || relative == filepath.ToSlash(start) && entry.IsDir():
			return nil
		}
		return visit(relative, entry)
	})
}
