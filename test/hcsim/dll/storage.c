// vmcompute.dll for Wine: the layer functions. A layer is a directory. Its state is a file in it, "active" or "prepared", so
// that a test sees which layers remain mounted; an order of calls that Windows would refuse is refused. The volume of a layer
// is the directory "volume" in it, to which the parents' files are copied; a file in C:\gap\volume names it to the gap
// filler, which mounts it.
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

// hash computes a GUID from a name.
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

static const WCHAR volumes[] = L"C:\\gap\\volume\\";

enum { VOLUME = 44 }; // the length of "Volume{GUID}"

// name_volume writes "Volume{GUID}", with the hash of the layer in it.
static void name_volume(LPCWSTR layer, WCHAR *name) {
    static const WCHAR digits[] = L"0123456789abcdef";
    ULONG sum = hash(layer).Data1;
    lstrcpyW(name, L"Volume{________-51c0-5000-8000-000000000001}");
    for (int i = 0; i < 8; i++) name[14 - i] = digits[sum >> 4 * i & 15];
}

// visit calls f with each entry of a directory. at has room for MAX_PATH characters, and so has to if there is one: its
// counterpart in another directory.
static BOOL visit(WCHAR *at, WCHAR *to, BOOL (*f)(WCHAR *at, WCHAR *to, BOOL directory)) {
    WIN32_FIND_DATAW found;
    int end = lstrlenW(at), other = to ? lstrlenW(to) : 0;
    if (end + 3 >= MAX_PATH) return FALSE;
    lstrcatW(at, L"\\*");
    HANDLE search = FindFirstFileW(at, &found);
    at[end] = 0;
    if (search == INVALID_HANDLE_VALUE) return TRUE; // the layer has no files
    BOOL ok = TRUE;
    do {
        if (!lstrcmpW(found.cFileName, L".") || !lstrcmpW(found.cFileName, L"..")) continue;
        int n = lstrlenW(found.cFileName);
        if (!(ok = end + n + 2 < MAX_PATH && other + n + 2 < MAX_PATH)) break;
        at[end] = '\\';
        lstrcpyW(at + end + 1, found.cFileName);
        if (to) {
            to[other] = '\\';
            lstrcpyW(to + other + 1, found.cFileName);
        }
        ok = f(at, to, found.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY);
        at[end] = 0;
        if (to) to[other] = 0;
    } while (ok && FindNextFileW(search, &found));
    FindClose(search);
    return ok;
}

// copy copies an entry of a parent unless a nearer parent has it. Hard links do not work for programs: Wine does not
// close a program that runs under another name.
static BOOL copy(WCHAR *at, WCHAR *to, BOOL directory) {
    if (directory) return (CreateDirectoryW(to, NULL) || GetLastError() == ERROR_ALREADY_EXISTS) && visit(at, to, copy);
    return CopyFileW(at, to, TRUE) || GetLastError() == ERROR_FILE_EXISTS;
}

// unlink removes the links from a volume: for Wine they are directories, and removing the layer would delete their
// targets.
static BOOL unlink(WCHAR *at, WCHAR *to, BOOL directory) {
    typedef BOOL(WINAPI * unlinker)(LPCWSTR);
    unlinker f = (unlinker)(void *)GetProcAddress(GetModuleHandleW(L"bcryptprimitives"), "gap_unlink");
    (void)to;
    if (f && f(at)) return TRUE;
    return !directory || visit(at, NULL, unlink);
}

typedef struct { GUID id; ULONG flags; LPCWSTR path; } descriptor; // WC_LAYER_DESCRIPTOR

// fill creates the volume of a layer if it has none.
static BOOL fill(LPCWSTR layer, const descriptor *parents, ULONG count) {
    WCHAR to[MAX_PATH], from[MAX_PATH];
    path_of(to, layer, L"volume");
    if (!CreateDirectoryW(to, NULL)) return GetLastError() == ERROR_ALREADY_EXISTS;
    for (ULONG i = 0; i < count; i++) {
        path_of(from, parents[i].path, L"Files");
        if (!visit(from, to, copy)) return FALSE;
    }
    return TRUE;
}

// announce writes the volume of a layer for the gap filler; conceal removes that.
static BOOL announce(LPCWSTR layer) {
    WCHAR path[64], dir[MAX_PATH];
    DWORD n;
    CreateDirectoryW(volumes, NULL);
    lstrcpyW(path, volumes);
    name_volume(layer, path + lstrlenW(path));
    path_of(dir, layer, L"volume");
    HANDLE f = CreateFileW(path, GENERIC_WRITE, FILE_SHARE_READ, NULL, CREATE_ALWAYS, 0, NULL);
    if (f == INVALID_HANDLE_VALUE) return FALSE;
    BOOL ok = WriteFile(f, dir, lstrlenW(dir) * sizeof *dir, &n, NULL);
    CloseHandle(f);
    return ok;
}

static void conceal(LPCWSTR layer) {
    WCHAR path[64], dir[MAX_PATH];
    lstrcpyW(path, volumes);
    name_volume(layer, path + lstrlenW(path));
    DeleteFileW(path);
    path_of(dir, layer, L"volume");
    visit(dir, NULL, unlink);
}

API PrepareLayer(void *driver, LPCWSTR layer, const descriptor *parents, ULONG count) {
    (void)driver;
    if (!parents || !count) return E_INVALIDARG;
    if (!is(layer, L"active")) return FAILED_WITH(ERROR_NOT_READY);
    return fill(layer, parents, count) && announce(layer) ? mark(layer, L"prepared") : FAILED_WITH(GetLastError());
}

API UnprepareLayer(void *driver, LPCWSTR layer) {
    (void)driver;
    if (is(layer, L"prepared")) conceal(layer);
    return unmark(layer, L"prepared");
}

API DeactivateLayer(void *driver, LPCWSTR layer) {
    (void)driver;
    return is(layer, L"prepared") ? FAILED_WITH(ERROR_BUSY) : unmark(layer, L"active");
}

API GetLayerMountPath(void *driver, LPCWSTR layer, SIZE_T *length, WCHAR *path) {
    WCHAR volume[VOLUME + 5] = L"\\\\?\\";
    (void)driver;
    if (!is(layer, L"active")) return FAILED_WITH(ERROR_NOT_READY);
    name_volume(layer, volume + 4);
    if (path && *length >= sizeof volume / sizeof *volume) lstrcpyW(path, volume);
    *length = sizeof volume / sizeof *volume;
    return S_OK;
}

BOOL WINAPI DllMain(HINSTANCE dll, DWORD why, LPVOID reserved) { return (void)dll, (void)why, (void)reserved, TRUE; }
