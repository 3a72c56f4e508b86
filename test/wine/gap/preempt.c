// Preemption inside a Go program. Go stops a thread of its own wherever it is, gives it another context, and lets it go on.
// Wine 8 loses the result of a system call that is under way at that moment, and the thread waits for ever. A refusal is
// what GODEBUG=asyncpreemptoff=1 comes to, and needs no variable that the program would see.
#include "gap.h"

NTSTATUS NTAPI NtSuspendThread(HANDLE, PULONG);

static DWORD WINAPI suspend_thread(HANDLE thread) {
    ULONG before;
    NTSTATUS st = STATUS_UNSUPPORTED_;
    if (GetProcessIdOfThread(thread) != GetCurrentProcessId()) st = NtSuspendThread(thread, &before);
    if (OK(st)) return before;
    SetLastError(RtlNtStatusToDosError(st));
    return (DWORD)-1;
}

BOOL preempt_install(void) { return replace("kernel32", "SuspendThread", suspend_thread); }
