// The pending points of one group, by what they cost, so that the costliest is found without looking at the others.

import Grokking

/// Costs in bands of a factor of √2: finer differences are finer than the estimate.
enum CostBand {
  /// Of all costs from 2^-16 to 2^30 seconds; what lies outside belongs to the first or the last.
  static let last = 2 * (30 + 16)

  /// By comparison alone, so that every machine finds the same one.
  static func band(ofSeconds seconds: Float) -> Int {
    guard seconds > 0, seconds.isFinite else { return seconds > 0 ? last : 0 }
    let half = seconds.significand >= 1.414_213_5 ? 1 : 0
    return min(max(2 * (Int(seconds.exponent) + 16) + half, 0), last)
  }

  /// The middle of a band.
  static func seconds(ofBand band: Int) -> Double {
    let least = Double(sign: .plus, exponent: band / 2 - 16, significand: 1)
    return least * (band % 2 == 0 ? 1.189_207 : 1.681_793)
  }
}

/// The order in which the points of one sweep are handed out, for those who want to tell it beforehand.
package enum HandOutOrder {
  /// Places in `experiments`: the costly first, and in a band by place.
  package static func places(of experiments: [Experiment]) -> [Int] {
    let bands = experiments.map { CostBand.band(ofSeconds: Float($0.estimatedCoreSeconds)) }
    return experiments.indices.sorted { (-bands[$0], $0) < (-bands[$1], $1) }
  }
}

/// Positions by band.
struct PendingPoints: Hashable, Sendable {
  /// By band; as many as were ever needed.
  private var bands: [PositionSet] = []
  private(set) var count = 0

  mutating func insert(_ position: Int, _ band: Int) {
    while bands.count <= band { bands.append(PositionSet()) }
    count -= bands[band].count
    bands[band].insert(position)
    count += bands[band].count
  }

  mutating func remove(_ position: Int, _ band: Int) {
    guard band < bands.count else { return }
    count -= bands[band].count
    bands[band].remove(position)
    count += bands[band].count
  }

  /// The greatest band up to `band` that has any; looks at each of the few dozen at most.
  func costliest(atMost band: Int) -> Int? {
    guard band >= 0 else { return nil }
    return bands.prefix(band + 1).lastIndex { !$0.isEmpty }
  }

  /// The least position of a band that is not below `position`.
  func first(inBand band: Int, from position: Int) -> Int? {
    band < bands.count ? bands[band].first(from: position) : nil
  }

  /// Points of costlier bands, and those of this one below `position`.
  func count(before position: Int, inBand band: Int) -> Int {
    guard band < bands.count else { return 0 }
    return bands[(band + 1)...].reduce(bands[band].count(before: position)) { $0 + $1.count }
  }

  /// The sum of the squares of the bands' seconds, one for each point.
  var squaredSeconds: Double {
    bands.indices.reduce(0) {
      let seconds = CostBand.seconds(ofBand: $1)
      return $0 + Double(bands[$1].count) * seconds * seconds
    }
  }
}
