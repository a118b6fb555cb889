// A sweep's file is a goal: when it comes again with other values, its new points are added, and those that it no longer
// has leave the sweep, unless there is something of them already. No result is ever lost by an edit.

import Foundation
import GRDB
import Grokking
import Sweeps

/// What comes of applying a sweep's file to a store that knows the sweep.
package struct SweepChange: Sendable, Codable, Hashable {
  /// Points that the sweep did not have.
  package var added: Int
  /// Points that leave the sweep: the file has them no longer, and nobody runs them or has run them to an end.
  package var withdrawn: Int
  /// Points that stay, finished, failed or running, although the file has them no longer.
  package var retained: Int

  package init(added: Int, withdrawn: Int, retained: Int) {
    self.added = added
    self.withdrawn = withdrawn
    self.retained = retained
  }
}

extension SweepChange {
  /// `3 points added, 12 withdrawn, 4 that the file no longer has stay with what there is of them`.
  package var words: String {
    var parts = ["\(added) \(added == 1 ? "point" : "points") added"]
    if withdrawn > 0 { parts.append("\(withdrawn) withdrawn that \(withdrawn == 1 ? "was" : "were") not run") }
    if retained > 0 {
      parts.append(
        "\(retained) that the file no longer has \(retained == 1 ? "stays" : "stay") (finished, failed or running)")
    }
    return parts.joined(separator: ", ")
  }
}

extension Store {
  /// Ends the attempts that a coordinator left open which was killed: for whoever holds the lock and waits for nobody.
  package func endOpenAttempts(reason: String, at now: Date) throws {
    try write { database in
      try database.execute(
        sql: "UPDATE attempt SET class = 'lost', reason = ?, ended = ? WHERE class IS NULL",
        arguments: [reason, Timestamp.text(now)])
    }
  }

  /// What `register` would change of a sweep that is here; nil for a new one, and for one whose file is the same.
  package func change(by sweep: SweepRegistration) throws -> SweepChange? {
    try read { database in
      let known = try Row.fetchOne(
        database, sql: "SELECT number, canonical FROM sweep WHERE name = ?", arguments: [sweep.name])
      guard let known, known[1] as String != sweep.canonical else { return nil }
      let wanted = Set(sweep.points.map(\.id))
      var (kept, change) = (0, SweepChange(added: 0, withdrawn: 0, retained: 0))
      for member in try members(of: known[0], in: database) {
        if wanted.contains(member.id) {
          kept += 1
        } else if member.stays {
          change.retained += 1
        } else {
          change.withdrawn += 1
        }
      }
      change.added = sweep.points.count - kept
      return change
    }
  }

  /// The meaning of a sweep's file as it is in the store (`SweepFile.canonical`); nil for a sweep that is not here.
  package func canonicalText(ofSweep name: String) throws -> String? {
    try read { try String.fetchOne($0, sql: "SELECT canonical FROM sweep WHERE name = ?", arguments: [name]) }
  }

  /// Makes the points of sweep `number` those of `sweep`, and returns the ids of those that left.
  func apply(
    _ sweep: SweepRegistration, to number: Int64, at now: Date, in database: Database
  ) throws -> (change: SweepChange, withdrawn: [PointID]) {
    let wanted = Set(sweep.points.map(\.id))
    let members = try members(of: number, in: database)
    let retained = members.filter { !wanted.contains($0.id) && $0.stays }
    let withdrawn = members.filter { !wanted.contains($0.id) && !$0.stays }.map(\.id)
    let points = try insertPoints(of: sweep, in: database)
    let labels = try sweep.points.map(\.setting) + self.labels(of: retained, beside: sweep, in: database)
    try database.execute(
      sql: "UPDATE sweep SET canonical = ?, file_text = ?, axes = ? WHERE number = ?",
      arguments: [sweep.canonical, sweep.fileText, try axes(of: sweep), number])
    try replaceMembers(points + retained.map(\.number), settings: labels, of: number, in: database)
    let kept = members.count - retained.count - withdrawn.count
    return (
      SweepChange(added: sweep.points.count - kept, withdrawn: withdrawn.count, retained: retained.count), withdrawn
    )
  }

  /// The sweep then has these points, in this order, and no others.
  func replaceMembers(_ points: [Int64], settings: [String], of sweep: Int64, in database: Database) throws {
    try database.execute(sql: "DELETE FROM sweep_point WHERE sweep = ?", arguments: [sweep])
    try database.execute(sql: "DELETE FROM setting WHERE sweep = ?", arguments: [sweep])
    try insertMembers(points, settings: settings, of: sweep, in: database)
    try count(sweep, in: database)
  }

  struct Member {
    let number: Int64
    let id: PointID
    let label: String
    /// Finished, failed, or with an attempt under way.
    let stays: Bool
  }

  func members(of sweep: Int64, in database: Database) throws -> [Member] {
    let rows = try Row.fetchCursor(
      database,
      sql: """
        SELECT point.number, point.id, setting.label, point.state <> 'pending'
          OR EXISTS (SELECT 1 FROM attempt WHERE attempt.point = point.number AND attempt.class IS NULL)
        FROM sweep_point
        JOIN point ON point.number = sweep_point.point
        JOIN setting ON setting.sweep = sweep_point.sweep AND setting.position = sweep_point.setting
        WHERE sweep_point.sweep = ?
        ORDER BY sweep_point.position
        """,
      arguments: [sweep])
    var members: [Member] = []
    while let row = try rows.next() {
      members.append(
        Member(number: row[0], id: try PointID(stored: row[1], path: path), label: row[2], stays: row[3]))
    }
    return members
  }

  /// The settings of points that the file no longer has. Where a setting of the file bears the same name and stands for
  /// another experiment (a fixed value was changed), the old one says what it differs in: seeds of one must not be taken
  /// for seeds of the other. Where a boundary is searched, whatever has other fixed values says so: neighbours along the
  /// axis are compared by their settings.
  func labels(
    of retained: [Member], beside sweep: SweepRegistration, in database: Database
  ) throws -> [String] {
    guard !retained.isEmpty else { return [] }
    var examples: [String: Experiment] = [:]
    for point in sweep.points where examples[point.setting] == nil { examples[point.setting] = point.experiment }
    let statement = try database.makeStatement(
      sql: "SELECT \(ExperimentColumns.list(of: "point")) FROM point WHERE number = ?")
    let searched = sweep.canonical.contains("\"method\":\"boundary\"") ? sweep.points.first?.experiment : nil
    // Each name stands for one experiment, its seeds aside; what a name is taken for says what it differs in, and so on.
    var taken = examples
    return try retained.map { member in
      guard let row = try Row.fetchOne(statement, arguments: [member.number]) else { return member.label }
      let experiment = try ExperimentColumns.experiment(row, from: 0, path: path)
      var label = member.label
      // One that says so already was kept by an earlier change.
      if let searched, taken[label] == nil {
        let words = experiment.settingWords(unlike: searched, besides: sweep.axes)
        if !words.isEmpty, !label.hasSuffix(words) { label = label.isEmpty ? words : "\(label) \(words)" }
      }
      while let other = taken[label] {
        let words = experiment.settingWords(unlike: other)
        if words.isEmpty { return label }
        label = label.isEmpty ? words : "\(label) \(words)"
      }
      taken[label] = experiment
      return label
    }
  }
}
