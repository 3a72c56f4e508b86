// Sockets. A program of Go makes no UDP socket on Wine 8, which lacks one setting of them. Unix sockets are for kubelet alone
// (WINEGAP=kubelet), which serves device plugins on them. Wine 8 has none. Here such a socket is a TCP socket of the loopback
// address, and the file that a Unix socket would be has its port in two bytes.
#include <winsock2.h>
#include "gap.h"

enum { SOCKETS = 256, PATH = 108, AF_UNIX_ = 1 };
enum { UDP_CONNRESET = 0x9800000C, UDP_NETRESET = 0x9800000F };

// known are the Unix sockets of this process, guarded by gap_lock.
static struct { SOCKET socket; char path[PATH]; } known[SOCKETS];

static struct {
    SOCKET(WINAPI *socket)(int, int, int, void *, unsigned, DWORD);
    int(WINAPI *bind)(SOCKET, const struct sockaddr *, int);
    int(WINAPI *connect)(SOCKET, const struct sockaddr *, int);
    int(WINAPI *getsockname)(SOCKET, struct sockaddr *, int *);
    int(WINAPI *closesocket)(SOCKET);
    void(WINAPI *set_error)(int);
} real;

// record_of is the index of a socket, or -1.
static int record_of(SOCKET s) {
    int found = -1;
    EnterCriticalSection(&gap_lock);
    for (int i = 0; i < SOCKETS && found < 0; i++)
        if (s && known[i].socket == s) found = i;
    LeaveCriticalSection(&gap_lock);
    return found;
}

static SOCKET WINAPI create(int family, int type, int protocol, void *info, unsigned group, DWORD flags) {
    if (family != AF_UNIX_) return real.socket(family, type, protocol, info, group, flags);
    SOCKET s = real.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP, NULL, group, flags);
    if (s == INVALID_SOCKET) return s;
    EnterCriticalSection(&gap_lock);
    int i = 0;
    while (i < SOCKETS && known[i].socket) i++;
    if (i < SOCKETS) known[i].socket = s, known[i].path[0] = 0;
    LeaveCriticalSection(&gap_lock);
    if (i < SOCKETS) return s;
    real.closesocket(s);
    real.set_error(WSAEMFILE);
    return INVALID_SOCKET;
}

// loopback is the address of a port in network byte order.
static struct sockaddr_in loopback(unsigned short port) {
    struct sockaddr_in in = {0};
    in.sin_family = AF_INET;
    in.sin_port = port;
    in.sin_addr.s_addr = 0x0100007f;
    return in;
}

static int fail(int error) {
    real.set_error(error);
    return SOCKET_ERROR;
}

static int WINAPI bind_(SOCKET s, const struct sockaddr *a, int n) {
    int i = record_of(s);
    if (i < 0 || a->sa_family != AF_UNIX_) return real.bind(s, a, n);
    struct sockaddr_in in = loopback(0);
    int size = sizeof in;
    DWORD done;
    if (real.bind(s, (struct sockaddr *)&in, sizeof in) || real.getsockname(s, (struct sockaddr *)&in, &size)) return SOCKET_ERROR;
    lstrcpynA(known[i].path, a->sa_data, PATH);
    // A file of an earlier socket is replaced: a program that deletes sockets first, as kubelet does, sees a plain file here.
    HANDLE f = CreateFileA(known[i].path, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
    if (f == INVALID_HANDLE_VALUE) return fail(WSAEADDRINUSE);
    BOOL ok = WriteFile(f, &in.sin_port, sizeof in.sin_port, &done, NULL);
    CloseHandle(f);
    return ok ? 0 : fail(WSAEACCES);
}

static int WINAPI connect_(SOCKET s, const struct sockaddr *a, int n) {
    if (record_of(s) < 0 || a->sa_family != AF_UNIX_) return real.connect(s, a, n);
    unsigned short port = 0;
    DWORD done = 0;
    HANDLE f = CreateFileA(a->sa_data, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
    if (f == INVALID_HANDLE_VALUE) return fail(WSAECONNREFUSED);
    BOOL ok = ReadFile(f, &port, sizeof port, &done, NULL) && done == sizeof port;
    CloseHandle(f);
    if (!ok) return fail(WSAECONNREFUSED);
    struct sockaddr_in in = loopback(port);
    return real.connect(s, (struct sockaddr *)&in, sizeof in);
}

static int WINAPI name_of(SOCKET s, struct sockaddr *a, int *n) {
    int i = record_of(s);
    if (i < 0) return real.getsockname(s, a, n);
    a->sa_family = AF_UNIX_;
    lstrcpyA(a->sa_data, known[i].path);
    *n = (int)sizeof a->sa_family + lstrlenA(known[i].path) + 1;
    return 0;
}

static int WINAPI close_(SOCKET s) {
    int i = record_of(s);
    if (i >= 0) known[i].socket = 0;
    return real.closesocket(s);
}

void *socket_function(const char *name) {
    static const struct { const char *name; void *function, **real; } functions[] = {
        {"WSASocketW", create, (void **)&real.socket}, {"bind", bind_, (void **)&real.bind},
        {"connect", connect_, (void **)&real.connect}, {"getsockname", name_of, (void **)&real.getsockname},
        {"closesocket", close_, (void **)&real.closesocket},
    };
    enum { COUNT = sizeof functions / sizeof *functions };
    for (unsigned i = 0; i < COUNT; i++) {
        if (lstrcmpA(name, functions[i].name)) continue;
        for (unsigned j = 0; j < COUNT; j++)
            if (!(*functions[j].real = export_real("ws2_32", functions[j].name))) return NULL;
        return (real.set_error = export_real("ws2_32", "WSASetLastError")) ? functions[i].function : NULL;
    }
    return NULL;
}

typedef int(WINAPI *control)(SOCKET, DWORD, void *, DWORD, void *, DWORD, DWORD *, void *, void *);

// control_ takes the setting of SIO_UDP_NETRESET as that of SIO_UDP_CONNRESET, which Wine accepts. Both are about errors that
// Linux does not report to a socket without a peer.
static int WINAPI control_(SOCKET s, DWORD code, void *in, DWORD n, void *out, DWORD m, DWORD *done, void *o, void *f) {
    control real_control = (control)export_real("ws2_32", "WSAIoctl");
    return real_control(s, code == (DWORD)UDP_NETRESET ? (DWORD)UDP_CONNRESET : code, in, n, out, m, done, o, f);
}

void *control_function(const char *name) {
    return lstrcmpA(name, "WSAIoctl") == 0 && export_real("ws2_32", "WSAIoctl") ? (void *)control_ : NULL;
}
