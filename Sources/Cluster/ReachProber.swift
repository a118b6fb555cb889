// Finds out beside a link why it does not stand: on a thread of its own, since looking up a name may take half a minute
// and the link's thread has messages to read.

import Foundation
import Sweeps
import Synchronization
import ZeroMQ

/// Belongs to the link's thread; what it starts outlives it at most by one look.
final class ReachProber {
  private static let firstSeconds = 1.0
  private static let repeatSeconds = 10.0
  private static let timeoutSeconds = 5.0

  private let place: TCPPlace
  private let waker: Waker?
  private let state = Found()
  private var due: MonotonicInstant

  private final class Found: Sendable {
    private let state = Mutex<(isLooking: Bool, reach: Reach?)>((false, nil))

    func begin() -> Bool {
      state.withLock { state in
        defer { state.isLooking = true }
        return !state.isLooking
      }
    }
    func end(_ reach: Reach) { state.withLock { $0 = (false, reach) } }
    func take() -> Reach? {
      state.withLock { state in
        defer { state.reach = nil }
        return state.reach
      }
    }
  }

  /// - Parameter waker: woken when there is something to `take`.
  init(_ place: TCPPlace, waker: Waker?) {
    self.place = place
    self.waker = waker
    due = MonotonicInstant.now.advanced(bySeconds: Self.firstSeconds)
  }

  /// What was found out since the last call. Looks again now and then while nobody takes the link's connections.
  ///
  /// - Parameter isTaken: whether somebody takes them; nothing is looked for then.
  func look(isTaken: Bool) -> Reach? {
    let now = MonotonicInstant.now
    let reach = state.take()
    guard !isTaken else {
      due = now.advanced(bySeconds: Self.firstSeconds)
      return nil
    }
    if now >= due, state.begin() {
      due = now.advanced(bySeconds: Self.repeatSeconds)
      Thread { [state, place, waker] in
        nameCurrentThread("reach")
        state.end(Reach.probe(place, seconds: Self.timeoutSeconds))
        waker?.wake()
      }.start()
    }
    return reach
  }
}
