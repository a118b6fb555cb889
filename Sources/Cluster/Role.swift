// What the holder of a key may say. A key has one role, for good: who needs another role makes another key.

import Sweeps

package enum Role: String, Hashable, Sendable, Codable, CaseIterable {
  /// Takes points and hands in results; asks nothing.
  case worker
  /// Asks and changes everything that can be asked of a running coordinator; hands in no results.
  case `operator`
  /// Asks how far things are; changes nothing.
  case reader

  /// As in "a key of a worker".
  package var title: String { self == .operator ? "an operator" : "a \(rawValue)" }

  package func permits(_ message: InboundMessage) -> Bool {
    switch (self, message) {
    case (.worker, .worker): true
    case (.worker, .request), (.operator, .worker), (.reader, .worker): false
    case (.operator, .request): true
    case (.reader, .request(let request, _)): request.isReading
    }
  }
}
