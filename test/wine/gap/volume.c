// Volumes of layers and symbolic links. Wine 8 can mount no volume and only pretends to create links. A volume is a
// directory here, which the emulated layer functions write to C:\gap\volume; mounting it creates a link to it.
#include "gap.h"

// volume_dir reads the directory of a volume, named \\?\Volume{GUID}\.
static BOOL volume_dir(LPCWSTR volume, WCHAR *dir) {
    static const WCHAR prefix[] = L"\\\\?\\Volume{", home[] = L"C:\\gap\\volume\\";
    enum { PREFIX = 10, NAME = 4, LENGTH = 44 }; // of the prefix without brace; where "Volume" begins; and of it with the GUID
    WCHAR path[64];
    DWORD n = 0;
    for (int i = 0; i <= PREFIX; i++)
        if (volume[i] != prefix[i]) return FALSE;
    lstrcpyW(path, home);
    lstrcpynW(path + lstrlenW(home), volume + NAME, LENGTH + 1);
    HANDLE f = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE, NULL, OPEN_EXISTING, 0, NULL);
    if (f == INVALID_HANDLE_VALUE) return FALSE;
    BOOL ok = ReadFile(f, dir, (MAX_PATH - 1) * sizeof *dir, &n, NULL);
    CloseHandle(f);
    dir[n / sizeof *dir] = 0;
    return ok && n;
}

// bare copies a path without the backslash that must be at its end.
static BOOL bare(LPCWSTR path, WCHAR *to) {
    int n = lstrlenW(path);
    if (n < 4 || n >= MAX_PATH || path[n - 1] != '\\') {
        SetLastError(ERROR_INVALID_NAME);
        return FALSE;
    }
    lstrcpynW(to, path, n);
    return TRUE;
}

static BOOL WINAPI mount(LPCWSTR path, LPCWSTR volume) {
    WCHAR at[MAX_PATH], dir[MAX_PATH];
    if (!bare(path, at)) return FALSE;
    if (!volume_dir(volume, dir)) {
        SetLastError(ERROR_FILE_NOT_FOUND);
        return FALSE;
    }
    if (unix_is_link(at)) {
        SetLastError(ERROR_DIR_NOT_EMPTY);
        return FALSE;
    }
    if (!RemoveDirectoryW(at)) return FALSE; // it must exist and be empty
    return unix_link(at, dir);
}

static BOOL WINAPI unmount(LPCWSTR path) {
    WCHAR at[MAX_PATH];
    if (!bare(path, at)) return FALSE;
    if (gap_unlink(at)) return CreateDirectoryW(at, NULL); // the empty one that it was mounted on
    SetLastError(GetFileAttributesW(at) == INVALID_FILE_ATTRIBUTES ? ERROR_FILE_NOT_FOUND : ERROR_NOT_A_REPARSE_POINT);
    return FALSE;
}

// in_volume reports whether path is in a mounted volume.
static BOOL in_volume(LPCWSTR path) {
    WCHAR at[MAX_PATH];
    lstrcpynW(at, path, MAX_PATH);
    for (int i = lstrlenW(at); i > 2; i--) {
        if (at[i] != '\\') continue;
        at[i] = 0;
        if (unix_is_link(at)) return TRUE;
    }
    return FALSE;
}

// link creates symbolic links in volumes, where they are removed with the mount. Elsewhere it reports success, as Wine
// does, and creates none: containerd makes one in each bundle, and removing the bundle on Wine would delete its target.
static BOOLEAN WINAPI link(LPCWSTR path, LPCWSTR target, DWORD flags) {
    (void)flags;
    if (!in_volume(path)) return TRUE;
    if (GetFileAttributesW(path) != INVALID_FILE_ATTRIBUTES) {
        SetLastError(ERROR_ALREADY_EXISTS);
        return FALSE;
    }
    return (BOOLEAN)unix_link(path, target);
}

// no_name is for the volumes of drives. Wine has names for them, \\?\Volume{GUID}, and cannot open such paths.
static BOOL WINAPI no_name(LPCWSTR path, LPWSTR volume, DWORD size) {
    (void)path, (void)volume, (void)size;
    SetLastError(ERROR_PATH_NOT_FOUND);
    return FALSE;
}

// final_path returns the path of a file with all links resolved. Wine returns the path that was opened. Volumes
// have no names here, as shares have none on Windows.
static DWORD WINAPI final_path(HANDLE file, LPWSTR out, DWORD size, DWORD flags) {
    struct {
        UNICODE_STRING name;
        WCHAR text[MAX_PATH * 2];
    } opened;
    static const WCHAR prefix[] = L"\\\\?\\";
    enum { PREFIX = 4 };
    NTSTATUS st = NtQueryObject(file, (OBJECT_INFORMATION_CLASS)1 /* its name */, &opened, sizeof opened - sizeof(WCHAR), NULL);
    if (!OK(st)) {
        SetLastError(RtlNtStatusToDosError(st));
        return 0;
    }
    if (flags & 7) { // anything but VOLUME_NAME_DOS
        SetLastError(ERROR_PATH_NOT_FOUND);
        return 0;
    }
    WCHAR *name = opened.name.Buffer;
    name[opened.name.Length / sizeof *name] = 0;
    if (opened.name.Length > PREFIX * sizeof *name && name[0] == '\\' && name[1] == '?') name[1] = '\\'; // \??\ is \\?\ to others
    WCHAR *real = unix_final(name);
    if (!real) {
        SetLastError(ERROR_PATH_NOT_FOUND);
        return 0;
    }
    DWORD n = (DWORD)lstrlenW(real) + PREFIX;
    if (n < size) lstrcpyW(lstrcpyW(out, prefix) + PREFIX, real);
    HeapFree(GetProcessHeap(), 0, real);
    return n < size ? n : n + 1;
}

BOOL volume_install(void) {
    return replace("kernelbase", "GetVolumeNameForVolumeMountPointW", no_name) &&
           replace("kernel32", "SetVolumeMountPointW", mount) && replace("kernelbase", "DeleteVolumeMountPointW", unmount) &&
           replace("kernelbase", "CreateSymbolicLinkW", link) && replace("kernelbase", "GetFinalPathNameByHandleW", final_path);
}
