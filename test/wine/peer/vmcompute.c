// vmcompute.dll for the reference shim: layers that are empty and do nothing, and an HCS without a system. The shim
// needs layers for job containers, whose root file system it mounts even if they use the host's files.
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#define API __declspec(dllexport) HRESULT WINAPI

// The shim checks that the mount path of a layer is a volume of this form.
static const WCHAR volume[] = L"\\\\?\\Volume{5110511a-0000-5000-8000-000000000001}";

API NameToGuid(LPCWSTR name, GUID *id) {
    ULONG hash = 2166136261u;
    for (; *name; name++) hash = (hash ^ *name) * 16777619u;
    *id = (GUID){hash, 0, 0x5000, {0x80}};
    return S_OK;
}

API CreateSandboxLayer(void *driver, LPCWSTR id, ULONG_PTR parent, void *layers, ULONG count) {
    (void)driver, (void)id, (void)parent, (void)layers, (void)count;
    return S_OK;
}

API ActivateLayer(void *driver, LPCWSTR id) { return (void)driver, (void)id, S_OK; }

API DeactivateLayer(void *driver, LPCWSTR id) { return (void)driver, (void)id, S_OK; }

API UnprepareLayer(void *driver, LPCWSTR id) { return (void)driver, (void)id, S_OK; }

API PrepareLayer(void *driver, LPCWSTR id, void *layers, ULONG count) {
    return (void)driver, (void)id, (void)layers, (void)count, S_OK;
}

API GetLayerMountPath(void *driver, LPCWSTR id, SIZE_T *len, WCHAR *path) {
    (void)driver, (void)id;
    if (path && *len >= sizeof volume / sizeof *volume) lstrcpyW(path, volume);
    *len = sizeof volume / sizeof *volume;
    return S_OK;
}

// HcsOpenComputeSystem finds no system; the shim's "delete" opens one by its id.
API HcsOpenComputeSystem(LPCWSTR id, HANDLE *system, LPWSTR *result) {
    (void)id, (void)system;
    *result = NULL;
    return (HRESULT)0x8037010E; // HCS_E_SYSTEM_NOT_FOUND
}

BOOL WINAPI DllMain(HINSTANCE dll, DWORD why, LPVOID reserved) { return (void)dll, (void)why, (void)reserved, TRUE; }
