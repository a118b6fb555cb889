// A finished point as whoever wants to train it longer needs it: `groksweep extend`.

import GRDB
import Grokking
import Sweeps

/// A finished point whose run did not diverge.
package struct ExtensiblePoint: Sendable, Hashable {
  package let id: PointID
  package let experiment: Experiment
  /// Epochs that it was trained.
  package let epochs: Int
}

extension Store {
  /// - Parameter prefix: the beginning of the point's id, in hexadecimal digits.
  /// - Throws: `StoreError`, kind `unknown`, when no point or several start so, or when its run cannot be made longer.
  package func extensiblePoint(startingWith prefix: String) throws -> ExtensiblePoint {
    let (id, row) = try read { database in
      let found = try point(startingWith: prefix, in: database)
      let row = try Row.fetchOne(
        database,
        sql: """
          SELECT run.epochs, run.outcome, \(ExperimentColumns.list(of: "point"))
          FROM point LEFT JOIN run ON run.point = point.number
          WHERE point.number = ?
          """,
        arguments: [found.number])!
      return (found.id, row)
    }
    guard let epochs: Int = row[0], let outcome: String = row[1] else {
      throw StoreError(.unknown, path, "point \(id.short) has not finished, so it has no run to make longer")
    }
    guard outcome != "diverged" else {
      throw StoreError(
        .unknown, path, "point \(id.short) diverged at epoch \(epochs): a loss was no longer finite, so it cannot go on"
      )
    }
    return ExtensiblePoint(
      id: id, experiment: try ExperimentColumns.experiment(row, from: 2, path: path), epochs: epochs)
  }
}
