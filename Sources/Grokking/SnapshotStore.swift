// Where a run keeps the weights of its evaluations until the final model has told which frequencies matter.
//
// The restricted and excluded losses of every evaluation need the key frequencies of the *final* model, so weights are
// kept during training and analysed at the end. This module touches no files: whoever runs it says where they go.

/// Snapshots of the weights by evaluation number (0, 1, 2 …), in memory or wherever the closures put them.
package struct SnapshotStore {
  /// Keeps the weights of one evaluation; called once per index, in ascending order (again after a resume or
  /// an error). A run that diverges may have written one more than it has evaluations.
  package var write: (_ index: Int, _ weights: [Float]) throws -> Void
  /// The weights that were written; throws when they are gone or damaged.
  package var read: (_ index: Int) throws -> [Float]

  package init(
    write: @escaping (_ index: Int, _ weights: [Float]) throws -> Void,
    read: @escaping (_ index: Int) throws -> [Float]
  ) {
    self.write = write
    self.read = read
  }

  /// Keeps everything in memory: 4 bytes a weight and evaluation.
  package static func inMemory() -> SnapshotStore {
    final class Shelf { var kept: [Int: [Float]] = [:] }
    let shelf = Shelf()
    return SnapshotStore(
      write: { shelf.kept[$0] = $1 },
      read: { index in
        guard let weights = shelf.kept[index] else { throw SnapshotMissing(index: index) }
        return weights
      })
  }
}

/// A snapshot that should exist does not.
package struct SnapshotMissing: Error, CustomStringConvertible {
  package let index: Int
  package init(index: Int) { self.index = index }
  package var description: String { "the weights of evaluation \(index) are missing from the scratch space" }
}
