// I/O rate control of a job: three functions that kernel32 of Wine 8 does not export. A setting is stored.
#include "job.h"

DWORD WINAPI iorate_set(HANDLE h, void *rate) {
    EnterCriticalSection(&gap_lock);
    job *j = job_of(h);
    if (j) {
        j->io = *(io_rate *)rate;
        j->io.volume = NULL; // the caller's memory; one setting serves all volumes here
        j->io_set = TRUE;
    }
    LeaveCriticalSection(&gap_lock);
    if (!j) SetLastError(ERROR_NOT_SUPPORTED);
    return j != NULL;
}

// iorate_query returns one element, which is zero if nothing was set. The caller frees it.
DWORD WINAPI iorate_query(HANDLE h, PCWSTR volume, void **rates, ULONG *count) {
    (void)volume;
    io_rate *out = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof *out);
    if (!out) {
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
        return 0;
    }
    EnterCriticalSection(&gap_lock);
    job *j = job_of(h);
    if (j && j->io_set) *out = j->io;
    LeaveCriticalSection(&gap_lock);
    *rates = out;
    *count = 1;
    return 1;
}

void WINAPI iorate_free(void *rates) { HeapFree(GetProcessHeap(), 0, rates); }
