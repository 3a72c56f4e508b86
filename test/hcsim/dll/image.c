// vmcompute.dll for Wine, the functions that containerd calls: importing and removing the layers of images.
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#define API __declspec(dllexport) HRESULT WINAPI
#define FAILED_WITH(e) ((HRESULT)(0x80070000 | (e)))

typedef struct { int flavour; LPCWSTR home; } driver;

// ProcessBaseImage makes the disk that containerd copies for each container; it is empty here.
API ProcessBaseImage(LPCWSTR layer) {
    WCHAR path[MAX_PATH];
    lstrcpynW(path, layer, MAX_PATH - 20);
    lstrcatW(path, L"\\blank.vhdx");
    HANDLE f = CreateFileW(path, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
    if (f == INVALID_HANDLE_VALUE) return FAILED_WITH(GetLastError());
    CloseHandle(f);
    return S_OK;
}

// destroy removes a directory with its content. path has room for MAX_PATH characters.
static BOOL destroy(WCHAR *path) {
    WIN32_FIND_DATAW found;
    int end = lstrlenW(path);
    if (end + 3 >= MAX_PATH) return FALSE;
    lstrcatW(path, L"\\*");
    HANDLE search = FindFirstFileW(path, &found);
    if (search == INVALID_HANDLE_VALUE) return FALSE;
    BOOL ok = TRUE;
    do {
        if (!lstrcmpW(found.cFileName, L".") || !lstrcmpW(found.cFileName, L"..")) continue;
        if (end + 1 + lstrlenW(found.cFileName) >= MAX_PATH) {
            ok = FALSE;
            break;
        }
        lstrcpyW(path + end + 1, found.cFileName);
        SetFileAttributesW(path, FILE_ATTRIBUTE_NORMAL);
        BOOL directory = found.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY;
        BOOL link = found.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT;
        ok = directory && !link ? destroy(path) : directory ? RemoveDirectoryW(path) : DeleteFileW(path);
    } while (ok && FindNextFileW(search, &found));
    FindClose(search);
    path[end] = 0;
    return ok && RemoveDirectoryW(path);
}

// DestroyLayer removes a layer, given by its directory below the driver's home, or by its path.
API DestroyLayer(const driver *d, LPCWSTR layer) {
    WCHAR path[MAX_PATH] = L"";
    if (d && d->home && d->home[0] && layer[0] && layer[1] != ':') {
        lstrcpynW(path, d->home, MAX_PATH / 2);
        lstrcatW(path, L"\\");
    }
    lstrcpynW(path + lstrlenW(path), layer, MAX_PATH / 2);
    return destroy(path) ? S_OK : FAILED_WITH(GetLastError());
}
