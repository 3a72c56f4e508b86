package winsys

import (
	"errors"
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
