// Two stores become one: as if it had run everything that either did.
//
// Points are the same when their ids are, workers when their boots are. What both have is kept once. A point that both
// have finished keeps the run that was here; other bits of the other are recorded as a violation. What was under way there
// has ended as lost. How rows are copied stands in MergeRows.swift.

import Foundation
import GRDB
import Grokking
import Sweeps

/// What a merge brought.
package struct MergeReport: Sendable, Codable, Hashable {
  /// Where it came from.
  package let source: String
  package let sweeps: Int
  package let points: Int
  package let runs: Int
  /// Points that both had finished, with the same bits.
  package let equalRuns: Int
  /// Points that both had finished, with other bits: violations, of which the store keeps its own run.
  package let differentRuns: Int

  enum CodingKeys: String, CodingKey {
    case source, sweeps, points, runs
    case equalRuns = "equal_runs"
    case differentRuns = "different_runs"
  }
}

extension Store {
  /// Makes a new store at `path` of everything in `sources`, which are only read. It is there whole or not at all.
  ///
  /// - Throws: `StoreError`, kind `refused` when there is something at `path`, and as `merge`.
  package static func make(_ path: String, of sources: [String], at now: Date) throws -> [MergeReport] {
    var reports: [MergeReport] = []
    try NewFile(path).make { unfinished in
      // All are opened before the first is copied: a mistake in the last name should not cost minutes.
      let stores = try sources.map { try Store(path: $0, mode: .readOnly) }
      guard let first = stores.first else { return }
      let summary = try first.summary()
      try first.vacuum(into: unfinished)
      reports.append(
        MergeReport(
          source: first.path, sweeps: summary.sweeps, points: summary.points, runs: summary.finished, equalRuns: 0,
          differentRuns: 0))
      let merged = try Store(path: unfinished, mode: .open)
      do {
        try merged.settleOpenAttempts(at: Timestamp.text(now))
        for store in stores.dropFirst() { reports.append(try merged.merge(store.path, shownAs: path, at: now)) }
        try merged.close()
      } catch let error as StoreError {
        try? merged.close()
        throw error.path == unfinished ? StoreError(error.kind, path, error.message) : error
      }
    }
    return reports
  }

  /// Takes from the store at `source`, which is only read, all that this one has not. Nobody else may write here.
  ///
  /// - Throws: `StoreError`: kind `sweepChanged` when a sweep of one name has other points there, `refused` for a file
  ///   that is no store of this schema; then nothing was written.
  package func merge(_ source: String, at now: Date) throws -> MergeReport {
    try merge(source, shownAs: path, at: now)
  }

  /// - Parameter shown: what errors call this store.
  private func merge(_ source: String, shownAs shown: String, at now: Date) throws -> MergeReport {
    // Opened first for its words about files that are none of ours.
    let other = try Store(path: source, mode: .readOnly)
    guard let file = realpath(source, nil), let here = realpath(path, nil) else {
      throw StoreError(.unavailable, source, "cannot be reached: \(String(cString: strerror(errno)).lowercased())")
    }
    defer {
      free(file)
      free(here)
    }
    guard strcmp(file, here) != 0 else {
      throw StoreError(.refused, source, "is the store that it should be merged into; name another one")
    }
    var report: MergeReport?
    try withoutTransaction { database in
      try database.execute(
        sql: "PRAGMA cache_size = -196608; ATTACH DATABASE :file AS source", arguments: ["file": String(cString: file)])
      defer { try? database.execute(sql: "DETACH DATABASE source; PRAGMA cache_size = -2000; PRAGMA shrink_memory") }
      // Deferred, which an immediate one would not be: it would keep the other store's coordinator from writing.
      try database.inTransaction(.deferred) {
        let rows = MergeRows(database: database, time: Timestamp.text(now))
        try refuseOtherSweeps(of: other.path, shownAs: shown, in: database)
        report = try rows.copy(from: source)
        return .commit
      }
    }
    return report!
  }

  /// Nobody goes on with what was open when a store was copied.
  private func settleOpenAttempts(at time: String) throws {
    try write { database in
      try database.execute(
        sql: "UPDATE attempt SET class = 'lost', reason = ?, ended = ? WHERE class IS NULL",
        arguments: [MergeRows.openReason, time])
      try database.execute(sql: "UPDATE worker SET left_at = last_seen WHERE left_at IS NULL")
    }
  }

  private func refuseOtherSweeps(of source: String, shownAs shown: String, in database: Database) throws {
    let both = try Row.fetchAll(
      database,
      sql: """
        SELECT here.name, here.canonical, here.semantics_version, there.canonical, there.semantics_version, there.file_text
        FROM main.sweep AS here JOIN source.sweep AS there ON there.name = here.name
        WHERE here.canonical <> there.canonical OR here.semantics_version <> there.semantics_version
        ORDER BY here.number
        """)
    guard let row = both.first else { return }
    let (name, here, there): (String, String, String) = (row[0], row[1], row[3])
    let (ours, theirs): (Int, Int) = (row[2], row[4])
    var differences =
      ours == theirs ? [] : ["engine semantics: \(ours) here, \(theirs) there, so its points are others"]
    // The file as it was written says what its points are, unless the command line changed them.
    if let file = try? SweepFile(text: row[5], fileName: name), file.canonical == there {
      differences += file.differences(from: here)
    }
    if differences.isEmpty { differences = ["its points are others"] }
    throw StoreError(
      .sweepChanged, source,
      "the sweep \"\(name)\" is another one there than in \(shown):\n  \(differences.joined(separator: "\n  "))\n"
        + "Nothing was written. Sweeps of one name must be of one file: have both stores run the same one, or keep them apart."
    )
  }
}
