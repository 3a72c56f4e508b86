package cli

import (
	"path/filepath"
	"testing"
)

func TestGuide_EachExample_PrintsWhatTheGuideSays(t *testing.T) {
	s := newSession(t)
	if n := play(t, s, filepath.Join(s.wine.Root(), "docs", "guide.md")); n < 30 {
		t.Errorf("the guide has %d examples, want 30 at least", n)
	}
}

// The page has twenty command lines of docker, typed as silo.
func TestDocker_TwentyLines_AnsweredAsDocumented(t *testing.T) {
	s := newSession(t)
	if n := play(t, s, filepath.Join(s.wine.Root(), "docs", "docker.md")); n < 20 {
		t.Errorf("the page has %d lines of docker, want 20 at least", n)
	}
}
