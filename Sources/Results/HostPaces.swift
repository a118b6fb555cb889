// How fast machines were, from the runs that they brought: what `plan` and a new coordinator start from.

import GRDB
import Grokking
import Sweeps

extension Store {
  /// Runs looked at: enough for a pace, and read in a few milliseconds.
  private static let runsLookedAt = 200

  /// Of the latest runs that were trained in one go: seconds for each that was estimated, by host, the oldest first; hosts
  /// in the order in which they come first.
  package func hostPaces() throws -> [HostPace] {
    try read { database in
      // Backwards over the leases, which grow with time: only as many attempts are looked at as it takes.
      let rows = try Row.fetchAll(
        database,
        sql: """
          SELECT worker.host, run.seconds, \(ExperimentColumns.list(of: "point"))
          FROM (
            SELECT lease, point, worker FROM attempt WHERE class = 'finished' ORDER BY lease DESC LIMIT ?
          ) AS attempt
          JOIN run ON run.lease = attempt.lease
          JOIN point ON point.number = attempt.point
          JOIN worker ON worker.number = attempt.worker
          WHERE run.seconds > 0 AND run.semantics_version = ?
            -- A run that went on from a checkpoint says nothing: nobody knows here how long its beginning took.
            AND (SELECT count(*) FROM attempt AS other
              WHERE other.point = attempt.point AND other.lease < attempt.lease) = 0
          ORDER BY attempt.lease
          """,
        arguments: [Self.runsLookedAt, Engine.semanticsVersion])
      var paces: [HostPace] = []
      var places: [String: Int] = [:]
      for row in rows {
        let (host, seconds): (String, Double) = (row[0], row[1])
        let experiment = try ExperimentColumns.experiment(row, from: 2, path: path)
        let place = places[host] ?? paces.count
        if place == paces.count {
          places[host] = place
          paces.append(HostPace(host: host, ratios: []))
        }
        paces[place].ratios.append(seconds / experiment.estimatedCoreSeconds)
      }
      return paces
    }
  }
}
