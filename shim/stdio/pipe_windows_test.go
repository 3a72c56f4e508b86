package stdio

import (
	"strings"
	"testing"

	"golang.org/x/sys/windows"
)

// TestOutput_ZeroByteWrite_IsNoEnd: a program writes zero bytes, which ends the reader's call
// with zero bytes. The stream goes on.
func TestOutput_ZeroByteWrite_IsNoEnd(t *testing.T) {
	server := listen(t)
	r := open(t, Config{Stdout: server.path})
	_, out, _ := child(t, r)
	program := dup(t, out)
	r.Start()
	client := server.accept(t)
	write(t, program, "before, ")
	raw, err := program.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var n uint32
	var writeErr error
	err = raw.Control(func(h uintptr) { writeErr = windows.WriteFile(windows.Handle(h), []byte{}, &n, nil) })
	if err != nil || writeErr != nil {
		t.Fatal(err, writeErr)
	}
	write(t, program, "after")
	closeFiles(t, program)
	if got := readAll(t, client); got != "before, after" {
		t.Errorf("the reader got %q", got)
	}
	finish(t, r)
}

// TestMakePipe_ProgramsEnd_HasAccessOfCreatePipe: the pipe carries the descriptor that shuts users out.
func TestMakePipe_ProgramsEnd_HasAccessOfCreatePipe(t *testing.T) {
	ours, theirs, err := makePipe(windows.PIPE_ACCESS_INBOUND, writeAccess)
	if err != nil {
		t.Fatal(err)
	}
	defer closeAll(ours, theirs)
	raw, err := ours.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var sd *windows.SECURITY_DESCRIPTOR
	var sdErr error
	err = raw.Control(func(h uintptr) {
		sd, sdErr = windows.GetSecurityInfo(windows.Handle(h), windows.SE_KERNEL_OBJECT, windows.DACL_SECURITY_INFORMATION)
	})
	if err != nil || sdErr != nil {
		t.Fatal(err, sdErr)
	}
	acl := sd.String()
	if !strings.HasPrefix(acl, "D:P") || strings.Count(acl, "(") != 2 || !strings.Contains(acl, ";;;SY)") || !strings.Contains(acl, ";;;BA)") {
		t.Errorf("the pipe has %s", acl)
	}
}
