package command

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// takeContainers has the verbs whose arguments are containers, and how many they take; 0 is any number.
var takeContainers = map[string]int{
	"exec": 1, "inspect": 0, "kill": 0, "logs": 1, "pause": 0, "rename": 1, "restart": 0, "resume": 0, "rm": 0, "start": 0, "stats": 0,
	"stop": 0, "top": 0, "update": 0, "wait": 0,
}

// takeEnded are those of them that also take a container that has ended.
var takeEnded = []string{"inspect", "logs", "rename", "restart", "rm", "start", "wait"}

// completes adds the completion of a verb's arguments.
func (a *App) completes(c *cobra.Command) {
	most, takes := takeContainers[c.Name()]
	if !takes {
		return
	}
	c.ValidArgsFunction = func(_ *cobra.Command, given []string, prefix string) ([]string, cobra.ShellCompDirective) {
		if most > 0 && len(given) >= most {
			return nil, cobra.ShellCompDirectiveDefault // what follows is a program
		}
		return a.completions(c.Name(), given, prefix), cobra.ShellCompDirectiveNoFileComp
	}
}

// completions returns the ids and names of containers with a prefix, without those that are given already.
func (a *App) completions(verb string, given []string, prefix string) []string {
	find := a.Node.Containers
	if slices.Contains(takeEnded, verb) {
		find = a.Node.All
	}
	list, err := find()
	if err != nil {
		return nil // a shell does not print the error
	}
	var names []string
	for _, c := range list {
		for _, name := range []string{c.ID, c.Name()} {
			if strings.HasPrefix(name, prefix) && !slices.Contains(given, name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
