// The DLL: its only export, and the installation of the hooks.
#include "gap.h"

CRITICAL_SECTION gap_lock;
BOOL gap_peer, gap_members, gap_kubelet, gap_volumes;

BOOLEAN NTAPI SystemFunction036(PVOID, ULONG); // RtlGenRandom, real in Wine

// ProcessPrng is the function that Go uses of bcryptprimitives.dll.
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE to, SIZE_T n) { return SystemFunction036(to, (ULONG)n); }

// complain reports a Wine whose code looks different: without hooks the tests would give wrong results.
static BOOL complain(void) {
    static const char text[] = "winegap: this is not the Wine 8 that the hooks were made for\r\n";
    DWORD n;
    WriteFile(GetStdHandle(STD_ERROR_HANDLE), text, sizeof text - 1, &n, NULL);
    return FALSE;
}

BOOL WINAPI DllMain(HINSTANCE dll, DWORD why, LPVOID reserved) {
    char mode[8];
    (void)dll, (void)reserved;
    if (why == DLL_THREAD_ATTACH) exit_thread_begins();
    if (why != DLL_PROCESS_ATTACH) return TRUE;
    service_begins();
    if (!GetEnvironmentVariableA("WINEGAP", mode, sizeof mode)) mode[0] = 0;
    if (lstrcmpA(mode, "0") == 0) return TRUE;
    BOOL bench = lstrcmpA(mode, "bench") == 0;
    gap_peer = bench || lstrcmpA(mode, "peer") == 0;
    gap_members = bench || lstrcmpA(mode, "members") == 0;
    gap_kubelet = lstrcmpA(mode, "kubelet") == 0;
    gap_volumes = lstrcmpA(mode, "volumes") == 0;
    InitializeCriticalSection(&gap_lock);
    BOOL ok = pipe_install() && job_install() && process_install() && file_install() && export_install() &&
              load_install() && exit_install() && console_install() && backup_install() &&
              (gap_peer ? peer_install() : volume_install());
    return ok || complain();
}
