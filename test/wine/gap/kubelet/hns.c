// vmcompute.dll for kubelet (WINEGAP=kubelet): a Host Networking Service (HNS) without endpoints and networks. kubelet lists
// the endpoints for the network statistics of pods.
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

__declspec(dllexport) HRESULT WINAPI HNSCall(LPCWSTR method, LPCWSTR path, LPCWSTR object, LPWSTR *response) {
    static const WCHAR none[] = L"{\"Success\":true,\"Output\":[]}";
    (void)method, (void)path, (void)object;
    typedef void *(WINAPI *alloc)(SIZE_T);
    alloc take = (alloc)(void *)GetProcAddress(LoadLibraryA("ole32.dll"), "CoTaskMemAlloc");
    if (!take || !(*response = take(sizeof none))) return E_OUTOFMEMORY;
    lstrcpyW(*response, none);
    return S_OK;
}

BOOL WINAPI DllMain(HINSTANCE dll, DWORD why, LPVOID reserved) { return (void)dll, (void)why, (void)reserved, TRUE; }
