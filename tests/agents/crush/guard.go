// The loop guard: the same calls with the same results, too often among the last steps.

package main

import (
	"crypto/sha256"
	"fmt"
)

const (
	guardedSteps   = 10
	allowedRepeats = 5
)

// loopGuard remembers the signatures of the last steps.
type loopGuard struct {
	last [][sha256.Size]byte
}

// stuck notes a step and says whether its like has been seen more than five times in the last ten.
func (g *loopGuard) stuck(calls []call, results []string) bool {
	signature := signatureOf(calls, results)
	g.last = append(g.last, signature)
	if len(g.last) > guardedSteps {
		g.last = g.last[1:]
	}
	seen := 0
	for _, earlier := range g.last {
		if earlier == signature {
			seen++
		}
	}
	return seen > allowedRepeats
}

func signatureOf(calls []call, results []string) [sha256.Size]byte {
	digest := sha256.New()
	for index, made := range calls {
		fmt.Fprintf(digest, "%q %q %q\n", made.name, made.arguments, results[index])
	}
	return [sha256.Size]byte(digest.Sum(nil))
}
