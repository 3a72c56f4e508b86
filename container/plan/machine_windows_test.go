package plan

import (
	"testing"

	"golang.org/x/sys/windows"
)

// TestHost_Processors_AllGroups adds up the groups, the last of which is followed by one without processors.
func TestHost_Processors_AllGroups(t *testing.T) {
	sum := 0
	for group := uint16(0); ; group++ {
		n := windows.GetActiveProcessorCount(group)
		if n == 0 {
			break
		}
		sum += int(n)
	}
	if h := (Machine{}).withDefaults(); h.Processors != sum || h.Build != windows.RtlGetVersion().BuildNumber {
		t.Errorf("%d processors and build %d, want %d and %d", h.Processors, h.Build, sum, windows.RtlGetVersion().BuildNumber)
	}
}
