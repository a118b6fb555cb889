// `method: boundary`: a grid of which only those points are run that show where the outcome changes. Which they are is a
// pure function of the file and of what is known of its points, so every machine, and every coordinator after a restart,
// arrives at the same ones.

import Grokking

/// What became of a point, as far as it matters here.
package enum BoundaryVote: Hashable, Sendable {
  /// With an observed grokking epoch.
  case grokked
  /// It ended without.
  case censored
  /// Given up; it has no vote.
  case failed
}

/// A grid with one to three axes that are searched.
package struct BoundaryPlan: Sendable {
  /// The whole lattice at the resolution; `kept` are the points that rules and conditions leave.
  private let block: SweepBlock
  private let lattice: BoundaryLattice
  private let searched: [Int]
  /// First candidates of each combination of the axes that are not searched.
  private let combinations: [Int]
  /// What the seeds add to a candidate.
  private let seeds: [Int]

  /// What is wanted, given what is known.
  package struct Wanted: Sendable {
    /// In the order of the grid.
    package let points: SweepPoints
    /// Settings of which every point failed: nothing is refined because of them.
    package let undecided: [String]
  }

  /// - Parameter block: an expanded grid; nil when none of its axes is searched.
  init?(_ block: SweepBlock) {
    let axes = block.axes
    let searches = axes.indices.filter { axes[$0].search != nil }
    guard !searches.isEmpty else { return nil }
    self.block = block
    searched = searches
    lattice = BoundaryLattice(
      sizes: searches.map { axes[$0].rows?.count ?? 1 }, start: searches.map { axes[$0].search?.start ?? [] })
    func offsets(_ isMeant: (Int) -> Bool) -> [Int] {
      axes.indices.filter(isMeant).reduce([0]) { offsets, axis in
        offsets.flatMap { offset in (0..<(axes[axis].rows?.count ?? 1)).map { offset + $0 * block.strides[axis] } }
      }
    }
    seeds = offsets { axes[$0].isSeed }
    combinations = offsets { !axes[$0].isSeed && axes[$0].search == nil }
  }

  /// The points of the coarse start.
  package var start: SweepPoints { wanted { _ in nil }.points }

  /// Points of the grid at the resolution, all of which an ordinary sweep would run.
  package var gridCount: Int { block.count }

  /// More points than this it never takes.
  package var mostPoints: Int { min(gridCount, lattice.most * combinations.count * seeds.count) }

  /// The most points when the outcome changes once in each combination; nil with several searched axes.
  package var mostPointsForOneChange: Int? {
    lattice.mostForOneChange.map { min(gridCount, $0 * combinations.count * seeds.count) }
  }

  /// Boundaries that are looked for: one for each combination of the other axes.
  package var searchCount: Int { combinations.count }

  /// Every point of the grid.
  package var grid: SweepPoints { SweepPoints(blocks: [block]) }

  /// - Parameter vote: nil for a point that is not at its end.
  package func wanted(_ vote: (PointID) throws -> BoundaryVote?) rethrows -> Wanted {
    var chosen: [UInt32] = []
    var undecided: [String] = []
    for combination in combinations {
      let places = try lattice.wanted { place in
        let voters = candidates(combination, place)
        switch try Self.outcome(of: voters.map { try vote(PointID(of: experiment($0))) }) {
        case .decided(let hasGrokked): return hasGrokked
        case .open: return nil
        case .undecided:
          if let voter = voters.first, let setting = block.described(candidate: voter)?.setting {
            undecided.append(setting)
          }
          return nil
        }
      }
      for place in places { chosen += candidates(combination, place).map { UInt32($0) } }
    }
    var grown = block
    grown.kept = chosen.sorted()
    return Wanted(points: SweepPoints(blocks: [grown]), undecided: undecided)
  }

  enum Outcome: Hashable {
    case open
    case decided(grokked: Bool)
    /// Nobody is left to vote.
    case undecided
  }

  /// Grokked when at least half of those that did not fail have; open until all have ended.
  static func outcome(of votes: [BoundaryVote?]) -> Outcome {
    guard !votes.isEmpty, !votes.contains(nil) else { return .open }
    let cast = votes.filter { $0 != .failed }
    return cast.isEmpty ? .undecided : .decided(grokked: 2 * cast.count { $0 == .grokked } >= cast.count)
  }

  /// The points of all seeds at a place; none where rules leave none.
  private func candidates(_ combination: Int, _ place: Int) -> [Int] {
    let values = lattice.values(at: place)
    let first = zip(searched, values).reduce(combination) { $0 + $1.1 * block.strides[$1.0] }
    return seeds.map { first + $0 }.filter(isPoint)
  }

  private func isPoint(_ candidate: Int) -> Bool {
    guard let kept = block.kept else { return true }
    var (low, high) = (0, kept.count)
    while low < high {
      let middle = (low + high) / 2
      if kept[middle] < candidate { low = middle + 1 } else { high = middle }
    }
    return low < kept.count && kept[low] == candidate
  }

  private func experiment(_ candidate: Int) -> Experiment {
    guard let experiment = block.experiment(ofCandidate: candidate) else {
      preconditionFailure("candidate \(candidate) of a search is no point")
    }
    return experiment
  }
}
