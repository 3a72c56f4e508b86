// Symbolic links for kubelet (WINEGAP=kubelet), which writes the volumes of ConfigMaps, Secrets and tokens with them. Here
// they are links of Linux everywhere. Wine 8 can neither read nor delete one: it does both to the target.
#include "gap.h"

enum {
    HANDLES = 64,
    READ_LINK = 0x900A8, // FSCTL_GET_REPARSE_POINT
    SYMLINK_TAG = 0xA000000C,
    RELATIVE_LINK = 1,
    NAME_NOT_FOUND = 0xC0000034,
};

// opened are the links that a handle is open to, guarded by gap_lock. The handle itself is one of the target.
static struct { HANDLE handle; char target[MAX_PATH]; } opened[HANDLES];

// reparse is REPARSE_DATA_BUFFER of a symbolic link.
typedef struct {
    DWORD tag;
    WORD length, reserved, name_at, name_len, print_at, print_len;
    DWORD flags;
    WCHAR text[2 * MAX_PATH];
} reparse;

static void turn(char *path, char from, char to) {
    for (; *path; path++)
        if (*path == from) *path = to;
}

static BOOLEAN WINAPI create(LPCWSTR path, LPCWSTR target, DWORD flags) {
    char to[MAX_PATH * 2];
    (void)flags;
    if (unix_is_link(path) || GetFileAttributesW(path) != INVALID_FILE_ATTRIBUTES) {
        SetLastError(ERROR_ALREADY_EXISTS);
        return FALSE;
    }
    if (target[0] && target[1] == ':') return (BOOLEAN)unix_link(path, target);
    if (!WideCharToMultiByte(CP_UTF8, 0, target, -1, to, sizeof to, NULL, NULL)) return FALSE;
    turn(to, '\\', '/');
    return (BOOLEAN)unix_link_text(path, to);
}

static HANDLE WINAPI open(LPCWSTR path, DWORD access, DWORD share, SECURITY_ATTRIBUTES *security, DWORD disposition, DWORD flags,
                          HANDLE like) {
    char target[MAX_PATH];
    HANDLE h = CreateFileW(path, access, share, security, disposition, flags, like);
    if (h == INVALID_HANDLE_VALUE || !(flags & FILE_FLAG_OPEN_REPARSE_POINT) || !unix_link_target(path, target, sizeof target)) return h;
    EnterCriticalSection(&gap_lock);
    for (int i = 0; i < HANDLES; i++)
        if (!opened[i].handle) {
            opened[i].handle = h;
            lstrcpyA(opened[i].target, target);
            break;
        }
    LeaveCriticalSection(&gap_lock);
    return h;
}

static BOOL WINAPI close(HANDLE h) {
    EnterCriticalSection(&gap_lock);
    for (int i = 0; h && i < HANDLES; i++)
        if (opened[i].handle == h) opened[i].handle = NULL;
    LeaveCriticalSection(&gap_lock);
    return CloseHandle(h);
}

// target_of copies the target of the link that a handle is open to.
static BOOL target_of(HANDLE h, char *target) {
    BOOL found = FALSE;
    EnterCriticalSection(&gap_lock);
    for (int i = 0; h && i < HANDLES && !found; i++)
        if ((found = opened[i].handle == h)) lstrcpyA(target, opened[i].target);
    LeaveCriticalSection(&gap_lock);
    return found;
}

static BOOL WINAPI control(HANDLE h, DWORD code, void *in, DWORD in_size, void *out, DWORD out_size, DWORD *done, OVERLAPPED *o) {
    char target[MAX_PATH];
    WCHAR wide[MAX_PATH];
    reparse *r = out;
    if (code != READ_LINK || !target_of(h, target)) return DeviceIoControl(h, code, in, in_size, out, out_size, done, o);
    turn(target, '/', '\\');
    int n = MultiByteToWideChar(CP_UTF8, 0, target, -1, wide, MAX_PATH) - 1;
    if (n < 0 || out_size < sizeof *r) {
        SetLastError(ERROR_INSUFFICIENT_BUFFER);
        return FALSE;
    }
    r->tag = SYMLINK_TAG;
    r->reserved = r->name_at = 0;
    r->name_len = r->print_at = r->print_len = (WORD)(n * sizeof *wide);
    r->flags = RELATIVE_LINK;
    r->length = (WORD)(12 + 2 * r->name_len); // of what follows the field reserved
    for (int i = 0; i < n; i++) r->text[i] = r->text[n + i] = wide[i];
    *done = 8u + r->length;
    return TRUE;
}

static BOOL WINAPI delete_file(LPCWSTR path) { return gap_unlink(path) || DeleteFileW(path); }

static BOOL WINAPI remove_directory(LPCWSTR path) { return gap_unlink(path) || RemoveDirectoryW(path); }

// move renames a link as Linux does. kubelet replaces the link of a volume by a new one, in one step.
static BOOL WINAPI move(LPCWSTR from, LPCWSTR to, DWORD flags) {
    return unix_is_link(from) ? unix_rename(from, to) : MoveFileExW(from, to, flags);
}

// open_relative replaces NtOpenFile. os.RemoveAll of Go opens what it deletes relative to a directory, without following a
// link. A link is deleted here, and then not found.
static NTSTATUS NTAPI open_relative(HANDLE *h, ACCESS_MASK access, OBJECT_ATTRIBUTES *a, IO_STATUS_BLOCK *io, ULONG share, ULONG options) {
    WCHAR path[MAX_PATH * 2], *at = path;
    if ((options & FILE_OPEN_REPARSE_POINT) && (access & DELETE) && a && a->RootDirectory && a->ObjectName && a->ObjectName->Length) {
        DWORD n = GetFinalPathNameByHandleW(a->RootDirectory, path, MAX_PATH, 0), len = a->ObjectName->Length / sizeof(WCHAR);
        if (n && n < MAX_PATH && n + len + 2 < MAX_PATH * 2) {
            if (path[n - 1] != '\\') path[n++] = '\\';
            for (DWORD i = 0; i < len; i++) path[n++] = a->ObjectName->Buffer[i];
            path[n] = 0;
            if (path[0] == '\\') at += 4; // after "\\?\"
            if (gap_unlink(at)) return STATUS(NAME_NOT_FOUND);
        }
    }
    return NtOpenFile(h, access, a, io, share, options);
}

void *link_function(const char *name) {
    static const struct { const char *name; void *function; } functions[] = {
        {"CreateSymbolicLinkW", create}, {"CreateFileW", open}, {"CloseHandle", close}, {"DeviceIoControl", control},
        {"DeleteFileW", delete_file}, {"RemoveDirectoryW", remove_directory}, {"MoveFileExW", move}, {"NtOpenFile", open_relative},
    };
    for (unsigned i = 0; i < sizeof functions / sizeof *functions; i++)
        if (!lstrcmpA(name, functions[i].name)) return functions[i].function;
    return NULL;
}
