// Console events in a process without a handler: Windows ends it with STATUS_CONTROL_C_EXIT, Wine 8 with 0, as after a
// success.
#include "gap.h"

// unhandled is the first handler that is installed, and therefore the last one that is called.
static BOOL WINAPI unhandled(DWORD event) {
    (void)event;
    ExitProcess(STATUS_CONTROL_C_EXIT);
}

BOOL console_install(void) { return SetConsoleCtrlHandler(unhandled, TRUE); }
