// For the reference shim only (WINEGAP=peer): it mounts a volume for every job container. The volume
// comes from test/wine/peer/vmcompute.c and is empty, so mounting and unmounting do nothing.
#include "gap.h"

static BOOL WINAPI mount(LPCWSTR path, LPCWSTR volume) { return path && volume; }

static BOOL WINAPI unmount(LPCWSTR path) { return path != NULL; }

BOOL peer_install(void) {
    return replace("kernel32", "SetVolumeMountPointW", mount) && replace("kernelbase", "DeleteVolumeMountPointW", unmount);
}
