// Volumes at their paths (WINEGAP=volumes), for the programs of a job container that was not made for one. On Windows a bind
// filter shows a volume at its path. Wine has none, and the shim links volumes below the root file system. Here a path
// without a drive is taken below the root file system if that has the file or its directory.
#include "gap.h"

enum { VIEW = MAX_PATH * 2 };

static BOOL slash(WCHAR c) { return c == '\\' || c == '/'; }

static BOOL exists(LPCWSTR path) { return GetFileAttributesW(path) != INVALID_FILE_ATTRIBUTES; }

// view returns the path that a program means. It may be in the buffer.
static LPCWSTR view(LPCWSTR path, WCHAR *to) {
    WCHAR *rest, *last;
    if (!path || !slash(path[0]) || slash(path[1])) return path;
    DWORD n = GetEnvironmentVariableW(L"CONTAINER_SANDBOX_MOUNT_POINT", to, VIEW);
    while (n && n < VIEW && slash(to[n - 1])) n--;
    if (!n || n + (DWORD)lstrlenW(path) >= VIEW) return path;
    lstrcpyW(rest = to + n, path);
    if (exists(to)) return to;
    for (last = rest + lstrlenW(rest); last > rest && !slash(*last); last--) {}
    if (last == rest) return path; // the root file system has no new files
    WCHAR c = *last;
    *last = 0;
    BOOL has = exists(to);
    *last = c;
    return has ? to : path;
}

static HANDLE WINAPI open(LPCWSTR path, DWORD access, DWORD share, SECURITY_ATTRIBUTES *security, DWORD disposition, DWORD flags,
                          HANDLE like) {
    WCHAR to[VIEW];
    return CreateFileW(view(path, to), access, share, security, disposition, flags, like);
}

static BOOL WINAPI attributes(LPCWSTR path, GET_FILEEX_INFO_LEVELS level, void *out) {
    WCHAR to[VIEW];
    return GetFileAttributesExW(view(path, to), level, out);
}

static HANDLE WINAPI find(LPCWSTR path, WIN32_FIND_DATAW *out) {
    WCHAR to[VIEW];
    return FindFirstFileW(view(path, to), out);
}

void *view_function(const char *name) {
    static const struct { const char *name; void *function; } functions[] = {
        {"CreateFileW", open}, {"GetFileAttributesExW", attributes}, {"FindFirstFileW", find},
    };
    for (unsigned i = 0; i < sizeof functions / sizeof *functions; i++)
        if (!lstrcmpA(name, functions[i].name)) return functions[i].function;
    return NULL;
}
