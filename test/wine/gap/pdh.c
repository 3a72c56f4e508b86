// Performance counters for kubelet (WINEGAP=kubelet). Wine 8 lacks PdhGetFormattedCounterArrayW and two counters that kubelet
// cannot do without. The processor and the memory of the machine come from kernel32; every other counter is zero. These are
// rough metrics of the node. They are no evidence.
#include "gap.h"

enum { MORE_DATA = 0x800007D2, LONGEST = 128 };

// counter is what a handle of a counter points to.
typedef struct { WCHAR path[LONGEST]; ULONGLONG idle, all; double last; } counter;

// formatted is PDH_FMT_COUNTERVALUE with a double; item is PDH_FMT_COUNTERVALUE_ITEM_W.
typedef struct { DWORD status; double value; } formatted;
typedef struct { WCHAR *instance; formatted value; } item;

static LONG WINAPI query_open(LPCWSTR source, DWORD_PTR user, HANDLE *query) {
    (void)source, (void)user;
    *query = (HANDLE)1; // a query has no state
    return 0;
}

static LONG WINAPI query_ignore(HANDLE query) { return (void)query, 0; }

static LONG WINAPI path_validate(LPCWSTR path) { return (void)path, 0; }

static LONG WINAPI counter_add(HANDLE query, LPCWSTR path, DWORD_PTR user, HANDLE *handle) {
    (void)query, (void)user;
    counter *c = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof *c);
    if (!c) return ERROR_NOT_ENOUGH_MEMORY;
    lstrcpynW(c->path, path, LONGEST);
    *handle = c;
    return 0;
}

static BOOL begins(LPCWSTR text, LPCWSTR with) {
    for (; *with; text++, with++)
        if (*text != *with) return FALSE;
    return TRUE;
}

static ULONGLONG ticks(FILETIME t) { return (ULONGLONG)t.dwHighDateTime << 32 | t.dwLowDateTime; }

// processor is the used part of the machine's processor time since the last call, in percent.
static double processor(counter *c) {
    FILETIME i, k, u;
    GetSystemTimes(&i, &k, &u);
    ULONGLONG idle = ticks(i), all = ticks(k) + ticks(u);
    EnterCriticalSection(&gap_lock);
    if (c->all && all > c->all && idle >= c->idle && idle - c->idle <= all - c->all)
        c->last = 100.0 * (double)((all - c->all) - (idle - c->idle)) / (double)(all - c->all);
    c->idle = idle;
    c->all = all;
    double last = c->last;
    LeaveCriticalSection(&gap_lock);
    return last;
}

static double value_of(counter *c) {
    if (begins(c->path, L"\\Processor")) return processor(c);
    if (!begins(c->path, L"\\Process(") && !begins(c->path, L"\\Memory")) return 0;
    MEMORYSTATUSEX m;
    m.dwLength = sizeof m;
    return GlobalMemoryStatusEx(&m) ? (double)(m.ullTotalPhys - m.ullAvailPhys) : 0;
}

static LONG WINAPI counter_value(HANDLE c, DWORD format, DWORD *type, formatted *value) {
    (void)format, (void)type;
    value->status = 0;
    value->value = value_of(c);
    return 0;
}

static LONG WINAPI counter_array(HANDLE c, DWORD format, DWORD *size, DWORD *count, item *items) {
    static WCHAR instance[] = L"test";
    DWORD room = *size;
    *count = 1;
    *size = sizeof *items;
    if (room < sizeof *items) return MORE_DATA;
    items->instance = instance;
    return counter_value(c, format, NULL, &items->value);
}

void *pdh_function(const char *name) {
    static const struct { const char *name; void *function; } functions[] = {
        {"PdhOpenQuery", query_open}, {"PdhCloseQuery", query_ignore}, {"PdhCollectQueryData", query_ignore},
        {"PdhValidatePathW", path_validate}, {"PdhAddCounterW", counter_add}, {"PdhAddEnglishCounterW", counter_add},
        {"PdhGetFormattedCounterValue", counter_value}, {"PdhGetFormattedCounterArrayW", counter_array},
    };
    for (unsigned i = 0; i < sizeof functions / sizeof *functions; i++)
        if (!lstrcmpA(name, functions[i].name)) return functions[i].function;
    return NULL;
}
