// The weights of evaluations that were not all kept: trained once more from the start, in order, for the analysis.
// Training is deterministic, so they are the same weights.

/// A trainer's second way from the start of a run to its end.
struct Regeneration {
  private(set) var isUnderway = false
  /// Of the last evaluation.
  private let lastEpoch: Int

  init(to lastEpoch: Int) { self.lastEpoch = lastEpoch }

  /// Epochs still to be trained again.
  func remaining(_ trainer: Trainer) -> Int { isUnderway ? lastEpoch - trainer.epoch : lastEpoch }

  /// Goes back to the start at first, then trains one epoch, unless the trainer is at `epoch` already: then false.
  ///
  /// - Throws: what `snapshots` throws; nothing has happened then.
  mutating func advance(_ trainer: Trainer, to epoch: Int, from snapshots: SnapshotStore) throws -> Bool {
    if !isUnderway {
      let start = try snapshots.read(0)
      guard start.count == trainer.layout.count else {
        throw RunError("what was kept of the start is not of this model's size; it is damaged")
      }
      let zeros = [Float](repeating: 0, count: start.count)
      trainer.restore(Trainer.State(epoch: 0, weights: start, firstMoment: zeros, secondMoment: zeros))
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
