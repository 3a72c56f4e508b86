// The end of a process that is busy. Windows ends the other threads in an orderly way; Wine 8 has two holes.
//
// It closes its connection to the server first; a thread that is just beginning then finds it closed, and takes the process
// down with exit code 1, or leaves it hanging. Go programs begin threads at any time, at their end too.
//
// It ends the other threads wherever they are, also one that holds the lock of the memory's map. It asks for no lock any
// more when that has returned. But a read that is done is delivered before, by a signal, into memory, under the lock.
#include "gap.h"

typedef NTSTATUS(NTAPI *create_thread)(HANDLE *, ACCESS_MASK, void *, HANDLE, void *, void *, ULONG, ULONG_PTR, SIZE_T,
                                       SIZE_T, void *);
typedef NTSTATUS(NTAPI *terminate)(HANDLE, LONG);
static create_thread original;
static terminate original_terminate;

void NTAPI RtlExitUserProcess(ULONG);

enum {
    SUSPENDED = 1,  // THREAD_CREATE_FLAGS_CREATE_SUSPENDED
    PATIENCE = 500, // ms: a beginning takes less than one

    RT_SIGPROCMASK = 14, // of Linux
    SIG_BLOCK = 0,
    SIG_SETMASK = 2,
};

static const ULONGLONG deliveries = 1 << (10 - 1); // SIGUSR1, by which Wine's server tells a thread that a read is done

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

// mask changes which signals the thread takes; before receives what they were, unless it is NULL.
static void mask(LONGLONG how, const ULONGLONG *set, ULONGLONG *before) {
    LONGLONG number = RT_SIGPROCMASK;
    register LONGLONG size __asm__("r10") = sizeof *set;
    __asm__ volatile("syscall" : "+a"(number) : "D"(how), "S"(set), "d"(before), "r"(size) : "rcx", "r11", "memory");
}

// end_others stands for NtTerminateProcess, which ends the other threads of this process where it is given none.
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
