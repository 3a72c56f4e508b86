package command

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// takeContainers are the verbs whose arguments are containers, with how many of them; 0 is any number.
var takeContainers = map[string]int{
	"exec": 1, "inspect": 0, "kill": 0, "logs": 1, "pause": 0, "resume": 0, "stats": 0, "stop": 0, "top": 0, "update": 0, "wait": 0,
}

// completes teaches a verb what the shell can offer for its arguments.
func (a *App) completes(c *cobra.Command) {
	most, takes := takeContainers[c.Name()]
	if !takes {
		return
	}
	c.ValidArgsFunction = func(_ *cobra.Command, given []string, begun string) ([]string, cobra.ShellCompDirective) {
		if most > 0 && len(given) >= most {
			return nil, cobra.ShellCompDirectiveDefault // what follows is a program
		}
		return a.offers(given, begun), cobra.ShellCompDirectiveNoFileComp
	}
}

// offers are the containers that begin so, by id and by namespace/id, but for those that are there already.
func (a *App) offers(given []string, begun string) []string {
	list, err := a.Node.Containers()
	if err != nil {
		return nil // a shell has no place for the reason
	}
	var names []string
	for _, c := range list {
		for _, name := range []string{c.ID, c.Name()} {
			if strings.HasPrefix(name, begun) && !slices.Contains(given, name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
