// vmcompute.dll for Wine: the layer functions. A layer is a directory. What is done to it is a file in there, "active" or
// "prepared", so that a test sees what was left mounted; an order of calls that Windows would refuse is refused.
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#define API __declspec(dllexport) HRESULT WINAPI
#define FAILED_WITH(e) ((HRESULT)(0x80070000 | (e)))

static void path_of(WCHAR *path, LPCWSTR layer, LPCWSTR name) {
    lstrcpynW(path, layer, MAX_PATH - 20);
    lstrcatW(path, L"\\");
    lstrcatW(path, name);
}

static BOOL is(LPCWSTR layer, LPCWSTR name) {
    WCHAR path[MAX_PATH];
    path_of(path, layer, name);
    return GetFileAttributesW(path) != INVALID_FILE_ATTRIBUTES;
}

static HRESULT mark(LPCWSTR layer, LPCWSTR name) {
    WCHAR path[MAX_PATH];
    path_of(path, layer, name);
    HANDLE f = CreateFileW(path, GENERIC_WRITE, 0, NULL, CREATE_NEW, 0, NULL);
    if (f == INVALID_HANDLE_VALUE) return FAILED_WITH(GetLastError());
    CloseHandle(f);
    return S_OK;
}

static HRESULT unmark(LPCWSTR layer, LPCWSTR name) {
    WCHAR path[MAX_PATH];
    path_of(path, layer, name);
    return DeleteFileW(path) ? S_OK : FAILED_WITH(GetLastError());
}

// hash makes the same GUID of the same name.
static GUID hash(LPCWSTR name) {
    ULONG sum = 2166136261u;
    for (; *name; name++) sum = (sum ^ *name) * 16777619u;
    return (GUID){sum, 0x51c0, 0x5000, {0x80, 0, 0, 0, 0, 0, 0, 1}};
}

API NameToGuid(LPCWSTR name, GUID *id) {
    *id = hash(name);
    return S_OK;
}

API CreateSandboxLayer(void *driver, LPCWSTR layer, ULONG_PTR parent, void *parents, ULONG count) {
    (void)driver, (void)parent;
    return parents && count ? mark(layer, L"sandbox.vhdx") : E_INVALIDARG;
}

API ActivateLayer(void *driver, LPCWSTR layer) {
    (void)driver;
    return is(layer, L"sandbox.vhdx") ? mark(layer, L"active") : FAILED_WITH(ERROR_FILE_NOT_FOUND);
}

API PrepareLayer(void *driver, LPCWSTR layer, void *parents, ULONG count) {
    (void)driver;
    if (!parents || !count) return E_INVALIDARG;
    return is(layer, L"active") ? mark(layer, L"prepared") : FAILED_WITH(ERROR_NOT_READY);
}

API UnprepareLayer(void *driver, LPCWSTR layer) { return (void)driver, unmark(layer, L"prepared"); }

API DeactivateLayer(void *driver, LPCWSTR layer) {
    (void)driver;
    return is(layer, L"prepared") ? FAILED_WITH(ERROR_BUSY) : unmark(layer, L"active");
}

API GetLayerMountPath(void *driver, LPCWSTR layer, SIZE_T *length, WCHAR *path) {
    static const WCHAR digits[] = L"0123456789abcdef";
    WCHAR volume[] = L"\\\\?\\Volume{________-51c0-5000-8000-000000000001}";
    ULONG sum = hash(layer).Data1;
    (void)driver;
    if (!is(layer, L"active")) return FAILED_WITH(ERROR_NOT_READY);
    for (int i = 0; i < 8; i++) volume[18 - i] = digits[sum >> 4 * i & 15];
    if (path && *length >= sizeof volume / sizeof *volume) lstrcpyW(path, volume);
    *length = sizeof volume / sizeof *volume;
    return S_OK;
}

BOOL WINAPI DllMain(HINSTANCE dll, DWORD why, LPVOID reserved) { return (void)dll, (void)why, (void)reserved, TRUE; }
