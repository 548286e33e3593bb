// The tools on a real folder, which they do not leave.

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func box(t *testing.T) (*toolbox, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "work")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	folder, err := openWorkFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { folder.Close() })
	return newToolbox(folder, newReport()), dir
}

// use runs a tool as the loop does: what the model reads, and whether it is an error.
func use(t *testing.T, b *toolbox, name, sent string) (string, bool) {
	t.Helper()
	result, err := b.run(t.Context(), name, prepare(sent))
	if err != nil {
		return err.Error(), true
	}
	return result, false
}

func TestWriteCreatesFoldersAndReplacesFiles(t *testing.T) {
	b, dir := box(t)
	for _, content := range []string{"one\n", "two\n", ""} {
		if result, failed := use(t, b, "write", object("file_path", "a/b/c.txt", "content", content)); failed {
			t.Fatal(result)
		}
		same(t, "content", read(t, at(dir, "a/b/c.txt")), content)
	}
	same(t, "written once", strings.Join(b.report.FilesWritten, " "), "a/b/c.txt")
}

func TestAFileKeepsItsMode(t *testing.T) {
	b, dir := box(t)
	put(t, at(dir, "run.sh"), "x")
	if err := os.Chmod(at(dir, "run.sh"), 0o755); err != nil {
		t.Fatal(err)
	}
	use(t, b, "write", object("file_path", "run.sh", "content", "y"))
	known, err := os.Stat(at(dir, "run.sh"))
	if err != nil {
		t.Fatal(err)
	}
	same(t, "mode", known.Mode().Perm(), 0o755)
}

func TestEdit(t *testing.T) {
	cases := []struct {
		name, old, new, all string
		want, result        string
		failed              bool
	}{
		{"once", "two", "2", "false", "one 2 one", "File edited: f (9 bytes)", false},
		{"deletes", "two ", "", "false", "one one", "File edited: f", false},
		{"not there", "three", "3", "false", "one two one", "was not found", true},
		{"twice", "one", "1", "false", "one two one", "stands 2 times", true},
		{"all", "one", "1", "true", "1 two 1", "File edited", false},
		{"same", "two", "two", "false", "one two one", "nothing was changed", true},
		{"empty old text on a file that is there", "", "x", "false", "one two one", "could not be created", true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b, dir := box(t)
			put(t, at(dir, "f"), "one two one")
			sent := fmt.Sprintf(`{"file_path":"f","old_string":%q,"new_string":%q,"replace_all":%s}`, c.old, c.new, c.all)
			result, failed := use(t, b, "edit", sent)
			same(t, "failed", failed, c.failed)
			contains(t, result, c.result)
			same(t, "content", read(t, at(dir, "f")), c.want)
		})
	}
	b, dir := box(t)
	use(t, b, "edit", object("file_path", "new/f", "old_string", "", "new_string", "made"))
	same(t, "created", read(t, at(dir, "new/f")), "made")
}

func TestView(t *testing.T) {
	b, dir := box(t)
	put(t, at(dir, "f"), "a\nb\nc\n")
	result, _ := use(t, b, "view", `{"file_path":"f","offset":1,"limit":1}`)
	same(t, "a part", result, "<file>\n     2|b\n(1 more lines; read on with offset 2)\n</file>")
	put(t, at(dir, "wide"), strings.Repeat("é", 2000))
	result, _ = use(t, b, "view", `{"file_path":"wide","offset":-5,"limit":9223372036854775807}`)
	same(t, "a long line is cut at a character", strings.Count(result, "é"), 1000)
	result, failed := use(t, b, "view", `{"file_path":"f","offset":99}`)
	same(t, "past the end", result, "<file>\n</file>")
	same(t, "is no error", failed, false)
	_, failed = use(t, b, "view", `{"file_path":"absent"}`)
	same(t, "absent", failed, true)
}

func TestListAndGrep(t *testing.T) {
	b, dir := box(t)
	if err := os.MkdirAll(at(dir, "sub/.git"), 0o755); err != nil {
		t.Fatal(err)
	}
	put(t, at(dir, "a.go"), "alpha\nfunc (x)\n")
	put(t, at(dir, "sub/b.py"), "alpha\n")
	put(t, at(dir, "sub/binary.go"), "alpha\xff\n")
	put(t, at(dir, "sub/.hidden"), "alpha\n")
	cases := []struct{ name, sent, want string }{
		{"ls", `{}`, "a.go\nsub/\nsub/b.py\nsub/binary.go"},
		{"ls", object("path", "sub"), "sub/b.py\nsub/binary.go"},
		{"grep", object("pattern", "^al"), "a.go:1: alpha\nsub/b.py:1: alpha"},
		{"grep", object("pattern", "alpha", "include", "*.py"), "sub/b.py:1: alpha"},
		{"grep", object("pattern", "alpha", "path", at(dir, "a.go")), "a.go:1: alpha"},
		{"grep", `{"pattern":"(x)","literal_text":true}`, "a.go:2: func (x)"},
		{"grep", object("pattern", "beta"), "No files found"},
	}
	for _, c := range cases {
		result, failed := use(t, b, c.name, c.sent)
		same(t, c.name+c.sent, result, c.want)
		same(t, "failed", failed, false)
	}
	result, failed := use(t, b, "grep", object("pattern", "("))
	same(t, "a bad pattern", failed, true)
	contains(t, result, "invalid pattern")
}

func TestTheFileToolsDoNotLeaveTheFolder(t *testing.T) {
	b, dir := box(t)
	outside := at(filepath.Dir(dir), "secret")
	put(t, outside, "secret")
	if err := os.Symlink(outside, at(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{outside, "../secret", "a/../../secret", "link", "/etc/hostname"} {
		for name, sent := range map[string]string{
			"view":  object("file_path", path),
			"write": object("file_path", path, "content", "gone"),
			"edit":  object("file_path", path, "old_string", "secret", "new_string", "gone"),
		} {
			if result, failed := use(t, b, name, sent); !failed {
				t.Errorf("%s %s: %s", name, path, result)
			}
		}
	}
	for _, name := range []string{"ls", "grep"} {
		if result, failed := use(t, b, name, object("path", "..", "pattern", "s")); !failed {
			t.Errorf("%s: %s", name, result)
		}
	}
	same(t, "the file outside", read(t, outside), "secret")
	same(t, "nothing written", len(b.report.FilesWritten), 0)
}

func TestBash(t *testing.T) {
	b, dir := box(t)
	put(t, at(dir, "f"), "here\n")
	cases := []struct {
		command, want string
	}{
		{"cat f", "here\n"},
		{"true", "no output"},
		{"echo out; echo err >&2; exit 3", "out\nerr\n\nExit code 3"},
	}
	for _, c := range cases {
		result, failed := use(t, b, "bash", object("command", c.command))
		same(t, c.command, result, c.want)
		same(t, "failed", failed, false)
	}
	result, _ := use(t, b, "bash", object("command", "seq 1 20000"))
	same(t, "a long output is shortened", len(result) < shownOutput+100, true)
	contains(t, result, "lines left out")
}

func TestBashEndsWithAllItStarted(t *testing.T) {
	before := bashLimit
	bashLimit = 200 * time.Millisecond
	t.Cleanup(func() { bashLimit = before })
	b, _ := box(t)
	start := time.Now()
	result, failed := use(t, b, "bash", object("command", "echo begun; sleep 30 & sleep 30"))
	same(t, "failed", failed, true)
	contains(t, result, "begun")
	contains(t, result, "was ended after 200ms")
	if waited := time.Since(start); waited > 10*time.Second {
		t.Errorf("took %s", waited)
	}
}

func TestACallThatCannotRunIsAnErrorResult(t *testing.T) {
	cases := []struct{ name, sent, want string }{
		{"write", `{"file_path":"f"}`, "missing required parameter: content"},
		{"write", `{"file_path":"f","cont`, "missing required parameter: content"},
		{"view", ``, "missing required parameter: file_path"},
		{"write", `:`, "Tool call failed: arguments were not valid JSON."},
		{"write", `{"file_path":"f","content":7}`, "invalid parameters"},
		{"rm", `{}`, "tool not found: rm"},
	}
	for _, c := range cases {
		b, dir := box(t)
		result, failed := use(t, b, c.name, c.sent)
		same(t, "failed "+c.sent, failed, true)
		contains(t, result, c.want)
		if _, err := os.Stat(at(dir, "f")); err == nil {
			t.Errorf("%s wrote the file", c.sent)
		}
	}
}

func TestBrokenArgumentsBecomeAnEmptyObjectInTheHistory(t *testing.T) {
	s := serve(t, calls("write", `]`), says("ok"))
	done := s.run(t.TempDir())
	history := s.of("step")[1].body.Messages
	same(t, "arguments", history[2].Calls[0].Function.Arguments, "{}")
	contains(t, history[3].Content, "Tool call failed: arguments were not valid JSON")
	same(t, "error", done.ToolCalls[0].Error, true)
	same(t, "rc", done.RC, 0)
}
