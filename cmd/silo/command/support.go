package command

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/siloshim/siloshim/cmd/silo/install"
	"github.com/siloshim/siloshim/cmd/silo/node"
	"github.com/siloshim/siloshim/container/resource"
	"github.com/siloshim/siloshim/internal/buildinfo"
	"github.com/siloshim/siloshim/internal/logfile"
	"github.com/siloshim/siloshim/internal/redact"
	"github.com/siloshim/siloshim/internal/textfile"
)

// Bounds of a support bundle.
const (
	supportTime = 2 * time.Minute
	supportTail = 1 << 20  // bytes of each file, from its end
	outputTail  = 64 << 10 // bytes of a container's output
	eventCount  = 200      // of the event log
)

// supportReadme is the first file of a support bundle.
const supportReadme = `This is a support bundle of silo doctor. Read it before you send it.

Removed: values of environment variables, credential specs, values after keys and flags such as password or --token, credentials in
addresses and headers, private keys. A secret under another name may be left, in an argument or in a line of a log.
The output of containers is in it only with --bundle-output.
missing.json lists what could not be read.
`

// support collects the files of a support bundle. Every file passes through package redact.
type support struct {
	app     *App
	zip     *zip.Writer
	missing map[string]string // why a part is not in the bundle
	failed  error             // the first error of the bundle itself
}

// writeBundle writes a support bundle to a new file. A part that cannot be read is left out and named in it.
func (a *App) writeBundle(ctx context.Context, name string, checks []check, withOutput bool) (err error) {
	ctx, cancel := context.WithTimeout(ctx, supportTime)
	defer cancel()
	file, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("--bundle %s: the file exists; choose another name", name)
	}
	if err != nil {
		return fmt.Errorf("--bundle: %w", err)
	}
	s := &support{app: a, zip: zip.NewWriter(file), missing: map[string]string{}}
	defer func() {
		if err = errors.Join(err, s.failed, s.zip.Close(), file.Close()); err != nil {
			err = errors.Join(fmt.Errorf("write %s: %w", name, err), os.Remove(name))
		}
	}()
	s.add("README.txt", []byte(supportReadme))
	s.addJSON("version.json", a.versions())
	s.addJSON("doctor.json", checks)
	s.containers(withOutput)
	s.bundles()
	s.containerd(ctx)
	s.addJSON("missing.json", s.missing)
	return nil
}

// versions describes this build and the system.
func (a *App) versions() map[string]string {
	version, revision := buildinfo.Read()
	return map[string]string{
		"version": version, "revision": revision, "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH,
		"windows": windowsBuild(), "at": a.Now().UTC().Format(time.RFC3339),
	}
}

// add writes a file without its secrets.
func (s *support) add(name string, text []byte) {
	if path.Ext(name) == ".json" {
		text = redact.JSON(text)
	} else {
		text = []byte(redact.Text(string(text)))
	}
	w, err := s.zip.CreateHeader(&zip.FileHeader{Name: redact.Text(name), Method: zip.Deflate, Modified: s.app.Now()})
	if err == nil {
		_, err = w.Write(text)
	}
	if s.failed == nil {
		s.failed = err
	}
}

func (s *support) addJSON(name string, v any) {
	text, err := json.Marshal(v)
	if s.without(name, err) {
		return
	}
	s.add(name, text)
}

// addFile adds the end of a file of this machine.
func (s *support) addFile(name, from string, limit int64) {
	text, err := tail(from, limit)
	if s.without(name, err) {
		return
	}
	if decoded, err := textfile.Decode(text); err == nil {
		text = decoded
	}
	s.add(name, text)
}

// without notes that a part is missing, if there is an error.
func (s *support) without(name string, err error) bool {
	if err != nil {
		s.missing[name] = strings.ReplaceAll(err.Error(), "\n", "; ")
	}
	return err != nil
}

// tail reads the last bytes of a file that its writer may rename meanwhile.
func tail(name string, limit int64) ([]byte, error) {
	file, err := logfile.OpenShared(name)
	if err != nil {
		return nil, err
	}
	defer file.Close() // it was only read
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", name)
	}
	from := max(0, info.Size()-limit)
	text, err := io.ReadAll(io.NewSectionReader(file, from, limit))
	if err != nil || from == 0 {
		return text, err
	}
	_, text, _ = bytes.Cut(text, []byte("\n")) // half a line may have half a secret
	return text, nil
}

// entryName keeps an id from being a path.
var entryName = strings.NewReplacer("/", "_", `\`, "_", ":", "_", "..", "_")

// containers adds the list of all containers, and the records of silo run.
func (s *support) containers(withOutput bool) {
	list, err := s.app.Node.Containers()
	if !s.without("containers.json", err) {
		s.addJSON("containers.json", append([]node.Container{}, list...))
	}
	records, err := s.app.Node.Records.All()
	s.without("records", err)
	for _, c := range records {
		id := entryName.Replace(c.ID)
		if c.Record == nil {
			s.missing["records/"+id+".json"] = c.Error
			continue
		}
		s.addJSON("records/"+id+".json", c.Record)
		if withOutput && c.Record.Log != "" {
			s.addFile("output/"+id+".log", c.Record.Log, outputTail)
		}
	}
}

// bundles adds the specifications and resource records of the shim's containers, from containerd's bundles.
func (s *support) bundles() {
	dir := s.app.bundlesDir()
	if dir == "" {
		s.missing["bundles"] = "ProgramData is not set"
		return
	}
	for _, name := range []string{"config.json", resource.File} {
		paths, err := filepath.Glob(filepath.Join(dir, "*", "*", name))
		s.without("bundles", err)
		for _, from := range paths {
			id := filepath.Dir(from)
			s.addFile(path.Join("bundles", filepath.Base(filepath.Dir(id)), filepath.Base(id), name), from, supportTail)
		}
	}
}

// containerd adds the configuration and the log of containerd. The shims write their logs there, so they are asked for their
// stacks before.
func (s *support) containerd(ctx context.Context) {
	machine := s.app.machine()
	stacks := map[string]string{}
	pids, err := machine.Processes(install.ShimName)
	s.without("stacks.json", err)
	for _, pid := range pids {
		stacks[fmt.Sprint(pid)] = "requested; see containerd.log"
		if err := requestStacks(pid); err != nil {
			stacks[fmt.Sprint(pid)] = err.Error()
		}
	}
	s.addJSON("stacks.json", stacks)
	events, err := machine.Output(ctx, filepath.Join(os.Getenv("SystemRoot"), "System32", "wevtutil.exe"), eventQuery()...)
	if !s.without("events.txt", err) {
		s.add("events.txt", []byte(events))
	}
	n, err := install.Find(machine, install.Options{Service: "containerd"})
	if s.without("containerd", err) {
		return
	}
	for _, from := range n.Settings() {
		s.addFile("containerd/"+filepath.Base(from), from, supportTail)
	}
	if n.Log == "" {
		s.without("containerd.log", errors.New("the service containerd has no --log-file; its messages are in the event log"))
		return
	}
	s.addFile("containerd.log", n.Log, supportTail)
}

// eventQuery are the arguments of wevtutil for the latest events of containerd, silo and the services that failed.
//
// https://learn.microsoft.com/windows-server/administration/windows-commands/wevtutil
func eventQuery() []string {
	const query = "*[System[Provider[@Name='containerd' or @Name='silo' or @Name='Application Error' or @Name='Windows Error Reporting']]]"
	return []string{"query-events", "Application", "/q:" + query, fmt.Sprintf("/c:%d", eventCount), "/rd:true", "/f:text"}
}

// machine is where containerd runs.
func (a *App) machine() install.Machine {
	if a.Containerd != nil {
		return a.Containerd
	}
	return install.System()
}
