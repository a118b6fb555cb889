// Sweeps of method boundary grow with what is known of their points: in the transaction that stores a result, so that a
// coordinator that is killed at any moment leaves a store that either has both or neither.
//
// What a sweep wants is derived anew each time from its file, which the store keeps, and from the outcomes that it holds:
// nothing else is remembered, so nothing can disagree.

import Foundation
import GRDB
import Grokking
import Sweeps

/// The sweeps of a store that may grow.
package struct BoundarySweeps: Sendable {
  struct Sweep: Sendable {
    let number: Int64
    let file: SweepFile
    let plan: BoundaryPlan
  }

  let sweeps: [Sweep]
  /// Sweeps that cannot grow, a sentence each.
  package let problems: [String]

  package var isEmpty: Bool { sweeps.isEmpty }

  package static let none = BoundarySweeps(sweeps: [], problems: [])
}

/// A sweep that has become larger.
package struct GrownSweep: Sendable {
  package let sweep: KnownSweep
  /// The new ones.
  package let points: [KnownPoint]
  /// How many it has now.
  package let total: Int
  /// Settings of which every point failed, so that nothing is refined because of them.
  package let undecided: [String]
}

extension Store {
  /// Sweeps of method boundary among `names` (nil: all).
  package func boundarySweeps(_ names: [String]? = nil) throws -> BoundarySweeps {
    let rows = try read { database in
      try Row.fetchAll(
        database,
        sql: """
          SELECT number, name, canonical, file_text FROM sweep
          WHERE canonical LIKE '%"method":"boundary"%' AND semantics_version = ? ORDER BY number
          """, arguments: [Engine.semanticsVersion])
    }
    var sweeps: [BoundarySweeps.Sweep] = []
    var problems: [String] = []
    for row in rows {
      let name: String = row[1]
      if let names, !names.contains(name) { continue }
      do throws(SweepFileError) {
        let file = try SweepFile(text: row[3], fileName: "\(name).yaml", overrides: ["sweep=\(name)"])
        if let plan = file.boundary, file.canonical == row[2] as String {
          sweeps.append(BoundarySweeps.Sweep(number: row[0], file: file, plan: plan))
        } else {
          problems.append(
            "the sweep \"\(name)\" is not refined: its file reads otherwise in this version of groksweep; run it again from "
              + "its file")
        }
      } catch {
        problems.append("the sweep \"\(name)\" is not refined, since its file cannot be read here: \(error)")
      }
    }
    return BoundarySweeps(sweeps: sweeps, problems: problems)
  }

  /// The points of `file`, given what this store knows: of method boundary, all that are wanted by now.
  package func points(of file: SweepFile) throws -> SweepPoints {
    guard let plan = file.boundary else { return file.points }
    return try read { database in try wanted(plan, in: database).points }
  }

  /// Lets every sweep grow, whatever brought the outcomes.
  package func grow(_ boundaries: BoundarySweeps) throws -> [GrownSweep] {
    guard !boundaries.sweeps.isEmpty else { return [] }
    return try write { database in try boundaries.sweeps.compactMap { try grow($0, in: database) } }
  }

  /// Lets those grow that have any of `points`, which have come to their ends.
  func grow(_ boundaries: BoundarySweeps, after points: [PointID], in database: Database) throws -> [GrownSweep] {
    guard !points.isEmpty else { return [] }
    let isMember = try database.cachedStatement(
      sql: """
        SELECT 1 FROM point JOIN sweep_point ON sweep_point.point = point.number AND sweep_point.sweep = ?
        WHERE point.id = ?
        """)
    return try boundaries.sweeps.compactMap { sweep in
      let isConcerned = try points.contains { point in
        try Int.fetchOne(isMember, arguments: [sweep.number, point.hex]) != nil
      }
      return isConcerned ? try grow(sweep, in: database) : nil
    }
  }

  private func wanted(_ plan: BoundaryPlan, in database: Database) throws -> BoundaryPlan.Wanted {
    let find = try database.cachedStatement(
      sql: """
        SELECT point.state, run.grokking_epoch IS NOT NULL FROM point LEFT JOIN run ON run.point = point.number
        WHERE point.id = ?
        """)
    return try plan.wanted { id in
      guard let row = try Row.fetchOne(find, arguments: [id.hex]) else { return nil }
      switch PointState(rawValue: row[0]) {
      case .finished?: return row[1] as Bool ? .grokked : .censored
      case .failed?: return .failed
      case .pending?, nil: return nil
      }
    }
  }

  /// nil when it has all that it wants. Points that it has and wants no longer (a failed one that is tried again may
  /// change a vote) stay.
  private func grow(_ sweep: BoundarySweeps.Sweep, in database: Database) throws -> GrownSweep? {
    let wanted = try wanted(sweep.plan, in: database)
    let points = Array(wanted.points)
    let members = try members(of: sweep.number, in: database)
    let memberIDs = Set(members.map(\.id))
    let new = points.filter { !memberIDs.contains($0.id) }
    guard !new.isEmpty else { return nil }
    let ids = Set(points.map(\.id))
    let others = members.filter { !ids.contains($0.id) }
    let registration = SweepRegistration(
      name: sweep.file.name, canonical: sweep.file.canonical, fileText: sweep.file.storedText, axes: sweep.file.axes,
      points: points, differences: { _ in [] })
    let rows = try insertPoints(of: registration, in: database)
    let labels = try points.map(\.setting) + self.labels(of: others, beside: registration, in: database)
    try replaceMembers(rows + others.map(\.number), settings: labels, of: sweep.number, in: database)
    let added = Set(new.map(\.id))
    let (knownSweep, knownPoints) = try known(sweep: sweep.number, in: database)
    return GrownSweep(
      sweep: knownSweep, points: knownPoints.filter { added.contains($0.id) }, total: points.count + others.count,
      undecided: wanted.undecided)
  }
}
