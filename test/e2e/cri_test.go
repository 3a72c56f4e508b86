package e2e

import "testing"

// TestPods is what a kubelet does with HostProcess pods, told through crictl.
func TestPods(t *testing.T) {
	eachHandler(t, cases{
		"session":         podSession,
		"lists":           podListsAndFilters,
		"stop":            podEndsItsContainers,
		"refused":         podRefused,
		"shim killed":     podShimKilled,
		"figures":         podFiguresAgreeWithThePrograms,
		"users":           podUsers,
		"user refused":    podUserRefused,
		"another Windows": podOfAnotherWindows,
	})
}

// TestPodContainers is what a kubelet does with the containers of a HostProcess pod.
func TestPodContainers(t *testing.T) {
	eachHandler(t, cases{
		"states":       containerStates,
		"lists":        containerLists,
		"stop":         containerStop,
		"environment":  containerEnvironment,
		"exec sync":    containerExecSync,
		"exec streams": containerExecStreams,
		"attach":       containerAttach,
		"attach again": containerAttachRestart,
		"log":          containerLog,
		"log reopened": containerLogReopened,
		"from image":   containerFromImage,
		"volumes":      containerVolumes,
	})
}
