// Command payload is the program that tests put into containers: payload MODE [ARG...].
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"strings"
)

// modes are the functions of the payload. Each gets the arguments after its name and returns the exit code.
var modes = map[string]func(args []string) (int, error){
	"sleep":    sleep,
	"exit":     exit,
	"print":    printLine,
	"say":      say,
	"err":      printErr,
	"cat":      cat,
	"count":    count,
	"flood":    floodOut,
	"lines":    lines,
	"hold":     hold,
	"tree":     tree,
	"args":     printArgs,
	"read":     read,
	"write":    write,
	"env":      printEnv,
	"cwd":      printCwd,
	"pid":      printPid,
	"await":    await,
	"burn":     burn,
	"spend":    spend,
	"pace":     pace,
	"alloc":    alloc,
	"holdout":  holdOut,
	"chain":    chain,
	"parting":  parting,
	"logger":   logger,
	"kill":     kill,
	"stacks":   stacks,
	"group":    group,
	"cni":      cni,
	"deaf":     deaf,
	"obey":     obey,
	"executor": executor,
	"hostile":  hostile,
}

func main() {
	if os.Getenv("CNI_COMMAND") != "" { // containerd gives a plug-in no arguments
		os.Args = []string{os.Args[0], "cni"}
	}
	if len(os.Args) < 2 || modes[os.Args[1]] == nil {
		var names []string
		for name := range modes {
			names = append(names, name)
		}
		sort.Strings(names)
		fmt.Fprintln(os.Stderr, "payload: modes are", strings.Join(names, " "))
		os.Exit(2)
	}
	code, err := modes[os.Args[1]](os.Args[2:])
	if err != nil {
		fmt.Fprintf(os.Stderr, "payload %s: %v\n", os.Args[1], err)
		os.Exit(1)
	}
	os.Exit(code)
}

// cni is a plug-in of the Container Network Interface. Every pod gets the same address and no network. The request is
// in the environment.
func cni([]string) (int, error) {
	const version = "1.0.0"
	type object = map[string]any
	var answer object
	switch command := os.Getenv("CNI_COMMAND"); command {
	case "VERSION":
		answer = object{"cniVersion": version, "supportedVersions": []string{version}}
	case "ADD":
		answer = object{
			"cniVersion": version,
			"interfaces": []object{{"name": os.Getenv("CNI_IFNAME"), "sandbox": os.Getenv("CNI_NETNS")}},
			"ips":        []object{{"address": "10.88.0.2/16", "interface": 0}},
		}
	case "DEL", "CHECK", "STATUS", "GC":
		return 0, nil
	default:
		return 0, fmt.Errorf("no command %q", command)
	}
	return 0, json.NewEncoder(os.Stdout).Encode(answer)
}
