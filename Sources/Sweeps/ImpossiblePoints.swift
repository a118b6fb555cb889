// Values that are right each for itself but make experiments that cannot be trained, or the same experiment twice.
// Every combination is tried (a million takes a tenth of a second); in a plain grid, seeds cannot be impossible and are
// not crossed.

import Grokking

/// Every reason why experiments cannot be trained, with the number of points that it concerns.
struct ImpossibleTally {
  private(set) var reasons: [(problem: ExperimentProblem, first: Int, count: Int)] = []
  private var positions: [ExperimentProblem: Int] = [:]

  /// More would be listed by nobody; memory stays bounded when each of a million points is wrong in its own way.
  private static let maximumReasons = 1000

  mutating func count(_ experiment: Experiment, _ candidate: Int) {
    for problem in experiment.problems() {
      if let known = positions[problem] {
        reasons[known].count += 1
      } else if reasons.count < Self.maximumReasons {
        positions[problem] = reasons.count
        reasons.append((problem, candidate, 1))
      }
    }
  }
}

extension SweepDraft {
  /// Reports every reason why points of `grid` cannot be trained, once each, where its cause stands.
  mutating func refuseImpossible(inPlain grid: SweepBlock, _ draft: SweepBlockDraft) {
    refuseEqualVocabularies(in: grid)
    let settings = grid.axes.filter { !$0.isSeed }
    guard let crossed = SweepBlock(base: grid.base, vocabulary: grid.vocabulary, axes: settings) else { return }
    var tally = ImpossibleTally()
    for candidate in 0..<crossed.candidateCount {
      if let experiment = crossed.experiment(ofCandidate: candidate) { tally.count(experiment, candidate) }
    }
    refuseImpossible(
      tally, of: grid.candidateCount, in: crossed, draft, seeds: grid.candidateCount / crossed.candidateCount)
  }

  /// Says nothing where a value could not be read in the first place.
  mutating func refuseImpossible(
    _ tally: ImpossibleTally, of points: Int, in block: SweepBlock, _ draft: SweepBlockDraft, seeds: Int = 1
  ) {
    for reason in tally.reasons {
      let keys = [reason.problem.key] + ExperimentKey.relatives(of: reason.problem.key)
      if keys.contains(where: unreadable.contains) { continue }
      var message = reason.problem.message
      if reason.count * seeds < points {
        message += " (\(reason.count * seeds) of \(points) points"
        if block.axes.count > 1 { message += ", first \(block.described(candidate: reason.first)?.setting ?? "")" }
        message += ")"
      }
      report(cause(of: keys, in: block, draft, at: reason.first), message)
    }
  }

  /// Where the first of `keys` stands that the file or the command line gives.
  private func cause(
    of keys: [String], in block: SweepBlock, _ draft: SweepBlockDraft, at candidate: Int
  ) -> SweepFilePlace {
    let rows = block.rows(ofCandidate: candidate)
    for key in keys {
      for (axis, row) in zip(block.axes, rows) where axis.keys.contains(where: { $0.path == key }) {
        return row.map(axis.place(ofRow:)) ?? axis.place
      }
      if let entry = draft.fixed.first(where: { $0.key.path == key }) { return entry.place }
    }
    return layer.blocks.isEmpty ? .file : draft.place
  }

  /// `p+1` and `114` are the same for one modulus: the only way in which different values of a plain grid make equal
  /// points.
  private mutating func refuseEqualVocabularies(in grid: SweepBlock) {
    guard let axis = grid.axes.first(where: { $0.key.kind == .vocabulary }) else { return }
    let swept = grid.axes.first { $0.key.path == ExperimentKey.modulus }?.rows?.columns[0]
    for modulus in swept ?? [.number(Double(grid.base.task.modulus))] {
      guard case .number(let p)? = modulus else { continue }
      var first: [Double: SettingValue] = [:]
      for (index, value) in (axis.rows?.columns[0] ?? []).enumerated() {
        let size: Double
        switch value {
        case .number(let number)?: size = number
        case .modulusPlus(let more)?: size = p + Double(more)
        case .word?, .flag?, .absent?, nil: continue
        }
        guard let value, let earlier = first.updateValue(value, forKey: size) else { continue }
        report(
          axis.place(ofRow: index),
          "axis \(axis.key.path): \(earlier.label) and \(value.label) are the same for modulus "
            + "\(SettingValue.number(p).label); keep one")
        return
      }
    }
  }
}
