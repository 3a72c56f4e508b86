// The gap filler's state of a job: its settings, and the processor time of former members.
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

// job_settings are settings that a query returns.
typedef struct {
    BYTE limits[JOB_LIMITS]; // JOBOBJECT_EXTENDED_LIMIT_INFORMATION
    GROUP_AFFINITY groups[JOB_GROUPS];
    ULONG group_count;
    ULONG cpu_rate[2]; // JOBOBJECT_CPU_RATE_CONTROL_INFORMATION
    BOOL io_attribution;
} job_settings;

typedef struct {
    // The job: all handles of a named job share a state; an anonymous job is identified by its handle.
    HANDLE handles[JOB_HANDLES];
    int handle_count;
    WCHAR name[256];

    // The settings of a named job are in a section, which other processes open as well. Until settings_of they are NULL.
    job_settings *settings, own;
    HANDLE section;
    io_rate io;
    BOOL io_set;

    // The results of queries: see account.c.
    cpu members[JOB_MEMBERS];
    int member_count;
    ULONGLONG former_user, former_kernel, peak_commit;
} job;

// job_of finds or creates the state of a job; NULL without memory. The caller holds gap_lock while it uses the state.
job *job_of(HANDLE h);

// job_query is Wine's NtQueryInformationJobObject.
extern NTSTATUS(NTAPI *job_query)(HANDLE, ULONG, PVOID, ULONG, PULONG);

// account.c: job classes 1 and 28.
NTSTATUS account_times(HANDLE h, void *info, ULONG len, PULONG ret);
NTSTATUS account_memory(HANDLE h, void *info, ULONG len, PULONG ret);

#endif
