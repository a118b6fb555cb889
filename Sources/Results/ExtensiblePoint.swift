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
    let isHexadecimal = prefix.utf8.allSatisfy { "0123456789abcdef".utf8.contains($0) }
    let found = try read { database in
      guard isHexadecimal, !prefix.isEmpty else { return [Row]() }
      return try Row.fetchAll(
        database,
        sql: """
          SELECT point.id, run.epochs, run.outcome, \(ExperimentColumns.list(of: "point"))
          FROM point LEFT JOIN run ON run.point = point.number
          WHERE point.id >= :prefix AND point.id < :prefix || 'g' LIMIT 2
          """,
        arguments: ["prefix": prefix])
    }
    guard let row = found.first else {
      throw StoreError(
        .unknown, path, "there is no point \(prefix) in this store; the view runs has their ids, in the column point")
    }
    guard found.count == 1 else {
      throw StoreError(.unknown, path, "the ids of several points start with \(prefix); give more of its digits")
    }
    let id = try PointID(stored: row[0], path: path)
    guard let epochs: Int = row[1], let outcome: String = row[2] else {
      throw StoreError(.unknown, path, "point \(id.short) has not finished, so it has no run to make longer")
    }
    guard outcome != "diverged" else {
      throw StoreError(
        .unknown, path, "point \(id.short) diverged at epoch \(epochs): a loss was no longer finite, so it cannot go on"
      )
    }
    return ExtensiblePoint(
      id: id, experiment: try ExperimentColumns.experiment(row, from: 3, path: path), epochs: epochs)
  }
}
