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

  package init(description: String) { self.description = description }
}

/// Owned by the thread that makes it.
package final class OperatorClient {
  private let endpoint: String
  private let timeoutSeconds: Double
  private let link: Link
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
    link = try Link(to: endpoint, join: join, isInsecure: join == nil)
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
      while let verdict = try link.next() {
        switch verdict {
        case .giveUp(let words): throw NotLetIn(description: words)
        case .remark(let words): trouble = words
        case .unreached(let words, let advice): trouble = "no coordinator at \(endpoint): \(words): \(advice)"
        }
      }
      if now >= askAgain {
        if try link.socket.send(frames) == .queued {
          wasSent = true
          askAgain = now.advanced(bySeconds: Self.repeatSeconds)
        } else if !wasSent {
          guard now < connectBy else { throw unreached }
          askAgain = now.advanced(bySeconds: 0.1)
        } else {
          askAgain = now.advanced(bySeconds: 0.2)
        }
      }
      while let received = try link.socket.receive() {
        // What is said to workers, and answers to earlier questions, are passed over.
        guard let (reply, number) = try? WireCodec.decodeReply(received.frames), number == lastNumber || number == 0
        else {
          continue
        }
        return reply
      }
      guard now < deadline else {
        guard wasSent, trouble == nil || link.isEstablished else { throw unreached }
        throw NoCoordinator(
          description: "no coordinator at \(endpoint): somebody listens there, but there was no answer within "
            + "\(timeoutSeconds.formatted()) s; if it is busy with a large sweep, ask again with --timeout")
      }
      let wake = min(askAgain, deadline)
      try Poller.wait(link.sockets, timeout: .milliseconds(max(1, Int(1000 * wake.seconds(since: now)))))
    }
  }

  private var unreached: NoCoordinator {
    NoCoordinator(
      description: trouble
        ?? "no coordinator at \(endpoint): nobody answers there; is it running, and is this the address that it printed?"
    )
  }
}
