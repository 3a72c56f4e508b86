// Links of Linux: Wine follows them and can neither create nor see them. A link replaces a Windows
// reparse point: a mounted volume or a symbolic link. For Wine it is its target: deleting a
// tree with a link in it deletes the target. So links must be removed before, see gap_unlink.
#include "gap.h"

// call is a system call of Linux.
static LONGLONG call(LONGLONG number, const void *a, const void *b, LONGLONG c) {
    LONGLONG result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}

enum { OPEN = 2, CLOSE = 3, RENAME = 82, UNLINK = 87, SYMLINK = 88, READLINK = 89, O_PATH = 0x200000 };

// unix_path returns the Linux path of a file, whose last part need not exist. Free it with HeapFree.
static char *unix_path(LPCWSTR path) {
    typedef char *(CDECL * convert)(LPCWSTR);
    convert f = (convert)(void *)GetProcAddress(GetModuleHandleA("kernel32"), "wine_get_unix_file_name");
    return f ? f(path) : NULL;
}

BOOL unix_is_link(LPCWSTR path) {
    char target[4], *at = unix_path(path);
    BOOL is = at && call(READLINK, at, target, sizeof target) > 0;
    if (at) HeapFree(GetProcessHeap(), 0, at);
    return is;
}

BOOL unix_link_target(LPCWSTR path, char *target, int size) {
    char *at = unix_path(path);
    LONGLONG n = at ? call(READLINK, at, target, size - 1) : -1;
    if (at) HeapFree(GetProcessHeap(), 0, at);
    target[n > 0 ? n : 0] = 0;
    return n > 0;
}

BOOL unix_link_text(LPCWSTR path, const char *target) {
    char *at = unix_path(path);
    BOOL ok = at && call(SYMLINK, target, at, 0) == 0;
    if (at) HeapFree(GetProcessHeap(), 0, at);
    if (!ok) SetLastError(ERROR_ACCESS_DENIED);
    return ok;
}

BOOL unix_link(LPCWSTR path, LPCWSTR target) {
    char *to = unix_path(target);
    BOOL ok = to && unix_link_text(path, to);
    if (to) HeapFree(GetProcessHeap(), 0, to);
    return ok;
}

BOOL unix_rename(LPCWSTR from, LPCWSTR to) {
    char *old = unix_path(from), *new = unix_path(to);
    BOOL ok = old && new && call(RENAME, old, new, 0) == 0;
    if (old) HeapFree(GetProcessHeap(), 0, old);
    if (new) HeapFree(GetProcessHeap(), 0, new);
    if (!ok) SetLastError(ERROR_ACCESS_DENIED);
    return ok;
}

// gap_unlink removes a link and reports whether path was one. It is exported for DLLs of tests.
__declspec(dllexport) BOOL WINAPI gap_unlink(LPCWSTR path) {
    if (!unix_is_link(path)) return FALSE;
    char *at = unix_path(path);
    BOOL ok = call(UNLINK, at, NULL, 0) == 0;
    HeapFree(GetProcessHeap(), 0, at);
    return ok;
}

// unix_final returns the path with all links resolved. Free it with HeapFree.
WCHAR *unix_final(LPCWSTR path) {
    typedef WCHAR *(CDECL * convert)(const char *);
    convert f = (convert)(void *)GetProcAddress(GetModuleHandleA("kernel32"), "wine_get_dos_file_name");
    char name[32] = "/proc/self/fd/", target[MAX_PATH * 3], *at = unix_path(path);
    if (!at) return NULL;
    LONGLONG n = -1, fd = call(OPEN, at, (void *)O_PATH, 0);
    HeapFree(GetProcessHeap(), 0, at);
    if (fd < 0) return NULL;
    int end = lstrlenA(name), digits = 1;
    for (LONGLONG rest = fd; rest >= 10; rest /= 10) digits++;
    name[end + digits] = 0;
    for (LONGLONG rest = fd; digits > 0; rest /= 10) name[end + --digits] = (char)('0' + rest % 10);
    n = call(READLINK, name, target, sizeof target - 1);
    call(CLOSE, (void *)fd, NULL, 0);
    if (n <= 0) return NULL;
    target[n] = 0;
    return f ? f(target) : NULL;
}
