// What the gap filler remembers of a job: all that was set through this process, and the processor time of members that
// have left.
#ifndef GAP_JOB_H
#define GAP_JOB_H

#include "gap.h"

enum { JOB_HANDLES = 16, JOB_MEMBERS = 256, JOB_GROUPS = 16, JOB_LIMITS = 144 };

// io_rate is JOBOBJECT_IO_RATE_CONTROL_INFORMATION.
typedef struct {
    LONG64 max_iops, max_bandwidth, reservation_iops;
    PCWSTR volume;
    ULONG base_io_size, flags;
} io_rate;

typedef struct {
    // Which job: all handles of a named one share a state, an anonymous one is known by its handle alone.
    HANDLE handles[JOB_HANDLES];
    int handle_count;
    WCHAR name[256];

    // What was set, each with how much of it.
    BYTE limits[JOB_LIMITS]; // JOBOBJECT_EXTENDED_LIMIT_INFORMATION
    ULONG limits_len;
    GROUP_AFFINITY groups[JOB_GROUPS];
    ULONG group_count;
    ULONG cpu_rate[2]; // JOBOBJECT_CPU_RATE_CONTROL_INFORMATION
    io_rate io;
    BOOL io_set, io_attribution;

    // What was seen: see account.c.
    cpu members[JOB_MEMBERS];
    int member_count;
    ULONGLONG gone_user, gone_kernel, peak_commit;
} job;

// job_of finds or makes the state of a job; NULL when memory is out. gap_lock is held, and held while it is used.
job *job_of(HANDLE h);

// job_ask is NtQueryInformationJobObject as Wine has it.
extern NTSTATUS(NTAPI *job_ask)(HANDLE, ULONG, PVOID, ULONG, PULONG);

// account.c: job classes 1 and 28.
NTSTATUS account_times(HANDLE h, void *info, ULONG len, PULONG ret);
NTSTATUS account_memory(HANDLE h, void *info, ULONG len, PULONG ret);

#endif
