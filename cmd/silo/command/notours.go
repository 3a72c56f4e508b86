package command

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// What to do instead, where several verbs have one answer.
const (
	noImages   = "silo has no images; use nerdctl or ctr with containerd, or silo run --server --layer with layers of this machine"
	noRegistry = "silo uses no registry; use nerdctl with containerd"
	noCluster  = "silo runs one container per command line; use silo run -d, or silo service, for each program"
	noLayer    = "silo keeps no layer of a container; programs write to this machine's files, and --server removes its layer at the end"
	hostFiles  = "silo copies no files; programs use this machine's files, and with --server the directories of run --mount"
	hostPorts  = "silo maps no ports; programs listen on this machine's addresses, and with --server on those of run --network"
)

// notOurs has the verbs of docker that silo does not have, each with what to do instead.
var notOurs = map[string]string{
	"image": noImages, "images": noImages, "pull": noImages, "push": noImages, "build": noImages, "tag": noImages, "load": noImages,
	"save": noImages, "import": noImages, "rmi": noImages, "history": noImages, "buildx": noImages, "builder": noImages, "manifest": noImages,
	"login": noRegistry, "logout": noRegistry, "search": noRegistry,
	"compose": noCluster, "stack": noCluster, "swarm": noCluster, "node": noCluster,
	"diff": noLayer, "commit": noLayer, "export": noLayer, "cp": hostFiles, "port": hostPorts,
	"create":  "silo starts what it creates; use silo run -d",
	"volume":  "silo has no volumes; programs use this machine's directories, and with --server those of run --mount",
	"network": "silo makes no networks; programs use this machine's, and with --server those of run --network",
	"info":    "use silo doctor for what this machine supports, and silo ps -a for its containers",
	"context": "silo works on this machine only and has no daemon",
	"plugin":  "silo has no plug-ins and no daemon",
	"prune":   "use silo cleanup",
}

// renamed has the verbs below "docker container" and "docker system" whose name is another in silo.
var renamed = map[string]map[string]string{
	"container": {"ls": "ps", "list": "ps", "prune": "cleanup", "unpause": "resume"},
	"system":    {"info": "doctor", "df": "ps -o wide", "prune": "cleanup"},
}

// answer returns what to type instead of a verb of docker with its arguments, or "".
func (a *App) answer(verb string, args []string) string {
	below, both := renamed[verb]
	if !both {
		return notOurs[verb]
	}
	args = slices.DeleteFunc(slices.Clone(args), func(arg string) bool { return strings.HasPrefix(arg, "-") })
	if len(args) == 0 {
		return "leave " + verb + " out; silo help lists the verbs"
	}
	switch name := below[args[0]]; {
	case name != "":
		return "use silo " + name
	case a.verbs()[args[0]] != nil:
		return "leave " + verb + " out; use silo " + args[0]
	case notOurs[args[0]] != "":
		return notOurs[args[0]]
	}
	return "silo help lists the verbs"
}

// checkVerb returns an error with what to do for a command line whose verb silo does not have.
func (a *App) checkVerb(root *cobra.Command, args []string) error {
	at := slices.IndexFunc(args, func(arg string) bool { return !strings.HasPrefix(arg, "-") })
	if at > 0 && slices.Contains([]string{"-o", "--output"}, args[at-1]) {
		at++ // args[at] is its value
	}
	if at < 0 || at >= len(args) {
		return nil
	}
	verb := args[at]
	known := verb == "help" || verb == "completion" || strings.HasPrefix(verb, "__complete") // cobra adds them later
	if known || slices.ContainsFunc(root.Commands(), func(c *cobra.Command) bool { return c.Name() == verb || c.HasAlias(verb) }) {
		return nil
	}
	if text := a.answer(verb, args[at+1:]); text != "" {
		return fmt.Errorf("there is no verb %s: %s", verb, text)
	}
	root.SuggestionsMinimumDistance = 2
	if like := root.SuggestionsFor(verb); len(like) > 0 {
		return fmt.Errorf("there is no verb %s; did you mean %s?", printable(verb), strings.Join(like, " or "))
	}
	return fmt.Errorf("there is no verb %s; silo help lists the verbs", printable(verb))
}
