// Files: the information classes of Go's os.RemoveAll and os.Root.Rename. Wine 8 refuses both with a
// status that Go does not treat as "not supported".
#include "gap.h"

typedef NTSTATUS(NTAPI *set_file)(HANDLE, PIO_STATUS_BLOCK, PVOID, ULONG, ULONG);
static set_file original;

enum {
    RENAME = 10,
    DISPOSITION = 13,
    DISPOSITION_EX = 64, // one ULONG of flags, of which bit 0 is "delete"
    RENAME_EX = 65,      // laid out as RENAME, with flags where that has a boolean; bit 0 is "replace" in both
};

static NTSTATUS NTAPI replacement(HANDLE h, PIO_STATUS_BLOCK io, PVOID info, ULONG len, ULONG class) {
    if (class == DISPOSITION_EX && len >= sizeof(ULONG)) {
        BOOLEAN delete = *(ULONG *)info & 1;
        return original(h, io, &delete, sizeof delete, DISPOSITION);
    }
    return original(h, io, info, len, class == RENAME_EX ? RENAME : class);
}

BOOL file_install(void) { return (original = hook_syscall("NtSetInformationFile", replacement)) != NULL; }
