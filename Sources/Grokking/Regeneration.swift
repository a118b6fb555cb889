// The weights of evaluations that were not kept: trained once more, in order, for the analysis, from the evaluation at
// which they began to take too much room. Training is deterministic, so they are the same weights.

/// A trainer's second way to the end of a run.
struct Regeneration {
  /// Number of the evaluation that it starts from; up to this one, all weights were kept.
  let first: Int
  private let firstEpoch: Int
  /// Of the last evaluation.
  private let lastEpoch: Int
  private var isUnderway = false

  /// Nil when all weights were kept.
  init?(_ record: RunRecord) {
    guard let first = record.regeneratesFrom, first < record.taken.count, let last = record.taken.last else {
      return nil
    }
    self.first = first
    firstEpoch = record.taken[first].epoch
    lastEpoch = last.epoch
  }

  /// Epochs still to be trained again.
  func remaining(_ trainer: Trainer) -> Int { lastEpoch - (isUnderway ? trainer.epoch : firstEpoch) }

  /// Goes back to where it starts at first, then trains one epoch, unless the trainer is at `epoch` already: then false.
  ///
  /// - Throws: what `snapshots` throws; nothing has happened then.
  mutating func advance(_ trainer: Trainer, to epoch: Int, from snapshots: SnapshotStore) throws -> Bool {
    if !isUnderway {
      try trainer.restore(kept: first, at: firstEpoch, in: snapshots)
      isUnderway = true
    }
    guard trainer.epoch < epoch else { return false }
    _ = trainer.step()
    return true
  }
}

extension SnapshotStore {
  /// This store, with the trainer's present weights as those of evaluation `number`.
  func withPresent(_ trainer: Trainer, as number: Int) -> SnapshotStore {
    var store = self
    store.read = { [read] part, index in
      part == .weights && index == number ? trainer.weights.storage : try read(part, index)
    }
    return store
  }
}
