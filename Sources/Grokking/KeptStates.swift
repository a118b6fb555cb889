// What a run keeps of its evaluations while it trains: weights for the analysis, and moments too where an interval
// starts that may have to be replayed, or where weights begin to be trained again instead of kept.

extension RunRecord {
  /// Keeps what is needed of the evaluation that is being taken at the trainer's epoch.
  ///
  /// - Parameters:
  ///   - weights: the trainer's.
  ///   - evaluationsThatFit: number of the first evaluation whose weights do not fit any more. It is where the analysis
  ///     starts to train again, unless that has been said already.
  /// - Throws: what `snapshots` throws; the call may be repeated.
  mutating func keep(
    _ weights: [Float], of trainer: Trainer, evaluateEvery: Int, evaluationsThatFit: Int, in snapshots: SnapshotStore
  ) throws {
    let number = taken.count
    let isLast = epoch == lastEpoch
    // Not the last one: a longer run may not have it.
    if regeneratesFrom == nil && number >= evaluationsThatFit && !isLast { regeneratesFrom = number }
    let startsInterval = !isLast && evaluateEvery > 1 && !isSettled
    if isLast || startsInterval || !isTrainedAgain(number) {
      try snapshots.write(.weights, number, weights)
    } else {
      // Of a shorter run's last evaluation, perhaps.
      snapshots.remove(.weights, number)
    }
    guard startsInterval || number == regeneratesFrom else { return }
    let moments = trainer.moments
    try snapshots.write(.firstMoment, number, moments.firstMoment)
    try snapshots.write(.secondMoment, number, moments.secondMoment)
    if !moments.slowGradient.isEmpty { try snapshots.write(.slowGradient, number, moments.slowGradient) }
    if startsInterval && keptStates.last != number { keptStates.append(number) }
  }

  /// Whether an evaluation's weights are trained again for the analysis.
  private func isTrainedAgain(_ number: Int) -> Bool { regeneratesFrom.map { number > $0 } ?? false }

  /// Removes the moments (and, where the analysis trains again, the weights) of evaluations at which no interval starts
  /// that may have to be replayed. To be called after every evaluation but the last.
  ///
  /// What is removed is never needed again, not even by a run that resumes from a checkpoint before this evaluation: it
  /// comes through the same evaluations, and an interval without a crossing, or with one that was lost again, stays so.
  /// A run that ends at an odd epoch removes nothing there, since a longer one does not evaluate that epoch.
  mutating func dropStates(in snapshots: SnapshotStore) {
    var needed = intervalStarts
    if !isSettled { needed.append(taken.count - 1) }
    for number in keptStates where !needed.contains(number) {
      if number != regeneratesFrom {
        for part in SnapshotStore.Part.allCases where part != .weights { snapshots.remove(part, number) }
      }
      if isTrainedAgain(number) { snapshots.remove(.weights, number) }
    }
    keptStates.removeAll { !needed.contains($0) }
  }

  /// What a run that goes on from here reads or may read again; of the moments, some may have been removed already.
  var keptParts: KeptParts {
    let states = keptStates.filter { $0 < taken.count }
    var parts = KeptParts()
    for number in taken.indices {
      if !isTrainedAgain(number) || states.contains(number) { parts.weights.append(number) }
      if number == regeneratesFrom || states.contains(number) { parts.moments.append(number) }
    }
    return parts
  }

  /// Reads whatever was kept of the evaluations that were taken and will or may be read again.
  ///
  /// - Parameters:
  ///   - count: numbers in every part.
  ///   - state: the parts beside its weights that are kept of an evaluation at which an interval starts.
  ///   - isComplete: whether nothing was removed after this record was written. Otherwise a state may be gone whose
  ///     interval turned out to have no crossing.
  /// - Throws: what `snapshots` throws, and `RunError` for a part of another size.
  func check(
    _ snapshots: SnapshotStore, holding count: Int, state: [SnapshotStore.Part], isComplete: Bool
  ) throws {
    func check(_ part: SnapshotStore.Part, _ number: Int) throws {
      guard try snapshots.read(part, number).count == count else {
        throw RunError("what was kept of evaluation \(number) is not of this model's size; it is damaged")
      }
    }
    for number in taken.indices where !isTrainedAgain(number) { try check(.weights, number) }
    if let start = regeneratesFrom, start < taken.count {
      for part in state { try check(part, start) }
    }
    let certain = certainStarts
    for number in keptStates where number < taken.count {
      do {
        if isTrainedAgain(number) { try check(.weights, number) }
        for part in state { try check(part, number) }
      } catch is SnapshotMissing where !isComplete && !certain.contains(number) {
        continue
      }
    }
  }
}

/// Numbers of the evaluations of which a run kept something that its checkpoint needs; ascending.
package struct KeptParts: Hashable, Sendable {
  package var weights: [Int] = []
  /// Each stands for all parts of a state (`SnapshotStore.partsOfState`).
  package var moments: [Int] = []
}
