package node

import (
	"strings"
	"structs"

	"github.com/siloshim/siloshim/stats"
)

// JobName returns the name of the job object of a container with a namespace, the same as the shim.
func JobName(namespace, id string) string { return `Global\silo/` + namespace + "/" + id }

// parse splits the name of a job object. It returns false for one that is no container's.
func parse(path string) (Container, bool) {
	if id, ok := strings.CutPrefix(path, stats.SiloName("")); ok && id != "" {
		return Container{Kind: Server, Namespace: serverNamespace, ID: id, Job: path}, true
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
	return Container{Kind: kind, Namespace: namespace, ID: id, Job: JobName(namespace, id)}, true
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
