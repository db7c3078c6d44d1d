// The system's resolver for DNS records other than addresses, in a form that Swift can see: res_query and the values
// of h_errno are macros.

#ifndef MODELGATEWAY_CRESOLVER_SHIM_H
#define MODELGATEWAY_CRESOLVER_SHIM_H

#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <sys/types.h>

// Asks for the records of a type; returns the length of the answer, which may be more than `capacity`, or -1.
static inline int cresolver_query(const char *name, int type, unsigned char *answer, int capacity) {
    return res_query(name, ns_c_in, type, answer, capacity);
}

// Why the last query of this thread failed, in words.
static inline const char *cresolver_error(void) { return hstrerror(h_errno); }

static const int CRESOLVER_TYPE_SRV = ns_t_srv;

#endif
