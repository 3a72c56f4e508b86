package testenv

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// gapCompiler is the C compiler of Debian's package gcc-mingw-w64-x86-64.
const gapCompiler = "x86_64-w64-mingw32-gcc"

// gapFlags omit the C run-time library: every process loads the gap filler, so it must be small and start fast.
var gapFlags = []string{
	"-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-s", "-nostdlib", "-ffreestanding", "-fno-stack-protector",
	"-mno-stack-arg-probe", "-Wl,--entry=DllMain",
}

// NodeLibraries is the value of WINEGAP_DLLS for a containerd that imports images: layers as test/hcsim emulates them.
const NodeLibraries = `C:\gap\node\`

// library is a DLL of this module for the prefix.
type library struct {
	sources []string // globs below test/wine
	target  string   // a Windows path
}

var (
	// gapLibraries are in every test environment. The first is the gap filler, named as a DLL that Go programs load.
	gapLibraries = []library{
		{[]string{"gap/*.[ch]"}, `C:\windows\system32\bcryptprimitives.dll`},
		{[]string{"gap/dll/bindfltapi.c"}, `C:\gap\dll\bindfltapi.dll`},
		{[]string{"gap/kubelet/hns.c"}, `C:\gap\kubelet\vmcompute.dll`}, // visible only to processes with WINEGAP=kubelet
		{[]string{"../hcsim/dll/storage.c", "../hcsim/dll/image.c"}, NodeLibraries + `vmcompute.dll`},
	}
	// peerLibraries are visible only to processes with WINEGAP=peer.
	peerLibraries = []library{
		{[]string{"peer/vmcompute.c", "../hcsim/dll/image.c"}, `C:\gap\peer\vmcompute.dll`},
	}
)

// fillGaps compiles and installs libraries, unless the stamp shows that this was done from the same sources.
func (e *Env) fillGaps(ctx context.Context, out io.Writer, stamp string, libraries []library) error {
	var all []string
	words := append([]string{}, gapFlags...)
	for _, l := range libraries {
		files, err := e.sources(l)
		if err != nil {
			return err
		}
		all = append(all, files...)
		words = append(words, l.target)
	}
	key, err := keyOf(words, all...)
	if err != nil || e.current(stamp, key) {
		return err
	}
	for _, l := range libraries {
		name := l.target[strings.LastIndex(l.target, `\`)+1:]
		if err := step(out, "compile "+name, func() error { return e.compile(ctx, l) }); err != nil {
			return err
		}
	}
	return e.setStamp(stamp, key)
}

// sources lists the files of a library.
func (e *Env) sources(l library) (all []string, err error) {
	for _, glob := range l.sources {
		files, err := filepath.Glob(filepath.Join(e.root, "test", "wine", glob))
		if err != nil {
			return nil, err
		}
		if len(files) == 0 {
			return nil, fmt.Errorf("compile %s: no file matches test/wine/%s", l.target, glob)
		}
		all = append(all, files...)
	}
	return all, nil
}

// compile builds a library and installs it.
func (e *Env) compile(ctx context.Context, l library) error {
	files, err := e.sources(l)
	if err != nil {
		return err
	}
	dll := e.path("cache", filepath.Base(e.UnixPath(l.target)))
	if err := os.MkdirAll(filepath.Dir(dll), 0o755); err != nil {
		return err
	}
	args := append(append([]string{}, gapFlags...), "-o", dll)
	for _, file := range files {
		if strings.HasSuffix(file, ".c") {
			args = append(args, file)
		}
	}
	args = append(args, "-lkernel32", "-ladvapi32", "-lntdll")
	if text, err := exec.CommandContext(ctx, gapCompiler, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, text)
	}
	return install(dll, e.UnixPath(l.target))
}
