// What libzmq could not do, in words: the operation, the endpoint, the cause, and what to do about it.

import CZeroMQ
import Foundation

/// A failed call of libzmq. Prints as one sentence, without a full stop.
package struct ZeroMQError: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Operation: String, Hashable, Sendable {
    case start = "start ZeroMQ"
    case open = "open a ZeroMQ socket"
    case configure = "set a ZeroMQ socket's options"
    case listen = "listen on"
    case connect = "connect to"
    case send = "send a message"
    case receive = "receive a message"
    case poll = "wait for messages"
    case wake = "make an eventfd"
    case makeKeys = "make keys"
    case watch = "watch a socket's connections"
  }

  package let operation: Operation
  /// As the person wrote it; nil where no endpoint is involved.
  package let endpoint: String?
  /// The errno that libzmq left; libzmq's own codes lie above 156384712.
  package let code: Int32
  /// Why, and what to do about it: `address already in use: …`.
  package let cause: String

  package init(_ operation: Operation, endpoint: String? = nil, code: Int32, cause: String? = nil) {
    self.operation = operation
    self.endpoint = endpoint
    self.code = code
    self.cause = cause ?? Self.words(for: code, operation, endpoint)
  }

  /// Of the errno that the last call of libzmq on this thread left.
  static func last(_ operation: Operation, endpoint: String? = nil) -> ZeroMQError {
    ZeroMQError(operation, endpoint: endpoint, code: zmq_errno())
  }

  package var description: String {
    let place = endpoint.map { " \($0)" } ?? ""
    return "cannot \(operation.rawValue)\(place): \(cause)"
  }

  private static func words(for code: Int32, _ operation: Operation, _ endpoint: String?) -> String {
    switch code {
    case EADDRINUSE:
      "address already in use; is another coordinator running there? Choose another port, or port 0 for a free one"
    case EADDRNOTAVAIL, ENODEV:
      "this machine has no such address; name one of its own addresses, or 127.0.0.1"
    case EINVAL:
      "not an address that ZeroMQ understands; write tcp://HOST:PORT or ipc:///path/to/socket"
    case EPROTONOSUPPORT, ENOCOMPATPROTO:
      "unknown kind of address; write tcp://HOST:PORT or ipc:///path/to/socket"
    case EACCES where endpoint?.hasPrefix("tcp:") == true:
      "permission denied; ports below 1024 belong to root, choose a higher one"
    case EACCES:
      "permission denied; choose a folder that you may write to"
    case ENAMETOOLONG:
      "the path is too long for a socket (at most \(EndpointAddress.longestPath) bytes); choose a shorter one"
    case ENOENT:
      "the folder of that path does not exist; create it first"
    case EMFILE:
      "too many open files or sockets; raise the limit (ulimit -n)"
    case ENOMEM:
      "out of memory"
    case ETERM:
      "the ZeroMQ context has been closed"
    default:
      String(cString: zmq_strerror(code))
    }
  }
}

/// libzmq defines these by a cast that Swift does not import (`ZMQ_HAUSNUMERO` + n).
let ETERM: Int32 = 156_384_712 + 53
let ENOCOMPATPROTO: Int32 = 156_384_712 + 52
