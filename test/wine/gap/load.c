// System DLLs that Windows has and Wine lacks: a DLL that is not found is searched in C:\gap\dll. They are not in
// system32, where programs would treat their presence as a feature of the host. WINEGAP_DLLS is a directory, with a
// backslash at its end, that is searched first: a test uses it for its DLLs.
#include "gap.h"

typedef NTSTATUS(NTAPI *load_dll)(LPCWSTR, DWORD, const UNICODE_STRING *, HMODULE *);
static load_dll original;
static WCHAR own[MAX_PATH];

enum { DLL_NOT_FOUND = 0xC0000135 };

// load_from looks for the last part of a DLL's name in a directory, given with its trailing backslash.
static NTSTATUS load_from(const WCHAR *dir, const UNICODE_STRING *name, HMODULE *module) {
    WCHAR path[MAX_PATH];
    int n = lstrlenW(dir), len = name->Length / sizeof(WCHAR), last = 0;
    for (int i = 0; i < len; i++)
        if (name->Buffer[i] == '\\' || name->Buffer[i] == '/') last = i + 1;
    if (n + len - last >= MAX_PATH) return STATUS(DLL_NOT_FOUND);
    lstrcpyW(path, dir);
    for (int i = last; i < len; i++) path[n++] = name->Buffer[i];
    path[n] = 0;
    if (GetFileAttributesW(path) == INVALID_FILE_ATTRIBUTES) return STATUS(DLL_NOT_FOUND);
    UNICODE_STRING full = {n * sizeof(WCHAR), (n + 1) * sizeof(WCHAR), path};
    return original(NULL, 0, &full, module);
}

static NTSTATUS NTAPI replacement(LPCWSTR search, DWORD flags, const UNICODE_STRING *name, HMODULE *module) {
    NTSTATUS st = original(search, flags, name, module);
    if (st == STATUS(DLL_NOT_FOUND) && name && own[0]) st = load_from(own, name, module);
    if (st == STATUS(DLL_NOT_FOUND) && name) st = load_from(L"C:\\gap\\dll\\", name, module);
    if (st == STATUS(DLL_NOT_FOUND) && name && gap_peer) st = load_from(L"C:\\gap\\peer\\", name, module);
    if (st == STATUS(DLL_NOT_FOUND) && name && gap_kubelet) st = load_from(L"C:\\gap\\kubelet\\", name, module);
    return st;
}

BOOL load_install(void) {
    // lea rsp,[rsp+0]; push r13, r12, rbp, rdi, rsi, rbx; sub rsp,0x48
    static const BYTE prologue[] = {0x48, 0x8d, 0xa4, 0x24, 0x00, 0x00, 0x00, 0x00, 0x41, 0x55,
                                    0x41, 0x54, 0x55, 0x57, 0x56, 0x53, 0x48, 0x83, 0xec, 0x48};
    if (GetEnvironmentVariableW(L"WINEGAP_DLLS", own, MAX_PATH) >= MAX_PATH) own[0] = 0;
    return (original = hook_prologue("LdrLoadDll", replacement, prologue, sizeof prologue)) != NULL;
}
