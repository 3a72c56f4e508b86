package node

import (
	"strings"
	"structs"

	"github.com/siloshim/siloshim/stats"
)

// fold is the form in which ids of containers of silo are compared. The record of such a container is a directory, and
// names of directories that differ in case alone are one; names of jobs and events are not.
//
// https://learn.microsoft.com/windows/win32/sync/object-names
func fold(id string) string { return strings.ToLower(id) }

// JobName returns the name of the job object of a container with a namespace, the same as the shim. In the namespace
// [Own] ids that differ in case alone have the same name.
func JobName(namespace, id string) string {
	if namespace == Own {
		id = fold(id)
	}
	return global + namespace + "/" + id
}

// global is before the namespace in the name of a job.
const global = `Global\silo/`

// parse splits the name of a job object. It returns false for one that is no container's.
func parse(path string) (Container, bool) {
	if id, ok := strings.CutPrefix(path, stats.SiloName("")); ok && id != "" {
		return Container{Kind: Server, Namespace: serverNamespace, ID: id, Job: path, Status: Running, System: id}, true
	}
	rest, ok := strings.CutPrefix(path, `\BaseNamedObjects\silo/`)
	namespace, id, both := strings.Cut(rest, "/")
	if !ok || !both || namespace == "" || id == "" || strings.Contains(id, "/") {
		return Container{}, false
	}
	kind := Task
	if namespace == Own {
		kind = Run
	}
	return Container{Kind: kind, Namespace: namespace, ID: id, Job: global + rest, Status: Running}, true
}

// unicodeString is UNICODE_STRING: lengths in bytes, and text without a NUL at its end.
//
// https://learn.microsoft.com/windows/win32/api/ntdef/ns-ntdef-_unicode_string
type unicodeString struct {
	_               structs.HostLayout
	length, maximum uint16
	buffer          *uint16
}

// directoryEntry is OBJECT_DIRECTORY_INFORMATION. It is declared for every system so that its layout is tested on each.
//
// https://learn.microsoft.com/windows/win32/devnotes/ntquerydirectoryobject
type directoryEntry struct {
	_              structs.HostLayout
	name, typeName unicodeString
}
