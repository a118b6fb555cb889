// How a coordinator takes its place to listen at: keys, door and limits first, then the address.

import Logging
import Sweeps
import ZeroMQ

extension CoordinatorShell {
  /// Messages of one peer that may wait here unread. A worker has one result, one chunk of a checkpoint (1 MiB) and its
  /// progress on the way, so an honest one never fills this; all that a thousand workers can have waiting is theirs times
  /// `peers × receivedPerPeer × WireCodec.maximumFrameBytes`, of which only holders of a key can use any.
  package static let receivedPerPeer: Int32 = 10

  package static var socketOptions: SocketOptions {
    SocketOptions(
      receiveHighWaterMark: receivedPerPeer, maximumMessageSize: Int64(WireCodec.maximumFrameBytes))
  }

  /// A place to listen at, taken before anything is written: a port in use leaves no store behind. Messages wait there
  /// until a coordinator runs.
  ///
  /// - Parameters:
  ///   - keys: who may come in; nil: everybody who can reach the address.
  ///   - isInsecure: whether others may reach it without keys.
  /// - Throws: `EndpointRefused`, `ZeroMQError`.
  package static func listen(
    on endpoint: String, keys: Keys? = nil, isInsecure: Bool = false, logger: Logger
  ) throws -> Listener {
    let protection: EndpointPolicy.Protection = keys != nil ? .keys : isInsecure ? .insecure : .nothing
    let wanted = try EndpointPolicy.check(endpoint, .listening, protection)
    let context = try Context()
    let socket: Socket
    if let keys {
      let door = try Door(
        context, keys: keys.server, note: { say($0, logger) }, authenticate: { keys.admission($0, from: $1) })
      socket = try Socket(behind: door, options: socketOptions)
    } else if wanted.hasPrefix("ipc://") {
      // The folder of the socket says who may come in.
      socket = try Socket(context, .router, options: socketOptions)
    } else {
      socket = try Socket(behind: Door(openIn: context, note: { say($0, logger) }), options: socketOptions)
    }
    let real = try socket.bind(wanted)
    if EndpointPolicy.isExposed(wanted, protection) {
      logger.warning(
        """
        \(real) is open to everybody who can reach it, unencrypted: they can read this sweep, hand in results and change \
        it. Keys (groksweep keys new) would let in only those who have one
        """)
    }
    return Listener(socket: socket, endpoint: real, gate: Gate(keys: keys, logger: logger))
  }

  private static func say(_ note: DoorNote, _ logger: Logger) {
    logger.log(level: note.kind == .trouble ? .error : .warning, "\(note)")
  }
}
