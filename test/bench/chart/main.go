// Command chart reads the result of a benchmark from standard input. It replaces the previous result of that kind in
// performance.json, and writes performance.md and its pictures from all results.
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
	all, err := read(filepath.Join(dir, "performance.json"))
	if err != nil {
		return err
	}
	var fresh result.Report
	if err := json.NewDecoder(os.Stdin).Decode(&fresh); err != nil {
		return fmt.Errorf("read the result: %w", err)
	}
	// A part that the result does not have stays as it was.
	if len(fresh.Scrape) > 0 {
		all.Scrape = fresh.Scrape
	}
	if len(fresh.Peers) > 0 {
		all.Peers = fresh.Peers
	}
	if len(fresh.Growth) > 0 {
		all.Growth = fresh.Growth
	}
	if fresh.Node != nil {
		all.Node = fresh.Node
	}
	if len(all.Scrape) == 0 || len(all.Peers) == 0 {
		return fmt.Errorf("a part is missing in the result and in performance.json")
	}
	files, err := documents(all)
	if err != nil {
		return err
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// documents are the files of a report, by name.
func documents(all result.Report) (map[string][]byte, error) {
	data, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{
		"performance.json": append(data, '\n'), "performance.svg": picture(all.Scrape), "performance.md": page(all),
		"growth.svg": plots(all.Growth),
	}
	if all.Node != nil {
		files["node.svg"] = nodePicture(all.Node)
	}
	return files, nil
}

// read reads the previous results.
func read(path string) (r result.Report, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(data, &r)
}
