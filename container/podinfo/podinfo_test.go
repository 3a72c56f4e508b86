package podinfo_test

import (
	"errors"
	"runtime"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/siloshim/siloshim/container/containertest"
	"github.com/siloshim/siloshim/container/podinfo"
)

// web is a pod as Kubernetes names it.
var web = podinfo.Pod{
	Name: "web-7d4b9c-x2x5z", Namespace: "shop", UID: "8f3b0d54-9b2e-4a1e-8d38-3c53a3a0f0de", Container: "app", Type: "container",
	Sandbox: strings.Repeat("ab", 32),
}

// TestStore_Contract holds for the store of this machine, and for the simulated one where there is none.
func TestStore_Contract(t *testing.T) {
	store := podinfo.System()
	if runtime.GOOS != "windows" {
		store = new(containertest.Machine)
	}
	key := podinfo.Key("podinfo-test", "c")
	if _, err := store.Read(key); err == nil {
		t.Error("the pod of a container that was not published is read")
	}
	published, err := store.Publish(key, web)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		got, err := store.Read(key)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(web, got); diff != "" {
			t.Errorf("pod (-want +got):\n%s", diff)
		}
	}
	if again, err := store.Publish(key, podinfo.Pod{Name: "another"}); err == nil {
		t.Error("a pod is published twice")
		_ = again.Close()
	}
	if got, err := store.Read(key); err != nil || got != web {
		t.Errorf("after the second publication: %+v, %v", got, err)
	}
	if err := published.Close(); err != nil {
		t.Error(err)
	}
	if got, err := store.Read(key); err == nil {
		t.Errorf("the pod %+v outlives its publication", got)
	}
}

func TestPod_ControlCharacters_AreReplaced(t *testing.T) {
	p := decoded(t, podinfo.Pod{
		Name: "a\x1b[2Jb", Namespace: "\u202etxt.exe", UID: "a\r\nb\tc", Container: "\xff\xfe", Type: "a\x00b\u009b", Sandbox: "ä漢",
	})
	want := podinfo.Pod{Name: "a?[2Jb", Namespace: "?txt.exe", UID: "a??b?c", Container: "??", Type: "a?b?", Sandbox: "ä漢"}
	if diff := cmp.Diff(want, p); diff != "" {
		t.Errorf("pod (-want +got):\n%s", diff)
	}
}

func TestPod_LongValues_AreCutAndFitIn(t *testing.T) {
	for _, character := range []string{"a", `"`, `\`, "漢", "\x00", "\u2028", "<"} {
		long := strings.Repeat(character, 1000)
		p := decoded(t, podinfo.Pod{Name: long, Namespace: long, UID: long, Container: long, Type: long, Sandbox: long})
		for _, value := range values(p) {
			if len(value) > 253 || len(value) < 250 || !strings.HasSuffix(value, "…") || !utf8.ValidString(value) {
				t.Errorf("%q became %q with %d bytes", character, value, len(value))
			}
		}
	}
	longest := strings.Repeat("a", 253)
	if got := decoded(t, podinfo.Pod{Name: longest}).Name; got != longest {
		t.Errorf("the longest name of Kubernetes became %q", got)
	}
}

func TestDecode_OtherReleases_AreRead(t *testing.T) {
	for text, want := range map[string]podinfo.Pod{
		`{"name":"web"}`: {Name: "web"},
		`{"name":"web","namespace":"shop","uid":"u","node":{"name":"n"},"labels":["a"]}` + "\x00\x00garbage": {Name: "web", Namespace: "shop", UID: "u"},
	} {
		if got, err := podinfo.Decode([]byte(text)); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "\x00", "{}", "null", `{"name":""}`, `{"name":1}`, `{"name":"web"`, `{"name":"web"} {`, strings.Repeat(" ", podinfo.Size) + `{"name":"web"}`} {
		if got, err := podinfo.Decode([]byte(text)); err == nil || got != (podinfo.Pod{}) {
			t.Errorf("%.40q: %+v, %v; want an error", text, got, err)
		}
	}
}

// FuzzDecode: content is refused, or has a pod with values that a terminal may show; it is the same when it is written and
// read again.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"name":"web","namespace":"shop","uid":"u","container":"app","type":"container","sandbox_id":"s"}`,
		`{"name":"\u001b]0;x\u0007","sandbox_id":"` + strings.Repeat("é", 200) + `"}`, `{}`, "\x00",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		p, err := podinfo.Decode(content)
		if err != nil {
			return
		}
		for _, value := range values(p) {
			if len(value) > 253 || strings.ContainsFunc(value, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("%q has the value %q", content, value)
			}
		}
		if again := decoded(t, p); again != p {
			t.Errorf("%+v became %+v", p, again)
		}
	})
}

func values(p podinfo.Pod) []string {
	return []string{p.Name, p.Namespace, p.UID, p.Container, p.Type, p.Sandbox}
}

// decoded is a pod after it was written and read.
func decoded(t *testing.T, p podinfo.Pod) podinfo.Pod {
	t.Helper()
	content, err := podinfo.Encode(p)
	if err == nil && len(content) != podinfo.Size {
		err = errors.New("it does not fill the memory")
	}
	if err != nil {
		t.Fatalf("encode %+v: %v", p, err)
	}
	p, err = podinfo.Decode(content)
	if err != nil {
		t.Fatalf("decode %q: %v", content, err)
	}
	return p
}
