// libzmq as Swift sees it, and the two Linux calls that Swift cannot import by itself. No logic.
//
// `link "zmq"` in the module map instead of pkg-config: SwiftPM warns about the flags that libzmq.pc carries.
#ifndef GROKSWEEP_CZEROMQ_SHIM_H
#define GROKSWEEP_CZEROMQ_SHIM_H

#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <zmq.h>

// EFD_CLOEXEC and EFD_NONBLOCK are members of an anonymous enum, which Swift imports without a usable type.
static inline int czeromq_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

// prctl is variadic, which Swift does not import. Names the calling thread; at most 15 bytes count.
static inline int czeromq_name_thread(const char *name) { return prctl(PR_SET_NAME, name, 0, 0, 0); }

#endif
