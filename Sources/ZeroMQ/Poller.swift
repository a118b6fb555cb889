// Waiting for messages, for another thread's wake-up call, or for a deadline: whichever comes first.

import CZeroMQ
import Foundation

/// Wakes a thread that waits in `Poller.wait`. From any thread, and from a signal handler.
package final class Waker: Sendable {
  /// An eventfd: readable between `wake` and the end of the next wait.
  package let descriptor: Int32

  package init() throws(ZeroMQError) {
    descriptor = czeromq_eventfd()
    guard descriptor >= 0 else { throw ZeroMQError(.wake, code: errno) }
  }

  deinit { close(descriptor) }

  package func wake() { Self.wake(descriptor) }

  /// Async-signal-safe: one system call, no allocation. Leaves `errno` as it was.
  package static func wake(_ descriptor: Int32) {
    let before = errno
    var one: UInt64 = 1
    _ = write(descriptor, &one, 8)
    errno = before
  }

  /// From now on it is woken by what comes next.
  package func drain() {
    var count: UInt64 = 0
    _ = read(descriptor, &count, 8)
  }
}

package enum Poller {
  /// Returns when a socket has a message, the waker was woken, a signal came or `timeout` (nil: never) is over; which
  /// of them is found out by asking. So callers loop, and read every socket until it is empty.
  package static func wait(_ sockets: [Socket], waker: Waker? = nil, timeout: Duration?) throws(ZeroMQError) {
    var items = sockets.map { zmq_pollitem_t(socket: $0.handle, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0) }
    if let waker {
      items.append(zmq_pollitem_t(socket: nil, fd: waker.descriptor, events: Int16(ZMQ_POLLIN), revents: 0))
    }
    let ready = zmq_poll(&items, Int32(items.count), timeout.map(milliseconds) ?? -1)
    guard ready >= 0 else {
      if zmq_errno() == EINTR { return }
      throw .last(.poll)
    }
    if let waker, items[items.count - 1].revents != 0 { waker.drain() }
  }

  /// Rounded up, so that a deadline has passed when its wait is over.
  private static func milliseconds(_ timeout: Duration) -> Int {
    let (seconds, attoseconds) = timeout.components
    guard seconds >= 0, attoseconds >= 0 else { return 0 }
    return Int(min(seconds, 86_400)) * 1000 + Int((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
  }
}

/// Names the calling thread, for `top -H` and debuggers; 15 bytes at most.
package func nameCurrentThread(_ name: String) {
  _ = czeromq_name_thread(name)
}
