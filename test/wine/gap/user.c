// Users and groups: Wine 8 accepts every name and every password, stores no account, and its LogonUser returns no valid
// token. Here an account is a file in C:\gap\user with its password and its comment, and a logon returns a copy of the
// caller's token: Wine has one user.
#include "gap.h"

#define API DWORD WINAPI

enum { NOT_A_GROUP = 2220, NOT_A_USER = 2221, USER_EXISTS = 2224, BAD_PASSWORD = 2245, LONGEST = 20, PASSWORD = 128, COMMENT = 256 };

// record is the content of a file.
typedef struct { WCHAR password[PASSWORD], comment[COMMENT]; } record;

// user_info is USER_INFO_1.
typedef struct { LPWSTR name, password; DWORD age, priv; LPWSTR home, comment; DWORD flags; LPWSTR script; } user_info;

static BOOL is_one_of(LPCWSTR name, const WCHAR *const *names) {
    for (; *names; names++)
        if (!lstrcmpiW(name, *names)) return TRUE;
    return FALSE;
}

static BOOL is_group(LPCWSTR name) {
    static const WCHAR *const groups[] = {L"Administrators", L"Guests", L"Users", NULL};
    return is_one_of(name, groups);
}

// path_of is the file of an account; a name that Windows would refuse has none.
static BOOL path_of(LPCWSTR name, WCHAR *path) {
    int n = lstrlenW(name);
    if (!n || n > LONGEST) return FALSE;
    for (int i = 0; i < n; i++)
        if (name[i] < ' ' || name[i] == '\\' || name[i] == '/' || name[i] == ':' || name[i] == '*' || name[i] == '?') return FALSE;
    CreateDirectoryW(L"C:\\gap\\user", NULL);
    lstrcpyW(path, L"C:\\gap\\user\\");
    lstrcatW(path, name);
    return TRUE;
}

static API user_add(LPCWSTR server, DWORD level, user_info *u, DWORD *wrong) {
    WCHAR path[64];
    DWORD n;
    (void)server, (void)wrong;
    if (level != 1 || !path_of(u->name, path)) return ERROR_INVALID_PARAMETER;
    int length = u->password ? lstrlenW(u->password) : 0;
    if (!length || length >= PASSWORD) return BAD_PASSWORD;
    HANDLE f = CreateFileW(path, GENERIC_WRITE, 0, NULL, CREATE_NEW, 0, NULL);
    if (f == INVALID_HANDLE_VALUE) return USER_EXISTS;
    record r = {0};
    lstrcpyW(r.password, u->password);
    if (u->comment) lstrcpynW(r.comment, u->comment, COMMENT);
    BOOL ok = WriteFile(f, &r, sizeof r, &n, NULL);
    CloseHandle(f);
    return ok ? 0 : ERROR_WRITE_FAULT;
}

// recall reads the file of an account.
static BOOL recall(LPCWSTR name, record *r) {
    WCHAR path[64];
    DWORD n = 0;
    if (!path_of(name, path)) return FALSE;
    HANDLE f = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    if (f == INVALID_HANDLE_VALUE) return FALSE;
    BOOL ok = ReadFile(f, r, sizeof *r, &n, NULL) && n == sizeof *r;
    CloseHandle(f);
    return ok;
}

// user_list returns the accounts that fit into one buffer; no test has more.
static API user_list(LPCWSTR server, DWORD level, DWORD filter, BYTE **buf, DWORD most, DWORD *count, DWORD *total, DWORD *resume) {
    enum { ROOM = 256 };
    typedef struct { user_info users[ROOM]; struct { WCHAR name[LONGEST + 1], comment[COMMENT]; } texts[ROOM]; } list;
    WIN32_FIND_DATAW found;
    record r;
    (void)server, (void)filter, (void)most, (void)resume;
    if (level != 1) return ERROR_INVALID_LEVEL;
    list *l = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof *l); // the caller frees it with NetApiBufferFree
    if (!l) return ERROR_NOT_ENOUGH_MEMORY;
    DWORD n = 0;
    HANDLE search = FindFirstFileW(L"C:\\gap\\user\\*", &found);
    for (BOOL more = search != INVALID_HANDLE_VALUE; more && n < ROOM; more = FindNextFileW(search, &found)) {
        if (found.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY || !recall(found.cFileName, &r)) continue;
        lstrcpyW(l->texts[n].name, found.cFileName);
        lstrcpyW(l->texts[n].comment, r.comment);
        l->users[n].name = l->texts[n].name;
        l->users[n].comment = l->texts[n].comment;
        n++;
    }
    if (search != INVALID_HANDLE_VALUE) FindClose(search);
    *buf = (BYTE *)l;
    *count = *total = n;
    return 0;
}

static API user_del(LPCWSTR server, LPCWSTR name) {
    WCHAR path[64];
    (void)server;
    return path_of(name, path) && DeleteFileW(path) ? 0 : NOT_A_USER;
}

// group_info supports the only level that Windows documents.
static API group_info(LPCWSTR server, LPCWSTR name, DWORD level, BYTE **buf) {
    typedef struct { LPWSTR name, comment; WCHAR text[LONGEST + 1]; } info; // begins as LOCALGROUP_INFO_1
    (void)server;
    *buf = NULL;
    if (level != 1) return ERROR_INVALID_LEVEL;
    if (!is_group(name)) return NOT_A_GROUP;
    info *i = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof *i); // the caller frees it with NetApiBufferFree
    if (!i) return ERROR_NOT_ENOUGH_MEMORY;
    lstrcpyW(i->text, name);
    i->name = i->text;
    i->comment = i->text + lstrlenW(name); // an empty one
    *buf = (BYTE *)i;
    return 0;
}

// account_sid is a SID: S-1-5-21-1-2-3-N, N computed from the account's name, without case.
typedef struct { BYTE revision, count, authority[6]; ULONG parts[5]; } account_sid;

static void sid_of(LPCWSTR name, account_sid *sid) {
    ULONG hash = 2166136261u; // FNV-1a
    for (; *name; name++) hash = (hash ^ (*name >= 'a' && *name <= 'z' ? *name - 32u : *name)) * 16777619u;
    *sid = (account_sid){1, 5, {0, 0, 0, 0, 0, 5}, {21, 1, 2, 3, 1000 + hash % 1000000}};
}

// lookup_name finds the SID of an account in C:\gap\user. Wine finds the others.
static BOOL WINAPI lookup_name(LPCWSTR system, LPCWSTR name, PSID sid, DWORD *size, LPWSTR domain, DWORD *length, PSID_NAME_USE use) {
    WCHAR path[64], computer[MAX_COMPUTERNAME_LENGTH + 1];
    DWORD n = MAX_COMPUTERNAME_LENGTH + 1;
    if (!name || !path_of(name, path) || GetFileAttributesW(path) == INVALID_FILE_ATTRIBUTES)
        return LookupAccountNameW(system, name, sid, size, domain, length, use);
    if (!GetComputerNameW(computer, &n)) return FALSE;
    BOOL fits = *size >= sizeof(account_sid) && *length > n;
    if (fits) {
        sid_of(name, sid);
        lstrcpyW(domain, computer);
        *use = SidTypeUser;
    } else {
        SetLastError(ERROR_INSUFFICIENT_BUFFER);
    }
    *size = sizeof(account_sid);
    *length = fits ? n : n + 1;
    return fits;
}

static BOOL is_kept(PSID sid) {
    WIN32_FIND_DATAW found;
    account_sid own;
    BOOL is = FALSE;
    HANDLE search = FindFirstFileW(L"C:\\gap\\user\\*", &found);
    for (BOOL more = search != INVALID_HANDLE_VALUE; more && !is; more = FindNextFileW(search, &found)) {
        sid_of(found.cFileName, &own);
        is = !(found.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) && EqualSid(&own, sid);
    }
    if (search != INVALID_HANDLE_VALUE) FindClose(search);
    return is;
}

// group_add takes SIDs. The other level of Windows, names with their domain, is refused: on a domain controller that
// domain is not the computer's name, so such a request must fail.
static API group_add(LPCWSTR server, LPCWSTR group, DWORD level, PSID *members, DWORD count) {
    (void)server;
    if (level != 0) return ERROR_INVALID_LEVEL;
    if (!is_group(group)) return NOT_A_GROUP;
    for (DWORD i = 0; i < count; i++)
        if (!IsValidSid(members[i]) || !is_kept(members[i])) return ERROR_NO_SUCH_MEMBER;
    return 0;
}

// password_matches reports whether an account has this password.
static BOOL password_matches(LPCWSTR name, LPCWSTR password) {
    record r;
    return recall(name, &r) && password && !lstrcmpW(r.password, password);
}

static BOOL WINAPI logon(LPCWSTR name, LPCWSTR domain, LPCWSTR password, DWORD type, DWORD provider, HANDLE *token) {
    static const WCHAR *const services[] = {L"SYSTEM", L"LocalService", L"Local Service", L"NetworkService", L"Network Service", NULL};
    enum { SERVICE = 5 };
    HANDLE own;
    (void)provider;
    BOOL service = type == SERVICE && domain && !lstrcmpiW(domain, L"NT AUTHORITY") && is_one_of(name, services);
    if (!service && !password_matches(name, password)) {
        SetLastError(ERROR_LOGON_FAILURE);
        return FALSE;
    }
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_DUPLICATE, &own)) return FALSE;
    BOOL ok = DuplicateTokenEx(own, TOKEN_ALL_ACCESS, NULL, SecurityImpersonation, TokenPrimary, token);
    CloseHandle(own);
    return ok;
}

// These modules are not in every process, so the functions are looked up here instead of hooked.
void *user_function(const char *name) {
    static const struct { const char *name; void *function; } functions[] = {
        {"NetUserAdd", user_add}, {"NetUserDel", user_del}, {"NetUserEnum", user_list},
        {"NetLocalGroupGetInfo", group_info}, {"NetLocalGroupAddMembers", group_add}, {"LogonUserW", logon},
        {"LookupAccountNameW", lookup_name},
    };
    for (unsigned i = 0; i < sizeof functions / sizeof *functions; i++)
        if (!lstrcmpA(name, functions[i].name)) return functions[i].function;
    return NULL;
}
