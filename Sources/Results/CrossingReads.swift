// When the runs of a sweep first crossed a threshold.

import GRDB
import Grokking
import Sweeps

/// The first epoch at which a finished run crossed a threshold.
package struct FirstCrossing: Sendable, Hashable {
  package let point: PointID
  /// Nil for a run that never did.
  package let epoch: Int?
}

extension Store {
  /// One for each finished point of a sweep, in the sweep's order: exact where the run has crossings, and otherwise the
  /// first evaluation that shows it.
  package func firstCrossings(
    of sweep: String, _ measure: CrossingMeasure, _ threshold: Double
  ) throws -> [FirstCrossing] {
    try read { database in
      _ = try number(ofSweep: sweep, in: database)
      // Runs stored before schema 2 have no crossings.
      return try Row.fetchAll(
        database,
        sql: """
          SELECT runs.point, coalesce(
            (SELECT first_epoch FROM crossings
             WHERE crossings.point = runs.point AND measure = :measure AND threshold = :threshold),
            (SELECT min(epoch) FROM curves
             WHERE curves.point = runs.point AND \(measure.rawValue) \(measure == .testLoss ? "<=" : ">=") :threshold))
          FROM runs WHERE sweep = :sweep
          """,
        arguments: ["sweep": sweep, "measure": measure.rawValue, "threshold": threshold]
      ).map { FirstCrossing(point: try PointID(stored: $0[0], path: path), epoch: $0[1]) }
    }
  }
}
