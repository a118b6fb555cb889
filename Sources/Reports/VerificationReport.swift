// What came of running finished points once more, as JSON and as text.

import Grokking
import Sweeps

package struct VerificationReport: Encodable, Sendable {
  package enum State: String, Encodable, Sendable {
    case equal, different
    /// It could not be run.
    case failed
    /// It was not run yet.
    case requested
  }

  package struct Point: Encodable, Sendable {
    package var point: PointID
    package var state: State
    /// Of the second run.
    package var digest: String?
    package var storedDigest: String
    package var reason: String?

    package init(
      point: PointID, state: State, digest: String? = nil, storedDigest: String, reason: String? = nil
    ) {
      self.point = point
      self.state = state
      self.digest = digest
      self.storedDigest = storedDigest
      self.reason = reason
    }

    private enum CodingKeys: String, CodingKey {
      case point, state, digest, reason
      case storedDigest = "stored_digest"
    }
  }

  package var points: [Point]
  package var isInterrupted: Bool

  package init(points: [Point], isInterrupted: Bool = false) {
    self.points = points
    self.isInterrupted = isInterrupted
  }

  /// Whether every point was run and gave the same bits.
  package var isRight: Bool { points.allSatisfy { $0.state == .equal } }

  package var text: String {
    guard !points.isEmpty else { return "No finished point is meant; nothing was run." }
    func count(_ state: State) -> Int { points.count { $0.state == state } }
    var parts = ["\(count(.equal)) of \(Wording.count(points.count, "point")) gave the same bits again"]
    if count(.different) > 0 { parts.append("\(count(.different)) gave others") }
    if count(.failed) > 0 { parts.append("\(count(.failed)) could not be run") }
    if count(.requested) > 0 { parts.append("\(count(.requested)) were not run yet") }
    let lines = points.compactMap { point in
      switch point.state {
      case .equal, .requested: nil as String?
      case .different:
        "  \(point.point.short)  digest \(point.digest?.prefix(12) ?? "")… in place of \(point.storedDigest.prefix(12))…"
      case .failed: "  \(point.point.short)  \(point.reason ?? "no reason was recorded")"
      }
    }
    return ([parts.joined(separator: ", ")] + lines).joined(separator: "\n")
  }

  private enum CodingKeys: String, CodingKey {
    case points, equal, different, failed, requested
    case isInterrupted = "is_interrupted"
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    func count(_ state: State) -> Int { points.count { $0.state == state } }
    try values.encode(points, forKey: .points)
    try values.encode(count(.equal), forKey: .equal)
    try values.encode(count(.different), forKey: .different)
    try values.encode(count(.failed), forKey: .failed)
    try values.encode(count(.requested), forKey: .requested)
    try values.encode(isInterrupted, forKey: .isInterrupted)
  }
}
