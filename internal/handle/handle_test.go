package handle_test

import (
	"errors"
	"io/fs"
	"testing"

	"github.com/siloshim/siloshim/internal/handle"
)

var errFree = errors.New("free")

func opened() (h *handle.Handle[uintptr], freed *[]uintptr) {
	freed = new([]uintptr)
	return handle.New(7, func(v uintptr) error {
		*freed = append(*freed, v)
		return errFree
	}), freed
}

func TestHandle_CloseWhileUsed_LastReleaseFrees(t *testing.T) {
	h, freed := opened()
	for range 2 {
		if v, err := h.Acquire(); v != 7 || err != nil {
			t.Fatalf("acquire: %d, %v", v, err)
		}
	}
	if first, err := h.Close(); !first || err != nil {
		t.Errorf("close: %v, %v", first, err)
	}
	<-h.Closed()
	if _, err := h.Acquire(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("acquire after close: %v", err)
	}
	if err := h.Release(); err != nil || len(*freed) != 0 {
		t.Errorf("release of the first user: %v, freed %v", err, *freed)
	}
	if err := h.Release(); !errors.Is(err, errFree) || len(*freed) != 1 || (*freed)[0] != 7 {
		t.Errorf("release of the last user: %v, freed %v", err, *freed)
	}
}

func TestHandle_CloseWhileUnused_FreesOnce(t *testing.T) {
	h, freed := opened()
	if first, err := h.Close(); !first || !errors.Is(err, errFree) {
		t.Errorf("close: %v, %v", first, err)
	}
	if first, err := h.Close(); first || err != nil {
		t.Errorf("second close: %v, %v", first, err)
	}
	if len(*freed) != 1 {
		t.Errorf("freed %v", *freed)
	}
}
