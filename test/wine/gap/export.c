// Exports that Go looks up at run time: those that Wine 8's kernel32 lacks, and those for accounts and services.
#include "gap.h"

typedef NTSTATUS(NTAPI *get_address)(HMODULE, const ANSI_STRING *, ULONG, PVOID *);
static get_address original;

static const struct { const char *name; void *function; } exports[] = {
    {"QueryIoRateControlInformationJobObject", iorate_query},
    {"SetIoRateControlInformationJobObject", iorate_set},
    {"FreeMemoryJobObject", iorate_free},
};

// kubelet_function returns what kubelet gets in place of a function of Wine.
static void *kubelet_function(const char *name) {
    void *ours = link_function(name);
    if (!ours) ours = pdh_function(name);
    return ours ? ours : socket_function(name);
}

void *export_real(const char *module, const char *name) {
    PVOID address = NULL;
    ANSI_STRING text = {(USHORT)lstrlenA(name), (USHORT)(lstrlenA(name) + 1), (char *)name};
    HMODULE m = GetModuleHandleA(module);
    if (m && !original) return (void *)GetProcAddress(m, name); // before export_install
    return m && OK(original(m, &text, 0, &address)) ? address : NULL;
}

// ours_for returns what this process gets in place of a function of Wine.
static void *ours_for(const char *name) {
    void *ours = user_function(name);
    if (!ours) ours = service_function(name);
    if (!ours) ours = control_function(name);
    if (!ours && gap_kubelet) ours = kubelet_function(name);
    if (!ours && gap_volumes) ours = view_function(name);
    return ours;
}

static NTSTATUS NTAPI replacement(HMODULE module, const ANSI_STRING *name, ULONG ordinal, PVOID *address) {
    if (!name || !name->Buffer) return original(module, name, ordinal, address);
    void *ours = ours_for(name->Buffer);
    if (ours) {
        *address = ours;
        return 0;
    }
    NTSTATUS st = original(module, name, ordinal, address);
    for (unsigned i = 0; !OK(st) && i < sizeof exports / sizeof *exports; i++)
        if (lstrcmpA(name->Buffer, exports[i].name) == 0) {
            *address = exports[i].function;
            return 0;
        }
    return st;
}

BOOL export_install(void) {
    // push r14, r13, r12, rbp, rdi, rsi, rbx; sub rsp,0x40
    static const BYTE prologue[] = {0x41, 0x56, 0x41, 0x55, 0x41, 0x54, 0x55, 0x57, 0x56, 0x53, 0x48, 0x83, 0xec, 0x40};
    return (original = hook_prologue("LdrGetProcedureAddress", replacement, prologue, sizeof prologue)) != NULL;
}
