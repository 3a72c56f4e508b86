// Job objects: the information classes that Wine 8 refuses, or accepts and does not store.
#include "job.h"

typedef NTSTATUS(NTAPI *set_job)(HANDLE, ULONG, PVOID, ULONG);
typedef NTSTATUS(NTAPI *close_handle)(HANDLE);
NTSTATUS(NTAPI *job_query)(HANDLE, ULONG, PVOID, ULONG, PULONG);
static set_job original_set;
static close_handle original_close;

enum {
    ACCOUNTING = 1,
    BASIC_LIMIT = 2,
    EXTENDED_LIMIT = 9,
    GROUPS = 14, // JobObjectGroupInformationEx
    CPU_RATE = 15,
    MEMORY_USAGE = 28,
    IO_ATTRIBUTION = 42,
};

// jobs are the known states; a slot is free if its job has no handle. known is set if there is any.
static job *jobs[512];
static volatile LONG known;

// read_name reads the name of a job, or "" for an anonymous one.
static void read_name(HANDLE h, WCHAR *name, int size) {
    union { UNICODE_STRING name; BYTE space[1024]; } info;
    name[0] = 0;
    if (!OK(NtQueryObject(h, 1, &info, sizeof info, NULL))) return; // ObjectNameInformation
    int n = info.name.Length / sizeof(WCHAR);
    if (n >= size) n = size - 1;
    for (int i = 0; i < n; i++) name[i] = info.name.Buffer[i];
    name[n] = 0;
}

static BOOL has_handle(const job *j, HANDLE h) {
    for (int i = 0; i < j->handle_count; i++)
        if (j->handles[i] == h) return TRUE;
    return FALSE;
}

job *job_of(HANDLE h) {
    WCHAR name[256];
    int free_slot = -1;
    read_name(h, name, 256);
    for (int i = 0; i < 512; i++) {
        job *j = jobs[i];
        if (!j || !j->handle_count) {
            if (free_slot < 0) free_slot = i;
        } else if (name[0] ? lstrcmpiW(name, j->name) == 0 : has_handle(j, h)) {
            if (!has_handle(j, h) && j->handle_count < JOB_HANDLES) j->handles[j->handle_count++] = h;
            return j;
        }
    }
    if (free_slot < 0) return NULL;
    job *j = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof *j);
    if (!j) return NULL;
    if (jobs[free_slot]) HeapFree(GetProcessHeap(), 0, jobs[free_slot]);
    jobs[free_slot] = j;
    j->handles[j->handle_count++] = h;
    lstrcpyW(j->name, name);
    known = 1;
    return j;
}

// settings_of returns the settings of a job. Those of a named job exist while a process that has set or read them has the
// job open. Two processes that change them at the same instant may mix them.
static job_settings *settings_of(job *j) {
    if (j->settings) return j->settings;
    j->settings = &j->own;
    if (!j->name[0]) return j->settings;
    WCHAR name[300] = L"Global\\gap-job-"; // names of objects ignore case and have no other backslash
    int n = lstrlenW(name);
    for (const WCHAR *c = j->name; *c; c++) name[n++] = *c == '\\' ? '|' : *c >= 'A' && *c <= 'Z' ? *c + 'a' - 'A' : *c;
    name[n] = 0;
    j->section = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, sizeof *j->settings, name);
    if (!j->section) return j->settings;
    job_settings *shared = MapViewOfFile(j->section, FILE_MAP_WRITE, 0, 0, sizeof *shared);
    if (shared) j->settings = shared;
    return j->settings;
}

// release releases the section of a job without a handle.
static void release(job *j) {
    HANDLE section = j->section;
    if (j->settings && j->settings != &j->own) UnmapViewOfFile(j->settings);
    j->settings = NULL;
    j->section = NULL;
    if (section) original_close(section);
}

// A handle value may be reused at once for another object, so the job's state drops it first.
static NTSTATUS NTAPI replacement_close(HANDLE h) {
    if (known) {
        EnterCriticalSection(&gap_lock);
        for (int i = 0; i < 512; i++) {
            job *j = jobs[i];
            if (!j || !has_handle(j, h)) continue;
            for (int k = 0; k < j->handle_count; k++)
                if (j->handles[k] == h) j->handles[k] = j->handles[--j->handle_count];
            if (!j->handle_count) release(j);
        }
        LeaveCriticalSection(&gap_lock);
    }
    return original_close(h);
}

static void copy(void *to, const void *from, ULONG n) {
    for (ULONG i = 0; i < n; i++) ((BYTE *)to)[i] = ((const BYTE *)from)[i];
}

// remember stores a setting. Unlike Windows it does not validate.
static NTSTATUS remember(job_settings *j, ULONG class, const void *info, ULONG len) {
    switch (class) {
    case BASIC_LIMIT:
    case EXTENDED_LIMIT:
        copy(j->limits, info, len < JOB_LIMITS ? len : JOB_LIMITS);
        return 0;
    case GROUPS:
        if (len % sizeof(GROUP_AFFINITY) || len > sizeof j->groups) return STATUS(STATUS_LENGTH_MISMATCH_);
        copy(j->groups, info, len);
        j->group_count = len / sizeof(GROUP_AFFINITY);
        return 0;
    case CPU_RATE:
        if (len != sizeof j->cpu_rate) return STATUS(STATUS_LENGTH_MISMATCH_);
        copy(j->cpu_rate, info, len);
        return 0;
    default: // IO_ATTRIBUTION
        if (len < sizeof(ULONG)) return STATUS(STATUS_LENGTH_MISMATCH_);
        j->io_attribution = *(const ULONG *)info & 1;
        return 0;
    }
}

static NTSTATUS NTAPI replacement_set(HANDLE h, ULONG class, PVOID info, ULONG len) {
    NTSTATUS st = 0;
    switch (class) {
    case BASIC_LIMIT: // Wine stores the flags of these two, and applies some
    case EXTENDED_LIMIT: st = original_set(h, class, info, len); break;
    case GROUPS:
    case CPU_RATE:
    case IO_ATTRIBUTION: break;
    default: return original_set(h, class, info, len);
    }
    if (!OK(st)) return st;
    EnterCriticalSection(&gap_lock);
    job *j = job_of(h);
    st = j ? remember(settings_of(j), class, info, len) : STATUS(STATUS_UNSUPPORTED_);
    LeaveCriticalSection(&gap_lock);
    return st;
}

// read_limits copies the settings over Wine's zeros, except the fields that the kernel measures: IoInfo
// (64 to 112) and the two peaks (from 128).
static NTSTATUS read_limits(HANDLE h, const job_settings *j, ULONG class, BYTE *info, ULONG len, PULONG ret) {
    NTSTATUS st = job_query(h, class, info, len, ret);
    if (!OK(st)) return st;
    copy(info, j->limits, len < 64 ? len : 64);
    if (len >= 128) copy(info + 112, j->limits + 112, 16);
    return st;
}

// read_groups returns the groups that were set, or all processors.
static NTSTATUS read_groups(const job_settings *j, GROUP_AFFINITY *info, ULONG len, PULONG ret) {
    ULONG need = (j->group_count ? j->group_count : 1) * sizeof *info;
    if (ret) *ret = need;
    if (len < need) return STATUS(STATUS_LENGTH_MISMATCH_);
    copy(info, j->groups, need);
    if (!j->group_count) {
        SYSTEM_INFO system;
        GetSystemInfo(&system);
        info->Mask = system.dwActiveProcessorMask;
    }
    return 0;
}

static NTSTATUS read_cpu_rate(const job_settings *j, void *info, ULONG len, PULONG ret) {
    if (ret) *ret = sizeof j->cpu_rate;
    if (len < sizeof j->cpu_rate) return STATUS(STATUS_LENGTH_MISMATCH_);
    copy(info, j->cpu_rate, sizeof j->cpu_rate);
    return 0;
}

// read_io_attribution returns no values: Wine counts no I/O.
static NTSTATUS read_io_attribution(const job_settings *j, BYTE *info, ULONG len, PULONG ret) {
    if (!gap_peer || !j->io_attribution) return STATUS(STATUS_UNSUPPORTED_);
    if (len < 72) return STATUS(STATUS_LENGTH_MISMATCH_);
    for (int i = 8; i < 72; i++) info[i] = 0; // behind ControlFlags: ReadStats, WriteStats
    if (ret) *ret = 72;
    return 0;
}

static NTSTATUS NTAPI replacement_query(HANDLE h, ULONG class, PVOID info, ULONG len, PULONG ret) {
    if (gap_members && (class == ACCOUNTING || (class == MEMORY_USAGE && !gap_peer))) return job_query(h, class, info, len, ret);
    switch (class) {
    case ACCOUNTING: return account_times(h, info, len, ret);
    case MEMORY_USAGE: return account_memory(h, info, len, ret);
    case BASIC_LIMIT:
    case EXTENDED_LIMIT:
    case GROUPS:
    case CPU_RATE:
    case IO_ATTRIBUTION: break;
    default: return job_query(h, class, info, len, ret);
    }
    NTSTATUS st = STATUS(STATUS_UNSUPPORTED_);
    EnterCriticalSection(&gap_lock);
    job *j = job_of(h);
    job_settings *s = j ? settings_of(j) : NULL;
    if (s && (class == BASIC_LIMIT || class == EXTENDED_LIMIT)) st = read_limits(h, s, class, info, len, ret);
    else if (s && class == GROUPS) st = read_groups(s, info, len, ret);
    else if (s && class == CPU_RATE) st = read_cpu_rate(s, info, len, ret);
    else if (s) st = read_io_attribution(s, info, len, ret);
    LeaveCriticalSection(&gap_lock);
    return st;
}

BOOL job_install(void) {
    original_set = hook_syscall("NtSetInformationJobObject", replacement_set);
    job_query = hook_syscall("NtQueryInformationJobObject", replacement_query);
    original_close = hook_syscall("NtClose", replacement_close);
    return original_set && job_query && original_close;
}
