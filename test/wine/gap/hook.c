// Inline hooks: the first bytes of a function are replaced by a jump, and its original is kept as a trampoline.
#include "gap.h"

static BYTE *pool;
static int used;

// write_jump writes "mov rax, to; jmp rax", 12 bytes.
static void write_jump(BYTE *at, void *to) {
    at[0] = 0x48;
    at[1] = 0xb8;
    *(void **)(at + 2) = to;
    at[10] = 0xff;
    at[11] = 0xe0;
}

// looks reports whether code begins with the pattern, in which 0xcc matches any byte.
static BOOL looks(const BYTE *code, const BYTE *pattern, int n) {
    for (int i = 0; i < n; i++)
        if (pattern[i] != 0xcc && code[i] != pattern[i]) return FALSE;
    return TRUE;
}

static BOOL patch(BYTE *code, void *to) {
    DWORD old;
    if (!VirtualProtect(code, 12, PAGE_EXECUTE_READWRITE, &old)) return FALSE;
    write_jump(code, to);
    return VirtualProtect(code, 12, old, &old);
}

// hook copies n bytes of the function to a trampoline, which continues after them unless they are the whole function.
static void *hook(const char *name, void *to, const BYTE *pattern, int n, BOOL whole) {
    BYTE *code = (BYTE *)GetProcAddress(GetModuleHandleA("ntdll"), name);
    if (!code || !looks(code, pattern, n)) return NULL;
    if (!pool) pool = VirtualAlloc(NULL, 4096, MEM_COMMIT | MEM_RESERVE, PAGE_EXECUTE_READWRITE);
    if (!pool) return NULL;
    BYTE *trampoline = pool + used;
    used += 64;
    for (int i = 0; i < n; i++) trampoline[i] = code[i];
    if (!whole) write_jump(trampoline + n, code + n);
    return patch(code, to) ? trampoline : NULL;
}

BOOL replace(const char *module, const char *name, void *to) {
    BYTE *code = export_real(module, name);
    return code && patch(code, to);
}

void *hook_syscall(const char *name, void *to) {
    // mov r10,rcx; mov eax,N; test byte [0x7ffe0308],1; jne +3; syscall; ret; jmp +1; ret -- and an indirect call, 32 in all
    static const BYTE thunk[24] = {0x4c, 0x8b, 0xd1, 0xb8, 0xcc, 0xcc, 0x00, 0x00, 0xf6, 0x04, 0x25, 0x08,
                                   0x03, 0xfe, 0x7f, 0x01, 0x75, 0x03, 0x0f, 0x05, 0xc3, 0xeb, 0x01, 0xc3};
    static BYTE pattern[32];
    for (int i = 0; i < 32; i++) pattern[i] = i < 24 ? thunk[i] : 0xcc;
    return hook(name, to, pattern, 32, TRUE);
}

void *hook_prologue(const char *name, void *to, const BYTE *prologue, int n) {
    return hook(name, to, prologue, n, FALSE);
}
