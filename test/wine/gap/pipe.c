// Named pipes: NtCreateNamedPipeFile, as go-winio calls it.
#include "gap.h"

typedef NTSTATUS(NTAPI *create_pipe)(PHANDLE, ULONG, POBJECT_ATTRIBUTES, PIO_STATUS_BLOCK, ULONG, ULONG, ULONG, ULONG,
                                     ULONG, ULONG, ULONG, ULONG, ULONG, PLARGE_INTEGER);
static create_pipe original;

enum {
    CREATE_NEW_PIPE = 2,   // FILE_CREATE
    MESSAGE_MODE = 1,      // FILE_PIPE_MESSAGE_TYPE
    DISCONNECT = 0x110004, // FSCTL_PIPE_DISCONNECT
    TRANSFER = GENERIC_READ | GENERIC_WRITE | GENERIC_ALL | FILE_READ_DATA | FILE_WRITE_DATA,
};

// taken reports whether the name \??\pipe\X has a server. To wait for a pipe tells so without connecting to it.
// Between this answer and the creation another server may come; Windows would see it, this does not.
static BOOL taken(const UNICODE_STRING *name) {
    static const WCHAR device[] = L"\\??\\pipe\\", dos[] = L"\\\\.\\pipe\\"; // both are 9 long
    WCHAR path[300];
    int n = name->Length / sizeof(WCHAR);
    if (n <= 9 || n >= 300) return FALSE;
    for (int i = 0; i < n; i++) path[i] = name->Buffer[i];
    path[9] = 0;
    if (lstrcmpiW(path, device) != 0) return FALSE;
    for (int i = 0; i < 9; i++) path[i] = dos[i];
    path[9] = name->Buffer[9];
    path[n] = 0;
    return WaitNamedPipeW(path, 1) || GetLastError() == ERROR_SEM_TIMEOUT;
}

// disconnect leaves the instance just made as Windows does with one that was created without data access. Wine lets it
// listen, so the first real client would be lost in it. Only what is connected can be disconnected: to a client of ours, or to
// one that was quicker.
static void disconnect(HANDLE instance, const OBJECT_ATTRIBUTES *name) {
    OBJECT_ATTRIBUTES client = *name;
    IO_STATUS_BLOCK io;
    HANDLE h;
    client.SecurityDescriptor = NULL;
    client.Attributes &= ~OBJ_INHERIT;
    NTSTATUS st = NtCreateFile(&h, GENERIC_READ | GENERIC_WRITE | SYNCHRONIZE, &client, &io, NULL, 0, 0, FILE_OPEN,
                               FILE_SYNCHRONOUS_IO_NONALERT, NULL, 0);
    NtFsControlFile(instance, NULL, NULL, NULL, &io, DISCONNECT, NULL, 0, NULL, 0);
    if (OK(st)) NtClose(h);
}

static NTSTATUS NTAPI replacement(PHANDLE h, ULONG access, POBJECT_ATTRIBUTES name, PIO_STATUS_BLOCK io, ULONG share,
                                  ULONG disposition, ULONG options, ULONG type, ULONG read_mode, ULONG completion,
                                  ULONG instances, ULONG in, ULONG out, PLARGE_INTEGER timeout) {
    // Wine 8 lets a second server create a name that is in use; Windows refuses it.
    if (disposition == CREATE_NEW_PIPE && name && name->ObjectName && taken(name->ObjectName))
        return STATUS(STATUS_DENIED_);
    // Wine 8 takes FILE_PIPE_REJECT_REMOTE_CLIENTS, bit 1 of the type, for message mode.
    NTSTATUS st = original(h, access, name, io, share, disposition, options, type & MESSAGE_MODE, read_mode, completion,
                           instances, in, out, timeout);
    if (OK(st) && !(access & TRANSFER)) disconnect(*h, name);
    return st;
}

BOOL pipe_install(void) { return (original = hook_syscall("NtCreateNamedPipeFile", replacement)) != NULL; }
