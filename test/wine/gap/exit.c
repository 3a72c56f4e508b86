// The exit of a busy process. Windows ends the other threads in order; Wine 8 has two faults.
//
// It closes its connection to the server first. A thread that is just starting then finds it closed, and ends the process
// with exit code 1 or hangs. Go programs start threads at any time, also during their exit.
//
// It ends the other threads anywhere, also one that has the lock of the memory map. Afterwards it needs no lock. But it
// delivers completed reads first, by a signal, into memory, under the lock.
#include "gap.h"

typedef NTSTATUS(NTAPI *create_thread)(HANDLE *, ACCESS_MASK, void *, HANDLE, void *, void *, ULONG, ULONG_PTR, SIZE_T,
                                       SIZE_T, void *);
typedef NTSTATUS(NTAPI *terminate)(HANDLE, LONG);
static create_thread original;
static terminate original_terminate;

void NTAPI RtlExitUserProcess(ULONG);

enum {
    SUSPENDED = 1,  // THREAD_CREATE_FLAGS_CREATE_SUSPENDED
    START_TIMEOUT = 500, // ms: a start takes less than 1 ms

    RT_SIGPROCMASK = 14, // of Linux
    SIG_BLOCK = 0,
    SIG_SETMASK = 2,
};

static const ULONGLONG deliveries = 1 << (10 - 1); // SIGUSR1, with which Wine's server reports a completed read to a thread

static volatile LONG beginning; // number of threads that are being created or have not run yet
static volatile LONG exiting;   // id of the thread that ends the process, or 0

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
        Sleep(INFINITE); // until this thread is ended, too
    }
    NTSTATUS st = original(h, access, attributes, process, start, parameter, flags, zero_bits, commit, reserve, list);
    if (!OK(st) || (flags & SUSPENDED) || process != GetCurrentProcess()) InterlockedDecrement(&beginning);
    return st;
}

// exit_process replaces ExitProcess. It runs before any lock is taken that a new thread needs.
static void WINAPI exit_process(UINT code) {
    service_ends();
    InterlockedCompareExchange(&exiting, (LONG)GetCurrentThreadId(), 0);
    for (int i = 0; beginning > 0 && i < START_TIMEOUT; i++) Sleep(1);
    RtlExitUserProcess(code);
}

// mask changes the signal mask of the thread; before receives the previous mask, unless it is NULL.
static void mask(LONGLONG how, const ULONGLONG *set, ULONGLONG *before) {
    LONGLONG number = RT_SIGPROCMASK;
    register LONGLONG size __asm__("r10") = sizeof *set;
    __asm__ volatile("syscall" : "+a"(number) : "D"(how), "S"(set), "d"(before), "r"(size) : "rcx", "r11", "memory");
}

// end_others replaces NtTerminateProcess, which ends the other threads of this process if its handle is NULL.
static NTSTATUS NTAPI end_others(HANDLE process, LONG code) {
    ULONGLONG before;
    if (process) return original_terminate(process, code);
    mask(SIG_BLOCK, &deliveries, &before);
    NTSTATUS st = original_terminate(NULL, code);
    mask(SIG_SETMASK, &before, NULL);
    return st;
}

BOOL exit_install(void) {
    return (original = hook_syscall("NtCreateThreadEx", replacement)) &&
           (original_terminate = hook_syscall("NtTerminateProcess", end_others)) &&
           replace("kernel32", "ExitProcess", exit_process);
}
