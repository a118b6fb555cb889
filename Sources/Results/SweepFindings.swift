// What a sweep's figures are drawn from: its settings, which change only when the sweep does, and what became of its runs,
// one row each. Two questions to the store, however many runs there are.

import Foundation
import GRDB
import Grokking
import Sweeps

/// The settings of a sweep: swept values without seeds.
package struct SweepSettings: Sendable {
  package struct Setting: Hashable, Sendable {
    /// `weight_decay=1 train_fraction=0.3`; empty when only seeds are swept.
    package let label: String
    package let points: Int
  }

  package let sweep: String
  /// In the sweep's order.
  package let settings: [Setting]
  /// In what the settings differ.
  package let keys: [SweptKey]
  /// Whether the sweep searches where the outcome changes (method boundary).
  package let isSearch: Bool
  /// Whether model seed and data seed vary apart from each other, so that their shares of the spread can be told.
  package let seedsAreCrossed: Bool
  /// The values of one point; what no setting changes is the same in all.
  package let example: Experiment
}

/// What became of a finished point.
package struct SettledRun: Hashable, Sendable {
  package let point: PointID
  /// Its place among `SweepSettings.settings`.
  package let setting: Int
  package let modelSeed: UInt64
  package let dataSeed: UInt64
  /// `Outcome.name`.
  package let outcome: String
  package let memorizationEpoch: Int?
  /// Observed, whatever became of the run after.
  package let grokkingEpoch: Int?
  /// Nil for a run with a grokking epoch.
  package let censoredAfter: Int?
  /// Trained.
  package let epochs: Int
  package let seconds: Double
  package let worker: Int64
}

extension Store {
  /// Throws `StoreError.Kind.unknown` for a sweep that is not here, as do the other reads of one sweep.
  package func sweepSettings(of sweep: String) throws -> SweepSettings {
    try read { database in
      let number = try number(ofSweep: sweep, in: database)
      let rows = try Row.fetchCursor(
        database,
        sql: """
          SELECT setting.label, setting.points, \(ExperimentColumns.list(of: "point"))
          FROM setting JOIN point ON point.number = setting.example
          WHERE setting.sweep = ? ORDER BY setting.position
          """,
        arguments: [number])
      var (settings, experiments): ([SweepSettings.Setting], [Experiment]) = ([], [])
      while let row = try rows.next() {
        settings.append(.init(label: row[0], points: row[1]))
        experiments.append(try ExperimentColumns.experiment(row, from: 2, path: path))
      }
      let about = try Row.fetchOne(
        database,
        sql: """
          SELECT axes, canonical LIKE '%"method":"boundary"%', EXISTS (
            SELECT 1 FROM sweep_point JOIN point ON point.number = sweep_point.point
            WHERE sweep_point.sweep = sweep.number AND model_seed <> data_seed)
          FROM sweep WHERE number = ?
          """, arguments: [number])!
      let axes = (try? JSONDecoder().decode([String].self, from: Data((about[0] as String).utf8))) ?? []
      return SweepSettings(
        sweep: sweep, settings: settings, keys: SweptKey.all(of: experiments, first: axes), isSearch: about[1],
        seedsAreCrossed: about[2], example: experiments.first ?? Experiment())
    }
  }

  /// The finished points of a sweep, in the sweep's order.
  package func settledRuns(of sweep: String) throws -> [SettledRun] {
    try read { database in
      let number = try number(ofSweep: sweep, in: database)
      let rows = try Row.fetchCursor(
        database,
        sql: """
          SELECT point.id, sweep_point.setting, point.model_seed, point.data_seed, run.outcome, run.memorization_epoch,
            run.grokking_epoch, run.censored_after, run.epochs, run.seconds, run.worker
          FROM sweep_point CROSS JOIN run ON run.point = sweep_point.point JOIN point ON point.number = run.point
          WHERE sweep_point.sweep = ? ORDER BY sweep_point.position
          """,
        arguments: [number])
      var runs: [SettledRun] = []
      while let row = try rows.next() {
        runs.append(
          SettledRun(
            point: try PointID(stored: row[0], path: path), setting: row[1], modelSeed: row[2], dataSeed: row[3],
            outcome: row[4], memorizationEpoch: row[5], grokkingEpoch: row[6], censoredAfter: row[7], epochs: row[8],
            seconds: row[9], worker: row[10]))
      }
      return runs
    }
  }
}
