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

  /// Finished points that fulfil `condition` (as `verify --where`) and were to have fewer than `epochs`, in the order of
  /// the sweeps, and the sweeps that they belong to, in order of registration. Others are only counted: those with as many
  /// epochs, and diverged ones, which cannot go on.
  package func extensiblePoints(
    where condition: String, to epochs: Int
  ) throws -> (points: [ExtensiblePoint], longEnough: Int, diverged: Int, sweeps: [String]) {
    let ids = try points(.condition(condition))
    return try read { database in
      let find = try database.makeStatement(
        sql: """
          SELECT run.epochs, run.outcome, \(ExperimentColumns.list(of: "point"))
          FROM point JOIN run ON run.point = point.number
          WHERE point.id = ?
          """)
      let findSweeps = try database.makeStatement(
        sql: """
          SELECT sweep FROM sweep_point JOIN point ON point.number = sweep_point.point WHERE point.id = ?
          """)
      var points: [ExtensiblePoint] = []
      var numbers: Set<Int64> = []
      var longEnough = 0
      for id in ids {
        guard let row = try Row.fetchOne(find, arguments: [id.hex]), row[1] != "diverged" else { continue }
        let experiment = try ExperimentColumns.experiment(row, from: 2, path: path)
        guard experiment.training.epochs < epochs else {
          longEnough += 1
          continue
        }
        points.append(ExtensiblePoint(id: id, experiment: experiment, epochs: row[0]))
        for number in try Int64.fetchAll(findSweeps, arguments: [id.hex]) { numbers.insert(number) }
      }
      let names = try numbers.sorted().map { number in
        try String.fetchOne(database, sql: "SELECT name FROM sweep WHERE number = ?", arguments: [number])!
      }
      return (points, longEnough, ids.count - longEnough - points.count, names)
    }
  }
}
