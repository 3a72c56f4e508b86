package install_test

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/cmd/silo/install"
	"github.com/siloshim/siloshim/deploy/containerd"
	"github.com/siloshim/siloshim/test/sparse"
)

// v4, v3 and v2 are configurations that a node may have.
const (
	v4 = "version = 4\n\n[plugins.'io.containerd.cri.v1.runtime']\n  stream_server_address = 'theirs'\n"
	v3 = "version = 3\n\n[plugins.'io.containerd.cri.v1.runtime']\n  stream_server_address = 'theirs'\n"
	v2 = "version = 2\n\n[plugins.\"io.containerd.grpc.v1.cri\"]\n  sandbox_image = \"theirs\"\n" +
		"[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.runhcs]\n"
)

func actions(changes []install.Change) string {
	var list []string
	for _, c := range changes {
		list = append(list, c.Action)
	}
	return strings.Join(list, " ")
}

func TestInstall_ThenUninstall_FilesAsBefore(t *testing.T) {
	for name, config := range map[string]string{"version 4": v4, "version 3": v3, "version 2": v2} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, config)
			before := w.files(t)
			changes, err := w.install(t, install.Choices{Edit: true, Restart: true})
			if err != nil {
				t.Fatal(err)
			}
			if got := actions(changes); !strings.HasSuffix(got, "create edit restart") {
				t.Errorf("changes %s", got)
			}
			after := w.files(t)
			if after[install.ShimName] != "the shim" || after["config.toml.before-silo"] != config {
				t.Errorf("files %v", after)
			}
			if config != v2 && after["conf.d/silo.toml"] != containerd.Current {
				t.Error("the drop-in is not there")
			}
			if again, err := w.install(t, install.Choices{Edit: true, Restart: true}); err != nil || len(again) > 0 {
				t.Errorf("the second time: %v %v", again, err)
			}
			if _, err := w.uninstall(t, install.Choices{Restart: true}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(before, w.files(t)); diff != "" {
				t.Errorf("uninstall leaves (-before +after):\n%s", diff)
			}
			if diff := cmp.Diff([]string{"theirs io.containerd.silo.v1", "theirs"}, w.restarts); diff != "" {
				t.Errorf("what containerd knew after each restart:\n%s", diff)
			}
			if again, err := w.uninstall(t, install.Choices{Restart: true}); err != nil || len(again) > 0 {
				t.Errorf("uninstalled twice: %v %v", again, err)
			}
		})
	}
}

// A plan that is not applied changes nothing, and says all that it would do.
func TestInstall_PlanNotApplied_ChangesNothing(t *testing.T) {
	w := newWorld(t, "version = 3\n")
	before := w.files(t)
	p, err := w.node(t).Install(w.shim, install.Choices{Edit: true, Restart: true})
	if err != nil {
		t.Fatal(err)
	}
	if got := actions(p.Changes); got != "create create create edit restart" {
		t.Errorf("plan %s", got)
	}
	if diff := cmp.Diff(before, w.files(t)); diff != "" {
		t.Error(diff)
	}
}

func TestInstall_EditNotAllowed_ErrEdit(t *testing.T) {
	for _, config := range []string{v3, v2} {
		w := newWorld(t, config)
		before := w.files(t)
		_, err := w.install(t, install.Choices{})
		if !errors.Is(err, install.ErrEdit) || !strings.Contains(err.Error(), "--edit") {
			t.Errorf("%q: %v, want ErrEdit", config, err)
		}
		if diff := cmp.Diff(before, w.files(t)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestInstall_ConfigWithoutVersion_Refused(t *testing.T) {
	for config, want := range map[string]string{
		"":                              "no version, which containerd reads as version 1; ",
		"[plugins.cri]\n":               "no version, which containerd reads as version 1; ",
		"version = 1\n":                 "version 1, want 2 or later; ",
		"version = '3'\n":               `version "3", want 2 or later; `,
		"[debug]\n  version = 3\n":      "no version, which containerd reads as version 1; ",
		"version = 3.0\n# as a float\n": "version 3, want 2 or later; ",
	} {
		w := newWorld(t, config)
		_, err := w.install(t, install.Choices{Edit: true})
		if err == nil || !strings.Contains(err.Error(), w.config()+": "+want+"replace it by the output of containerd config migrate") {
			t.Errorf("%q: %v", config, err)
		}
	}
}

// Containerd reads neither a byte order mark nor UTF-16, which Windows PowerShell writes for
// "containerd config default > config.toml".
func TestInstall_ConfigOfAnotherEncoding_BecomesUTF8(t *testing.T) {
	imported := "imports = ['conf.d/*.toml']\n"
	for name, encode := range map[string]func(string) string{"byte order mark": mark, "UTF-16": utf16LE} {
		for _, config := range []string{v4, v2, imported + v3} {
			w := newWorld(t, encode(config))
			if _, err := w.install(t, install.Choices{}); !errors.Is(err, install.ErrEdit) {
				t.Errorf("%s, without --edit: %v, want ErrEdit", name, err)
			}
			if _, err := w.install(t, install.Choices{Edit: true}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if got := w.files(t)["config.toml.before-silo"]; got != encode(config) {
				t.Errorf("%s: the backup has %q", name, got)
			}
			if _, err := w.uninstall(t, install.Choices{}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if got := w.files(t)["config.toml"]; got != config {
				t.Errorf("%s: %q became %q", name, config, got)
			}
		}
	}
}

func mark(text string) string { return "\uFEFF" + text }

// utf16LE is a text as Windows PowerShell writes it to a file.
func utf16LE(text string) string {
	out := []byte{0xFF, 0xFE}
	for _, unit := range utf16.Encode([]rune(text)) {
		out = append(out, byte(unit), byte(unit>>8))
	}
	return string(out)
}

func TestInstall_ImportPresent_IsUsed(t *testing.T) {
	w := newWorld(t, "")
	config := "version = 3\nimports = ['" + w.pattern() + "']\n"
	write(t, w.config(), config)
	if _, err := w.install(t, install.Choices{}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.uninstall(t, install.Choices{}); err != nil {
		t.Fatal(err)
	}
	if got := w.files(t)["config.toml"]; got != config {
		t.Errorf("an import that was there before is now %q", got)
	}
}

func TestInstall_StepFails_AllUndone(t *testing.T) {
	wrong := errors.New("wrong")
	for name, fault := range map[string]func(*world){
		"containerd has no handler":        func(w *world) { w.deaf = true },
		"containerd loses its own handler": func(w *world) { w.fallback = "theirs" },
		"containerd does not come up":      func(w *world) { w.stuck = wrong },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, v3)
			write(t, w.prefix+"/"+install.ShimName, "an older shim")
			before := w.files(t)
			fault(w)
			if _, err := w.install(t, install.Choices{Edit: true, Restart: true}); err == nil {
				t.Fatal("no error")
			}
			if diff := cmp.Diff(before, w.files(t)); diff != "" {
				t.Errorf("left behind (-before +after):\n%s", diff)
			}
			if w.stuck != nil && cmp.Diff([]string{"theirs io.containerd.silo.v1", "theirs"}, w.restarts) != "" {
				t.Errorf("restarts with %q: it has to be started again with what it had", w.restarts)
			}
		})
	}
}

// A directory that is in the way fails the plan in its middle.
func TestApply_StepFails_UndoneInReverse(t *testing.T) {
	w := newWorld(t, v3)
	p, err := w.node(t).Install(w.shim, install.Choices{Edit: true})
	if err != nil {
		t.Fatal(err)
	}
	write(t, w.prefix+"/conf.d", "a file where a directory should be")
	before := w.files(t)
	if err := p.Apply(t.Context()); err == nil {
		t.Fatal("no error")
	}
	if diff := cmp.Diff(before, w.files(t)); diff != "" {
		t.Errorf("left behind (-before +after):\n%s", diff)
	}
}

// Who was ended between the files and the restart left a containerd that does not know the handlers.
func TestInstall_ContainerdOlderThanHandlers_Restarted(t *testing.T) {
	w := newWorld(t, v3)
	if _, err := w.install(t, install.Choices{Edit: true}); err != nil {
		t.Fatal(err)
	}
	w.since = time.Now().Add(-time.Hour)
	changes, err := w.install(t, install.Choices{Edit: true, Restart: true})
	if err != nil || actions(changes) != "restart" {
		t.Errorf("%v %v, want a restart", changes, err)
	}
}

// A new shim serves the next container; the node is not disturbed for it.
func TestInstall_OnlyShimIsNew_NoRestart(t *testing.T) {
	w := newWorld(t, v3)
	if _, err := w.install(t, install.Choices{Edit: true}); err != nil {
		t.Fatal(err)
	}
	write(t, w.shim, "the next shim")
	changes, err := w.install(t, install.Choices{Edit: true, Restart: true})
	if err != nil || actions(changes) != "replace" || len(w.restarts) > 0 {
		t.Errorf("%v %v, %d restarts", changes, err, len(w.restarts))
	}
	if got := w.files(t)[install.ShimName]; got != "the next shim" {
		t.Errorf("the shim is %q", got)
	}
}

func TestUninstall_ConfigChangedLater_ChangesKept(t *testing.T) {
	for _, config := range []string{v3, v2} {
		w := newWorld(t, config)
		if _, err := w.install(t, install.Choices{Edit: true}); err != nil {
			t.Fatal(err)
		}
		const later = "\n[debug]\n  level = 'debug'\n"
		write(t, w.config(), w.files(t)["config.toml"]+later)
		if _, err := w.uninstall(t, install.Choices{}); err != nil {
			t.Fatal(err)
		}
		if got := w.files(t)["config.toml"]; got != config+later {
			t.Errorf("%q became %q", config+later, got)
		}
	}
}

func TestUninstall_ShimsRun_ErrRunning(t *testing.T) {
	w := newWorld(t, v3)
	if _, err := w.install(t, install.Choices{Edit: true}); err != nil {
		t.Fatal(err)
	}
	w.shims = []uint32{17, 19}
	before := w.files(t)
	_, err := w.uninstall(t, install.Choices{})
	if !errors.Is(err, install.ErrRunning) || !strings.Contains(err.Error(), "17 19") {
		t.Errorf("%v, want ErrRunning with the processes", err)
	}
	if diff := cmp.Diff(before, w.files(t)); diff != "" {
		t.Error(diff)
	}
	if _, err := w.uninstall(t, install.Choices{Force: true}); err != nil {
		t.Error(err)
	}
	if _, there := w.files(t)[install.ShimName]; there {
		t.Error("the shim is still there")
	}
}

func TestInstall_HugeFile_IsRefused(t *testing.T) {
	for name, path := range map[string]func(w *world) string{
		"config.toml": func(w *world) string { return w.config() },
		"the shim":    func(w *world) string { return w.shim },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, v3)
			sparse.File(t, path(w))
			_, err := w.install(t, install.Choices{Edit: true})
			sparse.Refused(t, path(w), err)
		})
	}
}
