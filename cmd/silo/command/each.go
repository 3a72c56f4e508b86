package command

import "fmt"

// codeSome is the exit code of a verb that has failed for some of the containers named.
const codeSome = 1

// eachName calls act for every name. It prints the containers of those that succeeded, which act returns, and the error of
// each other one. The exit code is then [codeSome].
func (a *App) eachName(refs []string, act func(ref string) (name string, err error)) error {
	failed := false
	for _, ref := range refs {
		name, err := act(ref)
		if err != nil {
			failed = true
			fmt.Fprintf(a.Stderr, "silo: %v\n", err)
			continue
		}
		fmt.Fprintln(a.Stdout, name)
	}
	if failed {
		return exit(codeSome)
	}
	return nil
}
