// Package containertest simulates what containers need of their host beside the kernel and the compute service: mounted
// layers, network namespaces, files and accounts. It keeps account of them, as strictly as Windows does, and fails where
// it is told to.
//
// Only tests import the package.
package containertest
