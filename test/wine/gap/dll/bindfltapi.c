// bindfltapi.dll: the bind filter of a host without bindings. containerd queries on every unmount whether the path is a
// binding, and treats a missing DLL as a failure.
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#define API __declspec(dllexport) HRESULT WINAPI

API BfRemoveMapping(HANDLE job, LPCWSTR root) {
    (void)job, (void)root;
    return HRESULT_FROM_WIN32(ERROR_NOT_FOUND);
}

// BfGetMappings answers with the header only: status, count and flags, all zero.
API BfGetMappings(ULONG flags, HANDLE job, LPCWSTR root, void *sid, ULONG *size, ULONG *out) {
    (void)flags, (void)job, (void)root, (void)sid;
    ULONG room = *size;
    *size = 3 * sizeof *out;
    if (room < *size) return HRESULT_FROM_WIN32(ERROR_MORE_DATA);
    out[0] = out[1] = out[2] = 0;
    return S_OK;
}

API BfSetupFilter(HANDLE job, ULONG flags, LPCWSTR root, LPCWSTR target, LPCWSTR *exceptions, ULONG count) {
    (void)job, (void)flags, (void)root, (void)target, (void)exceptions, (void)count;
    return HRESULT_FROM_WIN32(ERROR_NOT_SUPPORTED);
}

BOOL WINAPI DllMain(HINSTANCE dll, DWORD why, LPVOID reserved) {
    (void)dll, (void)why, (void)reserved;
    return TRUE;
}
