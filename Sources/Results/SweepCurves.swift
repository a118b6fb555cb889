// Curves of many runs at once, and what was measured early in each: one question for all of them.

import Foundation
import GRDB
import Sweeps

/// A run's test loss over its epochs.
package struct LossCurve: Hashable, Sendable {
  package struct Place: Hashable, Sendable {
    package let epoch: Int
    package let testLoss: Double
  }

  package let point: PointID
  /// Ascending; empty for a run that diverged before its first evaluation.
  package let places: [Place]
}

/// What the first evaluation at or after memorization measured: where the view `predictors` looks at the landmark
/// `memorization`.
package struct EarlyMeasures: Hashable, Sendable {
  package let point: PointID
  package let setting: Int
  package let grokkingEpoch: Int?
  /// Nil for a run with a grokking epoch.
  package let censoredAfter: Int?
  /// In the order of `names`.
  package let values: [Double?]

  /// As in the view, those that need no hindsight.
  package static let names = [
    "memorization_epoch", "train_loss", "test_loss", "train_accuracy", "test_accuracy", "sum_squared_weights",
    "gini_w_e",
    "gini_w_l",
  ]
}

/// A row of the view `predictors`.
package struct Predictor: Hashable, Sendable {
  package let measure: String
  /// `memorization`, or an epoch.
  package let landmark: String
  package let runs: Int
  package let censored: Int
  package let leftOut: Int
  /// Nil for fewer than three runs, and where all values are equal.
  package let spearman: Double?
  package let spearmanWithinSettings: Double?
  /// Measured with the key frequencies of the final model.
  package let isHindsight: Bool
}

/// How far the grokking epochs of one setting lie apart: a row of the view `grokking_times`, in powers of ten.
package struct GrokkingSpread: Hashable, Sendable {
  package let setting: String
  package let grokked: Int
  package let sd: Double?
  /// Among runs with one data seed, which differ in their model seeds; and the reverse.
  package let sdOfModelSeed: Double?
  package let sdOfDataSeed: Double?
}

extension Store {
  /// Curves of `points`, in their order, with at most about `places` places each, as many in every ratio of epochs: a figure
  /// with a logarithmic axis loses nothing that could be seen in it.
  package func lossCurves(of points: [PointID], places: Int = 160) throws -> [LossCurve] {
    try read { database in
      var kept = [[LossCurve.Place]](repeating: [], count: points.count)
      let wanted = String(decoding: try JSONEncoder().encode(points.map(\.hex)), as: UTF8.self)
      let rows = try Row.fetchCursor(
        database,
        sql: """
          SELECT wanted.key, evaluation.epoch, evaluation.test_loss
          FROM json_each(?) AS wanted
          CROSS JOIN point ON point.id = wanted.value
          CROSS JOIN evaluation ON evaluation.point = point.number
          ORDER BY wanted.key, evaluation.epoch
          """,
        arguments: [wanted])
      while let row = try rows.next() { kept[row[0] as Int].append(.init(epoch: row[1], testLoss: row[2])) }
      return zip(points, kept).map { LossCurve(point: $0, places: Self.thinned($1, to: places)) }
    }
  }

  /// The last one of each stretch of equal ratio, and the first of all.
  private static func thinned(_ places: [LossCurve.Place], to count: Int) -> [LossCurve.Place] {
    guard places.count > count, let last = places.last else { return places }
    func stretch(_ place: LossCurve.Place) -> Int {
      Int(log(Double(place.epoch) + 1) / log(Double(last.epoch) + 2) * Double(count - 1))
    }
    return places.indices.filter { index in
      index == 0 || index == places.count - 1 || stretch(places[index]) != stretch(places[index + 1])
    }.map { places[$0] }
  }

  /// Of the finished runs of a sweep that memorized, and had not grokked by the first evaluation after that.
  package func earlyMeasures(of sweep: String) throws -> [EarlyMeasures] {
    try read { database in
      let number = try number(ofSweep: sweep, in: database)
      let names = EarlyMeasures.names
      let columns = ["run.memorization_epoch"] + names.dropFirst().map { "evaluation.\($0)" }
      let rows = try Row.fetchCursor(
        database,
        sql: """
          SELECT point.id, sweep_point.setting, run.grokking_epoch, run.censored_after, \(columns.joined(separator: ", "))
          FROM sweep_point CROSS JOIN run ON run.point = sweep_point.point
          JOIN point ON point.number = run.point
          CROSS JOIN evaluation ON evaluation.point = run.point AND evaluation.epoch = (
            SELECT min(epoch) FROM evaluation AS other
            WHERE other.point = run.point AND other.epoch >= run.memorization_epoch)
          WHERE sweep_point.sweep = ? AND (run.grokking_epoch IS NULL OR run.grokking_epoch > evaluation.epoch)
          ORDER BY sweep_point.position
          """,
        arguments: [number])
      var early: [EarlyMeasures] = []
      while let row = try rows.next() {
        early.append(
          EarlyMeasures(
            point: try PointID(stored: row[0], path: path), setting: row[1], grokkingEpoch: row[2],
            censoredAfter: row[3], values: names.indices.map { row[4 + $0] }))
      }
      return early
    }
  }

  package func predictors(of sweep: String) throws -> [Predictor] {
    try read { database in
      _ = try number(ofSweep: sweep, in: database)
      return try Row.fetchAll(
        database,
        sql: """
          SELECT measure, landmark, runs, censored, left_out, spearman, spearman_within_settings, hindsight
          FROM predictors WHERE sweep = ?
          """, arguments: [sweep]
      ).map {
        Predictor(
          measure: $0[0], landmark: $0[1], runs: $0[2], censored: $0[3], leftOut: $0[4], spearman: $0[5],
          spearmanWithinSettings: $0[6], isHindsight: $0[7])
      }
    }
  }

  /// In the sweep's order of settings.
  package func grokkingSpreads(of sweep: String) throws -> [GrokkingSpread] {
    try read { database in
      _ = try number(ofSweep: sweep, in: database)
      return try Row.fetchAll(
        database,
        sql: """
          SELECT setting, grokked, log10_sd, log10_sd_of_model_seed, log10_sd_of_data_seed
          FROM grokking_times WHERE sweep = ?
          """, arguments: [sweep]
      ).map {
        GrokkingSpread(setting: $0[0], grokked: $0[1], sd: $0[2], sdOfModelSeed: $0[3], sdOfDataSeed: $0[4])
      }
    }
  }
}
