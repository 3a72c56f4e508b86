package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/containerd/errdefs"
)

// mountPoint is the variable that contains the path of a job container's root file system.
//
// https://kubernetes.io/docs/tasks/configure-pod-container/create-hostprocess-pod/
const mountPoint = "CONTAINER_SANDBOX_MOUNT_POINT"

// MergeEnv adds the entries of a process to those of the host. Of several entries with one name, in any case, the last
// value takes the position of the first. Entries without a name are dropped, except the working directories of drives
// ("=C:=C:\dir").
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

// checkEnv refuses malformed entries. A name without a value is valid.
func checkEnv(entries []string) error {
	for i, entry := range entries {
		field := fmt.Sprintf("process.env[%d]", i)
		if err := checkText(field, entry); err != nil {
			return err
		}
		name, _, ok := strings.Cut(entry, "=")
		switch {
		case !ok:
			return fmt.Errorf("%s has no \"=\"; write NAME=VALUE: %w", field, errdefs.ErrInvalidArgument)
		case name == "":
			return fmt.Errorf("%s has no name before \"=\"; write NAME=VALUE: %w", field, errdefs.ErrInvalidArgument)
		}
	}
	return nil
}

// env is the environment of a process without that of its user.
func (j *HostProcess) env(entries []string) []string {
	list := make([]string, 0, len(entries)+1)
	for _, entry := range entries {
		list = append(list, j.substitute(entry))
	}
	if root := j.rootPath(); root != "" {
		list = append(list, mountPoint+"="+join(root, "")) // the variable has a backslash at its end, unlike substituted text
	}
	return MergeEnv(nil, list)
}

// substitute replaces references to the variable of the root file system, as cmd and PowerShell write them. Without a
// root file system the text stays as it is.
func (j *HostProcess) substitute(text string) string {
	root := j.rootPath()
	if root == "" {
		return text
	}
	return strings.NewReplacer("%"+mountPoint+"%", root, "$env:"+mountPoint, root).Replace(text)
}

// indexEnv is the index of the entry with a name, in any case, or -1.
func indexEnv(env []string, name string) int {
	return slices.IndexFunc(env, func(entry string) bool {
		n, _, _ := strings.Cut(entry, "=")
		return strings.EqualFold(n, name)
	})
}

// lookupEnv is the value of a variable, or "".
func lookupEnv(env []string, name string) (value string) {
	if i := indexEnv(env, name); i >= 0 {
		_, value, _ = strings.Cut(env[i], "=")
	}
	return value
}

// Environ is the environment of a process in the job: its own entries over those of its user. With a root file system,
// its path and the directories of PowerShell and of Windows' management tools are appended to PATH, because images that
// were built from another base set a PATH without them.
func (j *HostProcess) Environ(user []string, p *Process) []string {
	env := MergeEnv(user, p.Env)
	if j.Root == nil {
		return env
	}
	system := join(j.host.Root, "System32")
	more := []string{j.Root.Path, join(system, `WindowsPowerShell\v1.0`), join(system, "Wbem")}
	i := indexEnv(env, "PATH")
	if i < 0 {
		return append(env, "PATH="+extendPath("", more))
	}
	name, value, _ := strings.Cut(env[i], "=")
	env[i] = name + "=" + extendPath(value, more)
	return env
}

// extendPath appends the directories that are not in a search path yet.
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
