// What Swift's module of the C library does not show: functions and constants that are macros, and the event
// notification and thread calls that are extensions of Linux.

#ifndef MODELGATEWAY_SYSTEM_SHIM_H
#define MODELGATEWAY_SYSTEM_SHIM_H

#include <arpa/nameser.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <resolv.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>

#if defined(__linux__)
#include <sys/epoll.h>
#include <sys/eventfd.h>
#endif

// MARK: Clocks

// In C because Swift sees `struct timespec` in a different module from one build to the next, depending on which module
// included it first.
static inline int64_t cgateway_nanoseconds(clockid_t clock) {
    struct timespec time;
    if (clock_gettime(clock, &time) != 0) return -1;
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

// Nanoseconds on the monotonic clock.
static inline int64_t cgateway_monotonic_nanoseconds(void) { return cgateway_nanoseconds(CLOCK_MONOTONIC); }

// Nanoseconds since 1970, until the year 2262.
static inline int64_t cgateway_wall_nanoseconds(void) { return cgateway_nanoseconds(CLOCK_REALTIME); }

// Processor time of the calling thread, and of the whole process; -1 if the system does not tell.
static inline int64_t cgateway_thread_nanoseconds(void) { return cgateway_nanoseconds(CLOCK_THREAD_CPUTIME_ID); }
static inline int64_t cgateway_process_nanoseconds(void) { return cgateway_nanoseconds(CLOCK_PROCESS_CPUTIME_ID); }

// MARK: Threads

// Waits on a condition until so many nanoseconds after 1970 at most. Returns 0, or what kept it from being woken.
static inline int cgateway_wait(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t end) {
    struct timespec time = {.tv_sec = end / 1000000000, .tv_nsec = end % 1000000000};
    return pthread_cond_timedwait(condition, mutex, &time);
}

#if defined(__linux__)
// A GNU extension that <pthread.h> declares only to those who ask for it.
extern int pthread_setname_np(pthread_t thread, const char *name);
#endif

// MARK: DNS records other than addresses

// Asks for the records of a type; returns the length of the answer, which may be more than `capacity`, or -1.
static inline int cgateway_resolve(const char *name, int type, unsigned char *answer, int capacity) {
    return res_query(name, ns_c_in, type, answer, capacity);
}

// Why the last query of this thread failed, in words.
static inline const char *cgateway_resolver_error(void) { return hstrerror(h_errno); }

static const int cgateway_type_srv = ns_t_srv;

// MARK: Sockets

#ifndef __APPLE__
// Which module shows the system's own name to Swift depends on which one included its header first.
static const int cgateway_close_on_exec = SOCK_CLOEXEC;
#endif

// MARK: Event notification on Linux

#if defined(__linux__)
static const uint32_t cgateway_epoll_in = EPOLLIN;
static const uint32_t cgateway_epoll_out = EPOLLOUT;
static const uint32_t cgateway_epoll_error = EPOLLERR;
static const uint32_t cgateway_epoll_hang_up = EPOLLHUP;

static inline int cgateway_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }
static inline int cgateway_eventfd_create(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

// Adds the descriptor or changes what it is watched for, whichever applies. Returns 0 or an errno.
static inline int cgateway_epoll_watch(int poller, int descriptor, uint32_t events, int is_registered) {
    struct epoll_event event = {.events = events, .data = {.fd = descriptor}};
    if (epoll_ctl(poller, is_registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, descriptor, &event) == 0) return 0;
    if (is_registered && errno == ENOENT) {
        return epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event) == 0 ? 0 : errno;
    }
    if (!is_registered && errno == EEXIST) {
        return epoll_ctl(poller, EPOLL_CTL_MOD, descriptor, &event) == 0 ? 0 : errno;
    }
    return errno;
}

static inline void cgateway_epoll_unwatch(int poller, int descriptor) {
    struct epoll_event event = {0};
    (void)epoll_ctl(poller, EPOLL_CTL_DEL, descriptor, &event);
}

static inline int cgateway_epoll_event_descriptor(const struct epoll_event *event) { return event->data.fd; }
#endif

#endif
