// The end of a process that begins threads at that moment. Wine 8 closes its connection to the server first; a thread that
// is just beginning then finds it closed, and takes the process down with exit code 1, or leaves it hanging. Windows ends
// the other threads in an orderly way. Go programs begin threads at any time, at their end too.
#include "gap.h"

typedef NTSTATUS(NTAPI *create_thread)(HANDLE *, ACCESS_MASK, void *, HANDLE, void *, void *, ULONG, ULONG_PTR, SIZE_T,
                                       SIZE_T, void *);
static create_thread original;

void NTAPI RtlExitUserProcess(ULONG);

enum {
    SUSPENDED = 1,  // THREAD_CREATE_FLAGS_CREATE_SUSPENDED
    PATIENCE = 500, // ms: a beginning takes less than one
};

static volatile LONG beginning; // how many threads are being created, or have not run yet
static volatile LONG exiting;   // the id of the thread that ends the process, or 0

// exit_thread_begins is called in each new thread.
void exit_thread_begins(void) {
    if (InterlockedDecrement(&beginning) < 0) InterlockedIncrement(&beginning); // it was created before the hook
}

static NTSTATUS NTAPI replacement(HANDLE *h, ACCESS_MASK access, void *attributes, HANDLE process, void *start,
                                  void *parameter, ULONG flags, ULONG_PTR zero_bits, SIZE_T commit, SIZE_T reserve,
                                  void *list) {
    InterlockedIncrement(&beginning);
    if (exiting && exiting != (LONG)GetCurrentThreadId()) {
        InterlockedDecrement(&beginning);
        Sleep(INFINITE); // the end comes for this thread too
    }
    NTSTATUS st = original(h, access, attributes, process, start, parameter, flags, zero_bits, commit, reserve, list);
    if (!OK(st) || (flags & SUSPENDED) || process != GetCurrentProcess()) InterlockedDecrement(&beginning);
    return st;
}

// exit_process stands for ExitProcess, before any lock is taken that a new thread waits for.
static void WINAPI exit_process(UINT code) {
    InterlockedCompareExchange(&exiting, (LONG)GetCurrentThreadId(), 0);
    for (int i = 0; beginning > 0 && i < PATIENCE; i++) Sleep(1);
    RtlExitUserProcess(code);
}

BOOL exit_install(void) {
    return (original = hook_syscall("NtCreateThreadEx", replacement)) && replace("kernel32", "ExitProcess", exit_process);
}
