// Services: Wine 8 does not list dependents of a service, stops a service that others need, and stores no recovery actions.
// Dependencies are in the registry, where Wine's service manager writes them, and so are the recovery actions, under
// the names that Windows uses. They are stored and not carried out: no service is restarted. Wine 8 ignores the variables of a
// service's value Environment; the service sets them itself, before its first instruction. It does not see that a service has
// exited without a report, as kubelet does when it is stopped; the service reports that itself.
#include "gap.h"

#define API BOOL WINAPI
#define SERVICES L"System\\CurrentControlSet\\Services"

enum { NAME = 257, KNOWN = 256, TEXT = 4096, ACTIONS = 16 };

// opened is a handle of a service with its name, which Wine does not report, and its rights.
typedef struct { SC_HANDLE handle; DWORD access; WCHAR name[NAME]; } opened;
static opened known[KNOWN];
static unsigned next_known;

static opened *find(SC_HANDLE h) {
    for (unsigned i = 0; i < KNOWN; i++)
        if (known[i].handle == h) return &known[i];
    return NULL;
}

static SC_HANDLE remember(SC_HANDLE h, LPCWSTR name, DWORD access) {
    if (!h) return NULL;
    EnterCriticalSection(&gap_lock);
    opened *o = find(h); // of a closed service
    if (!o) o = &known[next_known++ % KNOWN];
    o->handle = h;
    o->access = access;
    lstrcpynW(o->name, name, NAME);
    LeaveCriticalSection(&gap_lock);
    return h;
}

// name_of returns the name of a service that was opened with a right.
static BOOL name_of(SC_HANDLE h, DWORD access, WCHAR *name) {
    EnterCriticalSection(&gap_lock);
    opened *o = find(h);
    DWORD rights = o ? o->access : 0;
    if (o) lstrcpyW(name, o->name);
    LeaveCriticalSection(&gap_lock);
    if (!o) SetLastError(ERROR_INVALID_HANDLE);
    else if ((rights & access) != access) SetLastError(ERROR_ACCESS_DENIED);
    return o && (rights & access) == access;
}

static SC_HANDLE WINAPI service_open(SC_HANDLE manager, LPCWSTR name, DWORD access) {
    return remember(OpenServiceW(manager, name, access), name, access);
}

static SC_HANDLE WINAPI service_create(SC_HANDLE manager, LPCWSTR name, LPCWSTR display, DWORD access, DWORD type, DWORD start,
                                       DWORD error, LPCWSTR path, LPCWSTR group, LPDWORD tag, LPCWSTR needs, LPCWSTR user, LPCWSTR password) {
    SC_HANDLE h = CreateServiceW(manager, name, display, access, type, start, error, path, group, tag, needs, user, password);
    return remember(h, name, access);
}

// needs reports whether a service depends on another.
static BOOL needs(LPCWSTR service, LPCWSTR other) {
    WCHAR key[NAME + 64], list[TEXT];
    DWORD size = sizeof list - 2 * sizeof *list;
    lstrcpyW(key, SERVICES L"\\");
    lstrcatW(key, service);
    if (RegGetValueW(HKEY_LOCAL_MACHINE, key, L"DependOnService", RRF_RT_REG_MULTI_SZ, NULL, list, &size)) return FALSE;
    for (WCHAR *p = list; *p; p += lstrlenW(p) + 1)
        if (!lstrcmpiW(p, other)) return TRUE;
    return FALSE;
}

// dependent finds the next service from *at on that depends on another, and its state.
static BOOL dependent(SC_HANDLE manager, HKEY services, LPCWSTR other, DWORD *at, WCHAR *name, SERVICE_STATUS *status) {
    for (;;) {
        DWORD length = NAME;
        if (RegEnumKeyExW(services, (*at)++, name, &length, NULL, NULL, NULL, NULL)) return FALSE;
        if (!needs(name, other)) continue;
        SC_HANDLE h = OpenServiceW(manager, name, SERVICE_QUERY_STATUS);
        BOOL ok = h && QueryServiceStatus(h, status);
        if (h) CloseServiceHandle(h);
        if (ok) return TRUE;
    }
}

// dependents lists the direct dependents of a service in the requested states. The names are at the end of the buffer.
static BOOL dependents(LPCWSTR other, DWORD states, ENUM_SERVICE_STATUSW *list, DWORD size, DWORD *needed, DWORD *count) {
    WCHAR name[NAME];
    SERVICE_STATUS status;
    HKEY services;
    DWORD at = 0, end = size, lost = 0;
    *count = 0;
    SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
    if (!manager) return FALSE;
    if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, SERVICES, 0, KEY_READ, &services)) services = NULL;
    while (services && dependent(manager, services, other, &at, name, &status)) {
        if (!(states & (status.dwCurrentState == SERVICE_STOPPED ? SERVICE_INACTIVE : SERVICE_ACTIVE))) continue;
        DWORD text = (lstrlenW(name) + 1) * sizeof *name;
        if (lost || (*count + 1) * sizeof *list + text > end) {
            lost += sizeof *list + text;
            continue;
        }
        end -= text;
        lstrcpyW((WCHAR *)((BYTE *)list + end), name);
        list[*count].lpServiceName = list[*count].lpDisplayName = (WCHAR *)((BYTE *)list + end);
        list[(*count)++].ServiceStatus = status;
    }
    if (services) RegCloseKey(services);
    CloseServiceHandle(manager);
    *needed = lost ? lost + *count * sizeof *list + (size - end) : 0;
    if (lost) SetLastError(ERROR_MORE_DATA);
    return !lost;
}

static API service_dependents(SC_HANDLE h, DWORD states, ENUM_SERVICE_STATUSW *list, DWORD size, DWORD *needed, DWORD *count) {
    WCHAR name[NAME];
    return name_of(h, SERVICE_ENUMERATE_DEPENDENTS, name) && dependents(name, states, list, size, needed, count);
}

static API service_control(SC_HANDLE h, DWORD control, SERVICE_STATUS *status) {
    WCHAR name[NAME];
    DWORD needed, count;
    SERVICE_STATUS now;
    if (control == SERVICE_CONTROL_STOP && name_of(h, SERVICE_STOP, name) &&
        !dependents(name, SERVICE_ACTIVE, NULL, 0, &needed, &count)) {
        SetLastError(ERROR_DEPENDENT_SERVICES_RUNNING);
        return FALSE;
    }
    return ControlService(h, control, status ? status : &now);
}

// key_of opens the registry of a service.
static HKEY key_of(SC_HANDLE h, DWORD right) {
    WCHAR name[NAME], path[NAME + 64];
    HKEY key;
    if (!name_of(h, right, name)) return NULL;
    lstrcpyW(path, SERVICES L"\\");
    lstrcatW(path, name);
    LSTATUS st = RegOpenKeyExW(HKEY_LOCAL_MACHINE, path, 0, KEY_READ | KEY_WRITE, &key);
    if (st) SetLastError(st);
    return st ? NULL : key;
}

// actions is the stored form of recovery actions: SERVICE_FAILURE_ACTIONS without its texts.
typedef struct { DWORD reset, count; SC_ACTION list[ACTIONS]; } actions;

static API service_set(SC_HANDLE h, DWORD level, void *info) {
    if (level != SERVICE_CONFIG_FAILURE_ACTIONS && level != SERVICE_CONFIG_FAILURE_ACTIONS_FLAG) return ChangeServiceConfig2W(h, level, info);
    HKEY key = key_of(h, SERVICE_CHANGE_CONFIG);
    if (!key) return FALSE;
    LSTATUS st = ERROR_INVALID_PARAMETER;
    if (level == SERVICE_CONFIG_FAILURE_ACTIONS_FLAG) {
        st = RegSetValueExW(key, L"FailureActionsOnNonCrashFailures", 0, REG_DWORD, info, sizeof(DWORD));
    } else {
        const SERVICE_FAILURE_ACTIONSW *in = info;
        actions a = {in->dwResetPeriod, in->cActions, {{0}}};
        if (in->cActions <= ACTIONS && (!in->cActions || in->lpsaActions)) {
            for (DWORD i = 0; i < in->cActions; i++) a.list[i] = in->lpsaActions[i];
            st = RegSetValueExW(key, L"FailureActions", 0, REG_BINARY, (BYTE *)&a, sizeof a);
        }
    }
    RegCloseKey(key);
    if (st) SetLastError(st);
    return !st;
}

static API service_query(SC_HANDLE h, DWORD level, BYTE *buffer, DWORD size, DWORD *needed) {
    if (level != SERVICE_CONFIG_FAILURE_ACTIONS && level != SERVICE_CONFIG_FAILURE_ACTIONS_FLAG)
        return QueryServiceConfig2W(h, level, buffer, size, needed);
    HKEY key = key_of(h, SERVICE_QUERY_CONFIG);
    if (!key) return FALSE;
    DWORD flag = 0, n = sizeof flag;
    actions a = {0, 0, {{0}}};
    RegQueryValueExW(key, L"FailureActionsOnNonCrashFailures", NULL, NULL, (BYTE *)&flag, &n);
    n = sizeof a;
    RegQueryValueExW(key, L"FailureActions", NULL, NULL, (BYTE *)&a, &n);
    RegCloseKey(key);
    SERVICE_FAILURE_ACTIONSW *out = (SERVICE_FAILURE_ACTIONSW *)buffer;
    *needed = level == SERVICE_CONFIG_FAILURE_ACTIONS_FLAG ? sizeof flag : sizeof *out + a.count * sizeof *a.list;
    if (size < *needed) {
        SetLastError(ERROR_INSUFFICIENT_BUFFER);
        return FALSE;
    }
    if (level == SERVICE_CONFIG_FAILURE_ACTIONS_FLAG) {
        *(DWORD *)buffer = flag;
        return TRUE;
    }
    *out = (SERVICE_FAILURE_ACTIONSW){a.reset, NULL, NULL, a.count, (SC_ACTION *)(out + 1)};
    for (DWORD i = 0; i < a.count; i++) out->lpsaActions[i] = a.list[i];
    return TRUE;
}

// is_service reports whether the service manager started this process.
static BOOL is_service(void) {
    static const WCHAR manager[] = L"\\services.exe";
    enum { MANAGER = sizeof manager / sizeof *manager - 1 };
    struct { NTSTATUS exit; void *peb; ULONG_PTR affinity; LONG priority; ULONG_PTR pid, parent; } basic;
    WCHAR image[MAX_PATH];
    DWORD n = MAX_PATH;
    if (!OK(NtQueryInformationProcess(GetCurrentProcess(), ProcessBasicInformation, &basic, sizeof basic, NULL))) return FALSE;
    HANDLE h = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, (DWORD)basic.parent);
    BOOL ok = h && QueryFullProcessImageNameW(h, 0, image, &n) && n >= MANAGER && !lstrcmpiW(image + n - MANAGER, manager);
    if (h) CloseHandle(h);
    return ok;
}

// set_variable sets a variable of the form NAME=VALUE.
static void set_variable(WCHAR *text) {
    for (WCHAR *p = text; *p; p++) {
        if (*p != '=') continue;
        *p = 0;
        SetEnvironmentVariableW(text, p + 1);
        return;
    }
}

static WCHAR self[NAME]; // the name of this process as a service

void service_begins(void) {
    static WCHAR name[NAME], line[TEXT], list[TEXT];
    DWORD at = 0, length = NAME;
    HKEY services;
    if (!is_service() || RegOpenKeyExW(HKEY_LOCAL_MACHINE, SERVICES, 0, KEY_READ, &services)) return;
    for (; !RegEnumKeyExW(services, at++, name, &length, NULL, NULL, NULL, NULL); length = NAME) {
        DWORD size = sizeof line;
        if (RegGetValueW(services, name, L"ImagePath", RRF_RT_ANY, NULL, line, &size) || lstrcmpW(line, GetCommandLineW())) continue;
        lstrcpyW(self, name);
        size = sizeof list - 2 * sizeof *list;
        if (RegGetValueW(services, name, L"Environment", RRF_RT_REG_MULTI_SZ, NULL, list, &size)) break;
        for (WCHAR *p = list, *next; *p; p = next) {
            next = p + lstrlenW(p) + 1;
            set_variable(p);
        }
        break;
    }
    RegCloseKey(services);
}

// The status may be that of the service's next process already.
void service_ends(void) {
    enum { SET_STATUS = 0x8000 }; // SERVICE_SET_STATUS, with which a handle is one for SetServiceStatus in Wine
    SERVICE_STATUS_PROCESS now;
    DWORD size;
    SC_HANDLE manager = *self ? OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT) : NULL;
    SC_HANDLE h = manager ? OpenServiceW(manager, self, SERVICE_QUERY_STATUS | SET_STATUS) : NULL;
    if (h && QueryServiceStatusEx(h, SC_STATUS_PROCESS_INFO, (BYTE *)&now, sizeof now, &size) &&
        now.dwCurrentState != SERVICE_STOPPED && now.dwProcessId == GetCurrentProcessId()) {
        SERVICE_STATUS status = {.dwServiceType = now.dwServiceType, .dwCurrentState = SERVICE_STOPPED, .dwWin32ExitCode = ERROR_PROCESS_ABORTED};
        SetServiceStatus((SERVICE_STATUS_HANDLE)h, &status);
    }
    if (h) CloseServiceHandle(h);
    if (manager) CloseServiceHandle(manager);
}

void *service_function(const char *name) {
    static const struct { const char *name; void *function; } functions[] = {
        {"OpenServiceW", service_open}, {"CreateServiceW", service_create}, {"EnumDependentServicesW", service_dependents},
        {"ControlService", service_control}, {"ChangeServiceConfig2W", service_set}, {"QueryServiceConfig2W", service_query},
    };
    for (unsigned i = 0; i < sizeof functions / sizeof *functions; i++)
        if (!lstrcmpA(name, functions[i].name)) return functions[i].function;
    return NULL;
}
