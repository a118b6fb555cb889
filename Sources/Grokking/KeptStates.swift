// What a run keeps of its evaluations while it trains: weights for the analysis, and moments too where an interval
// starts that may have to be replayed.

extension RunRecord {
  /// Keeps what is needed of the evaluation that is being taken at the trainer's epoch.
  ///
  /// - Parameter weights: the trainer's.
  /// - Throws: what `snapshots` throws; the call may be repeated.
  mutating func keep(
    _ weights: [Float], of trainer: Trainer, evaluateEvery: Int, in snapshots: SnapshotStore
  ) throws {
    let number = taken.count
    let isLast = epoch == lastEpoch
    let startsInterval = !isLast && evaluateEvery > 1 && !isSettled
    if !regenerates || number == 0 || isLast || startsInterval { try snapshots.write(.weights, number, weights) }
    guard startsInterval else { return }
    let moments = trainer.moments
    try snapshots.write(.firstMoment, number, moments.first)
    try snapshots.write(.secondMoment, number, moments.second)
    if keptStates.last != number { keptStates.append(number) }
  }

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
      snapshots.remove(.firstMoment, number)
      snapshots.remove(.secondMoment, number)
      if regenerates && number > 0 { snapshots.remove(.weights, number) }
    }
    keptStates.removeAll { !needed.contains($0) }
  }

  /// Reads whatever was kept of the evaluations that were taken and will or may be read again.
  ///
  /// - Parameters:
  ///   - count: numbers in every part.
  ///   - isComplete: whether nothing was removed after this record was written. Otherwise a state may be gone whose
  ///     interval turned out to have no crossing.
  /// - Throws: what `snapshots` throws, and `RunError` for a part of another size.
  func check(_ snapshots: SnapshotStore, holding count: Int, isComplete: Bool) throws {
    func check(_ part: SnapshotStore.Part, _ number: Int) throws {
      guard try snapshots.read(part, number).count == count else {
        throw RunError("what was kept of evaluation \(number) is not of this model's size; it is damaged")
      }
    }
    for number in taken.indices where !regenerates || number == 0 { try check(.weights, number) }
    let certain = certainStarts
    for number in keptStates where number < taken.count {
      do {
        if regenerates { try check(.weights, number) }
        try check(.firstMoment, number)
        try check(.secondMoment, number)
      } catch is SnapshotMissing where !isComplete && !certain.contains(number) {
        continue
      }
    }
  }
}
