// Sockets on the loopback interface and epoll, for the programs that measure: what Swift cannot call (variadic
// functions) or read (packed structs, macros) as inline functions. Linux only, as the measurements are.

#ifndef CLOOPBACK_H
#define CLOOPBACK_H

#define _GNU_SOURCE 1
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

typedef struct epoll_event loopback_event;

static inline uint64_t loopback_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline int loopback_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

static inline int loopback_epoll_control(int epoll, int operation, int descriptor, int write, uint64_t token) {
    struct epoll_event event;
    event.events = EPOLLIN | EPOLLRDHUP | (write ? EPOLLOUT : 0);
    event.data.u64 = token;
    return epoll_ctl(epoll, operation, descriptor, &event);
}

static inline int loopback_epoll_add(int epoll, int descriptor, int write, uint64_t token) {
    return loopback_epoll_control(epoll, EPOLL_CTL_ADD, descriptor, write, token);
}

static inline int loopback_epoll_change(int epoll, int descriptor, int write, uint64_t token) {
    return loopback_epoll_control(epoll, EPOLL_CTL_MOD, descriptor, write, token);
}

/// Waits at most `nanoseconds`; forever when negative.
static inline int loopback_epoll_wait(int epoll, loopback_event *events, int capacity, int64_t nanoseconds) {
    struct timespec limit;
    limit.tv_sec = nanoseconds / 1000000000;
    limit.tv_nsec = nanoseconds % 1000000000;
    return epoll_pwait2(epoll, events, capacity, nanoseconds < 0 ? NULL : &limit, NULL);
}

static inline uint64_t loopback_event_token(const loopback_event *event) { return event->data.u64; }
static inline int loopback_event_writable(const loopback_event *event) {
    return (event->events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0;
}
static inline int loopback_event_readable(const loopback_event *event) {
    return (event->events & (EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP)) != 0;
}

static inline void loopback_no_delay(int descriptor) {
    int on = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static inline struct sockaddr_in loopback_address(uint16_t port) {
    struct sockaddr_in address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

/// Listens on 127.0.0.1; port 0 takes a free one and `*bound` says which. -1 with errno on failure.
static inline int loopback_listen(uint16_t port, uint16_t *bound) {
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -1;
    int on = 1;
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in address = loopback_address(port);
    socklen_t length = sizeof address;
    if (bind(descriptor, (struct sockaddr *)&address, length) < 0 || listen(descriptor, 4096) < 0
        || getsockname(descriptor, (struct sockaddr *)&address, &length) < 0) {
        int reason = errno;
        close(descriptor);
        errno = reason;
        return -1;
    }
    *bound = ntohs(address.sin_port);
    return descriptor;
}

static inline int loopback_accept(int listener) {
    int descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor >= 0) loopback_no_delay(descriptor);
    return descriptor;
}

/// Starts to connect to 127.0.0.1:port; writable once connected. -1 with errno on failure.
static inline int loopback_connect(uint16_t port) {
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -1;
    loopback_no_delay(descriptor);
    struct sockaddr_in address = loopback_address(port);
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS) {
        int reason = errno;
        close(descriptor);
        errno = reason;
        return -1;
    }
    return descriptor;
}

/// Prepares a measuring process: no SIGPIPE, as many descriptors as allowed, and it ends with its parent.
static inline void loopback_prepare_process(void) {
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static inline int loopback_error(void) { return errno; }
static inline int loopback_would_block(void) { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

static inline const void *loopback_find(const void *bytes, size_t count, const void *needle, size_t length) {
    return memmem(bytes, count, needle, length);
}

#endif
