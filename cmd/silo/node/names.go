package node

import (
	"encoding/binary"
	"errors"
	"strings"
	"structs"
	"unicode/utf16"
	"unsafe"

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
	if strings.ContainsRune(path, 0) { // such a job was made by no shim
		return Container{}, false
	}
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
	buffer          uintptr
}

// text reads the text from a buffer that is at the address base. It returns false for text outside of the buffer.
func (s unicodeString) text(buffer []byte, base uintptr) (string, bool) {
	from := s.buffer - base
	if s.length == 0 {
		return "", true
	}
	if s.buffer < base || s.length%2 != 0 || from > uintptr(len(buffer)) || uintptr(s.length) > uintptr(len(buffer))-from {
		return "", false
	}
	units := make([]uint16, s.length/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(buffer[int(from)+2*i:])
	}
	return string(utf16.Decode(units)), true
}

// directoryEntry is OBJECT_DIRECTORY_INFORMATION. It is declared for every system so that its layout is tested on each.
//
// https://learn.microsoft.com/windows/win32/devnotes/ntquerydirectoryobject
type directoryEntry struct {
	_              structs.HostLayout
	name, typeName unicodeString
}

// decodeEntry returns the name of the object and of its type, from the answer in a buffer that is at the address base.
func decodeEntry(buffer []byte, base uintptr) (name, typeName string, err error) {
	var entry directoryEntry
	const size = unsafe.Sizeof(entry)
	if uintptr(len(buffer)) < size {
		return "", "", errMalformed
	}
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&entry)), size), buffer)
	name, named := entry.name.text(buffer, base)
	typeName, typed := entry.typeName.text(buffer, base)
	if !named || !typed {
		return "", "", errMalformed
	}
	return name, typeName, nil
}

// errMalformed is returned for an answer that contradicts itself.
var errMalformed = errors.New("the kernel's answer is not well formed")
