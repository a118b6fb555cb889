// The libzmq context: its I/O thread and the memory of all sockets. Ends when the last socket that uses it has gone.

import CZeroMQ

/// One per process is enough. Thread-safe, unlike its sockets; sockets keep it alive.
package final class Context: @unchecked Sendable {
  let handle: UnsafeMutableRawPointer

  /// `maximumSockets` bounds open sockets, not peers: one ROUTER serves thousands of them.
  package init(maximumSockets: Int32 = 64) throws(ZeroMQError) {
    guard let handle = zmq_ctx_new() else { throw .last(.start) }
    zmq_ctx_set(handle, ZMQ_MAX_SOCKETS, maximumSockets)
    self.handle = handle
  }

  deinit {
    // Returns at once: every socket is closed by now, with linger 0. A signal may interrupt the wait for the thread.
    while zmq_ctx_term(handle) != 0 && zmq_errno() == EINTR {}
  }

  /// The library in use, as `4.3.4`.
  package static var libraryVersion: String {
    var (major, minor, patch): (Int32, Int32, Int32) = (0, 0, 0)
    zmq_version(&major, &minor, &patch)
    return "\(major).\(minor).\(patch)"
  }
}
