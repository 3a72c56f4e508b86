// Backup streams: containerd unpacks the layers of an image with BackupWrite, which is a stub in Wine 8. Here the data of a
// file is written. The rest of a stream (security, links, alternate streams) is dropped, because Wine cannot store it.
#include "gap.h"

enum { DATA = 1 }; // BACKUP_DATA

// header is WIN32_STREAM_ID without the name that follows it.
#pragma pack(push, 1)
typedef struct { ULONG id, attributes; ULONGLONG size; ULONG name; } header;
#pragma pack(pop)
_Static_assert(sizeof(header) == 20, "WIN32_STREAM_ID");

// backup is the position of a writer: in a header, in the name after it, or in the stream.
typedef struct {
    BYTE head[sizeof(header)];
    ULONG got; // of head
    ULONG name;
    ULONG id;
    ULONGLONG left; // of the stream
} backup;

static BOOL write_all(HANDLE file, const BYTE *from, DWORD n) {
    for (DWORD done; n; from += done, n -= done)
        if (!WriteFile(file, from, n, &done, NULL)) return FALSE;
    return TRUE;
}

// take_header collects a header and returns how many bytes of this call belong to it.
static DWORD take_header(backup *b, const BYTE *from, DWORD n) {
    DWORD part = sizeof b->head - b->got < n ? sizeof b->head - b->got : n;
    for (DWORD i = 0; i < part; i++) b->head[b->got++] = from[i];
    if (b->got == sizeof b->head) {
        const header *h = (const header *)b->head;
        b->got = 0;
        b->id = h->id;
        b->left = h->size;
        b->name = h->name;
    }
    return part;
}

static BOOL WINAPI backup_write(HANDLE file, BYTE *from, DWORD n, DWORD *written, BOOL abort, BOOL security, void **context) {
    backup *b = *context;
    (void)security;
    if (abort) {
        if (b) HeapFree(GetProcessHeap(), 0, b);
        *context = NULL;
        return TRUE;
    }
    if (!b && !(b = *context = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof *b))) return FALSE;
    *written = 0;
    for (DWORD part; n; from += part, n -= part, *written += part) {
        if (b->name) {
            part = b->name < n ? b->name : n;
            b->name -= part;
        } else if (b->left) {
            part = b->left < n ? (DWORD)b->left : n;
            if (b->id == DATA && !write_all(file, from, part)) return FALSE;
            b->left -= part;
        } else {
            part = take_header(b, from, n);
        }
    }
    return TRUE;
}

BOOL backup_install(void) { return replace("kernel32", "BackupWrite", backup_write); }
