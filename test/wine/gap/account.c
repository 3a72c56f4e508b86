// Job accounting: statistics of a job, summed over its members. Wine counts only the members.
#include "job.h"

// accounting is JOBOBJECT_BASIC_ACCOUNTING_INFORMATION.
typedef struct {
    ULONGLONG user, kernel, period_user, period_kernel;
    ULONG faults, total, active, terminated;
} accounting;
_Static_assert(sizeof(accounting) == 48, "JOBOBJECT_BASIC_ACCOUNTING_INFORMATION");

// pid_list is JOBOBJECT_BASIC_PROCESS_ID_LIST.
typedef struct { ULONG assigned, listed; ULONG_PTR pids[]; } pid_list;

enum { PID_LIST = 3, TOO_SMALL = 0x80000005 }; // STATUS_BUFFER_OVERFLOW

// take_pids lists the members; NULL after a failure. Free it with HeapFree.
static pid_list *take_pids(HANDLE h) {
    for (ULONG room = 64;; room *= 2) {
        ULONG size = sizeof(pid_list) + room * sizeof(ULONG_PTR);
        pid_list *list = HeapAlloc(GetProcessHeap(), 0, size);
        if (!list) return NULL;
        NTSTATUS st = job_query(h, PID_LIST, list, size, NULL);
        if (OK(st)) return list;
        HeapFree(GetProcessHeap(), 0, list);
        if (st != STATUS(TOO_SMALL)) return NULL;
    }
}

// update sets the times of a member, which may be new. Beyond JOB_MEMBERS the times of a member count only while it runs.
static void update(job *j, const cpu *c) {
    for (int i = 0; i < j->member_count; i++)
        if (j->members[i].pid == c->pid && j->members[i].created == c->created) {
            j->members[i] = *c;
            return;
        }
    if (j->member_count < JOB_MEMBERS) j->members[j->member_count++] = *c;
}

// add_former adds the last known times of former members to the sum. Time after the last query, and members that no query
// has seen, are not in it; so the sum is a lower bound.
static void add_former(job *j, const void *snapshot) {
    for (int i = 0; i < j->member_count;) {
        cpu now, *m = &j->members[i];
        if (snapshot_find(snapshot, m->pid, &now) && now.created == m->created) {
            i++;
            continue;
        }
        j->former_user += m->user;
        j->former_kernel += m->kernel;
        *m = j->members[--j->member_count];
    }
}

NTSTATUS account_times(HANDLE h, void *info, ULONG len, PULONG ret) {
    accounting *a = info;
    NTSTATUS st = job_query(h, 1, info, len, ret);
    if (!OK(st) || len < sizeof *a) return st;
    // The list of members is taken first: a member that is not in the snapshot has exited in between.
    pid_list *pids = take_pids(h);
    void *snapshot = pids ? snapshot_take() : NULL;
    EnterCriticalSection(&gap_lock);
    job *j = snapshot ? job_of(h) : NULL;
    if (j) {
        cpu c;
        add_former(j, snapshot);
        a->user = j->former_user;
        a->kernel = j->former_kernel;
        for (ULONG i = 0; i < pids->listed; i++)
            if (snapshot_find(snapshot, (ULONG)pids->pids[i], &c)) {
                update(j, &c);
                a->user += c.user;
                a->kernel += c.kernel;
            }
        a->period_user = a->user;
        a->period_kernel = a->kernel;
    }
    LeaveCriticalSection(&gap_lock);
    if (snapshot) snapshot_free(snapshot);
    if (pids) HeapFree(GetProcessHeap(), 0, pids);
    return j ? 0 : STATUS(STATUS_UNSUPPORTED_);
}

// account_memory answers JOBOBJECT_MEMORY_USAGE_INFORMATION: the private memory of the members, and the highest value of
// all queries, which is a lower bound of the peak.
NTSTATUS account_memory(HANDLE h, void *info, ULONG len, PULONG ret) {
    struct { ULONGLONG commit, peak; } *usage = info;
    if (ret) *ret = sizeof *usage;
    if (len < sizeof *usage) return STATUS(STATUS_LENGTH_MISMATCH_);
    if (gap_members) { // the reference shim needs an answer
        usage->commit = usage->peak = 0;
        return 0;
    }
    pid_list *pids = take_pids(h);
    if (!pids) return STATUS(STATUS_UNSUPPORTED_);
    ULONGLONG sum = 0, one;
    for (ULONG i = 0; i < pids->listed; i++)
        if (private_commit((ULONG)pids->pids[i], &one)) sum += one;
    HeapFree(GetProcessHeap(), 0, pids);
    EnterCriticalSection(&gap_lock);
    job *j = job_of(h);
    if (j) {
        if (j->peak_commit < sum) j->peak_commit = sum;
        usage->commit = sum;
        usage->peak = j->peak_commit;
    }
    LeaveCriticalSection(&gap_lock);
    return j ? 0 : STATUS(STATUS_UNSUPPORTED_);
}
