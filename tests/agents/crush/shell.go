// The bash tool: a command in the work folder, ended with all it started when its time is up.

package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

const (
	shownOutput = 30_000
	// What a child left behind may hold the output open; wait this long for it, no longer.
	graceAfterKill = time.Second
)

// bashLimit is a variable so that tests need not wait for it.
var bashLimit = time.Minute

type bashParameters struct {
	Command string `json:"command"`
}

// bash gives the command's output; a failing command is a result, not an error.
func (b *toolbox) bash(ctx context.Context, p bashParameters) (string, error) {
	limited, cancel := context.WithTimeout(ctx, bashLimit)
	defer cancel()
	command := exec.CommandContext(limited, "bash", "-c", p.Command)
	command.Dir = b.folder.path
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	command.WaitDelay = graceAfterKill
	output, err := command.CombinedOutput()
	shown := shorten(strings.ToValidUTF8(string(output), "\uFFFD"))
	var exit *exec.ExitError
	switch {
	case limited.Err() != nil:
		return "", fmt.Errorf("%s\nthe command was ended after %s", shown, bashLimit)
	case errors.As(err, &exit):
		return fmt.Sprintf("%s\nExit code %d", shown, exit.ExitCode()), nil
	case err != nil && !errors.Is(err, exec.ErrWaitDelay):
		return "", err
	case shown == "":
		return "no output", nil
	default:
		return shown, nil
	}
}

// shorten keeps the two ends of a long output.
func shorten(text string) string {
	if len(text) <= shownOutput {
		return text
	}
	head, tail := text[:shownOutput/2], text[len(text)-shownOutput/2:]
	left := strings.Count(text[shownOutput/2:len(text)-shownOutput/2], "\n")
	return fmt.Sprintf("%s\n… (%d lines left out) …\n%s", strings.ToValidUTF8(head, ""), left, strings.ToValidUTF8(tail, ""))
}
