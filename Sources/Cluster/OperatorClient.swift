// Asks a running coordinator, as commands do: one question, one answer, asked again until it comes or time is up.

import Foundation
import Sweeps
import ZeroMQ

/// Nobody answered; prints as a sentence.
package struct NoCoordinator: Error, Hashable, Sendable, CustomStringConvertible {
  package let description: String
}

/// The coordinator does not let this key in, or is not the one that the join file names; prints as a sentence.
package struct NotLetIn: Error, Hashable, Sendable, CustomStringConvertible {
  package let description: String
}

/// Owned by the thread that makes it.
package final class OperatorClient {
  private let endpoint: String
  private let timeoutSeconds: Double
  private let socket: Socket
  private let monitor: Monitor
  private var watch: LinkWatch
  /// What the link's trouble is, if it has any.
  private var trouble: String?
  private var lastNumber = Int64(0)

  /// A request whose answer is lost is asked again after so long; what is still being worked on is not asked often.
  private static let repeatSeconds = 5.0
  /// Before anybody listens there, waiting longer is in vain.
  private static let connectSeconds = 10.0

  /// Connects in the background.
  ///
  /// - Parameters:
  ///   - endpoint: as `EndpointPolicy` lets it pass.
  ///   - join: whose key to use; nil: none.
  ///   - timeoutSeconds: for each answer.
  /// - Throws: `ZeroMQError`.
  package init(endpoint: String, join: JoinFile? = nil, timeoutSeconds: Double = 10) throws {
    self.endpoint = endpoint
    self.timeoutSeconds = timeoutSeconds
    watch = LinkWatch(endpoint: endpoint, keyName: join?.name)
    let context = try Context()
    socket = try Socket(
      context, .dealer, keys: join?.client,
      options: SocketOptions(maximumMessageSize: Int64(WireCodec.maximumFrameBytes)))
    monitor = try Monitor(socket, in: context)
    try socket.connect(endpoint)
  }

  /// - Throws: `NoCoordinator`, `NotLetIn`, `ZeroMQError`, and `WireError` for a request that is too large to be sent.
  package func ask(_ request: OperatorRequest) throws -> OperatorReply {
    lastNumber += 1
    let frames = try WireCodec.encode(request, number: lastNumber)
    let began = MonotonicInstant.now
    let deadline = began.advanced(bySeconds: timeoutSeconds)
    let connectBy = began.advanced(bySeconds: min(timeoutSeconds, Self.connectSeconds))
    var askAgain = began
    var wasSent = false
    while true {
      let now = MonotonicInstant.now
      while let event = try monitor.next() {
        switch watch.handle(event) {
        case .giveUp(let words): throw NotLetIn(description: words)
        case .remark(let words): trouble = words
        case nil: break
        }
      }
      if now >= askAgain {
        if try socket.send(frames) == .queued {
          wasSent = true
          askAgain = now.advanced(bySeconds: Self.repeatSeconds)
        } else if !wasSent {
          guard now < connectBy else {
            throw NoCoordinator(
              description: "no coordinator at \(endpoint): "
                + (trouble ?? "nobody answers there; is it running, and is this the address that it printed?"))
          }
          // The monitor tells when the link stands.
          try Poller.wait([monitor.socket], timeout: .milliseconds(20))
          continue
        } else {
          askAgain = now.advanced(bySeconds: 0.2)
        }
      }
      while let received = try socket.receive() {
        // What is said to workers, and answers to earlier questions, are passed over.
        guard let (reply, number) = try? WireCodec.decodeReply(received.frames), number == lastNumber || number == 0
        else {
          continue
        }
        return reply
      }
      guard now < deadline else {
        throw NoCoordinator(
          description: "no coordinator at \(endpoint): somebody listens there, but there was no answer within "
            + "\(Int(timeoutSeconds)) s; if it is busy with a large sweep, ask again with --timeout")
      }
      let wake = min(askAgain, deadline)
      try Poller.wait([socket, monitor.socket], timeout: .milliseconds(max(1, Int(1000 * wake.seconds(since: now)))))
    }
  }
}
