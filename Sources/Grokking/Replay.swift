// Crossings located exactly: the intervals between two evaluations in which a threshold was crossed are trained again,
// from the state kept at their start, with the test set evaluated at every epoch (`measures.md` section 4).
//
// Training is deterministic, so this is the same training, not another one like it. An interval is replayed once for
// all thresholds that were crossed in it.

/// Works through the intervals one epoch at a time.
struct Replay {
  /// One threshold that was crossed in an interval.
  private struct Sought {
    /// In `crossings`.
    let place: Int
    let watch: ThresholdWatch
    var wantsFirst = false
    var wantsSustained = false
    /// The first epoch of the interval at which it held, and the one since which it has held, as far as was looked.
    var first: Int?
    var since: Int?
  }

  private struct Interval {
    /// Number of the evaluation at its start.
    let start: Int
    /// Epochs of the evaluations at its start and end.
    let from: Int
    let to: Int
    var sought: [Sought] = []

    /// Whether all that is sought is known before the end: sustained crossings never are.
    var isDone: Bool { sought.allSatisfy { !$0.wantsSustained && $0.first != nil } }
  }

  /// Those that are still to be replayed; the first may be under way.
  private var intervals: ArraySlice<Interval>
  private var isUnderway = false
  /// Epochs still to be trained at most.
  private(set) var remaining: Int
  /// One for every measure and threshold; complete when the replay is finished.
  private(set) var crossings: [Crossing]

  init(_ record: RunRecord) {
    var intervals: [Interval] = []
    crossings = record.watches.map { Crossing(measure: $0.measure, threshold: $0.threshold) }
    /// The sought threshold's place in the interval that ends with evaluation `end`; nil when no epoch lies within.
    func seek(_ place: Int, in end: Int, _ note: (inout Sought) -> Void) -> Bool {
      guard end > 0, record.taken[end].epoch - record.taken[end - 1].epoch > 1 else { return false }
      if !intervals.contains(where: { $0.start == end - 1 }) {
        intervals.append(
          Interval(start: end - 1, from: record.taken[end - 1].epoch, to: record.taken[end].epoch))
      }
      let interval = intervals.firstIndex { $0.start == end - 1 }!
      var index = intervals[interval].sought.firstIndex { $0.place == place }
      if index == nil {
        index = intervals[interval].sought.count
        intervals[interval].sought.append(Sought(place: place, watch: record.watches[place]))
      }
      note(&intervals[interval].sought[index!])
      return true
    }
    for (place, watch) in record.watches.enumerated() {
      guard watch.needsReplay else {
        crossings[place].first = record.memorization
        crossings[place].sustained = watch.sustained.flatMap { record.taken[$0].memorizedSince }
        continue
      }
      if let end = watch.first, !seek(place, in: end, { $0.wantsFirst = true }) {
        crossings[place].first = record.taken[end].epoch
      }
      if let end = watch.sustained, !seek(place, in: end, { $0.wantsSustained = true }) {
        crossings[place].sustained = record.taken[end].epoch
      }
    }
    self.intervals = intervals.sorted { $0.start < $1.start }[...]
    // The last epoch of an interval was evaluated in training.
    remaining = intervals.reduce(0) { $0 + $1.to - $1.from - 1 }
  }

  var isFinished: Bool { intervals.isEmpty }

  /// Trains one epoch of the next interval and looks at the test set after it.
  ///
  /// - Parameter trainer: of the run; left wherever the replay ends.
  /// - Throws: what `snapshots` throws; nothing has happened then.
  mutating func advance(_ trainer: Trainer, reading snapshots: SnapshotStore) throws {
    guard var interval = intervals.first else { return }
    if !isUnderway {
      try trainer.restore(kept: interval.start, at: interval.from, in: snapshots)
      isUnderway = true
    }
    // Of the epoch before, but train accuracy is never sought here.
    let train = trainer.step()
    let test = trainer.evaluateTest()
    remaining -= 1
    for index in interval.sought.indices {
      guard interval.sought[index].watch.holds(train: train, test: test) else {
        interval.sought[index].since = nil
        continue
      }
      interval.sought[index].first = interval.sought[index].first ?? trainer.epoch
      interval.sought[index].since = interval.sought[index].since ?? trainer.epoch
    }
    intervals[intervals.startIndex] = interval
    let left = interval.to - 1 - trainer.epoch
    guard left == 0 || interval.isDone else { return }
    for sought in interval.sought {
      // At the interval's end it held: that evaluation is why it is sought here.
      if sought.wantsFirst { crossings[sought.place].first = sought.first ?? interval.to }
      if sought.wantsSustained { crossings[sought.place].sustained = sought.since ?? interval.to }
    }
    remaining -= left
    intervals.removeFirst()
    isUnderway = false
  }
}

extension Trainer {
  /// Goes back to an evaluation at `epoch` whose weights and moments were kept as number `index`.
  func restore(kept index: Int, at epoch: Int, in snapshots: SnapshotStore) throws {
    func numbers(_ part: SnapshotStore.Part) throws -> [Float] {
      let numbers = try snapshots.read(part, index)
      guard numbers.count == layout.count else {
        throw RunError("what was kept of evaluation \(index) is not of this model's size; it is damaged")
      }
      return numbers
    }
    restore(
      State(
        epoch: epoch, weights: try numbers(.weights),
        optimizer: OptimizerNumbers(
          firstMoment: try numbers(.firstMoment), secondMoment: try numbers(.secondMoment),
          slowGradient: filtersGradients ? try numbers(.slowGradient) : [])))
  }
}
