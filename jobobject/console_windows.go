package jobobject

import (
	"errors"
	"fmt"
	"math"
	"os"

	"golang.org/x/sys/windows"
)

func newConsole(width, height uint16) (*Console, *os.File, *os.File, error) {
	size, err := coord(width, height)
	if err != nil {
		return nil, nil, nil, err
	}
	hostIn, in, err := os.Pipe()
	if err != nil {
		return nil, nil, nil, fmt.Errorf("create input pipe: %w", err)
	}
	out, hostOut, err := os.Pipe()
	if err != nil {
		return nil, nil, nil, errors.Join(fmt.Errorf("create output pipe: %w", err), hostIn.Close(), in.Close())
	}
	var h windows.Handle
	err = windows.CreatePseudoConsole(size, windows.Handle(hostIn.Fd()), windows.Handle(hostOut.Fd()), 0, &h)
	// The console host has duplicates of its own by now.
	hostIn.Close()
	hostOut.Close()
	if err != nil {
		in.Close()
		out.Close()
		return nil, nil, nil, supported(err)
	}
	return &Console{handle: Handle(h)}, in, out, nil
}

func resizeConsole(h Handle, width, height uint16) error {
	size, err := coord(width, height)
	if err != nil {
		return err
	}
	return supported(windows.ResizePseudoConsole(windows.Handle(h), size))
}

func closeConsole(h Handle) { windows.ClosePseudoConsole(windows.Handle(h)) }

// coord refuses the sizes that the console host answers with E_INVALIDARG.
func coord(width, height uint16) (windows.Coord, error) {
	if width == 0 || width > math.MaxInt16 || height == 0 || height > math.MaxInt16 {
		return windows.Coord{}, fmt.Errorf("size is %d by %d, want 1 to %d each", width, height, math.MaxInt16)
	}
	return windows.Coord{X: int16(width), Y: int16(height)}, nil
}
