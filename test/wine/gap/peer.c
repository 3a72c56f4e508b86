// What the reference shim alone needs (WINEGAP=peer): it gives every job container a volume and mounts it. The volume
// comes from test/wine/peer/vmcompute.c and is empty; so to mount and unmount it is to do nothing.
#include "gap.h"

static BOOL WINAPI mount(LPCWSTR path, LPCWSTR volume) { return path && volume; }

static BOOL WINAPI unmount(LPCWSTR path) { return path != NULL; }

BOOL peer_install(void) {
    return replace("kernel32", "SetVolumeMountPointW", mount) && replace("kernelbase", "DeleteVolumeMountPointW", unmount);
}
