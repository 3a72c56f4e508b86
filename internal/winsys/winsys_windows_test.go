package winsys

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/windows"
)

func TestErrorOf_HRESULT_ContainsSystemCode(t *testing.T) {
	for hr, want := range map[uint32]error{
		0: nil, 1: nil, 0x80070002: windows.ERROR_FILE_NOT_FOUND, 0x80370110: windows.Errno(0x80370110),
	} {
		if got := ErrorOf(hr); !errors.Is(got, want) || want == nil && got != nil {
			t.Errorf("%#x: %v, want %v", hr, got, want)
		}
	}
}

func TestIgnoreMissing_Errors_OnlyMissingIsNil(t *testing.T) {
	if err := IgnoreMissing(ErrorOf(0x80070490)); err != nil {
		t.Error(err)
	}
	if err := IgnoreMissing(windows.ERROR_ACCESS_DENIED); !errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		t.Error(err)
	}
}

func TestText_AboveItsLimit_ErrorNamesLimit(t *testing.T) {
	for text, want := range map[string]bool{"": true, "äöü": true, "1234": true, "12345": false} {
		p, err := windows.UTF16PtrFromString(text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := textUpTo(p, 4)
		if want != (err == nil) || want && got != text {
			t.Errorf("%q: %q, %v", text, got, err)
		}
		if err != nil && !strings.Contains(err.Error(), "more than 4 characters") {
			t.Error(err)
		}
	}
	if got, err := Text(nil); got != "" || err != nil {
		t.Errorf("no text: %q, %v", got, err)
	}
}
