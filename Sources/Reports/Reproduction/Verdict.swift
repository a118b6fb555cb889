// Whether runs of ours bear out a published number. Pure: observations in, a verdict out; `docs/decisions/0015` says why
// the rule is as it is.
//
// What is published is mostly one model of one seed, and seeds differ by factors, so a number is held against the spread
// of ours, on a scale of ratios. With `low` and `high` the least and the greatest of ours:
//
// - reproduced: it lies between low and high, or within a factor of 1.25 of our median;
// - within seed spread: it is outside, by no more than a factor of high / low, or of the row's own seed factor;
// - differs: it is farther off;
// - no data: nothing of ours can tell.
//
// A run that was stopped before it crossed has crossed later than that: it counts as later than all that did, and what
// it cannot decide is no data, never a guess.

/// What one finished run says of a measure.
package enum Observation: Sendable, Hashable {
  case value(Double)
  /// It had not happened by this epoch, where the run ended (censored).
  case notBy(Double)
  /// The run has no such measure.
  case absent
}

package enum Verdict: String, Sendable, Hashable, Codable {
  case reproduced
  case withinSeedSpread = "within seed spread"
  case differs
  case noData = "no data"

  /// A number within this factor of our median is as near as "around" and "about" are meant.
  package static let closeFactor = 1.25

  /// Whether the published row is borne out.
  package var holds: Bool { self == .reproduced || self == .withinSeedSpread }

  package init(_ claim: PublishedRow.Claim, _ runs: Observations, seedFactor: Double) {
    switch claim {
    case .happens(let expected): self.init(happens: expected, runs)
    case .number(let published): self.init(published, runs, seedFactor: seedFactor)
    }
  }

  /// Reproduced when every run does as published, within seed spread when some do, differs when none does.
  private init(happens expected: Bool, _ runs: Observations) {
    let asPublished = expected ? runs.values.count : runs.censored.count
    switch asPublished {
    case _ where runs.count == 0: self = .noData
    case runs.count: self = .reproduced
    case 0: self = .differs
    default: self = .withinSeedSpread
    }
  }

  private init(_ published: ClosedRange<Double>, _ runs: Observations, seedFactor: Double) {
    guard let low = runs.values.first, let greatest = runs.values.last else {
      // Nothing crossed. That is an answer only to a number that all runs have gone past.
      let everyRunWentPast = runs.censored.first.map { $0 > published.upperBound } ?? false
      self = everyRunWentPast ? .differs : .noData
      return
    }
    let high = max(greatest, runs.censored.last ?? greatest)
    if published.overlaps(low...high) {
      self = .reproduced
      return
    }
    // Beyond all that was seen, while a run that was stopped earlier may lie anywhere beyond.
    if published.lowerBound > high, !runs.censored.isEmpty {
      self = .noData
      return
    }
    if let median = runs.median,
      published.overlaps(median / Self.closeFactor...median * Self.closeFactor)
    {
      self = .reproduced
      return
    }
    let width = max(low > 0 ? high / low : 1, seedFactor)
    self = published.overlaps(low / width...high * width) ? .withinSeedSpread : .differs
  }
}

/// What several runs of one setting say of one measure.
package struct Observations: Sendable, Hashable {
  /// Ascending.
  package let values: [Double]
  /// Where runs ended that had not crossed, ascending.
  package let censored: [Double]
  /// Runs that ended without saying anything of this measure.
  package let absent: Int

  package init(_ observations: [Observation]) {
    var (values, censored, absent): ([Double], [Double], Int) = ([], [], 0)
    for observation in observations {
      switch observation {
      case .value(let value): values.append(value)
      case .notBy(let epoch): censored.append(epoch)
      case .absent: absent += 1
      }
    }
    self.values = values.sorted()
    self.censored = censored.sorted()
    self.absent = absent
  }

  /// Runs that say something.
  package var count: Int { values.count + censored.count }

  /// The middle one, the lower of two; runs that had not crossed count as later than all that had. Nil when it is one
  /// of those, as in `grokking_times`.
  package var median: Double? {
    let middle = (count - 1) / 2
    return count > 0 && middle < values.count ? values[middle] : nil
  }
}
