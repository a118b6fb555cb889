// Finds out beside a link why it does not stand: on a thread of its own, since looking up a name may take half a minute
// and the link's thread has messages to read.

import Foundation
import Sweeps
import Synchronization
import ZeroMQ

/// Belongs to the link's thread; what it starts outlives it at most by one look.
final class ReachProber {
  enum Question: Sendable {
    /// Whether anybody takes connections there.
    case reach
    /// Who does.
    case greeting
  }

  enum Answer: Sendable {
    case reach(Reach)
    case greeting(Greeting)
  }

  private static let firstSeconds = 1.0
  private static let repeatSeconds = 10.0
  private static let timeoutSeconds = 5.0

  private let place: TCPPlace
  private let waker: Waker?
  private let state = Found()
  private var reachDue: MonotonicInstant
  private var greetingDue = MonotonicInstant.now

  private final class Found: Sendable {
    private let state = Mutex<(isLooking: Bool, answer: Answer?)>((false, nil))

    func begin() -> Bool {
      state.withLock { state in
        defer { state.isLooking = true }
        return !state.isLooking
      }
    }
    func end(_ answer: Answer) { state.withLock { $0 = (false, answer) } }
    func take() -> Answer? {
      state.withLock { state in
        defer { state.answer = nil }
        return state.answer
      }
    }
  }

  /// - Parameter waker: woken when there is something to `take`.
  init(_ place: TCPPlace, waker: Waker?) {
    self.place = place
    self.waker = waker
    reachDue = MonotonicInstant.now.advanced(bySeconds: Self.firstSeconds)
  }

  /// What was found out since the last call. Looks again now and then as long as there is a question; nil: nothing is looked
  /// for, and what was found is not of interest any more.
  func look(for question: Question?) -> Answer? {
    let now = MonotonicInstant.now
    let answer = state.take()
    if question != .reach { reachDue = now.advanced(bySeconds: Self.firstSeconds) }
    guard let question else { return nil }
    guard now >= (question == .reach ? reachDue : greetingDue), state.begin() else { return answer }
    switch question {
    case .reach: reachDue = now.advanced(bySeconds: Self.repeatSeconds)
    case .greeting: greetingDue = now.advanced(bySeconds: Self.repeatSeconds)
    }
    Thread { [state, place, waker] in
      nameCurrentThread("reach")
      state.end(Self.answer(question, place))
      waker?.wake()
    }.start()
    return answer
  }

  private static func answer(_ question: Question, _ place: TCPPlace) -> Answer {
    guard case .greeting = question else { return .reach(Reach.probe(place, seconds: timeoutSeconds)) }
    do {
      let connection = try TCPConnection.open(place.addresses(), seconds: timeoutSeconds)
      return .greeting(Greeting.exchange(on: connection.descriptor, seconds: timeoutSeconds))
    } catch {
      return .reach(error.reach)
    }
  }
}
