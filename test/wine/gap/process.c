// Processes: processor times of others, private working sets, and membership of a job.
#include "gap.h"

typedef NTSTATUS(NTAPI *query_process)(HANDLE, ULONG, PVOID, ULONG, PULONG);
typedef NTSTATUS(NTAPI *in_job)(HANDLE, HANDLE);
typedef NTSTATUS(NTAPI *query_system)(ULONG, PVOID, ULONG, PULONG);
static query_process original;
static in_job original_in_job;
static query_system original_system;

enum {
    BASIC = 0, // ProcessBasicInformation
    COUNTERS = 3, // ProcessVmCounters
    TIMES = 4, // ProcessTimes
    RUNNING = 259, // STATUS_PENDING, the exit status of a running process
};

// record is the beginning of SYSTEM_PROCESS_INFORMATION.
typedef struct {
    ULONG next, threads;
    LONGLONG private_working_set;
    ULONG hard_faults, high_watermark;
    ULONGLONG cycles;
    LONGLONG created;
    ULONGLONG user, kernel;
    UNICODE_STRING image;
    LONG priority;
    ULONG_PTR pid, parent;
    ULONG handles, session;
} record;

// basic is PROCESS_BASIC_INFORMATION.
typedef struct { NTSTATUS exit; void *peb; ULONG_PTR affinity; LONG priority; ULONG_PTR pid, parent; } basic;

// times is KERNEL_USER_TIMES.
typedef struct { LONGLONG created, ended; ULONGLONG kernel, user; } times;

// counters is VM_COUNTERS_EX2. Wine 8 fills it up to private_usage.
typedef struct {
    SIZE_T peak_virtual, virtual;
    ULONG faults;
    SIZE_T peak_working_set, working_set, quota[4], pagefile, peak_pagefile, private_usage;
    SIZE_T private_working_set, shared_commit;
} counters;
enum { COUNTERS_EX = 96 };
_Static_assert(sizeof(counters) == 112, "VM_COUNTERS_EX2");
_Static_assert(sizeof(times) == 32, "KERNEL_USER_TIMES");

// NOT_STARTED is the creation time of a process that has not run yet, in Wine's server: uninitialized memory.
#define NOT_STARTED 0x5555555555555555LL

// seen has the last times of queried processes, also after their exit. The oldest are replaced first.
static cpu seen[256];
static unsigned next_seen;

void *snapshot_take(void) {
    static volatile LONG enough = 1 << 17; // a list that is too long costs Wine as much as one that fits
    for (LONG size = enough;; size *= 2) {
        void *list = HeapAlloc(GetProcessHeap(), 0, size);
        if (!list) return NULL;
        NTSTATUS st = NtQuerySystemInformation(5, list, size, NULL); // SystemProcessInformation
        if (OK(st)) {
            enough = size;
            return list;
        }
        HeapFree(GetProcessHeap(), 0, list);
        if (st != STATUS(STATUS_LENGTH_MISMATCH_)) return NULL;
    }
}

void snapshot_free(void *list) { HeapFree(GetProcessHeap(), 0, list); }

BOOL snapshot_find(const void *list, ULONG pid, cpu *out) {
    for (const BYTE *at = list;;) {
        const record *r = (const record *)at;
        if (r->pid == pid) {
            *out = (cpu){pid, r->created, r->user, r->kernel};
            return TRUE;
        }
        if (!r->next) return FALSE;
        at += r->next;
    }
}

// recent is the last list that query_times took, guarded by gap_lock.
static void *recent;
static LONGLONG recent_until;

// find_recent finds a running process in a list that is new. A list serves for 10 ms, which is Linux' step of processor time, or
// for as long as it took: with many processes, on a busy machine, each query would take a list otherwise. The list rounds the
// creation time, which distinguishes two processes with one pid.
static BOOL find_recent(ULONG pid, LONGLONG created, cpu *out) {
    enum { SECOND = 10000000 };
    LARGE_INTEGER begun, now, rate;
    QueryPerformanceFrequency(&rate);
    EnterCriticalSection(&gap_lock);
    QueryPerformanceCounter(&begun);
    BOOL found = recent && begun.QuadPart < recent_until && snapshot_find(recent, pid, out) &&
                 out->created > created - SECOND && out->created < created + SECOND;
    if (!found) {
        if (recent) snapshot_free(recent);
        found = (recent = snapshot_take()) && snapshot_find(recent, pid, out);
        QueryPerformanceCounter(&now);
        LONGLONG took = now.QuadPart - begun.QuadPart, least = rate.QuadPart / 100;
        recent_until = now.QuadPart + (took > least ? took : least);
    }
    LeaveCriticalSection(&gap_lock);
    return found;
}

// remember and recall store and load the last times. The caller holds gap_lock.
static void remember(const cpu *c) {
    for (unsigned i = 0; i < 256; i++)
        if (seen[i].pid == c->pid && seen[i].created == c->created) {
            seen[i] = *c;
            return;
        }
    seen[next_seen++ % 256] = *c;
}

static void recall(cpu *c) {
    for (unsigned i = 0; i < 256; i++)
        if (seen[i].pid == c->pid && seen[i].created == c->created) *c = seen[i];
}

// query_times corrects ProcessTimes: Wine 8 answers with the caller's processor times for every process.
// After the exit of a process Linux has no times; then they are the last ones seen, or zero.
static NTSTATUS query_times(HANDLE process, times *t, ULONG len, PULONG ret) {
    basic b;
    NTSTATUS st = original(process, TIMES, t, len, ret);
    if (OK(st) && len >= sizeof *t && t->created == NOT_STARTED) GetSystemTimeAsFileTime((FILETIME *)&t->created);
    if (!OK(st) || len < sizeof *t || !OK(original(process, BASIC, &b, sizeof b, NULL))) return st;
    if (b.pid == GetCurrentProcessId()) return st;
    cpu c = {(ULONG)b.pid, t->created, 0, 0};
    BOOL running = b.exit == RUNNING && find_recent(c.pid, t->created, &c);
    c.created = t->created; // the list rounds it
    EnterCriticalSection(&gap_lock);
    if (running) remember(&c);
    else recall(&c);
    LeaveCriticalSection(&gap_lock);
    t->user = c.user;
    t->kernel = c.kernel;
    return st;
}

// query_counters adds the private working set, which Wine 8 lacks: the resident private pages. Linux counts
// private pages including swapped ones, hence the minimum. The shared commit is unknown. A process that has
// exited has no memory, although Linux may still be freeing it.
static NTSTATUS query_counters(HANDLE process, counters *c, PULONG ret) {
    basic b;
    NTSTATUS st = original(process, COUNTERS, c, COUNTERS_EX, ret);
    if (!OK(st)) return st;
    if (OK(original(process, BASIC, &b, sizeof b, NULL)) && b.exit != RUNNING)
        c->working_set = c->pagefile = c->private_usage = 0;
    c->private_working_set = c->private_usage < c->working_set ? c->private_usage : c->working_set;
    c->shared_commit = 0;
    if (ret) *ret = sizeof *c;
    return st;
}

static NTSTATUS NTAPI replacement(HANDLE process, ULONG class, PVOID info, ULONG len, PULONG ret) {
    if (class == TIMES) return query_times(process, info, len, ret);
    if (class == COUNTERS && len == sizeof(counters)) return query_counters(process, info, ret);
    return original(process, class, info, len, ret);
}

BOOL private_commit(ULONG pid, ULONGLONG *bytes) {
    counters c;
    HANDLE h = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid);
    if (!h) return FALSE;
    NTSTATUS st = original(h, COUNTERS, &c, COUNTERS_EX, NULL);
    CloseHandle(h);
    if (OK(st)) *bytes = c.private_usage;
    return OK(st);
}

// Windows answers NtIsProcessInJob for a handle with PROCESS_QUERY_LIMITED_INFORMATION; Wine 8 requires more.
static NTSTATUS NTAPI replacement_in_job(HANDLE process, HANDLE job) {
    NTSTATUS st = original_in_job(process, job);
    DWORD pid;
    if (st != STATUS(STATUS_DENIED_) || !(pid = GetProcessId(process))) return st;
    HANDLE h = OpenProcess(PROCESS_QUERY_INFORMATION, FALSE, pid);
    if (!h) return st;
    st = original_in_job(h, job);
    CloseHandle(h);
    return st;
}

// On Windows the service manager is in session 0, by which a program detects that it is a service. Wine has one session.
static NTSTATUS NTAPI replacement_system(ULONG class, PVOID info, ULONG len, PULONG ret) {
    NTSTATUS st = original_system(class, info, len, ret);
    if (class != 5 || !OK(st)) return st; // SystemProcessInformation
    for (record *r = info;; r = (record *)((BYTE *)r + r->next)) {
        if (r->image.Buffer && !lstrcmpiW(r->image.Buffer, L"services.exe")) r->session = 0;
        if (!r->next) return st;
    }
}

BOOL process_install(void) {
    original = hook_syscall("NtQueryInformationProcess", replacement);
    original_in_job = hook_syscall("NtIsProcessInJob", replacement_in_job);
    original_system = hook_syscall("NtQuerySystemInformation", replacement_system);
    return original && original_in_job && original_system;
}
