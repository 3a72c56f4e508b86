package jobobject

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"
)

// cleanEnvironment checks env and returns it as the kernel wants it: sorted by
// key without regard to case, each key once, the last entry winning. Errors
// give the index of the entry and never its text.
func cleanEnvironment(env []string) ([]string, error) {
	type entry struct{ key, text string }
	entries := make([]entry, 0, len(env))
	for i, text := range env {
		key, err := environmentKey(text)
		if err != nil {
			return nil, fmt.Errorf("environment entry %d %w", i, err)
		}
		entries = append(entries, entry{strings.ToUpper(key), text})
	}
	slices.SortStableFunc(entries, func(a, b entry) int { return cmp.Compare(a.key, b.key) })
	clean := make([]string, 0, len(entries))
	for i, e := range entries {
		if i+1 < len(entries) && entries[i+1].key == e.key {
			continue
		}
		clean = append(clean, e.text)
	}
	return clean, nil
}

// environmentKey is the part before the equals sign. The first character is
// part of the key even if it is one: Windows keeps the current directory of
// each drive in variables such as "=C:".
func environmentKey(text string) (string, error) {
	if strings.ContainsRune(text, 0) {
		return "", errors.New("has a NUL character")
	}
	if text == "" || text == "=" {
		return "", errors.New("has no name")
	}
	if i := strings.IndexByte(text[1:], '='); i >= 0 {
		return text[:i+1], nil
	}
	if text[0] == '=' {
		return "", errors.New("has no name")
	}
	return "", errors.New("has no equals sign")
}

// environmentBlock encodes a clean environment: each entry and then the whole
// end in NUL, and an empty one has both.
//
// https://learn.microsoft.com/windows/win32/procthread/environment-variables
func environmentBlock(env []string) []uint16 {
	var block []uint16
	for _, text := range env {
		for _, r := range text {
			block = utf16.AppendRune(block, r)
		}
		block = append(block, 0)
	}
	if len(env) == 0 {
		block = append(block, 0)
	}
	return append(block, 0)
}
