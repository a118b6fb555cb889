// What the coordinator answers to people.

import Foundation
import Grokking
import Results
import Sweeps

extension CoordinatorShell {
  /// Carries the request out, at once: on the store first, then the scheduler is told.
  ///
  /// - Parameter user: the name of the key that it came with; "" where no keys are used.
  func answer(_ request: OperatorRequest, user: String = "") -> OperatorReply {
    let began = MonotonicInstant.now
    var desk = OperatorDesk(
      store, user: user,
      live: OperatorDesk.Live(
        scheduler.overview(at: began), explain: { [unowned self] in scheduler.explain($0, at: began) }),
      now: Date())
    let reply = desk.carryOut(request)
    for event in desk.events { handle(event) }
    if case .submit = request { findBoundaries() }
    switch reply {
    case .answer: break
    case .done(let words):
      // While a large sweep is taken in, nobody else is heard: worth knowing.
      let seconds = MonotonicInstant.now.seconds(since: began)
      let asker = user.isEmpty ? "" : " (asked with the key \"\(user)\")"
      logger.info("\(words)\(asker)\(seconds >= 1 ? " (in \(Int(seconds.rounded())) s)" : "")")
    case .failed(let words, _), .notAllowed(let words): warnThinly("a request was not carried out: \(words)")
    }
    return reply
  }
}
