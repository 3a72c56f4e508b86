// Package hosttest simulates what a Windows Server container needs of its host beside the compute service: mounted
// layers and network namespaces. It keeps account of both, as strictly as Windows does, and fails where it is told to.
//
// Only tests import the package.
package hosttest
