// The end of a process that creates threads at that moment. Wine 8 closes its connection to the server first; a thread
// that is just being created then finds it closed, and takes the process down with exit code 1, or leaves it hanging.
// Windows ends the other threads in an orderly way. Go programs create threads at any time, at their end too.
#include "gap.h"

typedef NTSTATUS(NTAPI *create_thread)(HANDLE *, ACCESS_MASK, void *, HANDLE, void *, void *, ULONG, ULONG_PTR, SIZE_T,
                                       SIZE_T, void *);
typedef NTSTATUS(NTAPI *terminate_process)(HANDLE, NTSTATUS);
static create_thread original_create;
static terminate_process original_terminate;

enum { PATIENCE = 500 }; // ms: a creation takes less than one

static volatile LONG creating; // how many threads are being created
static volatile LONG exiting;  // the id of the thread that ends the process, or 0

static NTSTATUS NTAPI replacement_create(HANDLE *h, ACCESS_MASK access, void *attributes, HANDLE process, void *start,
                                         void *parameter, ULONG flags, ULONG_PTR zero_bits, SIZE_T commit, SIZE_T reserve,
                                         void *list) {
    InterlockedIncrement(&creating);
    if (exiting && exiting != (LONG)GetCurrentThreadId()) {
        InterlockedDecrement(&creating);
        Sleep(INFINITE); // the end comes for this thread too
    }
    NTSTATUS st = original_create(h, access, attributes, process, start, parameter, flags, zero_bits, commit, reserve, list);
    InterlockedDecrement(&creating);
    return st;
}

static NTSTATUS NTAPI replacement_terminate(HANDLE process, NTSTATUS code) {
    if (!process || process == GetCurrentProcess()) {
        InterlockedCompareExchange(&exiting, (LONG)GetCurrentThreadId(), 0);
        for (int i = 0; creating && i < PATIENCE; i++) Sleep(1);
    }
    return original_terminate(process, code);
}

BOOL exit_install(void) {
    original_create = hook_syscall("NtCreateThreadEx", replacement_create);
    original_terminate = hook_syscall("NtTerminateProcess", replacement_terminate);
    return original_create && original_terminate;
}
