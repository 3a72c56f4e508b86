// What a console event does to a process that handles none: Windows ends it with STATUS_CONTROL_C_EXIT, Wine 8 with 0, as if
// it had done its work.
#include "gap.h"

// unhandled is the first handler there is, and so the last one asked.
static BOOL WINAPI unhandled(DWORD event) {
    (void)event;
    ExitProcess(STATUS_CONTROL_C_EXIT);
}

BOOL console_install(void) { return SetConsoleCtrlHandler(unhandled, TRUE); }
