package jobobject

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/windows"
)

// HRESULT CreatePseudoConsole(COORD size, HANDLE hInput, HANDLE hOutput, DWORD dwFlags, HPCON *phPC)
//
// https://learn.microsoft.com/windows/console/createpseudoconsole
func (system) CreateConsole(width, height uint16) (Handle, io.WriteCloser, io.ReadCloser, error) {
	hostIn, in, err := os.Pipe()
	if err != nil {
		return 0, nil, nil, fmt.Errorf("create input pipe: %w", err)
	}
	out, hostOut, err := os.Pipe()
	if err != nil {
		return 0, nil, nil, errors.Join(fmt.Errorf("create output pipe: %w", err), hostIn.Close(), in.Close())
	}
	var h windows.Handle
	err = windows.CreatePseudoConsole(coord(width, height), windows.Handle(hostIn.Fd()), windows.Handle(hostOut.Fd()), 0, &h)
	// The console host has duplicates by now.
	hostIn.Close()
	hostOut.Close()
	if err != nil {
		in.Close()
		out.Close()
		return 0, nil, nil, supported(err)
	}
	return Handle(h), in, out, nil
}

// HRESULT ResizePseudoConsole(HPCON hPC, COORD size)
//
// https://learn.microsoft.com/windows/console/resizepseudoconsole
func (system) ResizeConsole(console Handle, width, height uint16) error {
	return supported(windows.ResizePseudoConsole(windows.Handle(console), coord(width, height)))
}

// void ClosePseudoConsole(HPCON hPC)
//
// https://learn.microsoft.com/windows/console/closepseudoconsole
func (system) CloseConsole(console Handle) { windows.ClosePseudoConsole(windows.Handle(console)) }

func coord(width, height uint16) windows.Coord {
	return windows.Coord{X: int16(width), Y: int16(height)}
}
