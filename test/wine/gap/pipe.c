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

// taken reports whether the name \??\pipe\X has a server. Waiting for a pipe shows it without connecting.
// Another server may be created between this answer and the creation; Windows would refuse that.
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

// disconnect disconnects a new instance, as Windows does with one that was created without data access. Wine lets it
// listen, so the first client would be lost. Only a connected instance can be disconnected: from a client of the gap
// filler, or from one that was faster.
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
    // Wine 8 treats FILE_PIPE_REJECT_REMOTE_CLIENTS, bit 1 of the type, as message mode.
    NTSTATUS st = original(h, access, name, io, share, disposition, options, type & MESSAGE_MODE, read_mode, completion,
                           instances, in, out, timeout);
    if (OK(st) && !(access & TRANSFER)) disconnect(*h, name);
    return st;
}

BOOL pipe_install(void) { return (original = hook_syscall("NtCreateNamedPipeFile", replacement)) != NULL; }
