package podinfo_test

import (
	"os"
	"os/exec"
	"testing"

	"golang.org/x/sys/windows"

	"github.com/siloshim/siloshim/container/podinfo"
)

// publishKey makes the test binary a program that publishes a pod and ends without closing it.
const publishKey = "PODINFO_TEST_KEY"

func TestMain(m *testing.M) {
	key := os.Getenv(publishKey)
	if key == "" {
		os.Exit(m.Run())
	}
	if _, err := podinfo.System().Publish(key, web); err != nil {
		panic(err)
	}
	if _, err := podinfo.System().Read(key); err != nil {
		panic(err)
	}
}

// TestSystem_PublisherDies_PodIsGone: the kernel removes the memory with the shim, and a later shim can publish again.
func TestSystem_PublisherDies_PodIsGone(t *testing.T) {
	key := podinfo.Key("podinfo-test", "dies")
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), publishKey+"="+key)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("the publisher: %v\n%s", err, out)
	}
	if p, err := podinfo.System().Read(key); err == nil {
		t.Errorf("the pod %+v outlives its publisher", p)
	}
	published, err := podinfo.System().Publish(key, web)
	if err != nil {
		t.Fatal(err)
	}
	if err := published.Close(); err != nil {
		t.Error(err)
	}
}

// TestSystem_MemoryOfAnotherProgram_IsRefused: neither memory without pages nor a smaller section ends the reader.
func TestSystem_MemoryOfAnotherProgram_IsRefused(t *testing.T) {
	key := podinfo.Key("podinfo-test", "other")
	name, err := windows.UTF16PtrFromString(`Global\silo-pod/` + key)
	if err != nil {
		t.Fatal(err)
	}
	const reserve = 0x04000000 // SEC_RESERVE
	for what, section := range map[string]struct{ protection, size uint32 }{
		"without pages": {windows.PAGE_READWRITE | reserve, 1 << 30}, "empty": {windows.PAGE_READWRITE, podinfo.Size}, "small": {windows.PAGE_READWRITE, 1},
	} {
		h, err := windows.CreateFileMapping(windows.InvalidHandle, nil, section.protection, 0, section.size, name)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if p, err := podinfo.System().Read(key); err == nil {
			t.Errorf("%s: %+v is read", what, p)
		}
		if err := windows.CloseHandle(h); err != nil {
			t.Error(err)
		}
	}
}
