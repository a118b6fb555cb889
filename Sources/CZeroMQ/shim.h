// libzmq as Swift sees it, and the few Linux calls that Swift cannot import by itself. No logic.
//
// `link "zmq"` in the module map instead of pkg-config: SwiftPM warns about the flags that libzmq.pc carries.
#ifndef GROKSWEEP_CZEROMQ_SHIM_H
#define GROKSWEEP_CZEROMQ_SHIM_H

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

// EFD_CLOEXEC and EFD_NONBLOCK are members of an anonymous enum, which Swift imports without a usable type.
static inline int czeromq_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

// prctl is variadic, which Swift does not import. Names the calling thread; at most 15 bytes count.
static inline int czeromq_name_thread(const char *name) { return prctl(PR_SET_NAME, name, 0, 0, 0); }

// Fails with EINVAL unless libzmq knows the option. Its header hides the name among drafts; the library has had it since
// 4.3.0: with it, a CURVE server without an authenticator lets nobody in instead of everybody.
#define CZEROMQ_ZAP_ENFORCE_DOMAIN 93

// Bytes that a TCP connection has received, or -1 for what is no TCP connection. The field is the 17th word of Linux's
// struct tcp_info (4.1 and later), which glibc's own header leaves out.
static inline int64_t czeromq_bytes_received(int descriptor) {
  unsigned char info[136];
  socklen_t length = sizeof info;
  uint64_t bytes;
  if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, info, &length) != 0 || length < sizeof info) return -1;
  memcpy(&bytes, info + 128, sizeof bytes);
  return (int64_t)bytes;
}

#endif
