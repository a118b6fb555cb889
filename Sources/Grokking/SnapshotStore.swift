// Where a run keeps the weights of its evaluations until the final model has told which frequencies matter, and the
// optimizer's moments where an interval starts that may have to be replayed.
//
// The restricted and excluded losses of every evaluation need the key frequencies of the *final* model, so weights are
// kept during training and analysed at the end. This module touches no files: whoever runs it says where they go.

/// Snapshots by evaluation number (0, 1, 2 …), in memory or wherever the closures put them.
package struct SnapshotStore {
  /// What is kept of one evaluation; as many numbers each as the model has weights.
  package enum Part: String, CaseIterable, Hashable, Sendable {
    case weights = "snapshot"
    case firstMoment = "first-moment"
    case secondMoment = "second-moment"
    /// Of runs with Grokfast alone.
    case slowGradient = "slow-gradient"
  }

  /// Keeps a part of one evaluation, in place of what was kept of it before: called in ascending order, but again after
  /// a resume or an error. A run that diverges may have written one evaluation more than it has.
  package var write: (_ part: Part, _ index: Int, _ numbers: [Float]) throws -> Void
  /// What was written; throws when it is gone or damaged.
  package var read: (_ part: Part, _ index: Int) throws -> [Float]
  /// What is never read again may go; nothing happens when it has gone already.
  package var remove: (_ part: Part, _ index: Int) -> Void

  package init(
    write: @escaping (_ part: Part, _ index: Int, _ numbers: [Float]) throws -> Void,
    read: @escaping (_ part: Part, _ index: Int) throws -> [Float],
    remove: @escaping (_ part: Part, _ index: Int) -> Void
  ) {
    self.write = write
    self.read = read
    self.remove = remove
  }

  /// The weights of one evaluation.
  package func read(_ index: Int) throws -> [Float] { try read(.weights, index) }

  /// What weights may take together before those of later evaluations are trained again instead of kept. At the size of
  /// the paper 440 MB: with the states of seventeen intervals, weights and moments, and a checkpoint while it is replaced,
  /// less than 500 MB.
  package static let limitBytes = 420 << 20

  /// How many evaluations' weights fit into `limit` bytes beside those of the last one: the number of the first that does
  /// not. It is kept nevertheless, for training to start from again.
  package static func evaluationsThatFit(in limit: Int, _ experiment: Experiment) -> Int {
    max(0, limit / (MemoryLayout<Float>.size * ParameterLayout(experiment).count) - 1)
  }

  /// The parts beside its weights that are kept of an evaluation at which an interval starts.
  package static func partsOfState(_ experiment: Experiment) -> [Part] {
    experiment.training.filtersGradients
      ? [.firstMoment, .secondMoment, .slowGradient] : [.firstMoment, .secondMoment]
  }

  /// Numbers in each part of a run of `experiment`.
  package static func numbersOfPart(_ experiment: Experiment) -> Int { ParameterLayout(experiment).count }

  /// Keeps everything in memory: 4 bytes a number.
  package static func inMemory() -> SnapshotStore {
    final class Shelf { var kept: [Part: [Int: [Float]]] = [:] }
    let shelf = Shelf()
    return SnapshotStore(
      write: { shelf.kept[$0, default: [:]][$1] = $2 },
      read: { part, index in
        guard let numbers = shelf.kept[part]?[index] else { throw SnapshotMissing(part: part, index: index) }
        return numbers
      },
      remove: { shelf.kept[$0]?[$1] = nil })
  }
}

/// A snapshot that should exist does not.
package struct SnapshotMissing: Error, CustomStringConvertible {
  package let part: SnapshotStore.Part
  package let index: Int
  package init(part: SnapshotStore.Part, index: Int) {
    self.part = part
    self.index = index
  }
  package var description: String {
    let what =
      switch part {
      case .weights: "weights"
      case .firstMoment, .secondMoment, .slowGradient: "moments"
      }
    return "the \(what) of evaluation \(index) are missing"
  }
}
