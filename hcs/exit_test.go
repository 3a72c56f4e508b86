package hcs

import (
	"errors"
	"testing"
)

// TestExitCodeIn_Document_HasTheCodeUnlessTheWaitFailed: the document of an exit event counts unless the service's own wait for the process failed.
func TestExitCodeIn_Document_HasTheCodeUnlessTheWaitFailed(t *testing.T) {
	for document, want := range map[string]uint32{
		`{"ProcessId":4,"Exited":true,"ExitCode":3,"LastWaitResult":0}`: 3,
		`{"ProcessId":4,"ExitCode":3,"LastWaitResult":0}`:               3,
		`{"ProcessId":4,"ExitCode":3221225786}`:                         0xC000013A,
		`{"ProcessId":4,"Exited":false,"ExitCode":259}`:                 259,
		`{"ProcessId":4}`: 0,
		`{"Exited":true,"ExitCode":2,"LastWaitResult":258}`: 2,
	} {
		if code, err := exitCodeIn(document); code != want || err != nil {
			t.Errorf("%s: exit code %d, %v; want %d", document, code, err, want)
		}
	}
	for document, want := range map[string]error{
		`{"ProcessId":4,"ExitCode":3,"LastWaitResult":258}`:                       Code(258),
		`{"ProcessId":4,"Exited":true,"ExitCode":3,"LastWaitResult":-2147024890}`: CodeWin32InvalidHandle,
	} {
		if code, err := exitCodeIn(document); !errors.Is(err, want) {
			t.Errorf("%s: exit code %d, %v; want %v", document, code, err, want)
		}
	}
	for _, document := range []string{"", "{", `[]`} {
		if code, err := exitCodeIn(document); err == nil {
			t.Errorf("%q: exit code %d", document, code)
		}
	}
}
