// Command chart turns the result of test/bench/scrape, which it reads from standard input, into docs/performance.md and the
// picture beside it.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/siloshim/siloshim/test/bench/result"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: chart DIRECTORY < RESULT")
		os.Exit(2)
	}
	if err := draw(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "chart:", err)
		os.Exit(1)
	}
}

func draw(dir string) error {
	var cases []result.Case
	if err := json.NewDecoder(os.Stdin).Decode(&cases); err != nil {
		return fmt.Errorf("read the result: %w", err)
	}
	if len(cases) == 0 {
		return fmt.Errorf("the result is empty")
	}
	if err := os.WriteFile(filepath.Join(dir, "performance.svg"), picture(cases), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "performance.md"), page(cases), 0o644)
}
