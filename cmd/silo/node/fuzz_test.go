package node

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
	"unsafe"

	"github.com/siloshim/siloshim/jobobject/jobtest"
)

// entryBase is the address of the buffers of this file.
const entryBase = 0x7FF000

// entryOf is an entry of an object directory, as the kernel writes it.
func entryOf(name, typeName string) []byte {
	buffer := make([]byte, unsafe.Sizeof(directoryEntry{}))
	for i, text := range []string{name, typeName} {
		units := utf16.Encode([]rune(text))
		binary.LittleEndian.PutUint16(buffer[16*i:], uint16(2*len(units)))
		binary.LittleEndian.PutUint16(buffer[16*i+2:], uint16(2*len(units)+2))
		binary.LittleEndian.PutUint64(buffer[16*i+8:], entryBase+uint64(len(buffer)))
		for _, u := range append(units, 0) {
			buffer = binary.LittleEndian.AppendUint16(buffer, u)
		}
	}
	return buffer
}

func TestDecodeEntry_NameOutsideOfTheAnswer_Refused(t *testing.T) {
	whole := entryOf(`silo/k8s/ä😀`, "Job")
	if name, typeName, err := decodeEntry(whole, entryBase); err != nil || name != `silo/k8s/ä😀` || typeName != "Job" {
		t.Errorf("got %q, %q, %v", name, typeName, err)
	}
	for what, change := range map[string]func([]byte){
		"before the buffer": func(b []byte) { binary.LittleEndian.PutUint64(b[8:], 1) },
		"behind the buffer": func(b []byte) { binary.LittleEndian.PutUint64(b[8:], entryBase+uint64(len(b))) },
		"longer":            func(b []byte) { binary.LittleEndian.PutUint16(b, 0xFFFE) },
		"half a character":  func(b []byte) { binary.LittleEndian.PutUint16(b, 3) },
		"no type":           func(b []byte) { binary.LittleEndian.PutUint64(b[24:], 0) },
	} {
		torn := append([]byte(nil), whole...)
		change(torn)
		if name, _, err := decodeEntry(torn, entryBase); !errors.Is(err, errMalformed) {
			t.Errorf("%s: %q, %v", what, name, err)
		}
	}
}

// FuzzDirectoryEntry: an answer is refused, or names an object with text inside of it.
func FuzzDirectoryEntry(f *testing.F) {
	f.Add(entryOf(`silo/silo/web`, "Job"))
	f.Add(entryOf("", "Event"))
	f.Add(make([]byte, 40))
	f.Fuzz(func(t *testing.T, buffer []byte) {
		name, typeName, err := decodeEntry(buffer, entryBase)
		if most := len(buffer); err == nil && (2*len(utf16.Encode([]rune(name))) > most || 2*len(utf16.Encode([]rune(typeName))) > most) {
			t.Errorf("%q and %q are longer than their buffer", name, typeName)
		}
	})
}

// FuzzJobName: the name of a job is that of a container, or of none. Such a container has the same job.
func FuzzJobName(f *testing.F) {
	for _, seed := range []string{`\BaseNamedObjects\silo/k8s.io/web`, `\BaseNamedObjects\silo/silo/Web`, `\Container_x`, `\BaseNamedObjects\silo/a/b/c`, "\\BaseNamedObjects\\silo/k8s.io/web\x00b", "\\BaseNamedObjects\\silo/a\x00/b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		c, ok := parse(path)
		if !ok {
			return
		}
		if c.ID == "" || c.Namespace == "" || c.Kind == Task && `\BaseNamedObjects\`+strings.TrimPrefix(JobName(c.Namespace, c.ID), `Global\`) != path {
			t.Errorf("%q is %+v", path, c)
		}
		if strings.ContainsRune(c.ID+c.Namespace, 0) {
			t.Errorf("%q: no container has NUL in its name", path)
		}
	})
}

// FuzzRecord: a record is refused, or is the same when it is written and read again. One that is refused has a container
// in the list.
func FuzzRecord(f *testing.F) {
	whole := Record{
		Version: 1, Kind: Run, ID: "web", Supervisor: 4, Program: `C:\a.exe`, Pid: 8, Started: time.Unix(1_700_000_000, 0).UTC(), Restarts: 2,
		Log: `C:\x.log`, LogStart: &LogPosition{1, 2}, Status: Running, LastExit: &Exit{Code: 3}, OutputErrors: []OutputError{{Target: "log"}},
	}
	text, err := json.Marshal(whole)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{string(text), `{"version":2,"id":5}`, `{"id":"WEB","exit":null}`, `{"id":"..\\x"}`, "null", ""} {
		f.Add([]byte(seed))
	}
	kernel := jobtest.New()
	f.Fuzz(func(t *testing.T, text []byte) {
		r := Records{Dir: t.TempDir(), Kernel: kernel}
		if err := errors.Join(os.MkdirAll(r.Path("web"), 0o700), os.WriteFile(filepath.Join(r.Path("web"), recordFile), text, 0o600)); err != nil {
			t.Fatal(err)
		}
		list, err := r.All()
		if err != nil || len(list) != 1 || list[0].Namespace != Own || fold(list[0].ID) != "web" {
			t.Fatalf("%s is listed as %+v, %v", text, list, err)
		}
		rec, err := r.Read("web")
		if (err != nil) != (list[0].Status == Unknown) && list[0].Error == "" && err != nil {
			t.Errorf("%v, but the list has %+v", err, list[0])
		}
		if err != nil {
			return
		}
		if fold(rec.ID) != "web" {
			t.Errorf("the id is %q", rec.ID)
		}
		if err := r.Write(rec); err != nil {
			return // a time out of range
		}
		if again, err := r.Read("web"); err != nil || again.Log != rec.Log || again.Restarts != rec.Restarts || !again.Started.Equal(rec.Started) {
			t.Errorf("%+v became %+v, %v", rec, again, err)
		}
	})
}

// FuzzLaunch: a stored command line is refused, or read.
func FuzzLaunch(f *testing.F) {
	r := Records{Dir: f.TempDir()}
	if err := r.WriteLaunch("web", &Launch{Args: []string{"run", "--", "app"}, Dir: `C:\`, Env: []string{"A=1"}}); err != nil {
		f.Fatal(err)
	}
	path := filepath.Join(r.Path("web"), launchFile)
	text, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{string(text), `{"version":9}`, `{"version":1,"protection":"none","data":"bnVsbA=="}`, "null"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := r.ReadLaunch("web")
		if (l == nil) == (err == nil) {
			t.Errorf("%s: %+v, %v", text, l, err)
		}
		if err != nil && !strings.Contains(err.Error(), "web") {
			t.Errorf("%v names no container", err)
		}
	})
}
