package hcs

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
)

// TestCode_AnyForm_IsTheSame: a code is the same in each of the forms it comes in.
func TestCode_AnyForm_IsTheSame(t *testing.T) {
	for _, same := range [][]Code{
		{CodeSystemNotFound, 0xC037010E},
		{CodeInvalidState, 0xC0370105},
		{CodeProcessAlreadyStopped, 0xC037011F},
		{CodeWin32AccessDenied, 5},
		{CodeWin32ElementNotFound, 0x490},
	} {
		for _, a := range same {
			for _, b := range same {
				if !errors.Is(a, b) {
					t.Errorf("%v is not %v", a, b)
				}
			}
		}
	}
	for _, other := range [][2]Code{{CodeSystemNotFound, CodeSystemAlreadyExists}, {0xC0070005, CodeWin32AccessDenied}, {0, 0x80070000}} {
		if errors.Is(other[0], other[1]) {
			t.Errorf("%v is %v", other[0], other[1])
		}
	}
}

func TestCode_Is_MatchesItsClass(t *testing.T) {
	for code, class := range map[Code]error{
		CodeSystemNotFound: ErrNotFound, 0xC037010E: ErrNotFound, 2: ErrNotFound,
		CodeSystemAlreadyExists: ErrAlreadyExists, CodeInvalidState: ErrInvalidState,
		CodeInvalidJSON: ErrInvalidArgument, 0xC037010D: ErrInvalidArgument, CodeWin32InvalidArgument: ErrInvalidArgument,
		CodeAccessDenied: ErrAccessDenied, 5: ErrAccessDenied,
		CodeServiceDisconnect: ErrUnavailable, CodeWin32RPCUnavailable: ErrUnavailable,
		CodeOperationTimeout: context.DeadlineExceeded, CodeWin32NotSupported: ErrNotSupported, CodeWin32CommitLimit: ErrNoResources,
	} {
		if !errors.Is(code, class) {
			t.Errorf("%v is not %v", code, class)
		}
		for _, other := range []error{ErrNotFound, ErrUnavailable, fs.ErrClosed, os.ErrProcessDone} {
			if !errors.Is(class, other) && errors.Is(code, other) {
				t.Errorf("%v is %v", code, other)
			}
		}
	}
	if !errors.Is(Code(0xC037011F), ErrExited) || !errors.Is(CodeWin32NotSupported, errors.ErrUnsupported) {
		t.Error("the standard library's sentinels are not matched")
	}
	if errors.Is(Code(0x8000FFFF), ErrNotFound) || Code(0x8000FFFF).Error() != "compute service error 0x8000ffff" {
		t.Error("an unknown code has a class or a name")
	}
}

func TestError_ResultDocument_IsExplained(t *testing.T) {
	const document = `{"Error":-2143878899,"ErrorMessage":"bad","ErrorEvents":[` +
		`{"Message":" no such path C:\\x ","EventId":3,"StackTrace":"st","Data":[{"Value":"hunter2"}]},{"EventId":4}]}`
	err := subject{id: "c1"}.fail("create system", &Failure{Code: 0xC037010D, Document: document})
	if got, want := err.Error(), `create system c1: the document is invalid (0xc037010d): no such path C:\x`; got != want {
		t.Errorf("error %q, want %q", got, want)
	}
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Message != "bad" || len(e.Events) != 2 || e.Events[0].EventId != 3 {
		t.Fatalf("error %#v", err)
	}
	if e.Events[0].Unknown != nil || e.Events[0].StackTrace != "" {
		t.Error("the data of events is kept")
	}
	if again := (subject{}).fail("x", err); again != err { //nolint:errorlint // the very same one
		t.Error("an error is wrapped twice")
	}
}

func TestError_OfACreatedProcess_HasNoSecrets(t *testing.T) {
	const document = `{"ErrorMessage":"app.exe hunter2","ErrorEvents":[{"Message":"could not start app.exe hunter2","EventId":3}]}`
	err := subject{id: "c1", pid: 7, secret: true}.fail("create process in system", &Failure{Code: CodeWin32FileNotFound, Document: document})
	e, ok := errors.AsType[*Error](err)
	if !ok || strings.Contains(err.Error(), "hunter2") || e.Message != "" || e.Events[0].Message != "" || e.Events[0].EventId != 3 {
		t.Errorf("error %#v", err)
	}
	if !strings.HasPrefix(err.Error(), "create process in system c1: process 7: file not found") {
		t.Errorf("error %v", err)
	}
}

func TestError_InvalidDocument_AddsNothing(t *testing.T) {
	for _, document := range []string{"", "{", "null", "[]", `{"ErrorEvents":"x"}`} {
		err := subject{}.fail("query service", &Failure{Code: CodeAccessDenied, Document: document})
		if got := err.Error(); got != "query service: access denied (0x8037011b)" {
			t.Errorf("error %q for document %q", got, document)
		}
	}
}

// FuzzFailure: any report of a failure makes an error with its code. That of a secret request has no text of the report.
func FuzzFailure(f *testing.F) {
	text, err := os.ReadFile("../schema/testdata/result-error.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint32(CodeSystemNotFound), text)
	f.Add(uint32(0), []byte(`{"ErrorEvents":null}`))
	f.Add(uint32(5), []byte(`{"ErrorEvents":[{"Message":" ","StackTrace":"s","New":{}}]}`))
	f.Fuzz(func(t *testing.T, code uint32, document []byte) {
		failure := &Failure{Code: Code(code), Document: string(document)}
		if got := (subject{id: "c"}).fail("open", failure); !errors.Is(got, Code(code)) || !strings.HasPrefix(got.Error(), "open c: ") {
			t.Errorf("got %v", got)
		}
		got := (subject{id: "c", secret: true}).fail("create", failure)
		if want := (subject{id: "c"}).fail("create", Code(code)); got.Error() != want.Error() {
			t.Errorf("got %v, want %v", got, want)
		}
		e, ok := errors.AsType[*Error](got)
		if !ok || e.Message != "" {
			t.Fatalf("got %+v", e)
		}
		for _, event := range e.Events {
			if event.Message != "" || event.StackTrace != "" || event.Unknown != nil {
				t.Errorf("an event of a secret request has %+v", event)
			}
		}
	})
}

// FuzzExit: the document of an exit gives a code, or an error.
func FuzzExit(f *testing.F) {
	text, err := os.ReadFile("../schema/testdata/process-status.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{string(text), "", "null", `{"ExitCode":3}`, `{"ExitCode":3,"LastWaitResult":-2147467259}`, `{"LastWaitResult":258,"Exited":true,"ExitCode":4294967295}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, document string) {
		if code, err := exitCodeIn(document); err != nil && code != 0 {
			t.Errorf("%s: %d, %v", document, code, err)
		}
		w := newWatch(EventProcessExited)
		w.put(Notification{EventProcessExited, document})
		if last, err := w.final(); err != nil || last.Document != document {
			t.Errorf("the last notification is %+v, %v", last, err)
		}
	})
}
