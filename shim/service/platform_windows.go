package service

import (
	"fmt"

	"golang.org/x/sys/windows"
)

// osVersion is the host's version as images spell theirs.
func osVersion() string {
	v := windows.RtlGetVersion()
	return fmt.Sprintf("%d.%d.%d", v.MajorVersion, v.MinorVersion, v.BuildNumber)
}
