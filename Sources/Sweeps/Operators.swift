// What people ask of a running coordinator, over the same socket as its workers. Each request has one answer.
//
// A request may arrive twice, since whoever gets no answer asks again: all of them may be carried out twice.

/// Whether a sweep's points are handed out.
package enum SweepState: String, Hashable, Sendable, Codable, CaseIterable {
  case active
  /// Nothing new is handed out; what runs goes on.
  case paused
  /// As paused, and what runs is stopped. `active` brings it back: nothing is forgotten.
  case cancelled
}

/// Points that a request is about.
package enum PointSelection: Hashable, Sendable, Codable {
  /// Beginnings of ids; each must fit one point.
  case ids([String])
  /// An SQL condition on the view `runs`.
  case condition(String)
  /// Failed points of a sweep, or of all.
  case failed(sweep: String?)
  /// This share of all finished points, 0 to 1, chosen by `seed`.
  case sample(share: Double, seed: UInt64)
}

package enum OperatorRequest: Hashable, Sendable, Codable {
  case status
  /// Why a point is not running, and its story so far; by the beginning of its id.
  case explain(point: String)
  /// The text of a sweep file. `name` is for error messages.
  case submit(name: String, text: String, overrides: [String], priority: Int?)
  case setSweep(String, SweepState)
  case setPriority(sweep: String, Int)
  /// Workers whose number or host this is leave after their points.
  case drain(worker: String)
  /// A machine that was sent home after failure upon failure is taken back.
  case admit(host: String)
  case retry(PointSelection)
  /// Runs finished points again and compares.
  case verify(PointSelection)

  /// Whether it changes anything.
  package var isReading: Bool {
    switch self {
    case .status, .explain: true
    case .submit, .setSweep, .setPriority, .drain, .admit, .retry, .verify: false
    }
  }
}

package enum OperatorReply: Hashable, Sendable, Codable {
  /// What was asked for, as JSON.
  case answer(json: String)
  /// Carried out; in words.
  case done(String)
  /// Not carried out, and why. `isBadInput`: what was asked is wrong, as opposed to not possible now.
  case failed(String, isBadInput: Bool)
  case notAllowed(String)
}
