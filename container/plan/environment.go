package plan

import (
	"fmt"
	"strings"

	"github.com/containerd/errdefs"
)

// mountPoint is the variable that names a job container's root file system.
// https://kubernetes.io/docs/tasks/configure-pod-container/create-hostprocess-pod/
const mountPoint = "CONTAINER_SANDBOX_MOUNT_POINT"

// MergeEnv lays the entries of a process over those of the host. Names are the same whatever their case; the last
// entry of a name holds, at the place of the first. Entries without a name are dropped, but for those of the
// host that keep a drive's working directory ("=C:=C:\dir").
func MergeEnv(base, spec []string) []string {
	merged := make([]string, 0, len(base)+len(spec))
	at := make(map[string]int, cap(merged))
	for _, list := range [][]string{base, spec} {
		for _, entry := range list {
			name, ok := envName(entry)
			if !ok {
				continue
			}
			key := strings.ToUpper(name)
			if i, seen := at[key]; seen {
				merged[i] = entry
				continue
			}
			at[key] = len(merged)
			merged = append(merged, entry)
		}
	}
	return merged
}

// envName is the part before the first "=" that is not the first character.
func envName(entry string) (string, bool) {
	if entry == "" {
		return "", false
	}
	i := strings.IndexByte(entry[1:], '=')
	return entry[:i+1], i >= 0
}

// env checks and completes the entries of a process. An entry with nothing behind "=" is kept.
func (j *HostProcess) env(entries []string) ([]string, error) {
	list := make([]string, 0, len(entries)+1)
	for i, entry := range entries {
		field := fmt.Sprintf("process.env[%d]", i)
		if err := checkText(field, entry); err != nil {
			return nil, err
		}
		name, _, ok := strings.Cut(entry, "=")
		switch {
		case !ok:
			return nil, fmt.Errorf("%s has no \"=\": write NAME=VALUE: %w", field, errdefs.ErrInvalidArgument)
		case name == "":
			return nil, fmt.Errorf("%s has no name before \"=\": write NAME=VALUE: %w", field, errdefs.ErrInvalidArgument)
		}
		list = append(list, j.substitute(entry))
	}
	if root := j.rootPath(); root != "" {
		list = append(list, mountPoint+"="+join(root, "")) // with its backslash, which text does not get
	}
	return MergeEnv(nil, list), nil
}

// substitute puts the root file system in the place of its variable, in the spellings of cmd and of PowerShell.
// Without a root file system there is nothing to put there.
func (j *HostProcess) substitute(text string) string {
	root := j.rootPath()
	if root == "" {
		return text
	}
	return strings.NewReplacer("%"+mountPoint+"%", root, "$env:"+mountPoint, root).Replace(text)
}

// lookupEnv finds the value of a variable whose name is the same whatever its case.
func lookupEnv(env []string, name string) (string, bool) {
	for _, entry := range env {
		if n, value, _ := strings.Cut(entry, "="); strings.EqualFold(n, name) {
			return value, true
		}
	}
	return "", false
}

// Environ is what a process of the job starts with: its own entries over those of its user. With a root file system
// PATH goes on to that, and to where Windows has PowerShell and its management tools: images that were made from
// others bring paths of their own.
func (j *HostProcess) Environ(user []string, p *Process) []string {
	env := MergeEnv(user, p.Env)
	if j.Root == nil {
		return env
	}
	system := join(j.host.Root, "System32")
	more := []string{j.Root.Path, join(system, `WindowsPowerShell\v1.0`), join(system, "Wbem")}
	for i, entry := range env {
		if name, value, _ := strings.Cut(entry, "="); strings.EqualFold(name, "PATH") {
			env[i] = name + "=" + extendPath(value, more)
			return env
		}
	}
	return append(env, "PATH="+extendPath("", more))
}

// extendPath adds the directories that are not in a search path yet.
func extendPath(path string, more []string) string {
	has := func(dir string) bool {
		for entry := range strings.SplitSeq(path, ";") {
			if strings.EqualFold(strings.TrimRight(backslashes(entry), `\`), dir) {
				return true
			}
		}
		return false
	}
	for _, dir := range more {
		if has(dir) {
			continue
		}
		if path = strings.TrimRight(path, ";"); path != "" {
			path += ";"
		}
		path += dir
	}
	return path
}
