// The gap filler supplies calls that Wine 8 lacks, inside a process that runs Windows container code. Only tests use it.
//
// It is named bcryptprimitives.dll. Wine 8 does not have that DLL, and every Go program loads it at start, so every process
// of the test environment has the gap filler. It hooks a dozen functions of ntdll. Three rules:
//
//   * It answers with values that Wine or Linux has, and otherwise with "not supported". It invents none.
//   * A setting can be read back and has no effect: no limit is enforced.
//   * The settings of a named job are those of all processes, of an anonymous job those of one.
//
// With WINEGAP=0 there are no hooks. WINEGAP=members omits the sums over the members of a job (classes 1 and 28) for
// measurements: on Windows they cost nothing. WINEGAP=peer supplies what the reference shim needs to start:
// zeros from job class 42, and layers and volumes that do nothing (peer.c). Such values are no evidence. WINEGAP=bench is both.
// WINEGAP=kubelet supplies what kubelet.exe needs to start and to write volumes: performance counters (pdh.c), Unix sockets
// (socket.c), symbolic links (link.c), and a Host Networking Service without endpoints (kubelet/hns.c).
// WINEGAP=volumes shows a program in a job container the volumes at their paths (view.c).
#ifndef GAP_H
#define GAP_H

#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#include <winternl.h>

#define STATUS(x) ((NTSTATUS)(x))
#define OK(st) ((st) >= 0)

enum {
    STATUS_LENGTH_MISMATCH_ = 0xC0000004,
    STATUS_DENIED_ = 0xC0000022,
    STATUS_CANNOT_DELETE_ = 0xC0000121,
    STATUS_UNSUPPORTED_ = 0xC00000BB,
};

// gap_lock guards all state of the gap filler. A thread may take it repeatedly.
extern CRITICAL_SECTION gap_lock;

// gap_peer is WINEGAP=peer or bench, gap_members WINEGAP=members or bench, gap_kubelet WINEGAP=kubelet, gap_volumes
// WINEGAP=volumes.
extern BOOL gap_peer, gap_members, gap_kubelet, gap_volumes;

// hook.c ------------------------------------------------------------------------------------------------------------

// hook_syscall redirects an Nt function of ntdll to `to`. It returns the original function, or NULL if the code does
// not look as in Wine 8.
void *hook_syscall(const char *name, void *to);

// hook_prologue does the same for a function that begins with the n bytes given (no relative jump among them).
void *hook_prologue(const char *name, void *to, const BYTE *prologue, int n);

// replace redirects a function of any module to `to`, whatever its code is. The original is lost.
BOOL replace(const char *module, const char *name, void *to);

// The parts. Each installs its hooks and reports whether that succeeded. --------------------------------------------

BOOL pipe_install(void);
BOOL job_install(void);
BOOL process_install(void);
BOOL file_install(void);
BOOL export_install(void);
BOOL exit_install(void);
BOOL console_install(void);
BOOL load_install(void);
BOOL backup_install(void);
BOOL volume_install(void);
BOOL peer_install(void);

// exit.c ------------------------------------------------------------------------------------------------------------

// exit_thread_begins is called in each new thread.
void exit_thread_begins(void);

// process.c ---------------------------------------------------------------------------------------------------------

// cpu is the processor time of a process. The creation time distinguishes two processes with one pid.
typedef struct { ULONG pid; LONGLONG created; ULONGLONG user, kernel; } cpu;

// snapshot_take lists all processes with their real times; NULL without memory. Free it with snapshot_free.
void *snapshot_take(void);
void snapshot_free(void *snapshot);
BOOL snapshot_find(const void *snapshot, ULONG pid, cpu *out);

// private_commit is the private memory of a process: Linux's RssAnon + VmSwap.
BOOL private_commit(ULONG pid, ULONGLONG *bytes);

// unix.c ------------------------------------------------------------------------------------------------------------

// unix_link makes path a link to target; the last part of path must not exist.
BOOL unix_link(LPCWSTR path, LPCWSTR target);
BOOL unix_link_text(LPCWSTR path, const char *target); // target is a Linux path, or relative
BOOL unix_link_target(LPCWSTR path, char *target, int size);
BOOL unix_rename(LPCWSTR from, LPCWSTR to);
BOOL unix_is_link(LPCWSTR path);
WCHAR *unix_final(LPCWSTR path);
BOOL WINAPI gap_unlink(LPCWSTR path);

// user.c ------------------------------------------------------------------------------------------------------------

// user_function returns the replacement of a function for accounts, or NULL for any other.
void *user_function(const char *name);

// service.c ---------------------------------------------------------------------------------------------------------

// service_function is the same for services.
void *service_function(const char *name);

// service_begins sets the variables that the registry has for this process, if it is a service. service_ends reports its end
// to the service manager, unless it has done so.
void service_begins(void);
void service_ends(void);

// socket.c ----------------------------------------------------------------------------------------------------------

// control_function is the same for the settings of sockets.
void *control_function(const char *name);

// export.c ----------------------------------------------------------------------------------------------------------

// export_real returns a function of a loaded module, never a replacement.
void *export_real(const char *module, const char *name);

// For kubelet (WINEGAP=kubelet): replacements by name, or NULL --------------------------------------------------------

void *link_function(const char *name);
void *view_function(const char *name); // of WINEGAP=volumes
void *pdh_function(const char *name);
void *socket_function(const char *name);

// iorate.c: called for the functions that kernel32 of Wine 8 lacks ---------------------------------------------------

DWORD WINAPI iorate_set(HANDLE job, void *rate);
DWORD WINAPI iorate_query(HANDLE job, PCWSTR volume, void **rates, ULONG *count);
void WINAPI iorate_free(void *rates);

#endif
