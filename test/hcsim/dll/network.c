// computenetwork.dll for Wine: the functions for network namespaces. The directory that HCSIM_NAMESPACES names, with a
// backslash at its end, has a file for each that exists, so that a test sees what was left.
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#define API __declspec(dllexport) HRESULT WINAPI
#define FAILED_WITH(e) ((HRESULT)(0x80070000 | (e)))

static void path_of(WCHAR *path, const GUID *id) {
    static const WCHAR digits[] = L"0123456789abcdef";
    const BYTE *bytes = (const BYTE *)id;
    int n = GetEnvironmentVariableW(L"HCSIM_NAMESPACES", path, MAX_PATH - 40);
    for (int i = 0; i < 16; i++) path[n++] = digits[bytes[i] >> 4], path[n++] = digits[bytes[i] & 15];
    path[n] = 0;
}

static HRESULT open_file(const GUID *id, DWORD how, HANDLE *ns) {
    WCHAR path[MAX_PATH];
    path_of(path, id);
    *ns = CreateFileW(path, GENERIC_WRITE, FILE_SHARE_DELETE | FILE_SHARE_WRITE, NULL, how, 0, NULL);
    if (*ns != INVALID_HANDLE_VALUE) return S_OK;
    return FAILED_WITH(GetLastError() == ERROR_FILE_NOT_FOUND ? ERROR_NOT_FOUND : GetLastError());
}

API HcnCreateNamespace(const GUID *id, LPCWSTR settings, HANDLE *ns, LPWSTR *error) {
    *error = NULL;
    return settings ? open_file(id, CREATE_NEW, ns) : E_INVALIDARG;
}

API HcnOpenNamespace(const GUID *id, HANDLE *ns, LPWSTR *error) {
    *error = NULL;
    return open_file(id, OPEN_EXISTING, ns);
}

API HcnModifyNamespace(HANDLE ns, LPCWSTR settings, LPWSTR *error) {
    *error = NULL;
    return ns && settings ? S_OK : E_INVALIDARG;
}

API HcnDeleteNamespace(const GUID *id, LPWSTR *error) {
    WCHAR path[MAX_PATH];
    *error = NULL;
    path_of(path, id);
    return DeleteFileW(path) ? S_OK : FAILED_WITH(ERROR_NOT_FOUND);
}

API HcnCloseNamespace(HANDLE ns) { return CloseHandle(ns) ? S_OK : E_HANDLE; }

BOOL WINAPI DllMain(HINSTANCE dll, DWORD why, LPVOID reserved) { return (void)dll, (void)why, (void)reserved, TRUE; }
