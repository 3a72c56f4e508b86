// computenetwork.dll for Wine: the functions for network namespaces. The directory HCSIM_NAMESPACES, with a backslash at its
// end, has a file for each namespace, so that a test sees which ones remain. The file has the answer to a query, and after it
// the ids of the namespace's endpoints. A namespace with endpoints is not deleted.
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
    *ns = CreateFileW(path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_DELETE | FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, how, 0, NULL);
    if (*ns != INVALID_HANDLE_VALUE) return S_OK;
    return FAILED_WITH(GetLastError() == ERROR_FILE_NOT_FOUND ? ERROR_NOT_FOUND : GetLastError());
}

// invent makes a unique id.
static GUID invent(void) {
    static LONG serial;
    LARGE_INTEGER now;
    QueryPerformanceCounter(&now);
    return (GUID){now.LowPart, (USHORT)now.HighPart, 0x5000, {0x80, 0, (BYTE)InterlockedIncrement(&serial), 0, 0, 0, 0, 2}};
}

#define DESCRIPTION L"{\"ID\":\"________-____-____-____-____________\",\"SchemaVersion\":{\"Major\":2,\"Minor\":0}}"

// describe writes the answer to a query into a new namespace.
static BOOL describe(HANDLE ns, const GUID *id) {
    static const WCHAR digits[] = L"0123456789abcdef";
    static const BYTE order[] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    WCHAR text[] = DESCRIPTION;
    DWORD done;
    for (int i = 0, at = 7; i < 16; i++) {
        BYTE b = ((const BYTE *)id)[order[i]];
        if (text[at] == '-') at++;
        text[at++] = digits[b >> 4];
        text[at++] = digits[b & 15];
    }
    return WriteFile(ns, text, sizeof text, &done, NULL);
}

API HcnCreateNamespace(const GUID *id, LPCWSTR settings, HANDLE *ns, LPWSTR *error) {
    static const GUID none;
    *error = NULL;
    if (!settings) return E_INVALIDARG;
    GUID own = id->Data1 == none.Data1 && id->Data2 == none.Data2 ? invent() : *id;
    HRESULT hr = open_file(&own, CREATE_NEW, ns);
    return hr != S_OK || describe(*ns, &own) ? hr : FAILED_WITH(GetLastError());
}

enum { ROOM = 4096, ID_AT = 7, ID_LENGTH = 36 }; // of an answer, and of the id in the description

// answer allocates an answer, which the caller frees with CoTaskMemFree.
static WCHAR *answer(void) {
    typedef void *(WINAPI * allocator)(SIZE_T);
    allocator allocate = (allocator)(void *)GetProcAddress(LoadLibraryW(L"ole32"), "CoTaskMemAlloc");
    return allocate ? allocate(ROOM) : NULL;
}

API HcnQueryNamespaceProperties(HANDLE ns, LPCWSTR query, LPWSTR *properties, LPWSTR *error) {
    DWORD n;
    *error = NULL;
    if (!query || !(*properties = answer())) return E_INVALIDARG;
    SetFilePointer(ns, 0, NULL, FILE_BEGIN);
    return ReadFile(ns, *properties, ROOM, &n, NULL) ? S_OK : FAILED_WITH(GetLastError());
}

static BOOL contains(LPCWSTR text, LPCWSTR part) {
    for (int n = lstrlenW(part); *text; text++)
        if (CompareStringOrdinal(text, n < lstrlenW(text) ? n : -1, part, n, TRUE) == CSTR_EQUAL) return TRUE;
    return FALSE;
}

// id_in reads the id of the namespace in a file.
static BOOL id_in(LPCWSTR name, WCHAR *id) {
    WCHAR path[MAX_PATH], text[128];
    DWORD n;
    int end = GetEnvironmentVariableW(L"HCSIM_NAMESPACES", path, MAX_PATH - 40);
    lstrcpynW(path + end, name, MAX_PATH - end);
    HANDLE f = CreateFileW(path, GENERIC_READ, FILE_SHARE_DELETE | FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
    if (f == INVALID_HANDLE_VALUE) return FALSE;
    BOOL ok = ReadFile(f, text, sizeof text, &n, NULL) && n / sizeof *text > ID_AT + ID_LENGTH;
    CloseHandle(f);
    if (ok) lstrcpynW(id, text + ID_AT, ID_LENGTH + 1);
    return ok;
}

// HcnEnumerateNamespaces lists the ids of the query, or all of them if it has none.
API HcnEnumerateNamespaces(LPCWSTR query, LPWSTR *namespaces, LPWSTR *error) {
    WCHAR path[MAX_PATH], id[ID_LENGTH + 1];
    WIN32_FIND_DATAW found;
    *error = NULL;
    if (!query || !(*namespaces = answer())) return E_INVALIDARG;
    int end = GetEnvironmentVariableW(L"HCSIM_NAMESPACES", path, MAX_PATH - 40);
    lstrcpyW(path + end, L"*");
    lstrcpyW(*namespaces, L"[");
    HANDLE search = FindFirstFileW(path, &found);
    for (BOOL more = search != INVALID_HANDLE_VALUE; more; more = FindNextFileW(search, &found)) {
        if (!id_in(found.cFileName, id) || (contains(query, L"\"ID") && !contains(query, id))) continue;
        if (lstrlenW(*namespaces) + ID_LENGTH + 8 > (int)(ROOM / sizeof **namespaces)) break;
        lstrcatW(*namespaces, (*namespaces)[1] ? L",\"" : L"\"");
        lstrcatW(lstrcatW(*namespaces, id), L"\"");
    }
    if (search != INVALID_HANDLE_VALUE) FindClose(search);
    lstrcatW(*namespaces, L"]");
    return S_OK;
}

API HcnOpenNamespace(const GUID *id, HANDLE *ns, LPWSTR *error) {
    *error = NULL;
    return open_file(id, OPEN_EXISTING, ns);
}

typedef WCHAR endpoint[ID_LENGTH];

// behind is the text after a part of another, or NULL.
static LPCWSTR behind(LPCWSTR text, LPCWSTR part) {
    for (int n = lstrlenW(part); lstrlenW(text) >= n; text++)
        if (CompareStringOrdinal(text, n, part, n, TRUE) == CSTR_EQUAL) return text + n;
    return NULL;
}

// HcnModifyNamespace adds an endpoint to a namespace, or removes one.
API HcnModifyNamespace(HANDLE ns, LPCWSTR settings, LPWSTR *error) {
    DWORD n;
    endpoint other;
    *error = NULL;
    LPCWSTR id = settings ? behind(settings, L"\"EndpointId\":\"") : NULL;
    if (!id || lstrlenW(id) < ID_LENGTH || !contains(settings, L"\"ResourceType\":\"Endpoint\"")) return E_INVALIDARG;
    if (contains(settings, L"\"RequestType\":\"Add\"")) {
        SetFilePointer(ns, 0, NULL, FILE_END);
        return WriteFile(ns, id, sizeof other, &n, NULL) ? S_OK : FAILED_WITH(GetLastError());
    }
    if (!contains(settings, L"\"RequestType\":\"Remove\"")) return E_INVALIDARG;
    for (LONG at = sizeof DESCRIPTION, end = GetFileSize(ns, NULL); at < end; at += sizeof other) {
        SetFilePointer(ns, at, NULL, FILE_BEGIN);
        if (!ReadFile(ns, other, sizeof other, &n, NULL)) return FAILED_WITH(GetLastError());
        if (CompareStringOrdinal(other, ID_LENGTH, id, ID_LENGTH, TRUE) != CSTR_EQUAL) continue;
        SetFilePointer(ns, end - (LONG)sizeof other, NULL, FILE_BEGIN); // the last one takes its place
        if (!ReadFile(ns, other, sizeof other, &n, NULL)) return FAILED_WITH(GetLastError());
        SetFilePointer(ns, at, NULL, FILE_BEGIN);
        if (!WriteFile(ns, other, sizeof other, &n, NULL)) return FAILED_WITH(GetLastError());
        SetFilePointer(ns, end - (LONG)sizeof other, NULL, FILE_BEGIN);
        return SetEndOfFile(ns) ? S_OK : FAILED_WITH(GetLastError());
    }
    return FAILED_WITH(ERROR_NOT_FOUND);
}

API HcnDeleteNamespace(const GUID *id, LPWSTR *error) {
    WCHAR path[MAX_PATH];
    HANDLE ns;
    *error = NULL;
    HRESULT hr = open_file(id, OPEN_EXISTING, &ns);
    if (hr != S_OK) return hr;
    BOOL empty = GetFileSize(ns, NULL) == sizeof DESCRIPTION;
    CloseHandle(ns);
    path_of(path, id);
    return empty && DeleteFileW(path) ? S_OK : FAILED_WITH(empty ? GetLastError() : ERROR_BUSY);
}

API HcnCloseNamespace(HANDLE ns) { return CloseHandle(ns) ? S_OK : E_HANDLE; }

BOOL WINAPI DllMain(HINSTANCE dll, DWORD why, LPVOID reserved) { return (void)dll, (void)why, (void)reserved, TRUE; }
