package main

import (
	"errors"
	"os"
	"strings"
)

// write FILE TEXT...: a file with that line.
func write(args []string) (int, error) {
	if len(args) == 0 {
		return 0, errors.New("write needs a file")
	}
	return 0, os.WriteFile(args[0], []byte(strings.Join(args[1:], " ")+"\n"), 0o644)
}

// read FILE: its content on standard output.
func read(args []string) (int, error) {
	text, err := os.ReadFile(strings.Join(args, " "))
	if err != nil {
		return 0, err
	}
	_, err = os.Stdout.Write(text)
	return 0, err
}
